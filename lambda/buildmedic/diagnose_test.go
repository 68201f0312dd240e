package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

var update = flag.Bool("update", false, "rewrite the golden files of testdata")

// runDesk runs the command and gives its exit code and what it printed.
func runDesk(stdin string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = runDiagnose(context.Background(), args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

// TestDiagnoseText compares what a person reads with testdata/diagnose: "log"
// is the input, "want" the output.
func TestDiagnoseText(t *testing.T) {
	files, err := filepath.Glob("testdata/diagnose/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Comment) == 0 || len(a.Files) != 2 || a.Files[0].Name != "log" || a.Files[1].Name != "want" {
				t.Fatal("want a comment and the files log and want")
			}
			code, got, stderr := runDesk(string(a.Files[0].Data))
			if code != exitOK || stderr != "" {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			if *update {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(a.Files[1].Data), got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			checkText(t, got)
			checkColours(t, string(a.Files[0].Data), got)
		})
	}
}

// checkText checks what is true of all text for people: it is plain, and only
// a name that cannot be broken is wider than a hundred columns.
func checkText(t testing.TB, text string) {
	t.Helper()
	for l := range strings.Lines(text) {
		l = strings.TrimSuffix(l, "\n")
		if n := utf8.RuneCountInString(l); n > columns && len(strings.Fields(l)) > 2 && !strings.Contains(l, `resources: ["`) {
			t.Errorf("%d columns: %s", n, l)
		}
		if strings.TrimRight(l, " ") != l {
			t.Errorf("white space at the end of %q", l)
		}
		for _, r := range l {
			if !unicode.IsGraphic(r) {
				t.Errorf("%q holds %q", l, r)
			}
		}
	}
}

var colourCode = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// checkColours ensures that colours only add to the text.
func checkColours(t *testing.T, log, want string) {
	t.Helper()
	f := buildlog.ReadText(codebuild.Build{Status: codebuild.Failed}, log)
	var b strings.Builder
	if err := tell(&b, f, diagnose.Diagnose(f), nil, true); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\x1b[") {
		t.Error("there are no colours")
	}
	if diff := cmp.Diff(want, colourCode.ReplaceAllString(b.String(), "")); diff != "" {
		t.Errorf("without its colours the text differs: %s", diff)
	}
}

func TestDiagnoseTextIsPlain(t *testing.T) {
	const evil = "\x1b[31m\x07\u202e\u2066\x00\u009b1m evil \xff"
	log := "[Container] 2026/03/04 10:11:12 Running command ./" + evil + "\n" +
		"denied: User: arn:aws:iam::111122223333:user/" + evil + " is not authorized to perform: s3:GetObject on " +
		"resource: arn:aws:s3:::b/" + evil + "\n" +
		strings.Repeat(evil+" ", 100) + "\n" +
		"[Container] 2026/03/04 10:11:12 Command did not exit successfully ./" + evil + " exit status 1\n"
	code, got, _ := runDesk(log)
	if code != exitOK || !strings.Contains(got, "evil") {
		t.Fatalf("exit code %d: %s", code, got)
	}
	checkText(t, got)
}

// TestJSONIsPlain ensures that no terminal acts on what is printed as JSON, nor
// shows it otherwise than it is, and that the values stay what they were.
func TestJSONIsPlain(t *testing.T) {
	const evil = "\u009b31m\u0085\u202e\u2066\u200b\u00ad\ufeff\U000e0041\ufe0f\u115f evil"
	log := "denied: User: arn:aws:iam::111122223333:user/x is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/" +
		evil + "\nnpm ERR! Test failed.  See above for more details. " + evil + "\n"
	record, err := json.Marshal(record{ID: json.RawMessage(`"` + evil + `"`), Text: log})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		in   string
		args []string
	}{{log, []string{"-json"}}, {string(record) + "\n", []string{"-jsonl"}}} {
		code, got, stderr := runDesk(tt.in, tt.args...)
		if code != exitOK || !strings.Contains(got, "evil") {
			t.Fatalf("%v: exit code %d: %s%s", tt.args, code, got, stderr)
		}
		for i, r := range got {
			if r != '\n' && (r < ' ' || r > '~') {
				t.Errorf("%v: %U is printed as it is: %q", tt.args, r, got[max(0, i-40):i])
			}
		}
		var v struct {
			ID json.RawMessage `json:"id"`
		}
		if err := json.Unmarshal([]byte(got), &v); err != nil {
			t.Errorf("%v: %v", tt.args, err)
		}
		var id string
		if v.ID != nil && (json.Unmarshal(v.ID, &id) != nil || id != evil) {
			t.Errorf("%v: the id is %q, want %q", tt.args, id, evil)
		}
	}
	var b bytes.Buffer
	if err := writeJSON(&b, "", map[string]string{"k": evil}); err != nil {
		t.Fatal(err)
	}
	back := map[string]string{}
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || back["k"] != evil {
		t.Errorf("%q came back as %q, %v", evil, back["k"], err)
	}
}

