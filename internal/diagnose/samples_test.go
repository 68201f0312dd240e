package diagnose

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// A sample is one failure of testdata/samples: the cause that it shows, the
// facts in lines that begin with %, and the failed command's output.
type sample struct {
	name    string // CAUSE/WHAT
	cause   string
	failure buildlog.Failure
	report  bool // the cause's rule changes the remedy to report
	details map[string]string
}

func samples(t testing.TB) []sample {
	t.Helper()
	files, err := filepath.Glob("testdata/samples/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	var list []sample
	seen := map[string]bool{}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if seen[f.Name] {
				t.Errorf("%s: there are two samples %q", file, f.Name)
			}
			seen[f.Name] = true
			s, err := readSample(f.Name, string(f.Data))
			if err != nil {
				t.Errorf("%s: %s: %v", file, f.Name, err)
			}
			list = append(list, s)
		}
	}
	return list
}

func readSample(name, text string) (sample, error) {
	s := sample{name: name, cause: path.Dir(name), details: map[string]string{}}
	f := &s.failure
	f.Build = codebuild.Build{
		ID: "shop:11111111-2222-3333-4444-555555555555", Project: "shop", Status: codebuild.Failed,
		ARN:         "arn:aws:codebuild:eu-west-1:111122223333:build/shop:11111111-2222-3333-4444-555555555555",
		ServiceRole: "arn:aws:iam::111122223333:role/codebuild-shop",
	}
	phaseStatus := ""
	var source []codebuild.Phase
	n := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		fact, ok := strings.CutPrefix(line, "%")
		if !ok {
			n++
			f.Tail = append(f.Tail, buildlog.Line{N: n, Text: line})
			continue
		}
		key, value, _ := strings.Cut(fact, " ")
		switch key {
		case "status":
			f.Build.Status = value
		case "phase":
			f.Phase = value
		case "phase-status":
			phaseStatus = value
		case "context":
			f.Context.Code, f.Context.Message, _ = strings.Cut(value, ": ")
		case "command":
			f.Command = value
		case "exit":
			f.Exit = value
		case "report":
			s.report = true
		case "environment":
			f.Build.Environment = value
		case "compute":
			f.Build.Compute = value
		case "vpc":
			f.Build.VPC = value
		case "fleet":
			f.Build.Fleet = value
		case "docker-server":
			f.Build.DockerServer = true
		case "privileged":
			f.Build.Privileged = true
		case "source": // it was downloaded
			f.Build.SourceType = value
			source = []codebuild.Phase{{Type: "DOWNLOAD_SOURCE", Status: codebuild.Succeeded}}
		case "details":
			for kv := range strings.FieldsSeq(value) {
				k, v, _ := strings.Cut(kv, "=")
				s.details[k] = v
			}
		case "operation": // of the denial before it, which names nobody
			d := &f.Denials[len(f.Denials)-1]
			d.Operation, d.Inferred, d.Principal = value, true, ""
		case "bare": // the denial before it, which names nobody
			d := &f.Denials[len(f.Denials)-1]
			d.Bare, d.Inferred, d.Principal = true, true, ""
		case "subject": // of the denial before it, which names nobody by an ARN
			d := &f.Denials[len(f.Denials)-1]
			d.Subject, d.Principal = value, ""
		case "reason": // of the denial before it
			f.Denials[len(f.Denials)-1].Reason = value
		case "denial":
			d, err := readDenial(value)
			if err != nil {
				return s, err
			}
			f.Denials = append(f.Denials, d)
		default:
			return s, fmt.Errorf("unknown fact %q", line)
		}
	}
	f.Build.Phases = source
	if phaseStatus != "" {
		f.Build.Phases = append(f.Build.Phases, codebuild.Phase{Type: f.Phase, Status: phaseStatus})
	}
	f.Excerpt = f.Tail[max(0, len(f.Tail)-40):]
	f.NoLog = n == 0
	return s, nil
}

func readDenial(text string) (buildlog.Denial, error) {
	text, aside := strings.CutPrefix(text, "aside ")
	w := strings.Fields(text)
	if len(w) != 4 && len(w) != 5 {
		return buildlog.Denial{}, fmt.Errorf("denial %q: want EFFECT LAYER ACTION RESOURCE [PRINCIPAL]", text)
	}
	none := func(s string) string { return strings.TrimPrefix(s, "-") }
	d := buildlog.Denial{
		Principal: "arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-11111111-2222-3333-4444-555555555555",
		Effect:    buildlog.Effect(w[0]), Layer: buildlog.Layer(w[1]), Action: none(w[2]), Resource: none(w[3]),
		Causal: !aside, Origin: buildlog.FromPhase, Text: text,
	}
	if len(w) == 5 {
		d.Principal = w[4]
	}
	effects := []buildlog.Effect{buildlog.Implicit, buildlog.Explicit, buildlog.Unstated}
	layers := []buildlog.Layer{
		buildlog.IdentityBased, buildlog.ResourceBased, buildlog.PermissionsBoundary, buildlog.SessionPolicy,
		buildlog.ServiceControl, buildlog.ResourceControl, buildlog.VPCEndpoint, buildlog.RoleTrust, buildlog.LayerUnstated,
	}
	if !slices.Contains(effects, d.Effect) || !slices.Contains(layers, d.Layer) {
		return d, fmt.Errorf("denial %q: unknown effect or layer", text)
	}
	return d, nil
}

// TestSamples diagnoses every sample as the cause that it is filed under.
func TestSamples(t *testing.T) {
	byName := map[string]Cause{}
	for _, c := range causes {
		byName[c.Name] = c
	}
	for _, s := range samples(t) {
		t.Run(s.name, func(t *testing.T) {
			c, ok := byName[s.cause]
			if !ok {
				t.Fatalf("there is no cause %q; if it is new, run: make generate", s.cause)
			}
			d := Diagnose(s.failure)
			if d.Cause != s.cause {
				t.Fatalf("diagnosed as %q by %q", d.Cause, d.Evidence.Text)
			}
			want := c.Remedy
			if s.report {
				want = Report
			}
			if d.Remedy != want {
				t.Errorf("remedy is %q, want %q", d.Remedy, want)
			}
			for k, v := range s.details {
				if d.Details[k] != v {
					t.Errorf("detail %s is %q, want %q", k, d.Details[k], v)
				}
			}
			if strings.Contains(d.Title+d.Advice, "{") {
				t.Errorf("a placeholder is left: %s / %s", d.Title, d.Advice)
			}
		})
	}
}
