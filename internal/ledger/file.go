package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/buildmedic/buildmedic/internal/heal"
)

// File is a ledger in one JSON file, for one person at a desk. Two processes
// must not use the same file at the same time: the second one is refused.
type File struct {
	*Memory
	path string
	lock *os.File
}

type fileForm struct {
	Items    []heal.Item        `json:"items"`
	Counters map[string]counter `json:"counters"`
}

// counter is a [heal.Counter], or what was kept before there were any: all who were counted.
type counter struct {
	heal.Counter
	By map[string]bool `json:",omitempty"`
}

func (c counter) read() heal.Counter {
	for by := range c.By {
		c.N++
		c.Before = append(c.Before, heal.Mark(by))
	}
	return c.Counter
}

// OpenFile reads the ledger at path, or begins one there. Close gives it free.
func OpenFile(path string, clock heal.Clock) (*File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("opening ledger %q: %w", path, err)
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("opening ledger %q: another command uses it; if none runs, delete %q", path, path+".lock")
	}
	if err != nil {
		return nil, fmt.Errorf("opening ledger %q: %w", path, err)
	}
	f := &File{Memory: NewMemory(clock), path: path, lock: lock}
	if err := f.read(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *File) read() error {
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading ledger: %w", err)
	}
	var form fileForm
	if err := json.Unmarshal(data, &form); err != nil {
		return fmt.Errorf("reading ledger %q: %w", f.path, err)
	}
	for _, it := range form.Items {
		f.items[key{it.Kind, it.ID}] = it
	}
	for id, c := range form.Counters {
		f.count[id] = c.read()
	}
	return nil
}

// Close gives the file free for the next command.
func (f *File) Close() error {
	return errors.Join(f.lock.Close(), os.Remove(f.path+".lock"))
}

// Put implements [heal.Store].
func (f *File) Put(ctx context.Context, it heal.Item) (heal.Item, error) {
	it, err := f.Memory.Put(ctx, it)
	if err != nil {
		return it, err
	}
	return it, f.write()
}

// Count implements [heal.Store].
func (f *File) Count(ctx context.Context, id, by string, max int, expires time.Time) (bool, error) {
	ok, err := f.Memory.Count(ctx, id, by, max, expires)
	if err != nil || !ok {
		return ok, err
	}
	return ok, f.write()
}

// GiveBack implements [heal.Store].
func (f *File) GiveBack(ctx context.Context, id, by string) error {
	if err := f.Memory.GiveBack(ctx, id, by); err != nil {
		return err
	}
	return f.write()
}

// Turn implements [heal.Store].
func (f *File) Turn(
	ctx context.Context, id, by string, max int, expires time.Time, p heal.Pace,
) (at time.Time, ok bool, err error) {
	at, ok, err = f.Memory.Turn(ctx, id, by, max, expires, p)
	if err != nil || !ok {
		return at, ok, err
	}
	return at, ok, f.write()
}

// write replaces the file as a whole, so that a crash leaves the old or the
// new one.
func (f *File) write() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	form := fileForm{Counters: map[string]counter{}}
	now := f.clock.Now()
	for id, c := range f.count {
		if !expired(c.Expires, now) {
			form.Counters[id] = counter{Counter: c}
		}
	}
	for _, it := range f.items {
		if !expired(it.Expires, now) {
			form.Items = append(form.Items, it)
		}
	}
	data, err := json.Marshal(form)
	if err != nil {
		return fmt.Errorf("writing ledger: %w", err)
	}
	if err := os.WriteFile(f.path+".new", data, 0o600); err != nil {
		return fmt.Errorf("writing ledger: %w", err)
	}
	if err := os.Rename(f.path+".new", f.path); err != nil {
		return fmt.Errorf("writing ledger: %w", err)
	}
	return nil
}
