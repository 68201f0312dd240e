package diagnose_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// dense are lines of logs that hold nothing but what is read with care, as a retry loop prints
// them.
var dense = []struct{ what, line string }{
	{"sentences", "An error occurred (AccessDeniedException) when calling the PutMetricData operation: User: " +
		"arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-b1 is not authorized to perform: " +
		"cloudwatch:PutMetricData on resource: arn:aws:cloudwatch:eu-west-1:111122223333:alarm:shop-%d because no identity-based " +
		"policy allows the cloudwatch:PutMetricData action\n"},
	{"reasons", "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied because object shop-%d is " +
		"protected by object lock\n"},
	{"stacks", "UPDATE_FAILED AWS::S3::Bucket Assets%d Resource handler returned message: \"Access Denied (Service: S3, Status " +
		"Code: 403)\" (RequestToken: 1, HandlerErrorCode: AccessDenied)\n"},
	{"errors", "error: test %d of the shop failed: expected 200, got 403\n"},
	{"subjects", "Error: The provided execution role does not have permissions to call CreateNetworkInterface on EC2 (shop-%d)\n"},
}

// BenchmarkDense reads and diagnoses 3 and 6 MB of such lines. ratio is the processor time of 6 MB
// by that of 3: at most 2 where the work is linear.
func BenchmarkDense(b *testing.B) {
	for _, d := range dense {
		b.Run(d.what, func(b *testing.B) {
			var took [2]time.Duration
			for range b.N {
				for i, size := range []int{3e6, 6e6} {
					log := denseLog(d.line, size)
					start := ownTime(b)
					diagnose.Diagnose(buildlog.ReadText(codebuild.Build{Status: codebuild.Failed}, log))
					took[i] += ownTime(b) - start
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(took[1].Seconds()/float64(b.N), "cpu-s/6MB")
			b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "ratio")
		})
	}
}

// ownTime is the processor time of this process: other programs may share the machine.
func ownTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func denseLog(line string, size int) string {
	const agent = "[Container] 2026/11/20 10:00:00.000001 "
	var b strings.Builder
	b.WriteString(agent + "Running command ./ci/deploy.sh\n")
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, line, i)
	}
	b.WriteString(agent + "Command did not exit successfully ./ci/deploy.sh exit status 1\n" + agent +
		"Phase complete: BUILD State: FAILED\n")
	return b.String()
}
