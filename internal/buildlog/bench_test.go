package buildlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// makeup is what a build's log is made of: the share of each kind of line, in
// lines of a thousand, and how to make one. Shares and wording follow what
// npm, Maven, Go, pip, Docker, webpack, Jest and Terraform print.
var makeup = []struct {
	share int
	line  func(r *rand.Rand) string
}{
	{180, func(r *rand.Rand) string {
		return fmt.Sprintf("[INFO] Downloaded from central: "+
			"https://repo.maven.apache.org/maven2/org/%s/%s/%d.%d.%d/%s-%d.jar (%d kB at %.1f MB/s)",
			word(r), word(r), r.IntN(9), r.IntN(40), r.IntN(20), word(r), r.IntN(99), r.IntN(4000), r.Float64()*90)
	}},
	{150, func(r *rand.Rand) string {
		return fmt.Sprintf("npm http fetch GET 200 https://registry.example.com/%s%%2f%s %dms (cache miss)", word(r), word(r), r.IntN(900))
	}},
	{120, func(r *rand.Rand) string {
		return fmt.Sprintf("%012x: Pushing [%s>%s]  %.2fMB/%.2fMB", r.Uint64()>>16, strings.Repeat("=", r.IntN(40)),
			strings.Repeat(" ", r.IntN(40)),
			r.Float64()*80, 80+r.Float64()*80)
	}},
	{110, func(r *rand.Rand) string {
		return fmt.Sprintf("  %s src/%s/%s.test.ts > %s %s should %s (%d ms)", "✓", word(r), word(r), word(r),
			word(r), word(r), r.IntN(200))
	}},
	{90, func(r *rand.Rand) string {
		return fmt.Sprintf("ok  \tgithub.com/%s/%s/internal/%s\t%d.%03ds\tcoverage: %.1f%% of statements", word(r),
			word(r), word(r), r.IntN(9), r.IntN(1000), r.Float64()*100)
	}},
	{80, func(r *rand.Rand) string {
		return fmt.Sprintf("#%d %d.%03d Get:%d http://deb.debian.org/debian bookworm/main amd64 %s amd64 %d.%d-%d [%d kB]",
			r.IntN(40), r.IntN(90), r.IntN(1000),
			r.IntN(300), word(r), r.IntN(9), r.IntN(20), r.IntN(9), r.IntN(900))
	}},
	{70, func(r *rand.Rand) string {
		return fmt.Sprintf("2026-01-05 10:%02d:%02d,%03d DEBUG [main] com.%s.%s.%s - Resolved %s in %d ms with %d candidates",
			r.IntN(60), r.IntN(60), r.IntN(1000),
			word(r), word(r), word(r), word(r), r.IntN(90), r.IntN(30))
	}},
	{60, func(r *rand.Rand) string {
		return fmt.Sprintf("\x1b[32masset \x1b[1m%s.%016x.js\x1b[39m\x1b[22m %d KiB [emitted] [immutable] [minimized] "+
			"(name: %s)", word(r), r.Uint64(), r.IntN(900), word(r))
	}},
	{50, func(r *rand.Rand) string {
		return fmt.Sprintf("Collecting %s>=%d.%d\n  Downloading %s-%d.%d.%d-py3-none-any.whl (%d kB)", word(r), r.IntN(4),
			r.IntN(20), word(r), r.IntN(4), r.IntN(20), r.IntN(20), r.IntN(900))
	}},
	{40, func(r *rand.Rand) string {
		return fmt.Sprintf("aws_%s_%s.this[%d]: Refreshing state... [id=%s-%016x]", word(r), word(r), r.IntN(20), word(r), r.Uint64())
	}},
	{1, func(r *rand.Rand) string {
		return fmt.Sprintf("warning: %s performance may suffer: operation %s requires permission %s", word(r), word(r), word(r))
	}},
	{48, func(r *rand.Rand) string { return strings.Repeat(".", 20+r.IntN(60)) }},
	{1, func(r *rand.Rand) string {
		return fmt.Sprintf("time=\"2026-01-05T10:11:%02dZ\" level=info msg=\"calling the authorization service for %s\" "+
			"explicit=%t", r.IntN(60), word(r), r.IntN(2) == 0)
	}},
}

var syllables = []string{"ba", "cor", "den", "el", "form", "gra", "hash", "in", "ker", "lo", "mod", "net", "or",
	"pack", "re", "spi", "ter", "un", "ver", "web"}

func word(r *rand.Rand) string {
	s := ""
	for range 1 + r.IntN(3) {
		s += syllables[r.IntN(len(syllables))]
	}
	return s
}