func TestDiagnoseJSON(t *testing.T) {
	const log = "npm ERR! Test failed.  See above for more details.\n"
	code, got, stderr := runDesk(log, "-json")
	if code != exitOK || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var d, want diagnose.Diagnosis
	if err := json.Unmarshal([]byte(got), &d); err != nil {
		t.Fatal(err)
	}
	want = diagnose.Diagnose(buildlog.ReadText(codebuild.Build{Status: codebuild.Failed}, log))
	if diff := cmp.Diff(want, d); diff != "" || d.Cause != "test-failure" {
		t.Errorf("cause %s: %s", d.Cause, diff)
	}
}

func TestDiagnoseUsage(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, "npm ERR! Test failed.\n")
	z.Close()
	plainFile := write("build.log", []byte("npm ERR! Test failed.\n"))
	packedFile := write("build.gz", packed.Bytes())
	for _, tt := range []struct {
		name, stdin    string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"help", "", []string{"-h"}, exitOK, "Example:", ""},
		{"a file", "", []string{plainFile}, exitOK, "test-failure", ""},
		{"a packed file", "", []string{packedFile}, exitOK, "test-failure", ""},
		{"packed on standard input", packed.String(), nil, exitOK, "test-failure", ""},
		{"a dash for standard input", "npm ERR! Test failed.\n", []string{"-"}, exitOK, "test-failure", ""},
		{"a packed file of JSON Lines", "", []string{"-jsonl", packedFile}, exitOK, `{"error":"line 1: `, ""},
		{"no such file", "", []string{filepath.Join(dir, "none")}, exitFailed, "", "none"},
		{"an archive", "PK\x03\x04\x14\x00\x00\x00", nil, exitOK, "cause unknown", "looks like application/zip"},
		{"colours and a progress bar", "\x1b[31m 10 %\r 20 %\nnpm ERR! Test failed.\n", nil, exitOK, "test-failure", ""},
		{"empty", "", nil, exitFailed, "", "it is empty"},
		{"cut gzip", packed.String()[:packed.Len()-6], nil, exitFailed, "", "reading build log"},
		{"no gzip", "\x1f\x8bnone", nil, exitFailed, "", "like gzip"},
		{"two files", "", []string{"a", "b"}, exitUsage, "", "one FILE at most"},
		{"both forms", "", []string{"-json", "-jsonl"}, exitUsage, "", "exclude each other"},
		{"unknown flag", "", []string{"-xml"}, exitUsage, "", "-xml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := runDesk(tt.stdin, tt.args...)
			if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", code, tt.code, stdout, stderr)
			}
			if (tt.stdout == "") != (stdout == "") || (tt.stderr == "") != (stderr == "") {
				t.Errorf("stdout: %s\nstderr: %s", stdout, stderr)
			}
		})
	}
}

// brokenPipe refuses what is written to it.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestDiagnoseReportsThatItCannotPrint(t *testing.T) {
	for _, args := range [][]string{nil, {"-json"}, {"-jsonl"}} {
		var errs bytes.Buffer
		code := runDiagnose(context.Background(), args, strings.NewReader(`{"id":"a"}`), brokenPipe{}, &errs)
		if code != exitFailed || !strings.Contains(errs.String(), "broken pipe") {
			t.Errorf("%v: exit code %d: %s", args, code, errs.String())
		}
	}
}

