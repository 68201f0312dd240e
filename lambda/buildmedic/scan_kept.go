package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// What a scan has read is kept in a file of JSON lines, so that it can go on after an
// interruption: a header, then the projects, which builds of each count, and each build that was
// read, as the report needs it. It holds what the report holds. What could not be read is not
// kept: it is asked for again.

// keptFormat is raised when older files can no longer be read.
const keptFormat = 2

const (
	maxKept     = 64 << 20 // of a file
	maxKeptLine = 8 << 20
)

// keptHeader says of which scan the file is.
type keptHeader struct {
	Format  int       `json:"buildmedic_scan"`
	Tool    string    `json:"tool"` // digest of the command: another one may find other causes
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Most    int       `json:"n"`
	Days    int       `json:"days"`
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`
}

// keptLine is one line behind the header: one of these.
type keptLine struct {
	Projects *[]scanProject `json:"projects,omitempty"`
	Picked   *picked        `json:"picked,omitempty"`
	Read     *failureRead   `json:"read,omitempty"`
}

// kept is what a file holds.
type kept struct {
	projects []scanProject
	picks    map[string]picked
	reads    map[string]failureRead
}

func nothingKept() *kept { return &kept{picks: map[string]picked{}, reads: map[string]failureRead{}} }

// keeper writes the file. A nil one keeps nothing.
type keeper struct {
	path   string
	stderr io.Writer

	mu   sync.Mutex
	file *os.File // nil: nothing is kept any more
	size int64
	mine os.FileInfo // of the file, once it is at path
}

// keeping opens the file of the account and region, and reads it if the scan is to be resumed: then
// its times are those of the scan that was interrupted.
func (s *scan) keeping(h keptHeader, resume bool, stderr io.Writer) (*kept, error) {
	h.Format, h.Tool, h.From, h.Until = keptFormat, toolDigest(), s.from.UTC(), s.until.UTC()
	cache, err := ownFolder(os.UserCacheDir)
	path := filepath.Join(cache, "buildmedic", fmt.Sprintf("scan-%s-%s.jsonl", h.Account, h.Region))
	if resume {
		if err != nil {
			return nil, fmt.Errorf("finding what was kept: %w", err)
		}
		file, from, was, err := openKept(path, h)
		if err != nil {
			return nil, err
		}
		s.from, s.until, s.keep = was.From, was.Until, &keeper{path: path, stderr: stderr, file: file, size: from.size}
		if s.keep.mine, err = file.Stat(); err != nil {
			return nil, err
		}
		fmt.Fprintf(stderr, "Going on with the scan of %s UTC.\n", stamp(was.Until))
		return from.kept, nil
	}
	if err == nil {
		if _, old := os.Stat(path); old == nil {
			fmt.Fprintln(stderr, "note: this begins anew; -resume would go on with the scan that was interrupted")
		}
		s.keep, err = newKeeper(path, h, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "note: if this is interrupted, it cannot be resumed: %v\n", err)
	}
	return nothingKept(), nil
}

// newKeeper begins a file in the place of the one there is.
func newKeeper(path string, h keptHeader, stderr io.Writer) (*keeper, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	// By another name first, so that a scan that still writes to the old one does not meddle. The
	// mode is 0600.
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	k := &keeper{path: path, stderr: stderr, file: file}
	k.write(h)
	return k, nil
}

// sized is what a file holds, and how many bytes of it are whole lines.
type sized struct {
	*kept
	size int64
}

// openKept reads what an interrupted scan has kept, and opens the file to go on with it. It fails
// if the file is of another scan than h.
func openKept(path string, h keptHeader) (*os.File, sized, keptHeader, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, sized{}, h, fmt.Errorf("no interrupted scan of account %s, region %s is kept: leave -resume away to "+
			"begin one", h.Account, h.Region)
	}
	if err != nil {
		return nil, sized{}, h, err
	}
	from, was, err := parseKept(file, h)
	if err == nil {
		err = file.Truncate(from.size) // behind it is a line that was not written whole
	}
	if err != nil {
		file.Close()
		return nil, sized{}, h, fmt.Errorf("%s cannot be gone on with: %w", path, err)
	}
	return file, from, was, nil
}

func parseKept(r io.Reader, want keptHeader) (from sized, h keptHeader, err error) {
	lines := bufio.NewReaderSize(io.LimitReader(r, maxKept), 64<<10)
	line, err := keptLineOf(lines)
	if err != nil || strictly(line, &h) != nil || h.Format == 0 {
		return from, h, errors.New("it is no file of a scan; leave -resume away to begin anew")
	}
	switch {
	case h.Format != want.Format || h.Tool != want.Tool:
		return from, h, errors.New("another version of buildmedic made it; leave -resume away to begin anew")
	case h.Account != want.Account || h.Region != want.Region:
		return from, h, fmt.Errorf("it is of account %s, region %s", plain(h.Account), plain(h.Region))
	case h.Most != want.Most || h.Days != want.Days:
		return from, h, fmt.Errorf("it was begun with -n %d -days %d: give the same", h.Most, h.Days)
	case !h.From.Before(h.Until):
		return from, h, errors.New("its times make no sense; leave -resume away to begin anew")
	}
	from = sized{nothingKept(), int64(len(line)) + 1}
	for {
		line, err := keptLineOf(lines)
		if errors.Is(err, io.EOF) {
			return from, h, nil
		}
		var l keptLine
		if err == nil {
			err = strictly(line, &l)
		}
		if err == nil {
			err = from.take(l)
		}
		if err != nil {
			return from, h, fmt.Errorf("%w; leave -resume away to begin anew", err)
		}
		from.size += int64(len(line)) + 1
	}
}

// keptLineOf reads a line without its end; io.EOF if no whole one is left.
func keptLineOf(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxKeptLine:
			return nil, errors.New("it is damaged: a line is too long")
		case err == nil:
			return line[:len(line)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

func strictly(line []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if d.Decode(v) != nil || d.More() {
		return errors.New("it is damaged: a line is not what a scan writes")
	}
	return nil
}

func (k *kept) take(l keptLine) error {
	switch {
	case l.Projects != nil:
		k.projects = *l.Projects
	case l.Picked != nil && l.Picked.IDs != nil:
		for _, id := range l.Picked.IDs {
			if projectOf(id) != l.Picked.Project {
				return errors.New("it is damaged: a build is of another project")
			}
		}
		k.picks[l.Picked.Project] = *l.Picked
	case l.Read != nil && l.Read.ID != "" && validRemedy(l.Read.Remedy):
		k.reads[l.Read.ID] = *l.Read
	default:
		return errors.New("it is damaged: a line says nothing")
	}
	return nil
}

func validRemedy(r diagnose.Remedy) bool {
	for _, known := range diagnose.Remedies {
		if r == known {
			return true
		}
	}
	return false
}

func (k *keeper) projects(ps []scanProject) { k.write(keptLine{Projects: &ps}) }
func (k *keeper) picked(p picked)           { k.write(keptLine{Picked: &p}) }
func (k *keeper) read(f failureRead)        { k.write(keptLine{Read: &f}) }

// write adds a line. A scan goes on without a file that cannot be written.
func (k *keeper) write(v any) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file == nil {
		return
	}
	line, err := json.Marshal(v)
	if err == nil && (k.size+int64(len(line)) >= maxKept || len(line) > maxKeptLine) {
		err = errors.New("it is too much to be kept")
	}
	if err == nil {
		_, err = k.file.Write(append(line, '\n'))
	}
	if l, ok := v.(keptLine); err == nil && ok && l.Projects == nil {
		err = k.put()
	}
	k.size += int64(len(line)) + 1
	if err != nil {
		fmt.Fprintf(k.stderr, "\nnote: from here on, what is read is not kept: %v\n", err)
		k.file.Close()
		k.file = nil
	}
}

// put gives the file its name, in the place of an older scan's. Until something was read, that
// one is worth more.
func (k *keeper) put() (err error) {
	if k.mine == nil {
		if k.mine, err = k.file.Stat(); err == nil {
			err = os.Rename(k.file.Name(), k.path)
		}
	}
	return err
}

// holds reports whether the scan can be resumed.
func (k *keeper) holds() bool {
	if k == nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now, err := os.Stat(k.path)
	return err == nil && k.mine != nil && os.SameFile(k.mine, now)
}

// drop removes the file, if it is not another scan's by now: the scan is complete.
func (k *keeper) drop() {
	if k.holds() {
		os.Remove(k.path) // one that stays is replaced by the next scan
	}
}

// close ends the keeping.
func (k *keeper) close() {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file == nil {
		return
	}
	k.file.Close()
	if k.mine == nil {
		os.Remove(k.file.Name())
	}
	k.file = nil
}

// toolDigest tells one build of this command from another.
var toolDigest = sync.OnceValue(func() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
})
