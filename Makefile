# Buildmedic. `make` lists the targets.

# Tools, pinned. They are run by version and are in no go.mod.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
DEADCODE    := golang.org/x/tools/cmd/deadcode@v0.52.0
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
CDK         := npx --yes aws-cdk@2.1148.1

# Others' stand-ins for AWS, and the AWS CLI: what make test-deploy runs. They
# are installed below dist/, and nowhere else.
MINISTACK := ministack==1.5.33
AWSCLI    := awscli==1.46.3
RIE       := github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@v0.0.0-20261030222936-bef5c4ba774d
VENV      := dist/venv
RIE_BIN   := dist/tools/aws-lambda-rie

# What makes releases. GoReleaser v2.17 and later need a newer Go than go.mod names.
GORELEASER := github.com/goreleaser/goreleaser/v2@v2.16.0
COSIGN     := github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3
SYFT       := github.com/anchore/syft/cmd/syft@v1.57.1
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

# The function: no cgo, no paths, no build id, so that equal sources give
# equal bytes (and the stack does not change without a reason).
LDFLAGS  := -s -w -buildid=
GOFLAGS_ := -trimpath -buildvcs=false -tags lambda.norpc
SETTINGS ?= infra/buildmedic.yaml
DYNALITE := internal/awsapi/testdata/dynalite

.DEFAULT_GOAL := help
.PHONY: help demo test test-cli build app node dynalite lint fmt verify cover bench soak fuzz generate update check synth diff deploy destroy member test-event synth-golden test-infra test-deploy clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: ## heal the failed builds of the stories in the simulated account
	@go run ./lambda/buildmedic demo

# The rooms whose tests can have a second goroutine, theirs or of what they
# link: internal/race_test.go computes them. The soak is left out: it is
# thousands of whole runs, of code that the others race.
RACED := internal/awsapi internal/codecommit internal/codehost internal/codehost/openapi internal/commandline \
  internal/deploytest internal/heal internal/inbox internal/lazyregexp internal/ledger internal/permissions internal/sandbox internal/simaws internal/story \
  internal/toolbox lambda lambda/buildmedic

# Tests of these rooms that only read much, or play story after story, the ones
# of internal/story once more, or one with a death at each write: the race
# detector would make them five times as long, and their goroutines are those
# of every other test there. They run without it, and so do those that
# build programs and run these: the detector sees nothing of them.
SLOW := TestAllCompile TestBootstrapBuilds TestCapacity TestClientReadsLongAnswers TestCommandLines TestCrossed TestCutSecrets \
  TestDocumentsInTheSandbox TestEveryItemIsSmall TestFloodOfDenials TestHealedThroughNoise TestIncidentBounded \
  TestIncidentHostile TestIncidentWhoseLeadGoes TestLedgerTrouble TestLongOutageOfMany TestOneCommitFailsForDays \
  TestPackedAlike TestPagesAreWhole TestPastBounds TestPauseIsToldWhereverItDies TestStoriesDecide \
  TestStoriesWithOwnPermissions TestSweptAgain TestTextInReports TestTooMany TestTools TestWaitingSurvivesDeath \
  TestZipIsSmall
empty :=
slow  := ^($(subst $(empty) $(empty),|,$(strip $(SLOW))))$$

# Where npm is, the DynamoDB ledger's tests must run: they are not skipped.
needs := $(if $(shell command -v npm),BUILDMEDIC_NEED_DYNALITE=1)

# The second command is the README's, without a flag more: what that has just run then comes from
# its cache. A -timeout, too, would have everything run again.
test: dynalite ## all tests, and those with goroutines once more with the race detector
	go vet ./...
	$(needs) BUILDMEDIC_ARCHS=all go test ./...
	$(needs) go test -race -skip '$(slow)' -timeout 30m $(addprefix ./,$(RACED))
	@$(MAKE) --no-print-directory test-infra

test-cli: ## run each AWS CLI command that is printed through the real CLI, versions 1 and 2
	internal/commandline/install.sh dist/cli
	BUILDMEDIC_CLI=1 go test -count=1 ./internal/commandline

