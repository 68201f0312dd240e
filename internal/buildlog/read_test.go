package buildlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/google/go-cmp/cmp"
)

const agentStamp = "[Container] 2026/01/05 10:11:12.000001 "

// denial returns AWS's sentence for an action on a resource.
func denial(action, resource string) string {
	return "User: arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-b1 is not authorized to perform: " + action +
		" on resource: " + resource + " because no identity-based policy allows the " + action + " action"
}

// failedIn is a build whose phase failed with the given context.
func failedIn(phase, code, message string) codebuild.Build {
	return codebuild.Build{
		ID: "shop:b1", ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:b1",
		Phases: []codebuild.Phase{
			{Type: "SUBMITTED", Status: "SUCCEEDED"},
			{Type: phase, Status: "FAILED", Contexts: []codebuild.Context{{Code: code, Message: message}}},
		},
	}
}

// facts is what a test looks at: "action causal|not line origin" for each
// denial.
func facts(f Failure) []string {
	var list []string
	for _, d := range f.Denials {
		causal := "not"
		if d.Causal {
			causal = "causal"
		}
		list = append(list, fmt.Sprintf("%s %s %d %s", d.Action, causal, d.Line, d.Origin))
	}
	return list
}

func TestWhichDenialsAreCausal(t *testing.T) {
	lines := func(l ...string) string { return strings.Join(l, "\n") + "\n" }
	put, list, get := denial("ecr:PutImage", "*"), denial("ecs:ListTasks", "*"), denial("ssm:GetParameter", "*")
	for _, c := range []struct {
		name  string
		build codebuild.Build
		log   string
		want  []string
	}{
		{"the failed command's", failedIn("BUILD", "COMMAND_EXECUTION_ERROR",
			"Error while executing command: make push. Reason: exit status 1"), lines(
			agentStamp+"Entering phase BUILD",
			agentStamp+"Running command aws ecs list-tasks || true",
			list,
			agentStamp+"Running command make push",
			put,
			agentStamp+"Command did not exit successfully make push exit status 1",
			agentStamp+"Phase complete: BUILD State: FAILED",
			agentStamp+
				"Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: make "+
				"push. Reason: exit status 1",
			agentStamp+"Entering phase POST_BUILD",
			agentStamp+"Running command ./notify.sh",
			get,
			agentStamp+"Phase complete: POST_BUILD State: SUCCEEDED",
		), []string{"ecs:ListTasks not 3 log", "ecr:PutImage causal 5 log", "ssm:GetParameter not 11 log"}},
		{"the same denial before and in the failed command", codebuild.Build{}, lines(
			agentStamp+"Running command make probe || true",
			put,
			agentStamp+"Running command make push",
			put,
			agentStamp+"Command did not exit successfully make push exit status 1",
			agentStamp+"Phase complete: BUILD State: FAILED",
		), []string{"ecr:PutImage causal 4 log"}},
		{"a later phase that fails too", failedIn("BUILD", "COMMAND_EXECUTION_ERROR",
			"Error while executing command: make. Reason: exit status 2"), lines(
			agentStamp+"Running command make",
			put,
			agentStamp+"Command did not exit successfully make exit status 2",
			agentStamp+"Phase complete: BUILD State: FAILED",
			agentStamp+"Running command ./after.sh",
			get,
			agentStamp+"Command did not exit successfully ./after.sh exit status 1",
			agentStamp+"Phase complete: POST_BUILD State: FAILED",
		), []string{"ecr:PutImage causal 2 log", "ssm:GetParameter not 6 log"}},
		{"without a build record the first failed phase counts", codebuild.Build{}, lines(
			agentStamp+"Running command make",
			put,
			agentStamp+"Command did not exit successfully make exit status 2",
			agentStamp+"Phase complete: BUILD State: FAILED",
			agentStamp+"Running command ./after.sh",
			get,
			agentStamp+"Command did not exit successfully ./after.sh exit status 1",
			agentStamp+"Phase complete: POST_BUILD State: FAILED",
		), []string{"ecr:PutImage causal 2 log", "ssm:GetParameter not 6 log"}},
		{"a command that failed and was passed over", codebuild.Build{}, lines(
			agentStamp+"Running command make optional",
			get,
			agentStamp+"Command did not exit successfully make optional exit status 1",
			agentStamp+"Phase complete: PRE_BUILD State: SUCCEEDED",
			agentStamp+"Running command make push",
			put,
			agentStamp+"Command did not exit successfully make push exit status 1",
			agentStamp+"Phase complete: BUILD State: FAILED",
		), []string{"ssm:GetParameter not 2 log", "ecr:PutImage causal 6 log"}},
		{"a phase without a command", failedIn("DOWNLOAD_SOURCE", "CLIENT_ERROR", "something else"), lines(
			agentStamp+"Waiting for DOWNLOAD_SOURCE",
			"Unable to download cache: AccessDenied: "+list,
			get,
			agentStamp+"Phase complete: DOWNLOAD_SOURCE State: FAILED",
			agentStamp+"Phase context status code: CLIENT_ERROR Message: something else",
		), []string{"ecs:ListTasks not 2 log", "ssm:GetParameter causal 3 log"}},
		{"warnings, and the text of a script", codebuild.Build{}, lines(
			"Warning: "+list,
			"[Warning at /ShopStack/Role] "+get,
			"+ echo '"+put+"'",
		), []string{"ecs:ListTasks not 1 log", "ssm:GetParameter not 2 log", "ecr:PutImage not 3 log"}},
		{"what only looks like a warning", codebuild.Build{}, lines(
			"[WARNING]: Error: "+list,
			"Warning: deploy failed: "+get,
			"techecho "+put,
		), []string{"ecs:ListTasks causal 1 log", "ssm:GetParameter causal 2 log", "ecr:PutImage causal 3 log"}},
		{"only in the context that the log prints", codebuild.Build{}, lines(
			agentStamp+"Phase complete: POST_BUILD State: SUCCEEDED",
			agentStamp+"Expanding base directory path: .",
			agentStamp+"Phase complete: UPLOAD_ARTIFACTS State: FAILED",
			agentStamp+"Phase context status code: CLIENT_ERROR Message: AccessDenied: "+put,
			"\tstatus code: 403, request id: 1",
		), []string{"ecr:PutImage causal 4 log"}},
		{"in the phase's context and in the log",
			failedIn("DOWNLOAD_SOURCE", "Decrypted Variables Error", "AccessDeniedException: "+get), lines(
				agentStamp+"Waiting for agent ping",
				"AccessDeniedException: "+get,
			), []string{"ssm:GetParameter causal 2 phase"}},
		{"in the phase's context alone", failedIn("DOWNLOAD_SOURCE", "Decrypted Variables Error",
			"AccessDeniedException: "+get), lines(
			agentStamp + "Waiting for agent ping",
		), []string{"ssm:GetParameter causal 0 phase"}},
		{"an excerpt without markers", codebuild.Build{}, lines(put, "Unable to download cache: AccessDenied: "+get),
			[]string{"ecr:PutImage causal 1 log", "ssm:GetParameter not 2 log"}},
		{"a log that ends within a command", codebuild.Build{}, lines(
			agentStamp+"Running command make one",
			get,
			agentStamp+"Running command make two",
			put,
		), []string{"ssm:GetParameter not 2 log", "ecr:PutImage causal 4 log"}},
		{"a command that was stopped", failedIn("BUILD", "", ""), lines(
			agentStamp+"Running command make probe || true",
			get,
			agentStamp+"Running command make wait",
			put,
			agentStamp+"Phase complete: BUILD State: TIMED_OUT",
			agentStamp+"Phase context status code: BUILD_TIMED_OUT Message: Build has timed out. ",
		), []string{"ssm:GetParameter not 2 log", "ecr:PutImage causal 4 log"}},
		{"a failed phase whose end has not arrived", failedIn("UPLOAD_ARTIFACTS", "CLIENT_ERROR", "something else"), lines(
			agentStamp+"Running command make probe || true",
			get,
			agentStamp+"Phase complete: BUILD State: SUCCEEDED",
			put,
		), []string{"ssm:GetParameter not 2 log", "ecr:PutImage causal 4 log"}},
		{"a command whose text spans lines", codebuild.Build{}, lines(
			agentStamp+"Running command if true; then",
			"  make push",
			"fi",
			put,
			agentStamp+"Command did not exit successfully if true; then",
			"  make push",
			"fi exit status 3",
			agentStamp+"Phase complete: BUILD State: FAILED",
		), []string{"ecr:PutImage causal 4 log"}},
		{"markers that the build prints itself", failedIn("BUILD", "COMMAND_EXECUTION_ERROR",
			"Error while executing command: go test. Reason: exit status 1"), lines(
			agentStamp+"Running command go test",
			put,
			agentStamp+"Running command a sample",
			agentStamp+"Command did not exit successfully a sample exit status 9",
			agentStamp+"Phase complete: BUILD State: FAILED",
			agentStamp+"Running command another sample",
			get,
			agentStamp+"Command did not exit successfully go test exit status 1",
			agentStamp+"Phase complete: BUILD State: FAILED",
		), []string{"ecr:PutImage not 2 log", "ssm:GetParameter causal 7 log"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, facts(ReadText(c.build, c.log))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheFailedCommand(t *testing.T) {
	multi := agentStamp + "Running command if true; then\n  false\nfi\n" + agentStamp +
		"Command did not exit successfully if true; then\n  false\nfi exit status 3\n" +
		agentStamp + "Phase complete: PRE_BUILD State: FAILED\n" +
		agentStamp + "Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: if " +
		"true; then\n  false\nfi. Reason: exit status 3\n"
	for _, c := range []struct {
		name                 string
		build                codebuild.Build
		log                  string
		phase, command, exit string
		context              codebuild.Context
	}{
		{"from the build record", failedIn("BUILD", "COMMAND_EXECUTION_ERROR",
			"Error while executing command: docker push $URI. Reason: exit status 1"), "",
			"BUILD", "docker push $URI", "1", codebuild.Context{Code: "COMMAND_EXECUTION_ERROR",
				Message: "Error while executing command: docker push $URI. Reason: exit status 1"}},
		{"from the log", codebuild.Build{}, multi, "PRE_BUILD", "if true; then\n  false\nfi", "3",
			codebuild.Context{Code: "COMMAND_EXECUTION_ERROR",
				Message: "Error while executing command: if true; then\n  false\nfi. Reason: exit status 3"}},
		{"from the old log", codebuild.Build{}, "[Container] 2018/08/06 13:08:44 Command did not exit successfully $(aws " +
			"ecr get-login) exit status 255\n[Container] 2018/08/06 13:08:44 Phase complete: PRE_BUILD Success: false\n",
			"PRE_BUILD", "$(aws ecr get-login)", "255", codebuild.Context{}},
		{"two markers in one line", codebuild.Build{}, agentStamp + "Phase complete: PRE_BUILD State: FAILED " +
			agentStamp +
			"Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: make. " +
			"Reason: exit status 2",
			"PRE_BUILD", "make", "2", codebuild.Context{Code: "COMMAND_EXECUTION_ERROR",
				Message: "Error while executing command: make. Reason: exit status 2"}},
		{"without the agent's stamp", codebuild.Build{},
			"sh: 1: jest: not found\nCommand did not exit successfully npm test -- --ci exit status 127\n", "",
			"npm test -- --ci", "127", codebuild.Context{}},
		{"a code with spaces", failedIn("DOWNLOAD_SOURCE", "Secrets Manager Error", "not found"), "", "DOWNLOAD_SOURCE",
			"", "", codebuild.Context{Code: "Secrets Manager Error", Message: "not found"}},
		{"nothing", codebuild.Build{}, "", "", "", "", codebuild.Context{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := ReadText(c.build, c.log)
			if f.Phase != c.phase || f.Command != c.command || f.Exit != c.exit {
				t.Errorf("phase %q, command %q, exit %q; want %q, %q, %q", f.Phase, f.Command, f.Exit, c.phase, c.command, c.exit)
			}
			if diff := cmp.Diff(c.context, f.Context); diff != "" {
				t.Errorf("context (-want +got):\n%s", diff)
			}
		})
	}
}

// TestObjectsPartition ensures that an object is named in the build's partition.
func TestObjectsPartition(t *testing.T) {
	const text = `Unable to access object "k" in S3 bucket "shop-state": operation error S3: HeadObject, https ` +
		`response error StatusCode: 403, api error Forbidden: Forbidden`
	for partition, want := range map[string]string{
		"":       "arn:aws:s3:::shop-state/k",
		"aws":    "arn:aws:s3:::shop-state/k",
		"aws-cn": "arn:aws-cn:s3:::shop-state/k",
	} {
		b := codebuild.Build{Phases: []codebuild.Phase{{Type: "BUILD", Status: codebuild.Failed,
			Contexts: []codebuild.Context{{Code: "X", Message: text}}}}}
		if partition != "" {
			b.ARN = "arn:" + partition + ":codebuild:cn-north-1:111122223333:build/shop:11111111-2222-3333-4444-555555555555"
		}
		for name, f := range map[string]Failure{"log": ReadText(b, text), "context": NoLog(b)} {
			if len(f.Denials) != 1 || f.Denials[0].Resource != want {
				t.Errorf("%s, partition %q: got %+v, want one denial on %s", name, partition, f.Denials, want)
			}
		}
	}
}

func TestNoLog(t *testing.T) {
	b := failedIn("QUEUED", "ACCESS_DENIED", "Service role arn:aws:iam::111122223333:role/codebuild-shop does not "+
		"allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build "+
		"arn:aws:codebuild:eu-west-1:111122223333:build/shop:b1. Error message: "+denial("logs:CreateLogStream",
		"arn:aws:logs:eu-west-1:111122223333:log-group:shop:log-stream:b1"))
	b.Phases = append(b.Phases, codebuild.Phase{Type: "UPLOAD_ARTIFACTS", Status: "FAILED",
		Contexts: []codebuild.Context{{Code: "CLIENT_ERROR", Message: denial("s3:PutObject", "*")}}})
	f := NoLog(b)
	if !f.NoLog || f.Phase != "QUEUED" || f.Context.Code != "ACCESS_DENIED" {
		t.Errorf("NoLog %t, phase %q, context %q", f.NoLog, f.Phase, f.Context)
	}
	if diff := cmp.Diff([]string{"logs:CreateLogStream causal 0 phase", "s3:PutObject not 0 phase"}, facts(f)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// sampleLog is a log with all shapes in it, of several blocks.
func sampleLog(t testing.TB, size int) string {
	var b strings.Builder
	r := rand.New(rand.NewPCG(7, 7))
	list := readShapes(t)
	b.WriteString(agentStamp + "Running command make\n")
	for b.Len() < size {
		for range r.IntN(3000) {
			n := r.IntN(1000)
			for _, m := range makeup {
				if n -= m.share; n < 0 {
					b.WriteString(m.line(r) + "\n")
					break
				}
			}
		}
		b.WriteString("\n" + list[r.IntN(len(list))].text + "\n")
	}
	b.WriteString(agentStamp + "Command did not exit successfully make exit status 2\n" + agentStamp +
		"Phase complete: BUILD State: FAILED\n")
	return b.String()
}

func TestReadInPieces(t *testing.T) {
	log := sampleLog(t, 6*blockSize)
	want := ReadText(codebuild.Build{}, log)
	if len(want.Denials) < 20 {
		t.Fatalf("%d denials in the sample", len(want.Denials))
	}
	for _, c := range []struct {
		name string
		r    io.Reader
	}{
		{"half", iotest.HalfReader(strings.NewReader(log))},
		{"with the error", iotest.DataErrReader(strings.NewReader(log))},
		{"odd", &oddReader{s: log, r: rand.New(rand.NewPCG(1, 1))}},
	} {
		got, err := Read(codebuild.Build{}, c.r)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// oddReader returns pieces of any length, and sometimes nothing.
type oddReader struct {
	s string
	r *rand.Rand
}

func (o *oddReader) Read(p []byte) (int, error) {
	if o.s == "" {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), o.r.IntN(70000))], o.s)
	o.s = o.s[n:]
	return n, nil
}

// A message is read wherever in the scanner's buffer it lies, and its line number is right.
func TestReadAcrossBlocks(t *testing.T) {
	message := words("An error occurred (AccessDenied) when calling the PutImage operation: "+denial("ecr:PutImage",
		"arn:aws:ecr:eu-west-1:111122223333:repository/shop"), 70)
	for _, at := range []int{blockSize - ahead - 2*len(message), blockSize - ahead - len(message)/2, blockSize - ahead,
		blockSize - len(message)/2, blockSize, blockSize + 1} {
		for shift := range 7 {
			before := strings.Repeat("compiled package number seven\n", (at+shift*37)/30)
			before += strings.Repeat(".", (at+shift*37)%30) + "\n"
			f := ReadText(codebuild.Build{}, before+message+"\n"+strings.Repeat("more\n", 10000))
			if len(f.Denials) != 1 {
				t.Fatalf("at %d: %d denials", len(before), len(f.Denials))
			}
			if d := f.Denials[0]; d.Action != "ecr:PutImage" || d.Effect != Implicit || d.Line != strings.Count(before, "\n")+1 {
				t.Errorf("at %d: %+v", len(before), d)
			}
		}
	}
}

// Searching for anchors first gives the same claims as cleaning and parsing everything.
func TestAnchorsMissNothing(t *testing.T) {
	for _, s := range readShapes(t) {
		text := s.text
		p := newPage([]byte(text), 1)
		var want []placed
		for _, c := range p.claims(codebuild.ARN{Partition: "aws"}) {
			want = append(want, placed{Denial: c.Denial})
		}
		all := &tracker{claims: bounded{first: want}}
		if diff := cmp.Diff(render(plainDenials(all.denials(&part{}))), render(Denials(text))); diff != "" {
			t.Errorf("%s/%s: (-everything +anchors):\n%s", s.category, s.name, diff)
		}
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("connection reset")
	f, err := Read(codebuild.Build{}, io.MultiReader(strings.NewReader(denial("ecr:PutImage", "*")+"\n"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "reading build log: ") {
		t.Errorf("error %v", err)
	}
	if !f.Cut || len(f.Denials) != 1 {
		t.Errorf("cut %t, %d denials; want what was read", f.Cut, len(f.Denials))
	}
}

// The longest lines are read like any other.
func TestOneLongLine(t *testing.T) {
	long := strings.Repeat("x", 5<<20)
	f := ReadText(codebuild.Build{}, "first\n"+long+" "+denial("ecr:PutImage",
		"*")+" "+long+" "+denial("ecs:ListTasks", "*")+" "+long)
	if diff := cmp.Diff([]string{"ecr:PutImage causal 2 log", "ecs:ListTasks causal 2 log"}, facts(f)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, l := range append(f.Tail, f.Excerpt...) {
		if len(l.Text) > maxLine {
			t.Errorf("line %d has %d bytes", l.N, len(l.Text))
		}
	}
}

// Only the first and the last of very many denials are kept.
func TestManyDenials(t *testing.T) {
	var b strings.Builder
	const n = 5000
	for i := range n {
		b.WriteString(denial("ssm:GetParameter", fmt.Sprintf("arn:aws:ssm:eu-west-1:111122223333:parameter/p%d", i)) + "\n")
	}
	f := ReadText(codebuild.Build{}, b.String())
	if len(f.Denials)+f.Dropped != n || len(f.Denials) > maxFirst+2*maxLast {
		t.Errorf("%d kept, %d dropped", len(f.Denials), f.Dropped)
	}
	for i, want := range map[int]string{0: "p0", len(f.Denials) - 1: fmt.Sprintf("p%d", n-1)} {
		if got := f.Denials[i].Resource; !strings.HasSuffix(got, "/"+want) {
			t.Errorf("denial %d is on %s", i, got)
		}
	}
}

// However dense its anchors are, a region is passed on before it grows: what is
// read at once stays short, and the time in proportion to the log.
func TestRegionsAreBounded(t *testing.T) {
	text := []byte(strings.Repeat(denial("ecr:PutImage", "*")+"\n", 4*maxRegion/100))
	s := newScanner(newTracker(codebuild.Build{}))
	s.buf, s.eof = text, true
	longest, before := int64(0), int64(0)
	for _, h := range anchorMatcher().find(text, 0, len(text)) {
		at := int64(h.at)
		s.denial(at)
		longest, before = max(longest, at-s.first), max(before, s.first-s.cut)
	}
	if longest < maxRegion/2 || longest > maxRegion || before > back {
		t.Errorf("a region grew to %d bytes, and begins %d after the claims of the one before; bounds are %d and %d",
			longest, before, maxRegion, back)
	}
}

// endless returns size bytes by repeating b.
type endless struct {
	b    []byte
	i    int
	size int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.size <= 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), e.size)], e.b[e.i:])
	e.i = (e.i + n) % len(e.b)
	e.size -= int64(n)
	return n, nil
}

// What is allocated does not grow with the log.
func TestConstantMemory(t *testing.T) {
	var block bytes.Buffer
	generated(&block, 1<<20)
	text := bytes.ReplaceAll(block.Bytes(), []byte("authoriz"), []byte("autopsy "))
	allocated := func(size int64) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Read(codebuild.Build{}, &endless{b: text, size: size}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	allocated(1 << 20) // tables that are loaded once
	small, large := allocated(32<<20), allocated(128<<20)
	if large > 2*small+8<<20 {
		t.Errorf("%d bytes allocated for 32 MB, %d for 128 MB", small, large)
	}
}

// livingReader notes how much memory is in use each time that it is asked for more.
type livingReader struct {
	r    io.Reader
	most uint64
}

func (l *livingReader) Read(p []byte) (int, error) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	l.most = max(l.most, m.HeapAlloc)
	return l.r.Read(p)
}

// Of a log that is full of denials or errors, each byte is read a few times at most, and little is
// kept, however long it is.
func TestDenseLogs(t *testing.T) {
	many := func(line string) string {
		var b strings.Builder
		for i := 0; b.Len() < 6<<20; i++ {
			fmt.Fprintf(&b, line+"\n", i)
		}
		return b.String()
	}
	const failed = agentStamp + "Command did not exit successfully make exit status 2\n" + agentStamp +
		"Phase complete: BUILD State: FAILED\n"
	for _, c := range []struct {
		what, text string
		times      float64 // how often a byte is read
	}{
		{"one denial, again and again", strings.Repeat(deniedLine+"\n", 6<<20/len(deniedLine)), 1.5},
		{"different denials", many("Error: " + denial("ssm:GetParameter",
			"arn:aws:ssm:eu-west-1:111122223333:parameter/p%d")), 4.5},
		{"errors", many("src/%d.ts(1,2): error TS2304: Cannot find name 'x'."), 4},
		{"several in one line", many("❌ Error: ERROR: FAILED: error: it %d failed"), 6.5},
		{"one long line of errors", strings.Repeat("Error: x; ", 6<<20/10), 0.1},
		{"crosses", strings.Repeat("❌", 2<<20), 0.1},
		{"lines of the agent", many(agentStamp + "Running command make %d"), 0.1},
		{"ends of commands", many(agentStamp + "Command did not exit successfully make exit status %d"), 0.1},
	} {
		t.Run(c.what, func(t *testing.T) {
			if testing.Short() {
				t.Skip("reads 6 MB of dense text; left out with -short")
			}
			var before runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			r := &livingReader{r: strings.NewReader(agentStamp + "Running command make\n" + c.text + failed)}
			tr := newTracker(codebuild.Build{})
			if err := scan(r, tr); err != nil {
				t.Fatal(err)
			}
			assemble(codebuild.Build{}, tr)
			if most := int64(r.most) - int64(before.HeapAlloc); most > 12<<20 {
				t.Errorf("%d bytes of memory in use", most)
			}
			if times := float64(tr.scanner.read) / float64(len(c.text)); times > c.times {
				t.Errorf("each byte was read %.1f times, want at most %.1f", times, c.times)
			}
		})
	}
}

func TestComplete(t *testing.T) {
	done := agentStamp + "Phase complete: BUILD State: FAILED\n"
	context := agentStamp + "Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing " +
		"command: make. Reason: exit status 2\n"
	later := agentStamp + "Entering phase POST_BUILD\n" + agentStamp + "Phase complete: POST_BUILD State: SUCCEEDED\n" +
		agentStamp + "Phase context status code:  Message: \n"
	build := codebuild.Phase{Type: "BUILD", Status: "FAILED"}
	for _, c := range []struct {
		name  string
		tail  string
		phase codebuild.Phase
		want  bool
	}{
		{"whole", "make: *** Error\n" + done + context, build, true},
		{"whole with what came after", done + context + later, build, true},
		{"context missing", done, build, false},
		{"end missing", "make: *** Error\n", build, false},
		{"another phase", done + context, codebuild.Phase{Type: "POST_BUILD"}, false},
		{"unknown phase", done + context, codebuild.Phase{}, true},
		{"only succeeded ones", later, build, false},
		{"old words", "[Container] 2018/08/06 13:08:44 Phase complete: BUILD Success: false\n" + context, build, true},
		{"nothing", "", build, false},
	} {
		if got := Complete(c.tail, c.phase); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

func TestFailedStart(t *testing.T) {
	run, fail := agentStamp+"Running command make\n", agentStamp+"Command did not exit successfully make exit status 2\n"
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"both", run + "x\n" + fail, true},
		{"end only", "x\n" + fail, false},
		{"a later start", fail + agentStamp + "Entering phase POST_BUILD\n" + run, false},
		{"no end", run + "x\n", true},
		{"a phase without commands", agentStamp + "Waiting for DOWNLOAD_SOURCE\nx\n" + agentStamp +
			"Phase complete: DOWNLOAD_SOURCE State: FAILED\n", true},
		{"its end only", "x\n" + agentStamp + "Phase complete: DOWNLOAD_SOURCE State: FAILED\n", false},
		{"nothing", "x\n", false},
	} {
		if got := FailedStart(codebuild.Build{})(c.text); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}
