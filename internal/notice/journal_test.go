package notice

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestMetricsAreEMF checks each line against the embedded metric format.
func TestMetricsAreEMF(t *testing.T) {
	for _, s := range samples {
		for _, text := range strings.Split(string(Metrics(s.outcome)), "\n") {
			var line map[string]any
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			var head struct {
				AWS struct {
					Timestamp         int64
					CloudWatchMetrics []struct {
						Namespace  string
						Dimensions [][]string
						Metrics    []struct{ Name, Unit string }
					}
				} `json:"_aws"`
			}
			if err := json.Unmarshal([]byte(text), &head); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if head.AWS.Timestamp != s.outcome.At.UnixMilli() || len(head.AWS.CloudWatchMetrics) != 1 {
				t.Errorf("%s: head %+v", s.name, head.AWS)
				continue
			}
			d := head.AWS.CloudWatchMetrics[0]
			if d.Namespace != "Buildmedic" || len(d.Metrics) == 0 || len(d.Metrics) > 100 {
				t.Errorf("%s: directive %+v", s.name, d)
			}
			for _, m := range d.Metrics {
				if _, ok := line[m.Name].(float64); !ok || m.Unit != "Count" && m.Unit != "Seconds" {
					t.Errorf("%s: metric %+v is %v", s.name, m, line[m.Name])
				}
			}
			for _, set := range d.Dimensions {
				for _, k := range set {
					if v, ok := line[k].(string); !ok || v == "" || len(v) > 1024 {
						t.Errorf("%s: dimension %s is %v", s.name, k, line[k])
					}
				}
			}
		}
	}
}

// TestMetricsCountOnce ensures that a case with several notices is counted once.
func TestMetricsCountOnce(t *testing.T) {
	proposedThenHealed := trackerHealed()
	proposedThenHealed.Case.Rounds[0].Decision.Mode = settings.Propose
	many := rateLimitHealed()
	refused := notAllowedReported()
	d := refused.Case.Rounds[0].Decision
	d.Refusals = append(d.Refusals, guardrail.Refusal{Rule: guardrail.NotAllowed}, guardrail.Refusal{
		Rule: guardrail.UntrustedBuild,
	})
	scanned := notAllowedReported()
	scanned.Case.Rounds[0].Scan = 1500 * time.Millisecond
	for _, row := range []struct {
		name string
		os   []decide.Outcome
		want map[string]float64
	}{
		{"the log took its time", []decide.Outcome{scanned},
			map[string]float64{"Reported": 1, "Failures": 1, "Refused": 1, "ScanTime": 1500}},
		{"healed", []decide.Outcome{trackerRetrying(), trackerHealed()},
			map[string]float64{"Retrying": 1, "Healed": 1, "Failures": 1, "Rounds": 1, "TimeToHeal": 252}},
		{"healed and undone by hand", []decide.Outcome{qivrHealed(), qivrUndone()},
			map[string]float64{"Healed": 1, "Undone": 1, "Failures": 1, "Rounds": 1, "TimeToHeal": 531}},
		{"proposed and healed", []decide.Outcome{trackerProposed(), proposedThenHealed},
			map[string]float64{"Proposed": 1, "Healed": 1, "Failures": 1, "Rounds": 1, "TimeToHeal": 252}},
		{"did not help", []decide.Outcome{trackerRetrying(), trackerUndone(), paused()},
			map[string]float64{"Retrying": 1, "Undone": 1, "Failures": 1, "Rounds": 1, "Paused": 1}},
		{"refused twice by one rule", []decide.Outcome{refused},
			map[string]float64{"Reported": 1, "Failures": 1, "Refused": 2}},
		{"eight at once", []decide.Outcome{many},
			map[string]float64{"Healed": 1, "Failures": 8, "Rounds": 1, "TimeToHeal": 161}},
	} {
		got := map[string]float64{}
		for _, o := range row.os {
			for _, text := range strings.Split(string(Metrics(o)), "\n") {
				var line map[string]any
				if err := json.Unmarshal([]byte(text), &line); err != nil {
					t.Fatal(err)
				}
				for k, v := range line {
					if n, ok := v.(float64); ok {
						got[k] += n
					}
				}
			}
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// TestAuditHasNoLogText ensures that only a well-formed action and resource are repeated of what
// a build printed.
func TestAuditHasNoLogText(t *testing.T) {
	const said = "words-out-of-the-log"
	o := forgedReported()
	r := &o.Case.Rounds[0]
	r.Diagnosis.Title, r.Diagnosis.Advice, r.Diagnosis.Evidence.Text, r.Diagnosis.Excerpt[0].Text = said, said,
		said, said
	r.Decision.Refusals = append(r.Decision.Refusals,
		guardrail.Refusal{Rule: "r", Action: said, Resource: said, Message: said, Entry: said},
		guardrail.Refusal{Rule: "r", Action: "s3:" + said, Resource: "arn:aws:s3:::b " + said},
		guardrail.Refusal{Rule: "good", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"},
		guardrail.Refusal{Rule: "all", Action: "ecr:GetAuthorizationToken", Resource: "*"})
	line := string(Audit(o))
	if strings.Contains(line, said) || strings.Contains(line, "\n") {
		t.Errorf("the audit line holds text of the log: %s", line)
	}
	for _, want := range []string{
		`{"rule":"good","action":"s3:GetObject","resource":"arn:aws:s3:::b/k"}`,
		`{"rule":"all","action":"ecr:GetAuthorizationToken","resource":"*"}`, `"settings":"8c1d0a2b`,
	} {
		if !strings.Contains(line, want) {
			t.Errorf("the audit line lacks %s: %s", want, line)
		}
	}
}

// TestAuditNamesThePolicy ensures that the policy's hashes are there to find it by.
func TestAuditNamesThePolicy(t *testing.T) {
	var line struct {
		Plan   string
		Grants []Grant
		Write  struct{ Kind, Name, Before, After, From, To string }
	}
	if err := json.Unmarshal(Audit(qivrHealed()), &line); err != nil {
		t.Fatal(err)
	}
	if line.Plan != newView(qivrHealed()).planHash || len(line.Grants) != 1 || line.Write.Name != qivrPolicy ||
		line.Write.From != "v1" || line.Write.To != "v2" ||
		line.Write.Before != sum(qivrBefore()) || line.Write.After != sum(qivrAfter()) {
		t.Errorf("audit line: %+v", line)
	}
}

func TestDigest(t *testing.T) {
	web, other := rateLimitHealed(), notAllowedReported()
	web.ID, other.ID = "a.1", "b.1"
	m, again := Digest([]decide.Outcome{web, other}), Digest([]decide.Outcome{other, web})
	if diff := cmp.Diff(m, again, cmp.AllowUnexported(Message{})); diff != "" {
		t.Errorf("the order of the outcomes matters (-one +other):\n%s", diff)
	}
	if m.Subject != "[digest] 9 notices in 1 project: 8 healed, 1 reported" {
		t.Errorf("subject %q", m.Subject)
	}
	var many []decide.Outcome
	for i := range 500 {
		o := notAllowedReported()
		o.ID = "x." + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		o.Case.Project = o.ID
		many = append(many, o)
	}
	big := Digest(many)
	parts := checkSNS(t, "500 projects", big)
	if !strings.Contains(parts["email"], "\nand 494 more\n") {
		t.Errorf("the digest does not say what it leaves out:\n%s", parts["email"][len(parts["email"])-300:])
	}
	if Digest(many[1:]).ID == big.ID {
		t.Error("another digest has the same id")
	}
}