dynalite: # the DynamoDB for the ledger's tests; left out, loudly, without Node.js
	@if command -v npm >/dev/null 2>&1; then \
	  test -d $(DYNALITE)/node_modules/dynalite || npm ci --prefix $(DYNALITE) --no-audit --no-fund --loglevel=error; \
	else echo "NOTE: no npm here: the DynamoDB ledger is not tested"; fi

function = CGO_ENABLED=0 GOOS=linux GOARCH=$(1) go build $(GOFLAGS_) -ldflags='$(LDFLAGS)' -o dist/$(1)/bootstrap ./lambda

build: ## the function for arm64 and amd64: dist/ARCH/bootstrap
	@$(call function,arm64)
	@$(call function,amd64)
	@ls -l dist/*/bootstrap

check: ## validate the settings, run their tests, show what each project could at most gain
	go run ./lambda/buildmedic check -settings $(SETTINGS)

fmt: ## format
	gofmt -w $$(git ls-files '*.go')

lint: ## formatting, line width, vet, staticcheck, dead code
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	go test -run '^TestWidth' ./internal
	@dead=$$(go run $(DEADCODE) -test -tags crosscheck ./...) && test -z "$$dead" || { echo "dead code: $$dead" >&2; exit 1; }

verify: lint ## lint, known vulnerabilities, tidy go.mod files
	go mod tidy -diff
	cd infra && go mod tidy -diff
	go run $(GOVULNCHECK) ./...

cover: ## coverage by package
	go test -cover ./... | sort

generate: ## renew what is generated
	go generate ./...

update: ## rewrite the golden files and templates, then run the tests
	go test ./internal/buildlog ./internal/heal ./internal/iampolicy ./internal/notice ./internal/settings ./internal/story ./internal/toolbox ./internal/webpage ./lambda/buildmedic -update
	@if command -v node >/dev/null; then $(MAKE) synth-golden; \
	else echo "NOTE: no Node.js here: the templates of infra/testdata are NOT renewed."; fi
	go test ./...

# Debian's is chromium; root has no sandbox, which the tests know.
BROWSER ?= $(firstword $(foreach b,chromium chromium-browser google-chrome google-chrome-stable,$(shell command -v $(b))))

.PHONY: test-page
test-page: ## open the desk's page in a real browser: light, dark, phone, print, hostile
	@if test -n "$(BROWSER)"; then BUILDMEDIC_BROWSER="$(BROWSER)" BUILDMEDIC_SHOTS="$(if $(SHOTS),$(abspath $(SHOTS)))" \
	  go test -count=1 -timeout 15m -run 'Browser|Printed|Keyboard' ./internal/webpage; \
	elif test "$(BUILDMEDIC_NEED)" = 1; then echo "make test-page needs Chromium: install it, or name it with BROWSER=PATH" >&2; exit 1; \
	else echo "NOT CHECKED: no Chromium here: the page is opened in no browser (BROWSER=PATH names one)"; fi

.PHONY: picture-page
picture-page: ## draw the picture of the desk's page again: look at it
	@test -n "$(BROWSER)" || { echo "this needs Chromium: install it, or name it with BROWSER=PATH" >&2; exit 1; }
	BUILDMEDIC_BROWSER="$(BROWSER)" go test ./internal/webpage -run 'Golden|Picture' -count=1 -update

.PHONY: picture
picture: ## draw the README's picture of the demo again: look at it
	go test ./lambda/buildmedic -run TestPicture -count=1 -update

bench: dynalite ## speed, as ratios within one run, and what storms take beside their bounds
	BUILDLOG_BENCH_MB=1024 go test -run '^$$' -bench BesideGrep -benchtime 1x ./internal/buildlog
	go test -run '^$$' -bench . -benchtime 1x ./internal/soak ./lambda
	go test -run '^TestScale$$' -count=1 -v -timeout 60m ./internal/soak -long
	go test -run '^TestScanPace$$' -count=1 -v ./lambda/buildmedic -long
	go test -run '^$$' -bench . ./internal/iampolicy ./internal/guardrail ./internal/diagnose

soak: ## crash, chaos and scale, longer and with a random seed
	go test -run 'Chaos|Scale' -count=1 -v -timeout 60m ./internal/soak -long -seed $$(date +%s)

fuzz: ## every fuzz test for FUZZTIME (default 1m)
	@for pkg in $$(go list ./...); do \
	  for f in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    go test -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-1m} $$pkg || exit 1; \
	  done; \
	done

# Too slow for CI: minutes a room. MUTANTS is how many changes of each room are
# tried (0: all), ROOMS the rooms, SEED another draw, OWN=1 only own tests.
.PHONY: mutants
mutants: ## change the judging rooms in small ways, and list what no test notices
	go vet -tags mutants ./internal/mutants
	go test -tags mutants -run TestMutants -count=1 -v -timeout 6h ./internal/mutants -args \
	  -n $${MUTANTS:-100} -seed $${SEED:-1} -rooms "$$ROOMS" -match "$$MATCH" $(if $(OWN),-own)

# Too slow for CI, and it downloads gigabytes. ONLY is a regular expression for
# TOOL/RUN; KEEP is a folder in which the installed tools stay for the next time.
.PHONY: tools
tools: ## run real tools anew, denied something over AWS's wire, and renew testdata/tools
	go vet -tags tools ./internal/toolbox
	go test -tags tools -run TestRenew -count=1 -v -timeout 6h ./internal/toolbox -args -only "$$ONLY" -keep "$(if $(KEEP),$(abspath $(KEEP)))"
	go test -count=1 ./internal/toolbox -update

CONTEXT ?=
CDK_ARGS = -c settings=$(SETTINGS) $(CONTEXT)

# The version is pinned, so a word on newer ones is only noise. On a Node.js
# that it does not know, jsii draws a box; the target node says it in a line.
export CDK_DISABLE_VERSION_CHECK := 1
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1

node:
	@command -v node >/dev/null && command -v npx >/dev/null || { \
	  echo "The CDK needs Node.js 22 or 24 with npx, and the PATH has none: install it from https://nodejs.org" >&2; exit 1; }
	@v=$$(node -p 'process.versions.node.split(".")[0]') && case $$v in 22|24) ;; \
	  *) echo "NOTE: this is Node.js $$v; the CDK is tested with 22 and 24" >&2;; esac

# The app is compiled as for a release, and so are its tests: the CDK's modules take minutes.
stack := cd infra && CGO_ENABLED=0 go
STACKFLAGS := -trimpath -buildvcs=false

# The "build" of cdk.json: the CDK's command runs it before each synthesis, so
# that a bare npx aws-cdk works on a fresh clone, too.
app:
	$(call function,arm64)
	$(stack) build $(STACKFLAGS) -o ../dist/infra .

synth: node ## the CloudFormation template
	$(CDK) synth Buildmedic $(CDK_ARGS)

diff: node ## what a deployment would change
	$(CDK) diff Buildmedic $(CDK_ARGS)

deploy: node check ## deploy to the AWS account of your credentials
	$(CDK) deploy Buildmedic $(CDK_ARGS)

destroy: node ## remove the stack; take back the grants first, see infra/README.md
	$(CDK) destroy Buildmedic $(CDK_ARGS)

MEMBER := cdk.out/BuildmedicMember.template.json

member: node ## the template for member accounts: cdk.out/BuildmedicMember.template.json
	@rm -f $(MEMBER)
	$(CDK) synth -q $(CDK_ARGS)
	@test -f $(MEMBER) || { echo "$(SETTINGS) has no project elsewhere, so no member needs a template:" \
	  "list the other account under accounts, name it as account in a project, and run make member again" >&2; exit 1; }
	@ls -l $(MEMBER)

test-event: ## send the newest failed build of PROJECT to the function, as CodeBuild would
	@test -n "$(PROJECT)" || { echo "which project? make test-event PROJECT=name" >&2; exit 2; }
	@queue=$$(aws cloudformation describe-stacks --stack-name Buildmedic --query "Stacks[0].Outputs[?OutputKey=='QueueUrl'].OutputValue" --output text) && \
	ids=$$(aws codebuild list-builds-for-project --project-name "$(PROJECT)" --query 'ids[:100]' --output text) && \
	case $$ids in ''|None) \
	  echo "$(PROJECT) has no build yet, so there is none to send: start it once, and let it fail, then run this again"; exit 1;; esac && \
	arn=$$(aws codebuild batch-get-builds --ids $$ids --query "builds[?buildStatus=='FAILED']|[0].arn" --output text) && \
	{ test "$$arn" != None || { echo "$(PROJECT) has no failed build among its last 100"; exit 1; }; } && \
	aws sqs send-message --queue-url "$$queue" --query MessageId --output text --message-body \
	  "{\"version\":\"0\",\"id\":\"test-event\",\"source\":\"aws.codebuild\",\"detail-type\":\"CodeBuild Build State Change\",\"detail\":{\"build-status\":\"FAILED\",\"project-name\":\"$(PROJECT)\",\"build-id\":\"$$arn\"}}" && \
	echo "sent: $$arn"

synth-golden: node ## renew the committed templates of infra/testdata
	@for c in shipped code seed; do \
	  rm -f cdk.out/golden/*.template.json; \
	  $(CDK) synth -q -o cdk.out/golden -c settings=infra/testdata/$$c.yaml -c bootstrap=infra/testdata/bootstrap || exit 1; \
	  cp cdk.out/golden/Buildmedic.template.json infra/testdata/template.$$c.json; \
	  case $$c in code) m=code-member;; seed) m=member;; *) continue;; esac; \
	  cp cdk.out/golden/BuildmedicMember.template.json infra/testdata/template.$$m.json || exit 1; \
	done

test-infra: node ## the tests of infra/, with the CDK's own command
	$(stack) vet $(STACKFLAGS) .
	$(stack) test $(STACKFLAGS) -timeout 30m .

# Each tool is installed below dist/crosscheck, once. One that cannot be had is
# said to be NOT CHECKED; with BUILDMEDIC_NEED=1 that is a failure.
.PHONY: crosscheck
crosscheck: ## judge by tools of others: IAM evaluation, event patterns, templates, editors, an SDK
	go vet -tags crosscheck ./internal/awsapi ./internal/crosscheck ./internal/iampolicy ./internal/permissions ./internal/settings ./internal/simaws
	go test -tags crosscheck -run CrossCheck -p 1 -count=1 -v -timeout 20m ./internal/awsapi ./internal/iampolicy ./internal/permissions ./internal/settings ./internal/simaws

$(VENV)/done: Makefile
	@command -v python3 >/dev/null || { echo "make test-deploy needs Python 3.10 or later with venv, for the emulator of AWS" >&2; exit 1; }
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check $(MINISTACK) $(AWSCLI)
	@touch $@

$(RIE_BIN): Makefile
	GOBIN=$(abspath dist/tools) go install $(RIE)
	@touch $@

test-deploy: node build $(VENV)/done $(RIE_BIN) ## deploy, heal and remove on an emulator of AWS, by the README
	BUILDMEDIC_DEPLOY_TOOLS=$(abspath $(VENV)/bin) BUILDMEDIC_CDK='$(CDK)' BUILDMEDIC_RIE=$(abspath $(RIE_BIN)) \
	  go test -count=1 -v -timeout 15m -run 'TestDeploy|TestLambdaRuntime' ./internal/deploytest

.PHONY: release-check release-trial release-tools
dist/tools/goreleaser: Makefile
	GOBIN=$(abspath dist/tools) go install $(GORELEASER)
	@touch $@

release-tools: dist/tools/goreleaser # what the workflow of a release needs besides
	GOBIN=$(abspath dist/tools) go install $(COSIGN)
	GOBIN=$(abspath dist/tools) go install $(SYFT)

release-check: node build dist/tools/goreleaser ## a release as it would be, for this platform, published nowhere
	go run $(ACTIONLINT)
	dist/tools/goreleaser check --quiet
	BUILDMEDIC_GORELEASER=$(abspath dist/tools/goreleaser) BUILDMEDIC_CDK='$(CDK)' \
	  go test -count=1 -v -timeout 20m -run TestRelease ./internal/deploytest

release-trial: dist/tools/goreleaser ## the files of a release, for all platforms, unsigned: dist/release
	BUILDMEDIC_IMAGE=buildmedic TAP_TOKEN=none dist/tools/goreleaser release --snapshot --clean --skip=sign,sbom,docker

clean: ## remove what was built
	rm -rf dist cdk.out
