package codebuild

import (
	"strings"
	"testing"
	"time"
)

// TestStandInIsCompared: what stands for a batch that failed by itself is compared with its project as a build is: its
// source and role are those that the batch was started with.
func TestStandInIsCompared(t *testing.T) {
	project := Project{Name: "shop", Ran: Ran{"s", "b", "arn:aws:iam::111122223333:role/shop", "i"}}
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name string
		ran  Ran
		want string
	}{
		{"nothing", project.Ran, ""},
		{"another source", Ran{"x", "b", project.Ran.Role, "i"}, OwnSource},
		{"another role", Ran{"s", "b", "arn:aws:iam::111122223333:role/other", "i"}, OwnRole},
		{"another image", Ran{"s", "b", project.Ran.Role, "x"}, OwnImage},
	} {
		batch := Batch{ARN: "arn:aws:codebuild:eu-west-1:111122223333:build-batch/shop:8745a7a9-c340-456a-9166-edf953571b00",
			Project: "shop", Status: Failed, Role: "arn:aws:iam::111122223333:role/batch", Ran: row.ran,
			Phases: []Phase{{Type: "SUBMITTED", Status: Succeeded, Start: at},
				{Type: "DOWNLOAD_BATCHSPEC", Status: Failed, Start: at, End: at}}}
		own, ok := batch.Own()
		if !ok {
			t.Fatal("the batch has not failed by itself")
		}
		if got := strings.Join(project.Check(own).Overrides, " "); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}
