package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/webpage"
)

// pageFile is where a page goes: into a file, whole or not at all, or to standard output.
type pageFile struct {
	path           string // of the file itself, if it is a link
	file           *os.File
	stdout, stderr io.Writer
}

// newPageFile finds out whether a page can be written, before anything is done for it. "" is no
// page, "-" standard output. A file is replaced only if it is a page of ours.
func newPageFile(path string, stdout, stderr io.Writer) (*pageFile, error) {
	p := &pageFile{path: path, stdout: stdout, stderr: stderr}
	if path == "" || path == "-" {
		return p, nil
	}
	trouble := func(err error) (*pageFile, error) {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return nil, fmt.Errorf("the page cannot be written to %s: %w", path, err)
	}
	var err error
	if p.path, err = filepath.Abs(path); err != nil {
		return trouble(err)
	}
	if real, err := filepath.EvalSymlinks(p.path); err == nil {
		p.path = real
	}
	switch old, err := os.Stat(p.path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return trouble(err)
	case old.IsDir():
		return trouble(errors.New("it is a folder: name a file in it"))
	case !old.Mode().IsRegular():
		return trouble(errors.New("it is no file; -html - writes to standard output"))
	case old.Size() > 0 && !isPage(p.path):
		return trouble(errors.New("there is such a file, and it is no page of buildmedic's: move it away, or " +
			"choose another name"))
	}
	// Beside it, so that it can take its name; with the mode that a new file gets.
	for i := range 100 {
		name := fmt.Sprintf("%s.new%d", p.path, i)
		p.file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return trouble(err)
	}
	return p, nil
}

func isPage(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, webpage.MarkWithin))
	return err == nil && bytes.Contains(head, []byte(webpage.Mark))
}

// write makes the page, and says where it is.
func (p *pageFile) write(r webpage.Report) error {
	page, err := webpage.Render(r)
	if err != nil {
		return err
	}
	if p.file == nil {
		_, err := p.stdout.Write(page)
		return err
	}
	_, err = p.file.Write(page)
	if err = errors.Join(err, p.file.Close()); err == nil {
		err = os.Rename(p.file.Name(), p.path)
	}
	if err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	p.file = nil
	fmt.Fprintf(p.stderr, "The page is in %s (%d KB): open it in a browser.\n", p.path, (len(page)+1023)/1024)
	return nil
}

// drop removes what was not finished.
func (p *pageFile) drop() {
	if p.file != nil {
		p.file.Close()
		os.Remove(p.file.Name())
	}
}

// causeTerms explain causes as a page does.
func causeTerms() map[string]webpage.Term {
	out := map[string]webpage.Term{}
	for _, c := range diagnose.Causes() {
		out[c.Name] = webpage.Term{Meaning: inWords(c.Title) + "."}
	}
	return out
}

// ruleTerms explain rules.
func ruleTerms() map[string]webpage.Term {
	out := map[string]webpage.Term{}
	for _, r := range guardrail.Rules {
		out[string(r)] = webpage.Term{Meaning: r.Explain(), Change: r.Change()}
	}
	return out
}