// generated writes at least size bytes of a failed build's log: commands one
// after the other, the last of which fails with a denial.
func generated(w io.Writer, size int) {
	r := rand.New(rand.NewPCG(1, 2))
	written := 0
	put := func(s string) {
		n, _ := io.WriteString(w, s)
		written += n
	}
	var chunk bytes.Buffer // lines are made once and repeated in another order
	var lines []string
	for range 20000 {
		n := r.IntN(1000)
		for _, m := range makeup {
			if n -= m.share; n < 0 {
				lines = append(lines, m.line(r)+"\n")
				break
			}
		}
	}
	const agent = "[Container] 2026/01/05 10:11:10.000001 "
	for i := 0; written < size; i++ {
		put(fmt.Sprintf("%sRunning command make step-%d\n", agent, i))
		chunk.Reset()
		for range 40000 {
			chunk.WriteString(lines[r.IntN(len(lines))])
		}
		put(chunk.String())
	}
	put(agent + "Running command docker push $URI\n" + deniedLine + "\n" + agent +
		"Command did not exit successfully docker push $URI exit status 1\n" +
		agent + "Phase complete: BUILD State: FAILED\n")
}

const deniedLine = "denied: User: arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-b1 is not authorized to perform: " +
	"ecr:InitiateLayerUpload on resource: arn:aws:ecr:eu-west-1:111122223333:repository/shop because no " +
	"identity-based policy allows the ecr:InitiateLayerUpload action"

// BenchmarkScan reads the log of a large build with one denial.
func BenchmarkScan(b *testing.B) {
	var log bytes.Buffer
	generated(&log, 64<<20)
	b.SetBytes(int64(log.Len()))
	runtime.GC()
	start, n := ownTime(), 0
	for b.Loop() {
		f, err := Read(codebuild.Build{}, bytes.NewReader(log.Bytes()))
		if err != nil || len(f.Denials) != 1 {
			b.Fatalf("%v, %d denials", err, len(f.Denials))
		}
		n++
	}
	b.ReportMetric(float64(n)*float64(log.Len())/1e9/(ownTime()-start).Seconds(), "GB/cpu-s")
}

// ownTime is the processor time that this process has used. Rates are given
// by it, not by the clock, because other programs may share the machine.
func ownTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDenials reads text that is nothing but denials.
func BenchmarkDenials(b *testing.B) {
	text := strings.Repeat(deniedLine+"\n", 4000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Denials(text)
	}
}

// BenchmarkBesideGrep reads the same file, of BUILDLOG_BENCH_MB megabytes
// (256 unless set), with Read, with grep and, where installed, with rg, all
// looking for the same anchors, and prints the ratios.
func BenchmarkBesideGrep(b *testing.B) {
	size := 256
	if s := os.Getenv("BUILDLOG_BENCH_MB"); s != "" {
		if _, err := fmt.Sscan(s, &size); err != nil {
			b.Fatalf("BUILDLOG_BENCH_MB=%q: %v", s, err)
		}
	}
	name := filepath.Join(b.TempDir(), "build.log")
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	generated(f, size<<20)
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		b.Fatal(err)
	}
	var literals []string
	for _, a := range anchors {
		literals = append(literals, strings.NewReplacer("[", `\[`, "]", `\]`).Replace(a.literal))
	}
	pattern := strings.Join(literals, "|")
	tools := []struct {
		name string
		run  func() (time.Duration, error)
	}{
		{"buildlog.Read", func() (time.Duration, error) {
			start := ownTime()
			f, err := os.Open(name)
			if err != nil {
				return 0, err
			}
			defer f.Close()
			_, err = Read(codebuild.Build{}, f)
			return ownTime() - start, err
		}},
		{"grep -c -E", func() (time.Duration, error) { return count("grep", "-c", "-E", pattern, name) }},
		{"LC_ALL=C grep -c -E", func() (time.Duration, error) { return count("env", "LC_ALL=C", "grep", "-c", "-E", pattern, name) }},
		{"rg -c", func() (time.Duration, error) { return count("rg", "-j1", "-c", pattern, name) }},
	}
	b.ResetTimer()
	for range b.N {
		own := 0.0
		for _, t := range tools {
			if program := strings.Fields(t.name)[0]; program == "rg" || program == "grep" {
				if _, err := exec.LookPath(program); err != nil {
					b.Logf("%-20s not installed", t.name)
					continue
				}
			}
			best := time.Duration(0)
			for range 3 {
				d, err := t.run()
				if err != nil {
					b.Fatalf("%s: %v", t.name, err)
				}
				if best == 0 || d < best {
					best = d
				}
			}
			rate := float64(info.Size()) / 1e9 / best.Seconds()
			if own == 0 {
				own = rate
				b.ReportMetric(rate, "GB/cpu-s")
			}
			b.Logf("%-20s %6.2f GB a second of processor time; buildlog is %5.2f times as fast", t.name, rate, own/rate)
		}
	}
}

// count runs a program and gives the processor time that it used.
func count(name string, args ...string) (time.Duration, error) {
	c := exec.Command(name, args...)
	out, err := c.Output()
	if err != nil {
		return 0, err
	}
	if len(bytes.TrimSpace(out)) == 0 {
		return 0, errors.New("it printed no count")
	}
	return c.ProcessState.UserTime() + c.ProcessState.SystemTime(), nil
}
