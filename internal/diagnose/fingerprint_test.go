package diagnose

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// fill replaces {n}, {id} and the like with random values of their kind.
func fill(r *rand.Rand, text string) string {
	digits := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte("0123456789"[r.IntN(10)])
		}
		return b.String()
	}
	from := func(alphabet string, n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte(alphabet[r.IntN(len(alphabet))])
		}
		return b.String()
	}
	const hex, base64 = "0123456789abcdef", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	word := func() string { return from("abcdefghijklmnopqrstuvwxyz", 3+r.IntN(8)) }
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		switch p {
		case "{n}":
			return digits(1 + r.IntN(6))
		case "{hash}":
			return from(hex, []int{7, 8, 12, 32, 40, 64}[r.IntN(6)])
		case "{uuid}":
			return fmt.Sprintf("%s-%s-%s-%s-%s", from(hex, 8), from(hex, 4), from(hex, 4), from(hex, 4), from(hex, 12))
		case "{base64}":
			return from(base64, 24) + "1aB" + from(base64, 20) + strings.Repeat("=", r.IntN(3))
		case "{time}":
			h, m, s := r.IntN(24), r.IntN(60), r.IntN(60)
			y, d := 2020+r.IntN(10), 1+r.IntN(28)
			months := []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
			mo := r.IntN(12)
			return []string{
				fmt.Sprintf("%d-%02d-%02dT%02d:%02d:%02dZ", y, mo+1, d, h, m, s),
				fmt.Sprintf("%d-%02d-%02dT%02d:%02d:%02d.%s+00:00", y, mo+1, d, h, m, s, digits(3)),
				fmt.Sprintf("%d/%02d/%02d %02d:%02d:%02d.%s", y, mo+1, d, h, m, s, digits(6)),
				fmt.Sprintf("%s %d %02d:%02d:%02d %d", months[mo], d, h, m, s, y),
				fmt.Sprintf("%02d:%02d:%02d", h, m, s),
				fmt.Sprintf("%s %d, %d %d:%02d:%02d PM", months[mo], d, y, 1+h/2, m, s),
			}[r.IntN(6)]
		case "{duration}":
			return []string{digits(2) + "s", "0." + digits(3) + "s", digits(3) + "ms", digits(1) + "m" + digits(2) + "s",
				digits(1) + " seconds"}[r.IntN(5)]
		case "{path}":
			return []string{
				"/codebuild/output/src" + digits(9) + "/src/" + word() + "/" + word() + ".txt", "/tmp/" + word(),
				"./" + word() + "/" + word(), "../" + word() + ".txt", "~/." + word(),
				"src/" + word() + "/" + word() + ".xml", `C:\build\` + word() + `\` + word() + ".cs",
			}[r.IntN(7)]
		case "{colour}":
			return []string{"", "\x1b[31m", "\x1b[0m", "\x1b[1;33;40m", "\x1b[K"}[r.IntN(5)]
		}
		panic("no placeholder " + p)
	})
}

var placeholder = regexp.MustCompile(`\{\w+\}`)

// TestFingerprintIsSteady fills the changing parts of lines at random: the
// fingerprint stays.
func TestFingerprintIsSteady(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, line := range []string{
		"{time} error: build {n} of {n} failed after {duration}",
		"{colour}Error:{colour} container {hash} of task {uuid} died",
		"AccessDenied: no, status code: {n}, request id: {hash}, host id: {base64}",
		"{path}:{n}:{n}: the total is gone",
		"open {path}: it is gone",
		"could not read ({path}) at {time}",
		"stack shop/{uuid} is not there",
		"layer {hash}: it took {duration} and {n} MB",
		"Request-Id={uuid} Trace={hash}",
		"artifact \"{path}\" of build shop:{uuid} is missing",
		"[{time}] {n}% done, then it broke",
		"s3://bucket-{n}/{hash}/{uuid}.zip cannot be unpacked",
		"https://ci.example.com/builds/{n}?token={hash} answered badly",
	} {
		var want, first string
		for range 200 {
			text := fill(r, line)
			f := buildlog.Failure{Command: fill(r, "/opt/{n}/run.sh --until={n} >/tmp/{hash}/out-{n}"), Exit: "1",
				Tail: []buildlog.Line{{N: 1 + r.IntN(1000), Text: text}}}
			got := Diagnose(f).Fingerprint
			if want == "" {
				want, first = got, text
			}
			if got != want {
				t.Errorf("%q reads as %q\n%q reads as %q", text, steady(text), first, steady(first))
				break
			}
		}
	}
}

// TestFingerprintTellsApart returns failures that are not the same.
func TestFingerprintTellsApart(t *testing.T) {
	command := func(line string) buildlog.Failure {
		return buildlog.Failure{Command: "./run.sh", Exit: "1", Tail: []buildlog.Line{{N: 1, Text: line}}}
	}
	denied := func(action, resource string, layer buildlog.Layer) buildlog.Failure {
		return buildlog.Failure{Denials: []buildlog.Denial{{Action: action, Resource: resource, Effect: buildlog.Implicit,
			Layer: layer, Causal: true}}}
	}
	list := []buildlog.Failure{
		{},
		{Context: codebuild.Context{Code: "CLIENT_ERROR", Message: "one"}},
		{Context: codebuild.Context{Code: "CLIENT_ERROR", Message: "other"}},
		command("the widget is broken"),
		command("the gadget is broken"),
		{Command: "./other.sh", Exit: "1", Tail: []buildlog.Line{{N: 1, Text: "the widget is broken"}}},
		command("--- FAIL: TestCheckout (0.00s)"),
		command("--- FAIL: TestBasket (0.00s)"),
		command("npm ERR! 404  'left-pad@^9.0.0' is not in this registry."),
		command("npm ERR! 404  'right-pad@^9.0.0' is not in this registry."),
		command("name unknown: The repository with name 'shop/web' does not exist in the registry with id '111122223333'"),
		command("name unknown: The repository with name 'shop/api' does not exist in the registry with id '111122223333'"),
		denied("ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/shop/web", buildlog.IdentityBased),
		denied("ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/shop/api", buildlog.IdentityBased),
		denied("ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:111122223333:repository/shop/web", buildlog.IdentityBased),
		denied("ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/shop/web", buildlog.LayerUnstated),
		denied("s3:GetObject", "arn:aws:s3:::bucket-a/k", buildlog.IdentityBased),
		denied("s3:GetObject", "arn:aws:s3:::bucket-b/k", buildlog.IdentityBased),
	}
	seen := map[string]int{}
	for i, f := range list {
		p := Diagnose(f).Fingerprint
		if j, ok := seen[p]; ok {
			t.Errorf("failures %d and %d have one fingerprint", j, i)
		}
		seen[p] = i
	}
}

// TestFingerprintOfDenials ensures that what changes around a denial does
// not count, nor the order of several, nor those aside.
func TestFingerprintOfDenials(t *testing.T) {
	a := buildlog.Denial{Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket/2026/03/04/x1Y2z3.zip", Effect: buildlog.Implicit,
		Layer: buildlog.IdentityBased, Causal: true, Line: 3, Text: "request id: AAAA",
		Principal: "arn:aws:sts::111122223333:assumed-role/r/AWSCodeBuild-1"}
	b := buildlog.Denial{Action: "kms:Decrypt", Resource: "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555",
		Effect: buildlog.Implicit, Layer: buildlog.IdentityBased, Causal: true}
	want := Diagnose(buildlog.Failure{Denials: []buildlog.Denial{a, b}}).Fingerprint
	a2, b2, aside := a, b, a
	a2.Resource, a2.Line, a2.Text, a2.Principal = "arn:aws:s3:::bucket/2026/11/22/aBcdEfg.zip", 77, "request id: BBBB",
		"arn:aws:sts::111122223333:assumed-role/r/AWSCodeBuild-2"
	b2.Resource = "arn:aws:kms:eu-west-1:111122223333:key/99999999-8888-7777-6666-555555555555"
	aside.Action, aside.Causal = "s3:ListBucket", false
	if got := Diagnose(buildlog.Failure{Denials: []buildlog.Denial{aside, b2, a2, a}}).Fingerprint; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestFingerprintsOfSamples: two samples of one cause may be the same
// failure, two of different causes never are.
func TestFingerprintsOfSamples(t *testing.T) {
	seen := map[string]string{}
	all := samples(t)
	for _, s := range all {
		p := Diagnose(s.failure).Fingerprint
		if c, ok := seen[p]; ok && c != s.cause {
			t.Errorf("%s and %s share a fingerprint", c, s.cause)
		}
		seen[p] = s.cause
	}
	if len(seen) < len(all)*9/10 {
		t.Errorf("%d samples have only %d fingerprints", len(all), len(seen))
	}
}

// FuzzSteady ensures that no changing part is left, and that the result is bounded.
func FuzzSteady(f *testing.F) {
	for _, s := range samples(f) {
		for _, l := range s.failure.Tail {
			f.Add(l.Text)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := steady(s)
		if strings.ContainsAny(got, "0123456789\n\t") || strings.Contains(got, "  ") || strings.ToLower(got) != got {
			t.Errorf("%q reads as %q", s, got)
		}
		if len(got) > 4*maxLineBytes {
			t.Errorf("%d bytes", len(got))
		}
	})
}
