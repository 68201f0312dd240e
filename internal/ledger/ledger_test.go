package ledger

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/heal"
)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// newClock starts at the real time: an independent DynamoDB has its own.
func newClock() *clock { return &clock{now: time.Now().UTC().Truncate(time.Second)} }

func TestMemory(t *testing.T) {
	conform(t, func(t *testing.T, c *clock) heal.Store { return NewMemory(c) })
}

func TestFile(t *testing.T) {
	conform(t, func(t *testing.T, c *clock) heal.Store {
		f, err := OpenFile(filepath.Join(t.TempDir(), "ledger.json"), c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
		return f
	})
}

// TestFileLasts ensures that a second command finds what the first one wrote,
// and that two at the same time are refused.
func TestFileLasts(t *testing.T) {
	ctx, c, path := context.Background(), newClock(), filepath.Join(t.TempDir(), "sub", "ledger.json")
	f, err := OpenFile(path, c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Put(ctx, heal.Item{Kind: "case", ID: "c1", Data: []byte("x"), Due: c.Now()}); err != nil {
		t.Fatal(err)
	}
	if ok, err := f.Count(ctx, "n", "a", 1, c.Now().Add(time.Hour)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := OpenFile(path, c); err == nil || !strings.Contains(err.Error(), "another command uses it") {
		t.Fatalf("second open: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f, err = OpenFile(path, c); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	it, err := f.Get(ctx, "case", "c1")
	if err != nil || string(it.Data) != "x" || it.Version != 1 {
		t.Errorf("got %+v, %v", it, err)
	}
	if ok, _ := f.Count(ctx, "n", "b", 1, c.Now().Add(time.Hour)); ok {
		t.Error("the counter was forgotten")
	}
}

// TestDynamoDB runs the suite against dynalite, an independent
// implementation of DynamoDB.
func TestDynamoDB(t *testing.T) {
	url := dynalite(t)
	api := dynamodb.New(dynamodb.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url), Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")})
	n := 0
	conform(t, func(t *testing.T, c *clock) heal.Store {
		n++
		return NewDynamoDB(api, makeTable(t, api, fmt.Sprintf("ledger-%d", n)), c)
	})
}

func makeTable(t *testing.T, api *dynamodb.Client, name string) string {
	t.Helper()
	str := func(n string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(n), AttributeType: types.ScalarAttributeTypeS}
	}
	key := func(n string, kt types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: aws.String(n), KeyType: kt}
	}
	_, err := api.CreateTable(context.Background(), &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{str(PartitionKey), str(SortKey), str("kind"), str("due")},
		KeySchema:            []types.KeySchemaElement{key(PartitionKey, types.KeyTypeHash), key(SortKey, types.KeyTypeRange)},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String(IndexName), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			KeySchema: []types.KeySchemaElement{key("kind", types.KeyTypeHash), key("due", types.KeyTypeRange)}}}})
	if err != nil {
		t.Fatal(err)
	}
	made := dynamodb.NewTableExistsWaiter(api, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, 50*time.Millisecond
	})
	if err := made.Wait(context.Background(), &dynamodb.DescribeTableInput{TableName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return name
}

// dynalite starts one on loopback and gives its address.
func dynalite(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("testdata", "dynalite", "node_modules", "dynalite")
	node, nerr := exec.LookPath("node")
	if _, err := os.Stat(dir); err != nil || nerr != nil {
		if os.Getenv("BUILDMEDIC_NEED_DYNALITE") != "" {
			t.Fatal("dynalite is not installed: run make dynalite")
		}
		t.Skip("dynalite is not installed: `make test` installs it where Node.js and npm are; the memory and file ledgers were tested")
	}
	script := `const d=require(process.argv[1])({createTableMs:0,deleteTableMs:0,updateTableMs:0});d.listen(0,'127.0.0.1',()=>console.log('http://127.0.0.1:'+d.address().port));process.stdin.on('end',()=>process.exit(0)).resume()`
	abs, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "-e", script, abs)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // its end ends the server, however the test ends
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("dynalite: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("dynalite did not start: %v", err)
	}
	return strings.TrimSpace(line)
}

