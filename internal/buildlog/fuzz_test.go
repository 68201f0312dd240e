package buildlog

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/google/go-cmp/cmp"
)

func seeds(f *testing.F) {
	for _, s := range readShapes(f) {
		f.Add(s.text)
	}
	f.Add(agentStamp + "Running command make\n" + deniedLine + "\n" + agentStamp +
		"Command did not exit successfully make exit status 1\n" +
		agentStamp + "Phase complete: BUILD State: FAILED\n" + agentStamp +
		"Phase context status code: COMMAND_EXECUTION_ERROR Message: x\n")
}

// FuzzRead: any text gives bounded and consistent facts, whatever the pieces in which it is read.
func FuzzRead(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		got := ReadText(codebuild.Build{}, text)
		checkFailure(t, got, 1+strings.Count(text, "\n"))
		pieces, err := Read(codebuild.Build{}, &oddReader{s: text, r: rand.New(rand.NewPCG(uint64(len(text)), 1))})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, pieces); diff != "" {
			t.Errorf("whole and in pieces differ:\n%s", diff)
		}
		b := failedIn("BUILD", "CLIENT_ERROR", text)
		checkFailure(t, ReadText(b, text), 1+strings.Count(text, "\n"))
		checkFailure(t, NoLog(b), 0)
	})
}

func checkFailure(t *testing.T, f Failure, lines int) {
	t.Helper()
	if len(f.Denials) > 2*(maxFirst+2*maxLast) || len(f.Excerpt) > maxExcerpt || len(f.Tail) > maxTailLines+maxShown*8 {
		t.Errorf("%d denials, %d lines of excerpt, %d of tail", len(f.Denials), len(f.Excerpt), len(f.Tail))
	}
	for _, d := range f.Denials {
		if d.Line < 0 || d.Line > lines || d.Line == 0 && d.Origin != FromPhase {
			t.Errorf("line %d of %d, %s", d.Line, lines, d.Origin)
		}
		if len(d.Text) > maxText || len(d.Resource) > 2*maxResource || len(d.Principal) > 3*maxPrincipal || len(d.Encoded) > maxEncoded {
			t.Errorf("unbounded: %+v", d)
		}
		if d.Action != "" && !validAction(d.Action) {
			t.Errorf("action %q", d.Action)
		}
		if d.Inferred && d.Action == "" || d.Encoded != "" && d.EncodedCut {
			t.Errorf("contradicts itself: %+v", d)
		}
		if a := d.Authorization; (a.ID == "") != (a.Region == "") || a.ID != "" && !isAuthorizationID(a.ID) ||
			codebuild.PartitionOf(a.Region) == "" && a.Region != "" {
			t.Errorf("authorization %+v", a)
		}
		if !slices.Contains([]Effect{Implicit, Explicit, Unstated}, d.Effect) || d.Layer == "" ||
			d.Effect == Unstated && d.Layer != LayerUnstated {
			t.Errorf("effect %q, layer %q", d.Effect, d.Layer)
		}
		d.Owner()
	}
	for _, list := range [][]Line{f.Tail, f.Excerpt} {
		for i, l := range list {
			if l.N < 1 || l.N > lines || len(l.Text) > maxLine || strings.ContainsAny(l.Text, "\x1b\n\r") || i > 0 && list[i-1].N >= l.N {
				t.Errorf("line %d: %q", l.N, l.Text)
			}
		}
	}
}

// FuzzPage: what is read of a text does not depend on how its lines end, and
// every claim is somewhere in it.
func FuzzPage(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		p := newPage([]byte(text), 1)
		if len(p.src) != len(p.text) || len(p.at) != len(p.flat)+1 || len(p.rows) > 0 && p.rows[0].start != 0 {
			t.Fatalf("%d places of %d bytes, %d of %d", len(p.src), len(p.text), len(p.at), len(p.flat))
		}
		claims := p.claims(codebuild.ARN{Partition: "aws"})
		for _, c := range claims {
			if c.from < 0 || c.to < c.from || c.to > len(p.flat) || c.raw < 0 || c.raw >= len(text) {
				t.Errorf("claim at flat[%d:%d], raw %d", c.from, c.to, c.raw)
			}
		}
		if strings.Contains(text, "\r") || strings.HasSuffix(text, "\\") || strings.Contains(text, "\\\n") ||
			strings.Contains(text, "\x1b") {
			return
		}
		crlf := newPage([]byte(strings.ReplaceAll(text, "\n", "\r\n")), 1).claims(codebuild.ARN{Partition: "aws"})
		if diff := cmp.Diff(renderClaims(claims), renderClaims(crlf)); diff != "" {
			t.Errorf("with CRLF (-LF +CRLF):\n%s", diff)
		}
	})
}

func renderClaims(list []claim) string {
	var denials []Denial
	for _, c := range list {
		denials = append(denials, c.Denial)
	}
	return render(denials)
}

// FuzzMarkers: the readers of CodeBuild's lines take anything.
func FuzzMarkers(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		m := parseMarker([]byte(text))
		if m.kind == noMarker && m != (marker{}) {
			t.Errorf("no marker, but %+v", m)
		}
		m.context()
		contextCommand(codebuild.Context{Message: "Error while executing command: " + text})
		FailedStart(codebuild.Build{})(text)
		if Complete(text, codebuild.Phase{Type: "BUILD"}) && !Complete(text, codebuild.Phase{}) {
			t.Error("complete for a phase and not for any")
		}
	})
}

// FuzzDecodeMessage: a decoded message gives a denial or an error.
func FuzzDecodeMessage(f *testing.F) {
	f.Add([]byte(`{"allowed":false,"explicitDeny":true,` +
		`"context":{"principal":{"arn":"arn:aws:iam::111122223333:user/kim"},"action":"ec2:RunInstances","resource":"*"}}`))
	f.Add([]byte(`{"allowed":true}`))
	f.Fuzz(func(t *testing.T, decoded []byte) {
		d, err := DecodeMessage(Denial{Effect: Unstated, Layer: LayerUnstated}, decoded)
		if err != nil && d != (Denial{}) {
			t.Errorf("error %v with %+v", err, d)
		}
		if err == nil && (d.Effect == Unstated || !strings.Contains(d.Action, ":") || d.Origin != FromDecoded) {
			t.Errorf("%+v", d)
		}
	})
}
