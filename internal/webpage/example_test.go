package webpage

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// exampleCauses are causes with how often each is one of a hundred.
var exampleCauses = []struct {
	name, meaning, why string
	class              Class
	weight             int
	seconds            int // about how long such a build runs
}{
	{"missing-permission", "The service role lacks a permission.", "grant", Best, 27, 150},
	{"test-failure", "Tests failed.", "report", Rest, 21, 540},
	{"docker-hub-rate-limit", "Docker Hub limits how often images may be pulled.", "retry", Best, 14, 45},
	{"command-failed", "A command failed.", "report", Rest, 11, 260},
	{"npm-package-not-found", "npm does not find a package.", "report", Rest, 6, 70},
	{"network-timeout", "A download was not answered in time.", "retry", Best, 6, 400},
	{"missing-permission", "The service role lacks a permission.", "untrusted-build", Other, 5, 140},
	{"compile-error", "The code does not compile.", "report", Rest, 4, 95},
	{"repository-missing", "The ECR repository does not exist.", "create-repository", Best, 2, 330},
	{"missing-permission", "The service role lacks a permission.", "floor-never", Other, 2, 160},
	{"build-timeout", "The build ran longer than it may.", "report", Rest, 1, 3600},
	{"buildspec-missing", "There is no buildspec at its path.", "override-buildspec", Best, 1, 12},
}

var exampleWhys = map[string]Term{
	"grant":              {"A permission is added to the role, if a grant in buildmedic.yaml allows it.", ""},
	"retry":              {"The build is started again, unchanged.", ""},
	"create-repository":  {"The ECR repository is created, if a grant with create: true names it.", ""},
	"override-buildspec": {"The same commit is started again with a path that is listed under buildspecs.", ""},
	"report":             {"Buildmedic explains it and changes nothing: a person must act.", ""},
	"untrusted-build": {"The build is of a pull request, or of something else that nobody of the team has asked for.",
		"Once the same failure happens on a branch or a tag, it can be healed."},
	"floor-never": {
		"The action manages permissions or access, and is never granted.",
		"Give it to the role by hand, if it must have it.",
	},
	"not-on-allowlist": {
		"No grant of the project allows what was denied.",
		"Add it to a grant, if the build needs it.",
	},
	"no-grant-configured": {"The project has no grant.", "Give it one."},
	"healed":              {"The build that was started again is green.", ""},
	"reported":            {"Explained; nothing was changed.", ""},
	"proposed":            {"A plan is stored, and waits for an approval.", ""},
	"undone":              {"The grant did not help and was taken back.", ""},
	"failed":              {"Something was tried, and the build still fails.", ""},
	"open":                {"Not over yet.", ""},
}

func exampleProjects() (out []string) {
	for _, team := range []string{"shop", "checkout", "search", "accounts", "billing", "media", "platform", "data"} {
		for _, part := range []string{"api", "web", "worker", "infra", "e2e"} {
			out = append(out, team+"-"+part)
		}
	}
	return out
}

var exampleEnd = time.Date(2026, 9, 30, 22, 0, 0, 0, time.UTC)

