package buildlog

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync"
)

// An anchor is a literal that makes a stretch of the log worth reading. Only
// what a search of the whole log for all anchors finds is cleaned and parsed.
//
// AWS's own sentence holds at least two anchors, because a tool that wraps
// lines may have broken one of them. A short report, such as an error code
// alone, may hold only one; TestBrokenAnchor bounds how many do.
type anchor struct {
	literal string
	kind    anchorKind
	// before and near keep words that logs also use for other things from being read: if not
	// empty, one of before must stand shortly before the literal, and one of near shortly before
	// or after it.
	before, near []string
}

type anchorKind uint8

const (
	denialAnchor anchorKind = iota
	markerAnchor
	signAnchor // of a line that reports an error; see signs.go
)

// How close is close, in bytes: in a column far to the right, many blanks separate two parts of a
// word.
const (
	closeBefore = 160
	closeAround = 480
)

var anchors = []anchor{
	{"uthoriz", denialAnchor, []string{"not", "Not", "Un", "coded"}, []string{"erform", "arn:", "coded", "peration", "connection"}},
	{"ot authorized", denialAnchor, nil, nil},
	{"uthorized to", denialAnchor, nil, []string{"erform", "arn:"}},
	{"uthorizationError", denialAnchor, nil, []string{"peration"}},
	{"perform", denialAnchor, []string{"rized", "autho"}, nil},
	{"allows", denialAnchor, []string{"policy", "oundary", "OUNDARY"}, nil},
	{"xplicit", denialAnchor, nil, []string{"deny"}},
	{"Denied", denialAnchor, []string{"ccess"}, nil},
	{"denied", denialAnchor, nil,
		[]string{"User: arn:", "AccessDenied", "access has been", "for operation", "to the resource", "to connection"}},
	{"allowe", denialAnchor, []string{"not"}, []string{"xecute"}}, // "allowed to execute"; its window is nearly that of "allows"
	{"orbidden", denialAnchor, nil, []string{"peration", "tatus code", "(Service", "StatusCode", "api error", "aws-sdk", "AWS HTTP error",
		"Errors::Forbidden"}},
	{"calling", denialAnchor, []string{"when"}, []string{"peration"}},
	{"permission", denialAnchor, []string{"have", "give", "lack", "sufficient"}, nil},
	{"git-codecommit", denialAnchor, nil, []string{"403"}},
	{".dkr.ecr", denialAnchor, nil, []string{" 403"}},
	{".dkr-ecr", denialAnchor, nil, []string{" 403"}},
	{"status code [", denialAnchor, nil, []string{": 403"}},
	{"accessing bucket", denialAnchor, []string{"denied"}, nil},
	{"403 (Forbidden)", denialAnchor, []string{"S3 error"}, nil},
	{"ciphertext", denialAnchor, nil, []string{"refers"}},
	{"access token", denialAnchor, nil, []string{"arn:"}},
	{inContainer, markerAnchor, nil, nil},
	{onInstance, markerAnchor, nil, nil},
	{exitedWords, markerAnchor, nil, nil},
}

// signAnchors are what tools print in front of an error, or in place of one, in words that a build
// that passes seldom prints. Some are cut to where their letters are rare: what is found is judged
// again by [Strength].
var signAnchors = []anchor{
	{"Error:", signAnchor, nil, nil},
	{"error:", signAnchor, nil, nil},
	{"): err", signAnchor, nil, nil},
	{"error[E", signAnchor, nil, nil},
	{"ERROR:", signAnchor, nil, nil},
	{"ERROR ", signAnchor, nil, nil},
	{"ERROR]", signAnchor, nil, nil},
	{"ot ok ", signAnchor, nil, nil},
	{"--- FAIL", signAnchor, nil, nil},
	{"FAILED", signAnchor, nil, nil},
	{" FAIL ", signAnchor, nil, nil},
	{"\nFAIL ", signAnchor, nil, nil},
	{"\nFAIL\t", signAnchor, nil, nil},
	{"[FAIL]", signAnchor, nil, nil},
	{" failing\n", signAnchor, nil, nil}, // Mocha's sum, above the list
	{"FATAL:", signAnchor, nil, nil},
	{"panic: ", signAnchor, nil, nil},
	{"(most recent call", signAnchor, nil, nil},
	{"xception: ", signAnchor, nil, nil},
	{"xception in thread", signAnchor, nil, nil},
	{"npm ERR! code", signAnchor, nil, nil},
	{"ch fil", signAnchor, nil, nil},
	{"o space left on", signAnchor, nil, nil},
	{"ermission d", signAnchor, nil, nil},
	{"ed out", signAnchor, nil, nil},
}

