package story

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readmeBlock is a block of a README that shows a notice: email or card, the story, and which of
// its notices.
var readmeBlock = regexp.MustCompile(`(?s)<!-- (email|card) ([a-z0-9-]+) (\d+) -->\n\x60{3}\w+\n(.*?)\x60{3}\n`)

// TestNoticeReadme ensures that the README of internal/notice shows a notice as its readers get it.
func TestNoticeReadme(t *testing.T) {
	path := filepath.Join("..", "notice", "README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ms := readmeBlock.FindAllSubmatchIndex(text, -1)
	if len(ms) != 3 {
		t.Fatalf("%s shows %d texts of notices, want 3: two e-mails and a card", path, len(ms))
	}
	played := map[string]*Stage{}
	var out bytes.Buffer
	last := 0
	for _, m := range ms {
		kind, name, n := string(text[m[2]:m[3]]), string(text[m[4]:m[5]]), string(text[m[6]:m[7]])
		if played[name] == nil {
			played[name] = playNamed(t, name)
		}
		want := shown(t, played[name], kind, n)
		if d := cmp.Diff(want, string(text[m[8]:m[9]])); d != "" && !*update {
			t.Errorf("%s of %s (-real +README); if the real one is right, run: go test ./internal/story -update\n%s",
				kind, name, d)
		}
		out.Write(text[last:m[8]])
		out.WriteString(want)
		last = m[9]
	}
	out.Write(text[last:])
	if *update {
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func named(t *testing.T, name string) Story {
	t.Helper()
	for _, s := range all(t) {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no story %q", name)
	return Story{}
}

func playNamed(t *testing.T, name string) *Stage {
	t.Helper()
	st, err := Open(named(t, name), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	if err := st.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return st
}

// shown gives the story's nth notice.
func shown(t *testing.T, st *Stage, kind, nth string) string {
	t.Helper()
	n, err := strconv.Atoi(nth)
	ns := st.Sim.Notices()
	if err != nil || n < 1 || n > len(ns) {
		t.Fatalf("story %s has no notice %s", st.Story.Name, nth)
	}
	if kind == "email" {
		return fmt.Sprintf("Subject: %s\n\n%s", ns[n-1].Subject, ns[n-1].ByProtocol["email"])
	}
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(ns[n-1].ByProtocol["https"]), "", "  "); err != nil {
		t.Fatalf("story %s: the card is no JSON: %v", st.Story.Name, err)
	}
	return b.String() + "\n"
}
