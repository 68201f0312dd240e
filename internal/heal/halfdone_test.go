package heal_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

const stranger = `{"Version": "2012-10-17", "Statement": [{"Sid": "Stranger", "Effect": "Allow", ` +
	`"Action": "s3:GetObject", "Resource": "arn:aws:s3:::other/*"}]}`

// TestHalfWritten: a write whose read-back fails may be half done. Its case
// keeps the role until it has come back to it.
func TestHalfWritten(t *testing.T) {
	s := crowd(t, 1, 1)
	wrote, fails, role := false, 0, ""
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "PutRolePolicy" {
			wrote = true
		}
		if wrote && c.Operation == "GetRolePolicy" && !c.Done && fails < 12 {
			fails++
			return simaws.Fault{Throttle: true}
		}
		if wrote && role == "" && c.Operation == "SendMessage" && c.Done {
			role = s.lease("role-0").Case
		}
		return simaws.Fault{}
	})
	s.drain()
	c := s.of(s.Sim.Builds("p0")[0].ID)
	if role != c.ID || fails < 12 {
		t.Errorf("while case %s waits, after %d failures, %q has the role", c.ID, fails, role)
	}
	if now := s.lease("role-0").Case; c.Outcome != decide.Healed || now != "" || s.count("PutRolePolicy") != 1 {
		t.Errorf("outcome %s, the role is %q's, %d writes", c.Outcome, now, s.count("PutRolePolicy"))
	}
}

// useless is a case whose grant does not help, up to where it is taken back.
func useless(t *testing.T) (*stage, string) {
	t.Helper()
	world := strings.Replace(shop(1, ""), "buckets:\n  - {name: dist}\n", deaf, 1)
	world = strings.Replace(world, "aws s3 cp x s3://dist/x", "{run: ./deploy, calls: [{action: s3:PutObject, "+
		"on: \"arn:aws:s3:::dist/x\", says: \"An error occurred (AccessDenied) when calling the PutObject "+
		"operation: User: $USER is not authorized to perform: s3:PutObject on resource: \\\"arn:aws:s3:::dist/x\\\" "+
		"because no identity-based policy allows the s3:PutObject action\"}]}", 1)
	s := open(t, world, shopSettings(1, ""))
	return s, s.start("p0")
}

// TestUndoneOnce: a function that dies once it has taken a grant back does not
// take it back again: by then it may be another case's.
func TestUndoneOnce(t *testing.T) {
	s, id := useless(t)
	var undone, dead atomic.Bool
	broken := errors.New("the function is dead")
	h := s.Inbox.Healer
	h.Store = dying{h.Store, func(it heal.Item) error {
		if undone.Load() && it.Kind == "role" {
			dead.Store(true)
		}
		if dead.Load() { // from then on it records nothing
			return broken
		}
		return nil
	}}
	given := ""
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "PutRolePolicy" && c.Done {
			given = s.inline("role-0")
		}
		if c.Operation == "DeleteRolePolicy" && c.Done {
			undone.Store(true)
		}
		return simaws.Fault{}
	})
	_ = s.Run(context.Background())
	if !undone.Load() || given == "" {
		t.Fatal("nothing was taken back")
	}
	h.Store = s.Store
	if err := s.Sim.PutRolePolicy("role-0", "healed", given); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.Sim.Clock.Advance(30 * time.Minute)
		s.do(`{"sweep":{}}`)
		s.drain()
	}
	if c := s.of(id); c.Outcome != decide.Undone || s.inline("role-0") != given {
		t.Errorf("outcome %s, policy %q", c.Outcome, s.inline("role-0"))
	}
}

// dying is a ledger that refuses some writes.
type dying struct {
	heal.Store
	refuses func(heal.Item) error
}

// oneByOne is held by what tests do at a write: the healer writes several items at the same time.
var oneByOne sync.Mutex

func (d dying) Put(ctx context.Context, it heal.Item) (heal.Item, error) {
	oneByOne.Lock()
	err := d.refuses(it)
	oneByOne.Unlock()
	if err != nil {
		return heal.Item{}, err
	}
	return d.Store.Put(ctx, it)
}

// TestUndoneBeside: somebody changes the policy right after a grant was taken
// back. It is told as taken back only if it is.
func TestUndoneBeside(t *testing.T) {
	for _, kept := range []bool{false, true} {
		s, id := useless(t)
		// The policy was there before, so that it is restored and not deleted.
		if err := s.Sim.PutRolePolicy("role-0", "healed", stranger); err != nil {
			t.Fatal(err)
		}
		writes, given := 0, ""
		s.Sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation == "PutRolePolicy" && c.Done {
				if writes++; writes == 1 {
					given = s.inline("role-0")
				}
				base := stranger
				if kept {
					base = given
				}
				if writes == 2 {
					next := strings.Replace(base, `"Statement": [`, `"Statement": [{"Effect": "Allow", `+
						`"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::more"}, `, 1)
					if err := s.Sim.PutRolePolicy("role-0", "healed", next); err != nil {
						t.Error(err)
					}
				}
			}
			return simaws.Fault{}
		})
		s.drain()
		c, want := s.of(id), decide.Undone
		if kept {
			want = decide.Failed
		}
		if c.Outcome != want || !strings.Contains(s.inline("role-0"), "s3:ListBucket") {
			t.Errorf("the grant stands: %v; outcome %s, policy %s", kept, c.Outcome, s.inline("role-0"))
		}
	}
}