// example is a month of forty projects; the same each time.
func example(kind Kind) Report {
	rng := rand.New(rand.NewPCG(17, uint64(kind)))
	r := Report{
		Kind:     kind,
		Account:  "111122223333",
		Region:   "eu-west-1",
		Made:     exampleEnd,
		From:     exampleEnd.AddDate(0, 0, -29).Truncate(24 * time.Hour),
		To:       exampleEnd,
		Projects: 40,
		Most:     50,
		Causes:   map[string]Term{},
		Whys:     exampleWhys,
	}
	projects := exampleProjects()
	total := 0
	for _, c := range exampleCauses {
		r.Causes[c.name] = Term{Meaning: c.meaning}
		total += c.weight
	}
	for d := range 30 {
		at := r.From.AddDate(0, 0, d)
		n := 13 + rng.IntN(9) - d/5
		if w := at.Weekday(); w == time.Saturday || w == time.Sunday {
			n = rng.IntN(4)
		}
		if d == 15 || d == 16 {
			n += 14 // a registry was slow
		}
		for range n {
			pick := rng.IntN(total)
			c := exampleCauses[0]
			for _, c = range exampleCauses {
				if pick -= c.weight; pick < 0 {
					break
				}
			}
			// Few projects fail often.
			p := projects[int(float64(len(projects))*rng.Float64()*rng.Float64()*rng.Float64())*7%len(projects)]
			b := Build{
				Project: p,
				Cause:   c.name,
				Class:   c.class,
				Why:     c.why,
				Seconds: c.seconds/2 + rng.IntN(c.seconds+1),
				End:     at.Add(time.Duration(7*3600+rng.IntN(12*3600)) * time.Second),
			}
			wait := time.Duration(300+int(9000*rng.ExpFloat64())) * time.Second
			if kind == History {
				b.Why = ""
				if b.Class = b.Class + 1; b.Class == Other && rng.IntN(5) > 0 {
					b.Class, wait = Best, time.Duration(c.seconds+60+rng.IntN(200))*time.Second
				} else {
					b.Class = Other
				}
			}
			if g := b.End.Add(wait); rng.IntN(9) > 0 && g.Before(r.To) {
				b.Green = g
			} else if kind == History {
				b.Class = Rest
			}
			r.Builds = append(r.Builds, b)
		}
	}
	if kind == Scan {
		r.Cut = true
		r.Notes = []string{"In 2 projects the limit of 50 failed builds (-n) was reached: what failed there " +
			"before is not " +
			"counted, so the first days show too little. -n 500 reads more."}
		exampleDenied(&r)
		return r
	}
	exampleCases(&r, rng)
	return r
}

func exampleDenied(r *Report) {
	for i, d := range []struct{ action, resource string }{
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/shop-api"},
		{"s3:PutObject", "arn:aws:s3:::shop-assets/web/app.js"},
		{"ssm:GetParameter", "arn:aws:ssm:eu-west-1:111122223333:parameter/checkout/key"},
		{"cloudfront:CreateInvalidation", "arn:aws:cloudfront::111122223333:distribution/E1EXAMPLE"},
		{"ecr:GetAuthorizationToken", "*"},
		{"secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:billing/pay-AbCdEf"},
		{"iam:CreateRole", ""},
	} {
		never := ""
		if d.action == "iam:CreateRole" {
			never = "iam:CreateRole manages permissions and is never granted."
		}
		r.Denied = append(r.Denied, Denied{Action: d.action, Resource: d.resource, Builds: 31 - 4*i, Never: never,
			Projects: exampleProjects()[5*i : 5*i+1+(7-i)]})
	}
	var b strings.Builder
	b.WriteString("version: 1\n# Made by `buildmedic scan`. Everything is in observe and grants nothing.\nprojects:\n")
	for _, p := range exampleProjects() {
		fmt.Fprintf(&b, "  - name: %s\n    role: codebuild-%s\n    mode: observe\n", p, p)
	}
	r.Settings = b.String()
}

func exampleCases(r *Report, rng *rand.Rand) {
	for i, b := range r.Builds {
		if i%2 == 1 {
			continue
		}
		c := Case{
			ID:      fmt.Sprintf("%016x", rng.Uint64()),
			Project: b.Project,
			Cause:   b.Cause,
			Opened:  b.End,
			Outcome: "reported",
		}
		switch {
		case b.Class == Best:
			c.Outcome = "healed"
		case i%6 == 0:
			c.Refused = []string{"not-on-allowlist"}
		case i%22 == 0:
			c.Outcome = "undone"
		case i > len(r.Builds)-30:
			c.Outcome, c.Waits, c.Until = "proposed", true, b.End.AddDate(0, 0, 7)
		}
		r.Cases = append(r.Cases, c)
	}
	slices.SortFunc(r.Cases, func(a, b Case) int { return b.Opened.Compare(a.Opened) })
	for i, t := range []string{"cart › adds an item twice", "TestCheckoutTimesOut",
		"search.IndexSpec › finds umlauts"} {
		r.Flaky = append(
			r.Flaky,
			Flaky{Project: exampleProjects()[i*7], Test: t, Flaked: 9 - 2*i, Builds: 11 - 2*i, Seconds: 5200 - 900*i,
				Last: r.To.AddDate(0, 0, -i), Broken: i == 2},
		)
	}
}
