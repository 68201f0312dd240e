package simaws

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// gitStore is what a repository of a code host holds: git's objects by their own names, and branches.
type gitStore struct {
	blobs    map[string]string
	trees    map[string][]treeEntry
	commits  map[string]gitCommit
	branches map[string]string // name → commit
}

type treeEntry struct{ name, mode, sha string }

type gitCommit struct {
	tree, message string
	parents       []string
}

// GitFile is a file of a commit. The mode is git's; "" is that of a plain file.
type GitFile struct{ Mode, Text string }

// The modes of what a commit holds.
const (
	gitFile      = "100644"
	gitLink      = "120000"
	gitFolder    = "040000"
	gitSubmodule = "160000"
)

// mainBranch is the default branch of every repository.
const mainBranch = "main"

func newGitStore() *gitStore {
	return &gitStore{map[string]string{}, map[string][]treeEntry{}, map[string]gitCommit{}, map[string]string{}}
}

func objectName(kind, content string) string {
	sum := sha1.Sum([]byte(fmt.Sprintf("%s %d\x00%s", kind, len(content), content)))
	return hex.EncodeToString(sum[:])
}

func (g *gitStore) blob(text string) string {
	sha := objectName("blob", text)
	g.blobs[sha] = text
	return sha
}

func (g *gitStore) tree(entries []treeEntry) string {
	// git sorts folders as if their names ended with a slash
	key := func(e treeEntry) string {
		if e.mode == gitFolder {
			return e.name + "/"
		}
		return e.name
	}
	slices.SortFunc(entries, func(a, b treeEntry) int { return strings.Compare(key(a), key(b)) })
	var b strings.Builder
	for _, e := range entries {
		raw, _ := hex.DecodeString(e.sha)
		fmt.Fprintf(&b, "%s %s\x00%s", strings.TrimPrefix(e.mode, "0"), e.name, raw)
	}
	sha := objectName("tree", b.String())
	g.trees[sha] = entries
	return sha
}

// put gives a tree with a file at a path set, or taken out if sha is "".
func (g *gitStore) put(tree, path, mode, sha string) string {
	name, rest, deeper := strings.Cut(path, "/")
	entries := slices.Clone(g.trees[tree])
	i := slices.IndexFunc(entries, func(e treeEntry) bool { return e.name == name })
	var old treeEntry
	if i >= 0 {
		old = entries[i]
		entries = slices.Delete(entries, i, i+1)
	}
	if deeper {
		inner := ""
		if old.mode == gitFolder {
			inner = old.sha
		}
		mode, sha = gitFolder, g.put(inner, rest, mode, sha)
		if len(g.trees[sha]) == 0 {
			sha = ""
		}
	}
	if sha != "" {
		entries = append(entries, treeEntry{name, mode, sha})
	}
	return g.tree(entries)
}

// flat lists a tree's files by their paths, as mode and name.
func (g *gitStore) flat(tree string) map[string]treeEntry {
	out := map[string]treeEntry{}
	for _, e := range g.trees[tree] {
		if e.mode != gitFolder {
			out[e.name] = e
			continue
		}
		for path, inner := range g.flat(e.sha) {
			out[e.name+"/"+path] = inner
		}
	}
	return out
}

func (g *gitStore) commit(c gitCommit) string {
	sha := objectName("commit", fmt.Sprintf("tree %s\nparents %v\n\n%s", c.tree, c.parents, c.message))
	g.commits[sha] = c
	return sha
}

// push commits a change of files to a branch, which is made from main if it is not there. A nil file
// is taken out.
func (g *gitStore) push(branch, message string, files map[string]*GitFile) string {
	var c gitCommit
	head := g.branches[branch]
	if head == "" {
		head = g.branches[mainBranch]
	}
	if head != "" {
		c.tree, c.parents = g.commits[head].tree, []string{head}
	}
	paths := slices.Sorted(maps.Keys(files))
	slices.SortStableFunc(paths, func(a, b string) int { // what goes makes room for what comes
		switch {
		case files[a] == nil && files[b] != nil:
			return -1
		case files[a] != nil && files[b] == nil:
			return 1
		}
		return 0
	})
	for _, path := range paths {
		f, sha := files[path], ""
		mode := gitFile
		if f != nil {
			def(&f.Mode, gitFile)
			mode = f.Mode
			sha = g.blob(f.Text)
		}
		c.tree = g.put(c.tree, path, mode, sha)
	}
	c.message = message
	g.branches[branch] = g.commit(c)
	return g.branches[branch]
}

// ancestors are a commit and all before it.
func (g *gitStore) ancestors(sha string) map[string]bool {
	out, left := map[string]bool{}, []string{sha}
	for len(left) > 0 {
		sha := left[0]
		if left = left[1:]; !out[sha] && sha != "" {
			out[sha] = true
			left = append(left, g.commits[sha].parents...)
		}
	}
	return out
}

// forkOf is where two lines of commits parted: the newest commit of which both come.
func (g *gitStore) forkOf(a, b string) string {
	of := g.ancestors(a)
	left := []string{b}
	for len(left) > 0 {
		sha := left[0]
		if left = left[1:]; of[sha] {
			return sha
		}
		left = append(left, g.commits[sha].parents...)
	}
	return ""
}

// merged is the tree of a merge of two commits, file by file; ok is false where both have changed one.
func (g *gitStore) merged(base, head string) (tree string, ok bool) {
	fork := g.flat(g.commits[g.forkOf(base, head)].tree)
	ours, theirs := g.flat(g.commits[base].tree), g.flat(g.commits[head].tree)
	tree = g.commits[base].tree
	for _, path := range slices.Sorted(maps.Keys(theirs)) {
		e := theirs[path]
		if e.sha == fork[path].sha || e.sha == ours[path].sha {
			continue
		}
		if ours[path].sha != fork[path].sha {
			return "", false
		}
		tree = g.put(tree, path, e.mode, e.sha)
	}
	return tree, true
}
