package heal

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// records are the builds and batches that a Builds has, and the error that it
// gives for others.
type records struct {
	builds  map[string]codebuild.Build
	batches map[string]codebuild.Batch
	err     error
	calls   int
}

func (r *records) Get(_ context.Context, _ settings.Account, id string) (codebuild.Build, error) {
	r.calls++
	b, ok := r.builds[id]
	if !ok {
		return b, r.err
	}
	return b, nil
}

func (r *records) Batch(_ context.Context, _ settings.Account, arn string) (codebuild.Batch, error) {
	r.calls++
	b, ok := r.batches[arn]
	if !ok {
		return b, r.err
	}
	return b, nil
}

func (*records) Several(context.Context, settings.Account, []string) ([]codebuild.Build, error) {
	return nil, nil
}

func (*records) Since(context.Context, settings.Account, string, time.Time, string) ([]codebuild.Build, error) {
	return nil, nil
}

// TestWithRoot: a chain is followed to its first build and a batch to its record,
// and nothing else is taken for a root.
func TestWithRoot(t *testing.T) {
	at := settings.Account{ID: "111122223333", Region: "eu-west-1"}
	const batch = "arn:aws:codebuild:eu-west-1:111122223333:build-batch/shop:b"
	arn := func(id string) string { return "arn:aws:codebuild:eu-west-1:111122223333:build/" + id }
	// chain is n attempts at a build, the first of them shop:0.
	chain := func(n int) *records {
		r := &records{builds: map[string]codebuild.Build{}, batches: map[string]codebuild.Batch{}, err: ErrNotFound}
		for i := range n {
			b := codebuild.Build{ID: fmt.Sprintf("shop:%d", i), ARN: arn(fmt.Sprintf("shop:%d", i)),
				Project: "shop", Initiator: "role/AWSCodeBuild-x",
				SourceVersion: "refs/heads/main", AutoRetry: codebuild.AutoRetry{Limit: 20, Number: i}}
			if i > 0 {
				b.AutoRetry.Previous = arn(fmt.Sprintf("shop:%d", i-1))
			} else {
				b.Initiator, b.SourceVersion = "GitHub-Hookshot/1", "refs/heads/main^{2f1c0de}"
			}
			r.builds[b.ID] = b
		}
		return r
	}
	change := func(r *records, id string, do func(*codebuild.Build)) {
		b := r.builds[id]
		do(&b)
		r.builds[id] = b
	}
	for _, row := range []struct {
		name  string
		build string
		chain int
		with  func(*records)
		want  string // the initiator of the root; "": none
		calls int
		err   error
	}{
		{name: "an ordinary build", build: "shop:0", chain: 1},
		{name: "an ordinary build with retries to come", build: "shop:0", chain: 2},
		{name: "the second attempt", build: "shop:1", chain: 2, want: "GitHub-Hookshot/1", calls: 1},
		{name: "the eleventh", build: "shop:10", chain: 11, want: "GitHub-Hookshot/1", calls: 10},
		{name: "the twelfth", build: "shop:11", chain: 12, calls: 10},
		{name: "a batch's", build: "shop:0", chain: 1, want: "alice", calls: 1, with: func(r *records) {
			change(r, "shop:0", func(b *codebuild.Build) { b.BatchARN = batch })
			r.batches[batch] = codebuild.Batch{Initiator: "alice"}
		}},
		{name: "the second attempt of a batch's", build: "shop:1", chain: 2, want: "alice", calls: 2,
			with: func(r *records) {
				change(r, "shop:0", func(b *codebuild.Build) { b.BatchARN = batch })
				r.batches[batch] = codebuild.Batch{Initiator: "alice"}
			}},
		{name: "a batch that is gone", build: "shop:0", chain: 1, calls: 1, with: func(r *records) {
			change(r, "shop:0", func(b *codebuild.Build) { b.BatchARN = batch })
		}},
		{name: "a batch that must not be read", build: "shop:0", chain: 1, calls: 1, with: func(r *records) {
			change(r, "shop:0", func(b *codebuild.Build) { b.BatchARN = batch })
			r.err = ErrDenied
		}},
		{name: "a batch that cannot be read now", build: "shop:0", chain: 1, calls: 1, err: ErrLater,
			with: func(r *records) {
				change(r, "shop:0", func(b *codebuild.Build) { b.BatchARN = batch })
				r.err = ErrLater
			}},
		{name: "a first build that is gone", build: "shop:2", chain: 3, calls: 2,
			with: func(r *records) { delete(r.builds, "shop:0") }},
		{name: "a first build that cannot be read now", build: "shop:2", chain: 3, calls: 2, err: ErrLater,
			with: func(r *records) {
				delete(r.builds, "shop:0")
				r.err = ErrLater
			}},
		{name: "no first build", build: "shop:1", chain: 2, with: func(r *records) {
			change(r, "shop:1", func(b *codebuild.Build) { b.AutoRetry.Previous = "" })
		}},
		{name: "a first build that is none", build: "shop:2", chain: 3, calls: 1, with: func(r *records) {
			change(r, "shop:1", func(b *codebuild.Build) { b.AutoRetry.Previous = "" })
		}},
		{name: "a chain in a circle", build: "shop:2", chain: 3, calls: 2, with: func(r *records) {
			change(r, "shop:0", func(b *codebuild.Build) {
				b.AutoRetry.Number, b.AutoRetry.Previous = 2,
					arn("shop:2")
			})
		}},
		{name: "of another project", build: "shop:1", chain: 2, calls: 1, with: func(r *records) {
			change(r, "shop:0", func(b *codebuild.Build) { b.Project = "other" })
		}},
		{name: "in another account", build: "shop:1", chain: 2, with: func(r *records) {
			change(r, "shop:1", func(b *codebuild.Build) {
				b.AutoRetry.Previous = "arn:aws:codebuild:eu-west-1:444455556666:build/shop:0"
			})
		}},
		{name: "no build's ARN", build: "shop:1", chain: 2, with: func(r *records) {
			change(r, "shop:1", func(b *codebuild.Build) { b.AutoRetry.Previous = "shop:0" })
		}},
	} {
		r := chain(row.chain)
		if row.with != nil {
			row.with(r)
		}
		b, err := WithRoot(t.Context(), r, at, r.builds[row.build])
		got := ""
		if b.Root != nil {
			got = b.Root.Initiator
		}
		if got != row.want || !errors.Is(err, row.err) || (err != nil) != (row.err != nil) {
			t.Errorf("%s: root %q, %v; want %q, %v", row.name, got, err, row.want, row.err)
		}
		if r.calls != row.calls {
			t.Errorf("%s: %d calls, want %d", row.name, r.calls, row.calls)
		}
	}
}

func (*records) BatchIDs(context.Context, settings.Account, string) ([]string, error) {
	return nil, nil
}

func (*records) Batches(context.Context, settings.Account, []string) ([]codebuild.Batch, error) {
	return nil, nil
}
