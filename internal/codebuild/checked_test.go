package codebuild

import (
	"strings"
	"testing"
)

// TestCheck is the table of what a build may have that its project has not.
func TestCheck(t *testing.T) {
	const role = "arn:aws:iam::111122223333:role/service-role/shop"
	project := Project{Name: "shop", Ran: Ran{"s", "b", role, "i"}}
	same := Build{Ran: project.Ran}
	with := func(change func(*Build)) Build { b := same; change(&b); return b }
	for _, row := range []struct {
		name  string
		build Build
		want  string
	}{
		{"nothing", same, ""},
		{"the role in another form", with(func(b *Build) { b.Ran.Role = "shop" }), ""},
		{"another source", with(func(b *Build) { b.Ran.Source = "x" }), "source"},
		{"another buildspec and image", with(func(b *Build) { b.Ran.Buildspec, b.Ran.Image = "x", "x" }), "buildspec image"},
		{"another role", with(func(b *Build) { b.Ran.Role = "arn:aws:iam::111122223333:role/deploy" }), "service role"},
		{"a pipeline's artifact", with(func(b *Build) {
			b.Ran.Source, b.SourceType, b.Initiator = "x", "CODEPIPELINE", "codepipeline/shop"
		}), ""},
		{"what calls itself a pipeline's artifact", with(func(b *Build) {
			b.Ran.Source, b.SourceType, b.Initiator = "x", "CODEPIPELINE", "alice"
		}), "source"},
		{"what the batch's buildspec chose", with(func(b *Build) {
			b.Ran.Buildspec, b.Ran.Image, b.BatchARN, b.Root = "x", "x", "arn", &Root{Ran: project.Ran}
		}), ""},
		{"what the batch was started with", with(func(b *Build) {
			b.BatchARN, b.Root = "arn", &Root{Ran: Ran{Buildspec: "x", Image: "i"}}
		}), "buildspec"},
		{"a batch that is not known", with(func(b *Build) { b.Ran.Image, b.BatchARN = "x", "arn" }), "image"},
		{"an auto-retry of an overridden build", with(func(b *Build) { b.Ran.Image, b.Root = "x", &Root{Ran: project.Ran} }), "image"},
	} {
		got := strings.Join(project.Check(row.build).Overrides, " ")
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
	if !(Project{Webhook: &Webhook{Runner: true}}).Check(same).Runner {
		t.Error("a runner's webhook makes its builds runners")
	}
}
