package decide

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestStarted is the table of which initiator is the healer.
func TestStarted(t *testing.T) {
	home := settings.Account{ID: "111122223333", Region: "eu-west-1"}
	function := Self{Initiator: "medic/fn", MemberInitiator: "medic-member/buildmedic", Function: "fn"}
	person := Self{Initiator: "alice"}
	for _, row := range []struct {
		self      Self
		account   string
		initiator string
		want      bool
	}{
		{function, "111122223333", "medic/fn", true},
		{function, "111122223333", "medic/another-session", true},
		{function, "111122223333", "medic", true},
		{function, "111122223333", "arn:aws:sts::111122223333:assumed-role/medic/fn", true},
		{function, "111122223333", "medic-member/buildmedic", false},
		{function, "111122223333", "codepipeline/medic", false},
		{function, "111122223333", "GitHub-Hookshot/medi", false},
		{function, "111122223333", "alice", false},
		{function, "111122223333", "", false},
		{function, "444455556666", "medic-member/buildmedic", true},
		{function, "444455556666", "medic/fn", false},
		{person, "111122223333", "alice", true},
		{person, "111122223333", "alice/x", false},
		{person, "444455556666", "alice", false},
		{Self{}, "111122223333", "", false},
	} {
		b := codebuild.Build{ARN: "arn:aws:codebuild:eu-west-1:" + row.account + ":build/shop:1", Initiator: row.initiator}
		if got := row.self.Started(home, b); got != row.want {
			t.Errorf("%+v, %s, %q: %v", row.self, row.account, row.initiator, got)
		}
	}
}