// conform is what every ledger must do.
func conform(t *testing.T, open func(*testing.T, *clock) heal.Store) {
	ctx := context.Background()
	start := func(t *testing.T) (heal.Store, *clock) { c := newClock(); return open(t, c), c }

	t.Run("a missing item is not found", func(t *testing.T) {
		s, _ := start(t)
		if _, err := s.Get(ctx, "case", "none"); !errors.Is(err, heal.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what is put is got", func(t *testing.T) {
		s, c := start(t)
		for name, data := range map[string][]byte{"empty": nil, "small": []byte("x"), "binary": {0, 1, 255}, "large": bytes.Repeat([]byte("policy "), 40_000)} {
			want := heal.Item{Kind: "case", ID: "id/with #signs " + name, Data: data, Due: c.Now().Add(123456789 * time.Nanosecond), Expires: c.Now().Add(time.Hour)}
			put, err := s.Put(ctx, want)
			if err != nil {
				t.Fatal(err)
			}
			want.Version = 1
			got, err := s.Get(ctx, "case", want.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range []heal.Item{put, got} {
				it.Data, want.Data = append([]byte{}, it.Data...), append([]byte{}, want.Data...)
				if d := cmp.Diff(want, it); d != "" {
					t.Errorf("%s: %s", name, d)
				}
			}
		}
	})
	t.Run("kinds do not mix", func(t *testing.T) {
		s, _ := start(t)
		mustPut(t, s, heal.Item{Kind: "build", ID: "x", Data: []byte("b")})
		if _, err := s.Get(ctx, "case", "x"); !errors.Is(err, heal.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a put on a stale version conflicts", func(t *testing.T) {
		s, _ := start(t)
		v1 := mustPut(t, s, heal.Item{Kind: "case", ID: "x", Data: []byte("1")})
		if _, err := s.Put(ctx, heal.Item{Kind: "case", ID: "x", Data: []byte("other")}); !errors.Is(err, heal.ErrConflict) {
			t.Errorf("second creation: %v", err)
		}
		v1.Data = []byte("2")
		mustPut(t, s, v1)
		v1.Data = []byte("late")
		if _, err := s.Put(ctx, v1); !errors.Is(err, heal.ErrConflict) {
			t.Errorf("stale put: %v", err)
		}
		if it, _ := s.Get(ctx, "case", "x"); string(it.Data) != "2" || it.Version != 2 {
			t.Errorf("got %+v", it)
		}
	})
	t.Run("a put on what was never there conflicts", func(t *testing.T) {
		s, _ := start(t)
		if _, err := s.Put(ctx, heal.Item{Kind: "case", ID: "x", Version: 3}); !errors.Is(err, heal.ErrConflict) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("of many writers one wins", func(t *testing.T) {
		s, _ := start(t)
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for i := range 16 {
			wg.Go(func() {
				_, err := s.Put(ctx, heal.Item{Kind: "role", ID: "r", Data: []byte{byte(i)}})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if !errors.Is(err, heal.ErrConflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("%d won", won)
		}
	})
	t.Run("an expired item is gone and may be made again", func(t *testing.T) {
		s, c := start(t)
		mustPut(t, s, heal.Item{Kind: "plan", ID: "p", Data: []byte("old"), Due: c.Now(), Expires: c.Now().Add(time.Minute)})
		c.advance(2 * time.Minute)
		if _, err := s.Get(ctx, "plan", "p"); !errors.Is(err, heal.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		if its, err := s.Between(ctx, "plan", time.Time{}, c.Now().Add(time.Hour), false, 10); err != nil || len(its) != 0 {
			t.Errorf("listed %v, %v", its, err)
		}
		mustPut(t, s, heal.Item{Kind: "plan", ID: "p", Data: []byte("new")})
	})
	t.Run("between lists in order", func(t *testing.T) {
		s, c := start(t)
		for i, id := range []string{"c", "a", "d", "b"} {
			mustPut(t, s, heal.Item{Kind: "closed", ID: id, Due: c.Now().Add(time.Duration((i*7)%4) * time.Second)})
		}
		mustPut(t, s, heal.Item{Kind: "closed", ID: "never"})
		mustPut(t, s, heal.Item{Kind: "case", ID: "other", Due: c.Now()})
		for _, row := range []struct {
			from, to time.Duration
			newest   bool
			limit    int
			want     string
		}{
			{-time.Hour, time.Hour, false, 10, "cbda"},
			{-time.Hour, time.Hour, true, 10, "adbc"},
			{-time.Hour, time.Hour, false, 2, "cb"},
			{0, 2 * time.Second, false, 10, "cb"},
			{time.Second, time.Second, false, 10, ""},
		} {
			its, err := s.Between(ctx, "closed", c.Now().Add(row.from), c.Now().Add(row.to), row.newest, row.limit)
			got := ""
			for _, it := range its {
				got += it.ID
			}
			if err != nil || got != row.want {
				t.Errorf("%+v: got %q, %v", row, got, err)
			}
		}
		its, err := s.Between(ctx, "closed", time.Time{}, c.Now().Add(time.Hour), false, 10)
		if err != nil || len(its) != 4 {
			t.Errorf("from the beginning of time: %d items, %v", len(its), err)
		}
	})
	t.Run("an item can leave the list", func(t *testing.T) {
		s, c := start(t)
		it := mustPut(t, s, heal.Item{Kind: "case", ID: "x", Due: c.Now()})
		it.Due = time.Time{}
		mustPut(t, s, it)
		if its, err := s.Between(ctx, "case", time.Time{}, c.Now().Add(time.Hour), false, 10); err != nil || len(its) != 0 {
			t.Errorf("listed %v, %v", its, err)
		}
	})
	t.Run("a counter stops at its maximum", func(t *testing.T) {
		s, c := start(t)
		for i := range 5 {
			ok, err := s.Count(ctx, "writes 2026", fmt.Sprint("case ", i), 3, c.Now().Add(time.Hour))
			if err != nil || ok != (i < 3) {
				t.Errorf("%d: %v, %v", i, ok, err)
			}
		}
		if ok, err := s.Count(ctx, "other", "a", 0, c.Now().Add(time.Hour)); ok || err != nil {
			t.Errorf("a maximum of none: %v, %v", ok, err)
		}
	})
	t.Run("a counter counts nobody twice", func(t *testing.T) {
		s, c := start(t)
		for i, row := range []struct {
			by   string
			want bool
		}{{"a", true}, {"a", true}, {"b", true}, {"c", false}, {"a", true}, {"b", true}, {"c", false}} {
			if ok, err := s.Count(ctx, "n", row.by, 2, c.Now().Add(time.Hour)); ok != row.want || err != nil {
				t.Errorf("%d: %s is counted: %v, %v", i, row.by, ok, err)
			}
		}
	})
	t.Run("room is what a count would find, and takes none", func(t *testing.T) {
		s, c := start(t)
		room := func(by string, max int, want bool) {
			t.Helper()
			for range 2 { // asking changes nothing
				if ok, err := s.Room(ctx, "n", by, max); ok != want || err != nil {
					t.Errorf("room for %s of %d: %v, %v", by, max, ok, err)
				}
			}
		}
		room("a", 0, false)
		room("a", 1, true)
		for _, by := range []string{"a", "b"} {
			if ok, err := s.Count(ctx, "n", by, 2, c.Now().Add(time.Minute)); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		room("a", 2, true)
		room("c", 2, false)
		room("c", 3, true)
		c.advance(2 * time.Minute)
		room("c", 1, true)
	})
	t.Run("a counter past its time begins again", func(t *testing.T) {
		s, c := start(t)
		for _, by := range []string{"a", "b"} {
			if ok, err := s.Count(ctx, "n", by, 2, c.Now().Add(time.Minute)); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		c.advance(2 * time.Minute)
		for i, by := range []string{"c", "d", "e"} {
			if ok, err := s.Count(ctx, "n", by, 2, c.Now().Add(time.Hour)); ok != (i < 2) || err != nil {
				t.Errorf("%s is counted: %v, %v", by, ok, err)
			}
		}
	})
}

func mustPut(t *testing.T, s heal.Store, it heal.Item) heal.Item {
	t.Helper()
	it, err := s.Put(context.Background(), it)
	if err != nil {
		t.Fatal(err)
	}
	return it
}