// maxLiteral bounds the length of an anchor's literal.
const maxLiteral = 40

// at reports whether the anchor's literal is at b[i], with the texts that it
// needs around it.
func (a *anchor) at(b []byte, i int) bool {
	if i < 0 || i+len(a.literal) > len(b) || string(b[i:i+len(a.literal)]) != a.literal {
		return false
	}
	return holds(b[max(0, i-closeBefore):i], a.before) &&
		holds(b[max(0, i-closeAround):min(len(b), i+len(a.literal)+closeAround)], a.near)
}

// holds reports whether b holds one of the texts, or there are none.
func holds(b []byte, texts []string) bool {
	for _, s := range texts {
		if bytes.Contains(b, []byte(s)) {
			return true
		}
	}
	return len(texts) == 0
}

// matcher finds all anchors in one pass that looks at only some of the bytes (Wu and Manber's
// method): it reads the three bytes that end a window of window bytes, and skips to where the next
// anchor's window could end at the earliest.
type matcher struct {
	// shift is how far to advance, by the three bytes. Where a window ends so, it is one byte and has
	// the bit ends, and bucket gives the index of those windows.
	shift   [1 << hashBits]uint8
	bucket  [1 << hashBits]uint8
	windows [][]candidate
}

type candidate struct {
	anchor *anchor
	offset int // of the window's end within the literal
}

const (
	window   = 7 // a literal may be shorter by one: its window then begins with any byte
	ending   = 3 // bytes of a window that are looked at
	maxShift = window - ending + 1
	hashBits = 14
	ends     = 1 << 7
)

// hash gives the index of the first three of four bytes, the last of which is shifted out. Others may
// have the same.
func hash(four uint32) uint32 { return four * (2654435761 << 8 & (1<<32 - 1)) >> (32 - hashBits) }

// hashAt is the hash of the three bytes that end at b[i].
func hashAt(b []byte, i int) uint32 {
	return hash(uint32(b[i-2]) | uint32(b[i-1])<<8 | uint32(b[i])<<16)
}

// anchorMatcher is made when the first log is read.
var anchorMatcher = sync.OnceValue(func() *matcher { return newMatcher(slices.Concat(anchors, signAnchors)) })

func newMatcher(list []anchor) *matcher {
	m := &matcher{windows: [][]candidate{nil}}
	for i := range m.shift {
		m.shift[i] = maxShift
	}
	for i := range list {
		a := &list[i]
		off := rarestWindow(a.literal)
		w := []byte(a.literal[max(0, off) : off+window])
		last := len(w) - 1
		for j := last - 1; j >= ending-1; j-- {
			h := hashAt(w, j)
			m.shift[h] = min(m.shift[h], uint8(last-j))
		}
		if off < 0 {
			for c := range 256 {
				h := hashAt([]byte{byte(c), w[0], w[1]}, ending-1)
				m.shift[h] = min(m.shift[h], window-ending)
			}
		}
		h := hashAt(w, last)
		if m.bucket[h] == 0 {
			m.bucket[h] = uint8(len(m.windows))
			m.windows = append(m.windows, nil)
		}
		k := m.bucket[h]
		m.windows[k] = append(m.windows[k], candidate{a, off + window - 1})
	}
	for h, k := range m.bucket {
		if k != 0 {
			m.shift[h] = 1 | ends
		}
	}
	return m
}

