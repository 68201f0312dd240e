package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/buildmedic/buildmedic/internal/policyfile"
)

// printPatch prints, as `git apply` takes it, what the plan adds to a policy file of a checkout.
func printPatch(stdout, stderr io.Writer, p planned, file string) error {
	if len(p.Statements) == 0 {
		why := p.Why
		for _, r := range p.Refusals {
			why += fmt.Sprintf("\n%s: %s", r.Rule, r.Message)
		}
		return fmt.Errorf("the plan grants nothing, so there is no patch: %s", why)
	}
	if p.Role != "" {
		fmt.Fprintf(stderr, "note: role %s was denied, not the build's own: is %s that role's policy?\n", p.Role, file)
	}
	path, before, err := policyAt(file)
	if err != nil {
		return err
	}
	after, added, err := policyfile.Add(before, p.Statements)
	if err != nil {
		return fmt.Errorf("file %q takes no statement: %w", file, err)
	}
	if len(added) == 0 {
		fmt.Fprintf(stderr, "note: %s gives it already; what is missing is that it is deployed\n", path)
		return nil
	}
	_, err = io.WriteString(stdout, policyfile.Patch(path, before, after))
	return err
}

// policyAt reads a policy file of a checkout, and gives its path as git names it: from the
// checkout's top, or from here where there is none. The text is nil if the file is not there yet.
func policyAt(file string) (path string, text []byte, err error) {
	info, err := os.Lstat(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return "", nil, fmt.Errorf("reading policy file: %w", err)
	case info.Mode()&os.ModeSymlink != 0:
		return "", nil, fmt.Errorf("%q is a symbolic link; name the file that it leads to", file)
	case !info.Mode().IsRegular():
		return "", nil, fmt.Errorf("%q is no file; name the policy document", file)
	default:
		if text, err = readAtMost(file, policyfile.MaxFile+1); err != nil {
			return "", nil, err
		}
	}
	top, at, err := checkout(filepath.Dir(file))
	if err != nil {
		return "", nil, fmt.Errorf("reading policy file: %w", err)
	}
	path, err = filepath.Rel(top, filepath.Join(at, filepath.Base(file)))
	if path = filepath.ToSlash(path); err != nil || !policyfile.ValidPath(path) {
		return "", nil, fmt.Errorf("%q is no path that a patch is made for: be in the checkout that it is in, and name a "+
			"file of plain letters, digits and ._+@=-", file)
	}
	return path, text, nil
}

// checkout finds the top of the checkout that a folder is in, which need not be there yet; without
// one it is the present folder. at is the folder as both are named without links.
func checkout(folder string) (top, at string, err error) {
	if top, err = realPath("."); err != nil {
		return "", "", err
	}
	var missing string
	for {
		if at, err = realPath(folder); !errors.Is(err, os.ErrNotExist) || folder == filepath.Dir(folder) {
			break
		}
		folder, missing = filepath.Dir(folder), filepath.Join(filepath.Base(folder), missing)
	}
	if err != nil {
		return "", "", err
	}
	for dir := at; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			top = dir
			break
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return top, filepath.Join(at, missing), nil
}

func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// readAtMost reads no more of a file than so many bytes.
func readAtMost(file string, most int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading policy file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil, fmt.Errorf("reading policy file: %w", err)
	}
	return text, nil
}
