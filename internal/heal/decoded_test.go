package heal_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// ec2Denial is a denial of EC2 with an encoded message of its own that looks
// complete.
func ec2Denial(n int) string {
	return fmt.Sprintf("An error occurred (UnauthorizedOperation) when calling the RunInstances operation: You are not "+
		"authorized to perform this operation. User: arn:aws:sts::111122223333:assumed-role/r/AWSCodeBuild-1 is not "+
		"authorized to perform: ec2:RunInstances on resource: arn:aws:ec2:us-east-1:111122223333:instance/i-%d. "+
		"Encoded authorization failure message: %s%04d", n, strings.Repeat("aB3_", 60), n)
}

// logOf is a log that says just that.
type logOf string

func (l logOf) Tail(context.Context, codebuild.Build, func(string) bool) (heal.Text, error) {
	return heal.Text{Text: string(l)}, nil
}

// counting decodes nothing, and counts how often it is asked.
type counting int

func (d *counting) Decode(context.Context, settings.Account, string) ([]byte, error) {
	*d++
	return nil, heal.ErrFinal
}

// TestFewMessagesAreDecoded ensures that a log that prints hundreds of encoded
// messages costs a handful of calls, and that what was not decoded is counted.
func TestFewMessagesAreDecoded(t *testing.T) {
	for _, row := range []struct{ printed, asked int }{{0, 0}, {1, 1}, {5, 5}, {6, 5}, {60, 5}} {
		var lines []string
		for n := range row.printed {
			lines = append(lines, ec2Denial(n))
		}
		var d counting
		f, _, err := heal.ReadFailure(t.Context(), logOf(strings.Join(lines, "\n")), &d, settings.Account{}, codebuild.Build{})
		if err != nil || int(d) != row.asked || f.Undecoded != len(f.Denials)-row.asked {
			t.Errorf("%d printed, %d denials: STS was asked %d times, %d count as not decoded, %v", row.printed, len(f.Denials),
				d, f.Undecoded, err)
		}
		f, _, err = heal.ReadFailure(t.Context(), logOf(strings.Join(lines, "\n")), nil, settings.Account{}, codebuild.Build{})
		if err != nil || f.Undecoded != len(f.Denials) {
			t.Errorf("without a decoder %d of %d count as not decoded, %v", f.Undecoded, len(f.Denials), err)
		}
	}
}

// says is what STS answers.
type says string

func (s says) Decode(context.Context, settings.Account, string) ([]byte, error) {
	return []byte(s), nil
}

// TestDecodedIsBelieved: what AWS says in a decoded message stands in the place of
// what the log says; an answer that is no such message changes nothing.
func TestDecodedIsBelieved(t *testing.T) {
	printed := "arn:aws:ec2:us-east-1:111122223333:instance/i-1"
	for answer, want := range map[string]string{
		`{"allowed":false,"context":{"principal":{"arn":"arn:x"},"action":"ec2:RunInstances","resource":"arn:decoded"}}`: "arn:decoded",
		`{"allowed":true,"context":{"action":"ec2:RunInstances","resource":"arn:decoded"}}`:                              printed,
		"no JSON": printed,
	} {
		f, _, err := heal.ReadFailure(t.Context(), logOf(ec2Denial(1)), says(answer), settings.Account{}, codebuild.Build{})
		if err != nil || len(f.Denials) != 1 || f.Denials[0].Resource != want || f.Denials[0].Action != "ec2:RunInstances" {
			t.Errorf("%s: %+v, %v", answer, f.Denials, err)
		}
	}
}

// TestOnlyTrustedBuildsAreDecoded ensures that a pull request's build makes
// nobody call STS, and that its notice says what was not decoded.
func TestOnlyTrustedBuildsAreDecoded(t *testing.T) {
	world := strings.Replace(shop(1, "    versions: [{ref: refs/heads/main, commit: \"2f1c0de\"}, {ref: pr/7, commit: \"3f1c0de\"}]\n"),
		"aws s3 cp x s3://dist/x", "{run: aws ec2 run-instances, calls: [{action: ec2:RunInstances, "+
			"on: 'arn:aws:ec2:us-east-1:111122223333:instance/*', as: encoded}]}", 1)
	for version, want := range map[string]int{"refs/heads/main": 1, "pr/7": 0} {
		s := open(t, world, shopSettings(1, ""))
		if _, err := s.Sim.Run(simaws.Start{Project: "p0", Version: version}); err != nil {
			t.Fatal(err)
		}
		s.drain()
		if got := s.count("DecodeAuthorizationMessage"); got != want {
			t.Errorf("%s: STS was asked %d times, want %d", version, got, want)
		}
		said := strings.Contains(s.Sim.Notices()[0].ByProtocol["lambda"], "1 encoded authorization message(s) in the log were not decoded")
		if said != (want == 0) {
			t.Errorf("%s: the notice says that a message was not decoded: %v", version, said)
		}
	}
}