// rarestWindow returns the offset of the window of a literal that ends in the rarest characters; -1
// for a literal that is shorter than a window.
func rarestWindow(literal string) int {
	const common = " etaoinsr/.-0123456789lcdup:" // most frequent first
	best, at := -1, -1
	for i := 0; i+window <= len(literal); i++ {
		score := 0
		for _, c := range []byte(literal[i+window-ending : i+window]) {
			if k := bytes.IndexByte([]byte(common), c); k >= 0 {
				score += k
			} else {
				score += 2 * len(common)
			}
		}
		if score > best {
			best, at = score, i
		}
	}
	return at
}

// A hit is an anchor and where its literal begins.
type hit struct {
	anchor *anchor
	at     int
}

// find returns every anchor whose window ends in b[from:to], in order. What an anchor needs around
// it is looked for in all of b.
//
// It goes through four parts of b at once: each step waits for the step before it, but not for the
// steps in the other parts.
func (m *matcher) find(b []byte, from, to int) []hit {
	from, to = max(from, window-1), min(to, len(b))
	if from >= to {
		return nil
	}
	var hits []hit
	n := (to - from) / 4
	at := [4]int{from, from + n, from + 2*n, from + 3*n}
	end := [4]int{from + n, from + 2*n, from + 3*n, to}
	for {
		steps := n // none of them ends a part
		for p := range at {
			steps = min(steps, (end[p]-at[p])/maxShift-1)
		}
		if steps <= 0 {
			break
		}
		hits = m.steps(b, &at, steps, hits)
	}
	for p := range at {
		for i := at[p]; i < end[p]; {
			s := m.shift[hashAt(b, i)]
			if s&ends != 0 {
				hits = m.check(b, i, hits)
			}
			i += int(s &^ ends)
		}
	}
	slices.SortFunc(hits, func(x, y hit) int { return x.at - y.at })
	return hits
}

// steps takes so many steps in each of the four parts. Each slice has its own capacity, or the compiler
// would have to look after one that is empty; and where no window ends, there is one branch for all four.
func (m *matcher) steps(b []byte, at *[4]int, steps int, hits []hit) []hit {
	i, j, k, l := at[0]-2, at[1]-2, at[2]-2, at[3]-2
	for range steps {
		s := m.shift[hash(binary.LittleEndian.Uint32(b[i:i+4:i+4]))]
		t := m.shift[hash(binary.LittleEndian.Uint32(b[j:j+4:j+4]))]
		u := m.shift[hash(binary.LittleEndian.Uint32(b[k:k+4:k+4]))]
		v := m.shift[hash(binary.LittleEndian.Uint32(b[l:l+4:l+4]))]
		if (s|t|u|v)&ends != 0 {
			if s&ends != 0 {
				hits, s = m.check(b, i+2, hits), 1
			}
			if t&ends != 0 {
				hits, t = m.check(b, j+2, hits), 1
			}
			if u&ends != 0 {
				hits, u = m.check(b, k+2, hits), 1
			}
			if v&ends != 0 {
				hits, v = m.check(b, l+2, hits), 1
			}
		}
		i, j, k, l = i+int(s), j+int(t), k+int(u), l+int(v)
	}
	*at = [4]int{i + 2, j + 2, k + 2, l + 2}
	return hits
}

// check adds the anchors whose window ends at b[i].
func (m *matcher) check(b []byte, i int, hits []hit) []hit {
	for _, c := range m.windows[m.bucket[hashAt(b, i)]] {
		if c.anchor.at(b, i-c.offset) {
			hits = append(hits, hit{c.anchor, i - c.offset})
		}
	}
	return hits
}
