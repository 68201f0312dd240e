package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
)

// asUTF16 is what PowerShell makes of s.
func asUTF16(s string, order binary.AppendByteOrder) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// TestAsUTF8 ensures that text is read in whatever form its writer left it,
// and that what is no UTF-16 stays as it is.
func TestAsUTF8(t *testing.T) {
	const text = "Größe 😀\r\nis not authorized to perform: s3:PutObject\n"
	le, be := binary.LittleEndian, binary.BigEndian
	for _, row := range []struct{ name, in, want string }{
		{"plain", text, text},
		{"empty", "", ""},
		{"one byte", "x", "x"},
		{"UTF-8 with a mark", "\ufeff" + text, text},
		{"a mark alone", "\ufeff", ""},
		{"little endian", asUTF16("\ufeff"+text, le), text},
		{"big endian", asUTF16("\ufeff"+text, be), text},
		{"little endian without a mark", asUTF16("npm ERR! 😀", le), "npm ERR! 😀"},
		{"big endian without a mark", asUTF16("npm ERR! 😀", be), "npm ERR! 😀"},
		{"one character", "x\x00", "x"},
		{"a mark of UTF-16 alone", "\xff\xfe", ""},
		{"half a character at the end", asUTF16("\ufeffab", le) + "c", "ab"},
		{"half a pair at the end", "\xff\xfea\x00\x3d\xd8", "a\ufffd"},
		{"half a pair before another character", "\xff\xfe\x3d\xd8a\x00", "\ufffda"},
		{"the second half alone", "\xff\xfe\x00\xdea\x00", "\ufffda"},
		{"zeros", "\x00\x00\x00\x00", "\x00\x00\x00\x00"},
		{"a zero among text", "a\x00bcdefgh", "a\x00bcdefgh"},
		{"not UTF-8", "\xff\xff\xfe", "\xff\xff\xfe"},
	} {
		for form, in := range map[string]io.Reader{"whole": strings.NewReader(row.in),
			"a byte at a time": iotest.OneByteReader(strings.NewReader(row.in))} {
			got, err := io.ReadAll(asUTF8(bufio.NewReader(in)))
			if err != nil || string(got) != row.want {
				t.Errorf("%s, %s: %v, got %q, want %q", row.name, form, err, got, row.want)
			}
		}
		if err := iotest.TestReader(asUTF8(bufio.NewReader(strings.NewReader(row.in))), []byte(row.want)); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// TestPlanReadsAsDiagnose ensures that plan takes a build record and a log in
// the forms that the AWS CLI, S3 and PowerShell leave them in, and says of
// others what is wrong.
func TestPlanReadsAsDiagnose(t *testing.T) {
	sim, file := account(t, "tracker-api")
	b := sim.Builds("TrackerAPI")[0]
	one := `{"id":"` + b.ID + `","arn":"` + b.ARN + `","projectName":"TrackerAPI","buildStatus":"FAILED","serviceRole":"` + b.Role + `",
		"initiator":"` + b.Initiator + `","sourceVersion":"refs/heads/main","endTime":"2026-11-22T10:12:19Z"}`
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, b.Log)
	z.Close()
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	record, log := write("b.json", one), write("l.log", b.Log)
	for _, row := range []struct {
		name, build, log, policies string
		code                       int
		want                       string
	}{
		{"one element", record, log, "", exitOK, `"why": "The settings allow what was denied`},
		{"the array of --query builds", write("list.json", "["+one+"]"), log, "", exitOK, `"remedy": "grant"`},
		{"a record of PowerShell", write("u.json", asUTF16("\ufeff"+one, binary.LittleEndian)), log, "", exitOK,
			`"why": "The settings allow`},
		{"a packed log", record, write("l.gz", packed.String()), "", exitOK, `"why": "The settings allow`},
		{"a log of PowerShell", record, write("u.log", asUTF16("\ufeff"+b.Log, binary.LittleEndian)), "", exitOK,
			`"why": "The settings allow`},
		{"two builds", write("two.json", "["+one+","+one+"]"), log, "", exitFailed, "aws codebuild batch-get-builds"},
		{"a log for a record", log, log, "", exitFailed, "aws codebuild batch-get-builds"},
		{"no record", filepath.Join(dir, "gone"), log, "", exitFailed, "reading build: "},
		{"no log", record, filepath.Join(dir, "gone"), "", exitFailed, "reading build log: "},
		{"policies with a slip", record, log, write("p.json", `{"inlin":{}}`), exitFailed,
			"the keys are inline, managed and boundary"},
	} {
		args := []string{"plan", "-settings", file, "-build", row.build, "-log", row.log}
		if row.policies != "" {
			args = append(args, "-policies", row.policies)
		}
		if code, out, errs := buildmedic(t, "", args...); code != row.code || !strings.Contains(out+errs, row.want) {
			t.Errorf("%s: code %d\n%s%s", row.name, code, out, errs)
		}
	}
	if code, out, errs := buildmedic(t, asUTF16("\ufeff"+b.Log, binary.LittleEndian),
		"diagnose"); code != exitOK || !strings.Contains(out, "missing-permission") {
		t.Errorf("diagnose: code %d\n%s%s", code, out, errs)
	}
}
