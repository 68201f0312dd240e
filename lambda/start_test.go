package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

// maxZip is how large the function's package may be: a larger one starts
// slower and is slow to upload. The causes, the signs of evidence and a parser
// of shell commands have taken it from 5.8 to 6.2 MiB, the readers of test
// runners' reports and the comparison with green builds to 6.7; the SDK's
// present releases, which carry a schema of each service's whole API, to 7.0,
// and its loader of configuration to 7.5. With telling developers and others it
// was 7.9; CloudFormation's client made it 8.2, and takes 1 ms and 0.8 MB at
// each start, CodeCommit's 8.4, and the same again. Asking by pull requests, and
// telling what came of them, made it 8.6; runners, pipelines, batches and more
// causes and signs 9.0. The rest is room for updates.
const maxZip = 19 << 19 // 9.5 MiB

// TestZipIsSmall ensures that the packed function stays small.
func TestZipIsSmall(t *testing.T) {
	if n := zipped(t, build(t, runtime.GOARCH)); n > maxZip {
		t.Errorf("the zip has %d bytes, should be at most %d", n, maxZip)
	}
}

func zipped(t testing.TB, path string) int {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	w, err := z.Create("bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(w, f); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}

// What our packages may allocate at each start, before main. Its time cannot be
// asserted; this can. What libraries allocate is theirs: an update of them must
// not fail here.
const (
	mostOfARoom  = 176 // allocations of one of our packages; the table of the settings' keys, which each start reads, takes most
	mostOfRooms  = 352 // of all of them
	roomsAtLeast = 5   // that allocate something at all
)

// TestStartAllocates ensures that our packages make nothing at each start that
// few invocations need: no expression, no table.
func TestStartAllocates(t *testing.T) {
	cmd := exec.Command(build(t, runtime.GOARCH))
	cmd.Env = []string{"GODEBUG=inittrace=1"}
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("it runs without its environment")
	}
	line := regexp.MustCompile(`(?m)^init (\S+) @.*?, (\d+) bytes, (\d+) allocs$`)
	rooms, ours, bytes := 0, 0, 0
	for _, m := range line.FindAllStringSubmatch(string(out), -1) {
		size, _ := strconv.Atoi(m[2])
		allocs, _ := strconv.Atoi(m[3])
		bytes += size
		if room, ok := strings.CutPrefix(m[1], "github.com/buildmedic/buildmedic/"); ok {
			rooms, ours = rooms+1, ours+allocs
			if allocs > mostOfARoom {
				t.Errorf("%s allocates %d times at each start, should be at most %d", room, allocs, mostOfARoom)
			}
		}
	}
	if rooms < roomsAtLeast {
		t.Fatalf("the trace shows %d rooms:\n%s", rooms, out)
	}
	if ours > mostOfRooms {
		t.Errorf("our packages allocate %d times at each start, should be at most %d", ours, mostOfRooms)
	}
	t.Logf("our packages allocate %d times at each start, and all of them, libraries included, %d bytes", ours, bytes)
}

// BenchmarkStart measures the time from the process's start to its first
// request for work, against the smallest Lambda in Go built the same way, in
// turns within one run.
func BenchmarkStart(b *testing.B) {
	ss, err := story.Load(testdata.Stories, "stories")
	if err != nil {
		b.Fatal(err)
	}
	settings := filepath.Join(b.TempDir(), "buildmedic.yaml")
	if err := os.WriteFile(settings, ss[0].Settings, 0o600); err != nil {
		b.Fatal(err)
	}
	env := []string{envSettings + "=" + settings, envLedger + "=memory", envTopic + "=arn:aws:sns:us-west-2:290008131176:buildmedic",
		envQueue + "=https://sqs.us-west-2.amazonaws.com/290008131176/buildmedic", envRegion + "=us-west-2",
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=simulated"}
	ours := build(b, runtime.GOARCH)
	hello := buildPackage(b, "./testdata/hello", runtime.GOARCH)
	var us, them, ratios []float64
	for range max(b.N, 15) {
		u, h := untilFirst(b, ours, env), untilFirst(b, hello, env)
		us, them, ratios = append(us, u), append(them, h), append(ratios, u/h)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(us), "ms/start")
	b.ReportMetric(median(them), "ms/hello")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(float64(zipped(b, ours))/float64(zipped(b, hello)), "zip-ratio")
	b.ReportMetric(float64(zipped(b, ours))/(1<<20), "zip-MiB")
}

// untilFirst starts a function and gives the milliseconds until it asks for
// its first invocation.
func untilFirst(b *testing.B, path string, env []string) float64 {
	b.Helper()
	api := newRuntimeAPI(b)
	defer api.Close()
	cmd := exec.Command(path)
	cmd.Env = append([]string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://"),
		"AWS_LAMBDA_FUNCTION_NAME=buildmedic"}, env...)
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	select {
	case <-api.asked:
	case <-time.After(time.Minute):
		b.Fatal(fmt.Errorf("%s does not ask for work", path))
	}
	took := time.Since(begin)
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed
	api.CloseClientConnections()
	return float64(took) / float64(time.Millisecond)
}

func median(xs []float64) float64 {
	xs = slices.Sorted(slices.Values(xs))
	return xs[len(xs)/2]
}