func TestDiagnoseLines(t *testing.T) {
	const user = "arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-11111111-2222-3333-4444-555555555555"
	denied := "User: " + user + " is not authorized to perform: s3:PutObject on resource: \\\"arn:aws:s3:::b/k\\\" " +
		"because no identity-based policy allows the s3:PutObject action"
	for _, tt := range []struct{ name, in, want string }{
		{"a denial", `{"id":"a","text":"one\n` + denied + `\n"}`,
			`{"id":"a","cause":"missing-permission","remedy":"grant","retryable":false,` +
				`"denials":[{"action":"s3:PutObject","resource":"arn:aws:s3:::b/k",` +
				`"principal":"` + user + `","effect":"implicit","layer":"identity-based-policy","policy_arn":"",` +
				`"line":2,"causal":true}],` +
				`"excerpt":["one","` + denied + `"],"fingerprint":"FINGERPRINT"}`},
		{"a phase context", `{"id":"a","phase_contexts":[": ","YAML_FILE_ERROR: YAML file does not exist"]}`,
			`{"id":"a","cause":"buildspec-not-found","remedy":"override-buildspec","retryable":false,"denials":[],` +
				`"excerpt":["YAML_FILE_ERROR: YAML file does not exist"],"fingerprint":"FINGERPRINT"}`},
		{"a code with spaces", `{"id":"a","phase_contexts":["Decrypted Variables Error: parameter does not exist: /x"]}`,
			`{"id":"a","cause":"parameter-not-found","remedy":"report","retryable":false,"denials":[],` +
				`"excerpt":["Decrypted Variables Error: parameter does not exist: /x"],"fingerprint":"FINGERPRINT"}`},
		{"a denial in a context", `{"id":"a","phase_contexts":["ACCESS_DENIED: Error message: ` + denied +
			`"],"service_role":"codebuild-shop",` +
			`"build_arn":"arn:aws:codebuild:eu-west-1:111122223333:build/shop:11111111-2222-3333-4444-555555555555"}`,
			`{"id":"a","cause":"missing-permission","remedy":"grant","retryable":false,` +
				`"denials":[{"action":"s3:PutObject","resource":"arn:aws:s3:::b/k",` +
				`"principal":"` + user + `","effect":"implicit","layer":"identity-based-policy","policy_arn":"",` +
				`"line":0,"causal":true}],` +
				`"excerpt":["ACCESS_DENIED: Error message: ` + denied + `"],"fingerprint":"FINGERPRINT"}`},
		{"failed tests",
			`{"id":"a","text":"--- FAIL: TestTax (0.00s)\n    tax_test.go:21: got 1, want 2\nFAIL\nFAIL\tshop/cart\t0.031s\n"}`,
			`{"id":"a","cause":"test-failure","remedy":"report","retryable":false,"denials":[],` +
				`"excerpt":["--- FAIL: TestTax (0.00s)","    tax_test.go:21: got 1, want 2","FAIL","FAIL  shop/cart  0.031s"],` +
				`"tests":[{"suite":"shop/cart",` +
				`"name":"TestTax","message":"got 1, want 2","at":"tax_test.go:21","line":1}],"fingerprint":"FINGERPRINT"}`},
		{"only an id", `{"id":"a"}`,
			`{"id":"a","cause":"unknown","remedy":"report","retryable":false,"denials":[],"excerpt":[],` +
				`"fingerprint":"FINGERPRINT"}`},
		{"other fields", `{"id":"a","tool":"x","expect":{"class":"other"},"text":null}`,
			`{"id":"a","cause":"unknown","remedy":"report","retryable":false,"denials":[],"excerpt":[],` +
				`"fingerprint":"FINGERPRINT"}`},
		{"a number for an id", `{"id":7,"text":"toomanyrequests: slow down"}`,
			`{"id":7,"cause":"docker-rate-limit","remedy":"retry","retryable":true,"denials":[],` +
				`"excerpt":["toomanyrequests: slow down"],"fingerprint":"FINGERPRINT"}`},
		{"characters that HTML escapes", `{"id":"<&>","text":"a < b && c > d"}`,
			`{"id":"<&>","cause":"unknown","remedy":"report","retryable":false,"denials":[],"excerpt":["a < b && c ` +
				`> d"],"fingerprint":"FINGERPRINT"}`},
		{"no JSON", `one`, `{"error":"line 1: invalid character 'o' looking for beginning of value"}`},
		{"cut JSON", `{"id":"a","text":"b`, `{"error":"line 1: unexpected end of JSON input"}`},
		{"two objects", `{"id":"a"}{"id":"b"}`, `{"error":"line 1: invalid character '{' after top-level value"}`},
		{"a list", `[1]`, `{"error":"line 1: json: cannot unmarshal array into Go value of type main.record"}`},
		{"text of the wrong kind", `{"id":"a","text":5}`, `{"id":"a","error":"line 1: text is of the wrong kind: number"}`},
		{"contexts of the wrong kind", `{"id":"a","phase_contexts":"x"}`,
			`{"id":"a","error":"line 1: phase_contexts is of the wrong kind: string"}`},
		{"no id", `{"text":"x"}`, `{"error":"line 1: id is missing, or neither text nor number"}`},
		{"null for an id", `{"id":null}`, `{"error":"line 1: id is missing, or neither text nor number"}`},
		{"an object for an id", `{"id":{}}`, `{"error":"line 1: id is missing, or neither text nor number"}`},
		{"empty lines", "\n  \r\n\n", ""},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, got, stderr := runDesk(tt.in, "-jsonl")
			if code != exitOK || stderr != "" {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			got = regexp.MustCompile(`"fingerprint":"[0-9a-f]{16}"`).ReplaceAllString(got, `"fingerprint":"FINGERPRINT"`)
			want := tt.want
			if want != "" {
				want += "\n"
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestDiagnoseLinesKeepsSecrets puts a secret wherever an answer quotes the
// text, among them a key that spans lines.
func TestDiagnoseLinesKeepsSecrets(t *testing.T) {
	const token = "gh" + "p_0123456789abcdefghijABCDEFGHIJ012345" // no one's
	key := "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEpAIBAAKCAQEAsecret\nc2Vj cmV0\n-----END RSA PRIVATE " + "KEY-----\n"
	const user = "arn:aws:sts::111122223333:assumed-role/shop/"
	denied := func(session, key, policy string) string {
		return "User: " + user + session +
			" is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::b/" + key +
			"\" with an explicit deny in an identity-based policy: arn:aws:iam::111122223333:policy/" + policy + "\n"
	}
	text := key + denied("s", "x?X-Amz-Security-Token="+token, "p") + denied(token, "k", token) + "export TOKEN=" + token + "\n"
	in, err := json.Marshal(map[string]any{"id": "a", "text": text, "phase_contexts": []string{"ACCESS_DENIED: " +
		denied("s", token, "p")}})
	if err != nil {
		t.Fatal(err)
	}
	_, got, _ := runDesk(string(in), "-jsonl")
	for _, secret := range []string{token, "MIIEpAIBAAKCAQEA", "c2Vj cmV0"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is left in %s", secret, got)
		}
	}
	for _, want := range []string{`"resource":"arn:aws:s3:::b/x?X-Amz-Security-Token=***"`,
		`"resource":"arn:aws:s3:::b/***"`, `"resource":"arn:aws:s3:::b/k"`,
		`"principal":"` + user + `***"`, `"policy_arn":"arn:aws:iam::111122223333:policy/***"`,
		`"[redacted]","[redacted]","[redacted]","[redacted]"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in %s", want, got)
		}
	}
}

// TestDiagnoseLinesTellsWhatFailedTheBuild: a denial of a command that was
// that was survived is listed, and marked.
func TestDiagnoseLinesTellsWhatFailedTheBuild(t *testing.T) {
	denied := func(action string) string {
		return "An error occurred (AccessDenied): User: arn:aws:sts::111122223333:assumed-role/shop/s is not " +
			"authorized to perform: " + action +
			" on resource: arn:aws:s3:::b/k because no identity-based policy allows the " + action + " action\n"
	}
	const at = "[Container] 2026/01/05 10:11:12.000001 "
	text := at + "Running command ./cache || true\n" + denied("s3:GetObject") + at +
		"Running command ./publish\n" + denied("s3:PutObject") +
		at + "Command did not exit successfully ./publish exit status 1\n" + at + "Phase complete: BUILD State: FAILED\n"
	in, err := json.Marshal(map[string]any{"id": "a", "text": text})
	if err != nil {
		t.Fatal(err)
	}
	_, got, _ := runDesk(string(in), "-jsonl")
	var a struct {
		Denials []struct {
			Action string
			Causal *bool
		}
	}
	if err := json.Unmarshal([]byte(got), &a); err != nil {
		t.Fatal(err)
	}
	causal := map[string]bool{}
	for _, d := range a.Denials {
		causal[d.Action] = d.Causal != nil && *d.Causal
	}
	if diff := cmp.Diff(map[string]bool{"s3:GetObject": false, "s3:PutObject": true}, causal); diff != "" {
		t.Errorf("-want +got\n%s\n%s", diff, got)
	}
}

// TestDiagnoseLinesReadsContextsInOrder: the first context is that of the phase that failed the
// build, as plan reads it from a record; what a later phase was denied did not fail it.
func TestDiagnoseLinesReadsContextsInOrder(t *testing.T) {
	denied := func(action, resource string) string {
		return "ACCESS_DENIED: AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/codebuild-shop/" +
			"AWSCodeBuild-11111111-2222-3333-4444-555555555555 is not authorized to perform: " + action + " on resource: " + resource +
			" because no identity-based policy allows the " + action + " action"
	}
	const failed = "COMMAND_EXECUTION_ERROR: Error while executing command: npx tsc. Reason: exit status 2"
	log := denied("logs:PutLogEvents", "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/codebuild/shop:log-stream:x")
	upload := denied("s3:PutObject", "arn:aws:s3:::shop-artifacts/a.zip")
	for _, tt := range []struct {
		what, text    string
		contexts      []string
		cause, remedy string
	}{
		{"an upload after a compile error", "src/a.ts(1,1): error TS2322: Type 'string' is not assignable to type 'number'.",
			[]string{failed, upload}, "compile-error", "report"},
		{"an upload after a command, without a log", "", []string{failed, upload}, "command-failed", "report"},
		{"the upload alone", "", []string{upload}, "missing-permission", "grant"},
		{"behind phases that passed", "", []string{": ", ": ", upload}, "missing-permission", "grant"},
		{"a log that may not be written hides why the command failed", "", []string{failed, log}, "log-denied", "grant"},
	} {
		in, err := json.Marshal(map[string]any{"id": "a", "text": tt.text, "phase_contexts": tt.contexts})
		if err != nil {
			t.Fatal(err)
		}
		_, got, _ := runDesk(string(in), "-jsonl")
		var a struct{ Cause, Remedy string }
		if err := json.Unmarshal([]byte(got), &a); err != nil {
			t.Fatal(err)
		}
		if a.Cause != tt.cause || a.Remedy != tt.remedy {
			t.Errorf("%s: %s, %s; want %s, %s", tt.what, a.Cause, a.Remedy, tt.cause, tt.remedy)
		}
	}
}

// TestDiagnoseLinesGoesOn ensures that bad lines take nothing with them, and
// that the last line needs no newline.
func TestDiagnoseLinesGoesOn(t *testing.T) {
	code, got, _ := runDesk("{\"id\":\"a\"}\r\nbad\n\n{\"id\":\"b\"}\n{\n{\"id\":\"c\"}", "-jsonl")
	var order []string
	for l := range strings.Lines(got) {
		var a struct{ ID, Error string }
		if err := json.Unmarshal([]byte(l), &a); err != nil {
			t.Fatal(err)
		}
		order = append(order, a.ID+strings.SplitN(a.Error, ":", 2)[0])
	}
	if diff := cmp.Diff([]string{"a", "line 2", "b", "line 5", "c"}, order); diff != "" || code != exitOK {
		t.Errorf("exit code %d: %s", code, diff)
	}
}

// TestDiagnoseLinesStreams ensures that each answer comes before the next
// line is asked for.
func TestDiagnoseLinesStreams(t *testing.T) {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	done := make(chan int)
	go func() {
		code := runDiagnose(context.Background(), []string{"-jsonl"}, inR, outW, io.Discard)
		outW.Close()
		done <- code
	}()
	out := bufio.NewReader(outR)
	for i := range 3 {
		fmt.Fprintf(inW, "{\"id\":%d}\n", i)
		l, err := out.ReadString('\n')
		if err != nil || !strings.HasPrefix(l, fmt.Sprintf(`{"id":%d,`, i)) {
			t.Fatalf("answer %d is %q: %v", i, l, err)
		}
	}
	inW.Close()
	if code := <-done; code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

func TestDiagnoseLinesTakesLongOnes(t *testing.T) {
	text := strings.Repeat("compiling\\n", 300_000) + "npm ERR! Test failed."
	_, got, _ := runDesk(`{"id":"long","text":"`+text+`"}`+"\n"+`{"id":"next"}`, "-jsonl")
	if !strings.Contains(got, `{"id":"long","cause":"test-failure"`) || !strings.Contains(got, `{"id":"next"`) {
		t.Errorf("got %.300s", got)
	}
}

func TestReadRecord(t *testing.T) {
	in := bufio.NewReaderSize(strings.NewReader("short\n"+strings.Repeat("x", 200)+"\nafter\n"+strings.Repeat("y", 100)), 16)
	for i, want := range []string{"short\n", "", "after\n", strings.Repeat("y", 100)} {
		l, err := readRecord(in, 100)
		if long := want == ""; string(l) != want || errors.Is(err, errLongRecord) != long || err != nil && !long {
			t.Errorf("line %d is %q: %v", i+1, l, err)
		}
	}
	if _, err := readRecord(in, 100); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func TestDiagnoseLinesStopsWhenTold(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	var out, errs bytes.Buffer
	if code := runDiagnose(ctx, []string{"-jsonl"}, strings.NewReader(`{"id":"a"}`), &out,
		&errs); code != exitInterrupted || out.Len() > 0 {
		t.Errorf("exit code %d: %s", code, out.String())
	}
}

// FuzzDiagnoseLines ensures one answer for each line that is not empty, and
// that each is an error or whole.
func FuzzDiagnoseLines(f *testing.F) {
	f.Add("{\"id\":\"a\",\"text\":\"x\"}\nbad\n\n{\"id\":1}")
	f.Add(`{"id":"a","text":"User: arn:aws:iam::111122223333:user/x is not authorized to perform: s3:GetObject",` +
		`"phase_contexts":["A: b"],"build_arn":"arn:aws:codebuild:r:1:build/p:u"}`)
	f.Add("{\"id\":\"a\",\"text\":\"\\u0000\\ud800\"}\r\n\xff\n")
	f.Fuzz(func(t *testing.T, in string) {
		want := 0
		for l := range strings.Lines(in) {
			if strings.TrimSpace(l) != "" {
				want++
			}
		}
		var out bytes.Buffer
		if err := diagnoseLines(context.Background(), strings.NewReader(in), &out, nil); err != nil {
			t.Fatal(err)
		}
		got := 0
		for l := range strings.Lines(out.String()) {
			got++
			var m map[string]any
			if err := json.Unmarshal([]byte(l), &m); err != nil {
				t.Fatalf("%q: %v", l, err)
			}
			if m["error"] != nil {
				continue
			}
			for _, k := range []string{"id", "cause", "remedy", "retryable", "denials", "excerpt", "fingerprint"} {
				if m[k] == nil {
					t.Errorf("%q lacks %s", l, k)
				}
			}
		}
		if got != want {
			t.Errorf("%d answers for %d lines", got, want)
		}
	})
}

func TestColourful(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, w := range []io.Writer{&bytes.Buffer{}, f} {
		if colourful(w) {
			t.Errorf("%T is no terminal", w)
		}
	}
}

// TestSetsOf ensures that only sets with all of the denied actions are named.
func TestSetsOf(t *testing.T) {
	deny := func(causal bool, actions ...string) (d diagnose.Diagnosis) {
		for _, a := range actions {
			d.Denials = append(d.Denials, buildlog.Denial{Action: a, Causal: causal})
		}
		return d
	}
	for _, row := range []struct {
		name       string
		d          diagnose.Diagnosis
		with, sans string
	}{
		{"one of a push", deny(true, "ecr:PutImage"), "ecr-push", "ecr-pull"},
		{"one of both", deny(true, "ecr:BatchGetImage"), "ecr-pull", "ecs-deploy"},
		{"two of a push", deny(true, "ecr:BatchGetImage", "ecr:PutImage"), "ecr-push", "ecr-pull"},
		{"of no set", deny(true, "glacier:ListVaults"), "", "ecr-push"},
		{"of two sets", deny(true, "ecr:PutImage", "ecs:UpdateService"), "", "ecr-push"},
		{"no action", deny(true, ""), "", "ecr-push"},
		{"aside", deny(false, "ecr:PutImage"), "", "ecr-push"},
	} {
		got := setsOf(row.d)
		if (row.with == "") != (len(got) == 0) || row.with != "" && !slices.Contains(got, row.with) ||
			slices.Contains(got, row.sans) {
			t.Errorf("%s: got %q", row.name, got)
		}
	}
}

func TestGrantsFor(t *testing.T) {
	const session = "arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-11111111-2222-3333-4444-555555555555"
	deny := func(action, resource, principal string) buildlog.Denial {
		return buildlog.Denial{Action: action, Resource: resource, Principal: principal, Effect: buildlog.Implicit,
			Layer: buildlog.IdentityBased, Causal: true, Origin: buildlog.FromLog}
	}
	aside := deny("s3:ListBucket", "arn:aws:s3:::cache", session)
	aside.Causal = false
	for _, tt := range []struct {
		name            string
		denials         []buildlog.Denial
		entry, hindered []string // parts of each
	}{
		{"one", []buildlog.Denial{deny("ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/shop", session)},
			[]string{`resources: ["arn:${partition}:ecr:${region}:${account}:repository/shop"]`}, nil},
		{"twice the same", []buildlog.Denial{
			deny("ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/shop", session),
			deny("ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/shop", session)}, []string{"ecr:PutImage"}, nil},
		{"two", []buildlog.Denial{
			deny("ecr:GetAuthorizationToken", "*", session), deny("s3:GetObject", "arn:aws:s3:::b/k", session), aside},
			[]string{`actions: ["ecr:GetAuthorizationToken"]`, `resources: ["arn:${partition}:s3:::b/k"]`}, nil},
		{"without a principal", []buildlog.Denial{deny("s3:GetObject", "arn:aws:s3:::b/k", "")}, []string{"s3:GetObject"}, nil},
		{"without a resource", []buildlog.Denial{deny("s3:GetObject", "", session)}, nil, []string{"give: set"}},
		{"below the floor", []buildlog.Denial{deny("iam:CreateRole", "arn:aws:iam::111122223333:role/x", session)},
			nil, []string{"never granted"}},
		{"a user", []buildlog.Denial{deny("s3:GetObject", "arn:aws:s3:::b/k",
			"arn:aws:iam::111122223333:user/dev")}, nil, []string{"user/dev"}},
		{"no action of IAM's", []buildlog.Denial{deny("shop:Buy", "*", session)}, nil, []string{"IAM knows no action"}},
		{"another account's resource", []buildlog.Denial{deny("ecr:PutImage",
			"arn:aws:ecr:eu-west-1:444455556666:repository/shop", session)}, nil, []string{"444455556666"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := buildlog.Failure{Denials: tt.denials}
			entries, hindered, never := grantsFor(f, diagnose.Diagnose(f))
			if want := len(tt.entry) == 0 && tt.name != "without a resource"; never != want {
				t.Errorf("never is %v", never)
			}
			check := func(what string, got, want []string) {
				if len(got) != len(want) {
					t.Fatalf("%s: got %q, want %q", what, got, want)
				}
				for i := range got {
					if !strings.Contains(got[i], want[i]) {
						t.Errorf("%s: got %q, want %q in it", what, got[i], want[i])
					}
				}
			}
			check("entries", entries, tt.entry)
			check("hindrances", hindered, tt.hindered)
		})
	}
}
