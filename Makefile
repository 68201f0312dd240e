# Buildmedic. `make` lists the targets.

# Tools, pinned. They are run by version and are in no go.mod.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
CDK         := npx --yes aws-cdk@2.1148.1

# The function: no cgo, no paths, no build id, so that equal sources give
# equal bytes (and the stack does not change without a reason).
LDFLAGS  := -s -w -buildid=
GOFLAGS_ := -trimpath -buildvcs=false -tags lambda.norpc
SETTINGS ?= infra/buildmedic.yaml
DYNALITE := internal/awsapi/testdata/dynalite

.DEFAULT_GOAL := help
.PHONY: help demo test build dynalite lint fmt verify cover bench soak fuzz generate update check synth diff deploy destroy member test-event synth-golden test-infra clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: ## heal the failed builds of the stories in the simulated account
	@go run ./lambda/buildmedic demo

# The crash test is thousands of whole runs: it goes without the race detector,
# which the same code meets in every other room. Where npm is, the DynamoDB
# ledger's tests must run: they are not skipped.
test: dynalite ## all tests of the root module, with the race detector
	go vet ./...
	$(if $(shell command -v npm),BUILDMEDIC_NEED_DYNALITE=1 )go test -race -timeout 30m $$(go list ./... | grep -v /internal/soak$$)
	go test -timeout 30m ./internal/soak

dynalite: # the DynamoDB for the ledger's tests; left out, loudly, without Node.js
	@if command -v npm >/dev/null 2>&1; then \
	  test -d $(DYNALITE)/node_modules/dynalite || npm ci --prefix $(DYNALITE) --no-audit --no-fund --loglevel=error; \
	else echo "NOTE: no npm here: the DynamoDB ledger is not tested"; fi

build: ## the function for arm64 and amd64: dist/ARCH/bootstrap
	@for arch in arm64 amd64; do \
	  CGO_ENABLED=0 GOOS=linux GOARCH=$$arch go build $(GOFLAGS_) -ldflags='$(LDFLAGS)' -o dist/$$arch/bootstrap ./lambda || exit 1; \
	done
	@ls -l dist/*/bootstrap

check: ## validate the settings, run their tests, show what each project could at most gain
	go run ./lambda/buildmedic check -settings $(SETTINGS)

fmt: ## format
	gofmt -w $$(git ls-files '*.go')

lint: ## formatting, vet, staticcheck
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

verify: lint ## lint, known vulnerabilities, a tidy go.mod
	go mod tidy -diff
	go run $(GOVULNCHECK) ./...

cover: ## coverage by package
	go test -cover ./... | sort

generate: ## renew what is generated
	go generate ./...

update: ## rewrite the golden files and templates, then run the tests
	go test ./internal/story ./internal/notice ./internal/settings ./lambda/buildmedic -update
	@if command -v node >/dev/null; then $(MAKE) synth-golden; \
	else echo "NOTE: no Node.js here: the templates of infra/testdata are NOT renewed."; fi
	go test ./...

bench: ## speed, as ratios within one run
	BUILDLOG_BENCH_MB=1024 go test -run '^$$' -bench BesideGrep -benchtime 1x ./internal/buildlog
	go test -run '^$$' -bench . -benchtime 1x ./internal/soak ./lambda
	go test -run '^$$' -bench . ./internal/iampolicy ./internal/guardrail ./internal/diagnose

soak: ## crash, chaos and scale, longer and with a random seed
	go test -run 'Chaos|Scale' -count=1 -v -timeout 60m ./internal/soak -long -seed $$(date +%s)

fuzz: ## every fuzz test for FUZZTIME (default 1m)
	@for pkg in $$(go list ./...); do \
	  for f in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    go test -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-1m} $$pkg || exit 1; \
	  done; \
	done

CONTEXT ?=
CDK_ARGS = -c settings=$(abspath $(SETTINGS)) $(CONTEXT)

synth: build ## the CloudFormation template
	$(CDK) synth Buildmedic $(CDK_ARGS)

diff: build ## what a deployment would change
	$(CDK) diff Buildmedic $(CDK_ARGS)

deploy: build check ## deploy to the AWS account of your credentials
	$(CDK) deploy Buildmedic $(CDK_ARGS)

destroy: build ## remove the stack; undo the grants first, see the README
	$(CDK) destroy Buildmedic $(CDK_ARGS)

member: build ## the template for member accounts: cdk.out/BuildmedicMember.template.json
	$(CDK) synth -q BuildmedicMember $(CDK_ARGS)
	@ls -l cdk.out/BuildmedicMember.template.json

test-event: ## send the newest failed build of PROJECT to the function, as CodeBuild would
	@test -n "$(PROJECT)" || { echo "whose? make test-event PROJECT=name"; exit 2; }
	@queue=$$(aws cloudformation describe-stacks --stack-name Buildmedic --query "Stacks[0].Outputs[?OutputKey=='QueueUrl'].OutputValue" --output text) && \
	ids=$$(aws codebuild list-builds-for-project --project-name "$(PROJECT)" --query 'ids[:100]' --output text) && \
	arn=$$(aws codebuild batch-get-builds --ids $$ids --query "builds[?buildStatus=='FAILED']|[0].arn" --output text) && \
	{ test "$$arn" != None || { echo "$(PROJECT) has no failed build among its last 100"; exit 1; }; } && \
	aws sqs send-message --queue-url "$$queue" --query MessageId --output text --message-body \
	  "{\"version\":\"0\",\"id\":\"test-event\",\"source\":\"aws.codebuild\",\"detail-type\":\"CodeBuild Build State Change\",\"detail\":{\"build-status\":\"FAILED\",\"project-name\":\"$(PROJECT)\",\"build-id\":\"$$arn\"}}" && \
	echo "sent: $$arn"

synth-golden: ## renew the committed templates of infra/testdata
	@for c in shipped seed; do \
	  $(CDK) synth -q -o cdk.out/golden -c settings=testdata/$$c.yaml -c bootstrap=testdata/bootstrap || exit 1; \
	  cp cdk.out/golden/Buildmedic.template.json infra/testdata/template.$$c.json; \
	done
	@cp cdk.out/golden/BuildmedicMember.template.json infra/testdata/template.member.json

# -modfile on a copy: the tree's go.mod and go.sum stay as they are.
test-infra: ## type-check, test and synthesize infra/ where its modules can be had
	@tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && cp infra/go.mod infra/go.sum "$$tmp"/ && cd infra && \
	if ! command -v node >/dev/null; then echo "NOTE: no Node.js here: infra/ was NOT type-checked and NOT synthesized."; \
	elif go list -mod=mod -modfile="$$tmp/go.mod" -deps . >/dev/null 2>"$$tmp/why"; then \
	  go vet -mod=mod -modfile="$$tmp/go.mod" . && go test -mod=mod -modfile="$$tmp/go.mod" .; \
	else echo "NOTE: the CDK's Go modules cannot be had here: infra/ was NOT type-checked and NOT synthesized."; \
	  echo "      Its committed templates are examined by the tests of the root module all the same."; fi

clean: ## remove what was built
	rm -rf dist cdk.out infra/cdk.out
