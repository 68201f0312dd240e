package buildlog

import (
	"bytes"
	"slices"
	"strings"
)

// Programs that die of an error print its message, the stack's frames, and then the error's fields
// in a block of braces, with the code among them:
//
//	AccessDenied: User: … is not authorized to perform: …
//	    at handleError (/src/client.js:79:67)
//	    at async main (/src/deploy.mjs:9:3) {
//	  Code: 'AccessDenied',
//	}
//
// Such a code is a part of the error above, however many frames are between. Other languages print
// the message as a field of the same block.

// maxLevels is how many blocks around a field are looked at.
const maxLevels = 8

// A block is a pair of braces in text.
type block struct{ open, end int }

// dropFields removes the claims that are only a field of an error whose message is a claim too.
func (s *sentences) dropFields() {
	var fields []int
	for i, c := range s.list {
		if s.isField(c) {
			fields = append(fields, i)
		}
	}
	if len(fields) == 0 {
		return
	}
	around, heads := s.blocksAround(fields), s.stackHeads()
	drop := map[int]bool{}
	for n, i := range fields {
		drop[i] = slices.ContainsFunc(around[n], func(b block) bool { return s.tells(b, i, heads) })
	}
	list := s.list[:0:0]
	for i, c := range s.list {
		if !drop[i] {
			list = append(list, c)
		}
	}
	s.list = list
}

// isField reports whether a claim is an error's code in a dump, and names nothing for certain.
func (s *sentences) isField(c claim) bool {
	rest, ok := bytes.CutPrefix(s.flat[c.from:], []byte("code"))
	return ok && len(rest) > 2 && (c.Action == "" || c.Inferred) && c.Operation == "" && bytes.IndexByte(rest[:3], ':') >= 0
}

// blocksAround gives the blocks that each of the claims at the indices is in, the innermost first.
// It goes through the text once, since there may be thousands of them.
func (s *sentences) blocksAround(fields []int) [][]block {
	around := make([][]block, len(fields))
	ends := map[int]int{}
	var open []int
	n := 0
	for t, b := range s.text {
		for n < len(fields) && int(s.at[s.list[fields[n]].from]) <= t {
			for i := len(open) - 1; i >= 0 && len(around[n]) < maxLevels; i-- {
				around[n] = append(around[n], block{open[i], len(s.text)})
			}
			n++
		}
		switch {
		case b == '{':
			open = append(open, t)
		case b == '}' && len(open) > 0:
			ends[open[len(open)-1]] = t
			open = open[:len(open)-1]
		}
	}
	for _, list := range around {
		for i := range list {
			if end, ok := ends[list[i].open]; ok {
				list[i].end = end
			}
		}
	}
	return around
}

// maxMessage is how many rows a message may go on for after the sentence in it.
const maxMessage = 5

// tells reports whether the error that b belongs to is told by another claim: one in the block, or
// the one in front of the frames that open it. field is the index of the claim that is asked about;
// heads are stackHeads'.
func (s *sentences) tells(b block, field int, heads []int) bool {
	row := s.rowAt(b.open)
	head, frames := heads[row], isFrame(s.text[s.rows[row].start:b.open])
	most := 1
	if frames {
		most = maxMessage
	}
	// The claims of a block are few steps away, or too many to be one error's.
	for i := max(0, field-maxLevels); i < min(len(s.list), field+maxLevels); i++ {
		c := &s.list[i]
		if i == field || c.Action == "" || s.isField(*c) {
			continue
		}
		from, to := int(s.at[c.from]), int(s.at[min(c.to, len(s.at)-1)])
		if from > b.open && from < b.end {
			return true
		}
		end := s.rowAt(max(0, to-1))
		if to <= b.open && (end <= head && head-end < most || frames && end > head) {
			return true
		}
	}
	return false
}

// stackHeads gives for each row the last one at or above it that is no frame.
func (s *sentences) stackHeads() []int {
	heads := make([]int, len(s.rows))
	for i := range s.rows {
		heads[i] = i
		if start := s.rows[i].start; i > 0 && isFrame(s.text[start:s.rowEnd(int(start))]) {
			heads[i] = heads[i-1]
		}
	}
	return heads
}

// isFrame reports whether a row is a frame of a stack.
func isFrame(row []byte) bool {
	row = bytes.TrimLeft(row, " \t")
	return bytes.HasPrefix(row, []byte("at ")) || bytes.HasPrefix(row, []byte("... ")) && bytes.Contains(row, []byte("stack"))
}

// maxStack bounds the frames before a region that are read with it, in bytes.
const maxStack = 64 << 10

// stackStart returns where to begin a region that would begin within a stack: before its message.
func (s *scanner) stackStart(from int64) int64 {
	least := max(s.off, from-maxStack)
	start := from
	for start > least {
		line, begin := s.lineBefore(start)
		if !frameLine(line) {
			break
		}
		start = begin
	}
	if start == from {
		return from
	}
	start = max(s.off, start-back)
	if n := bytes.IndexByte(s.buf[start-s.off:from-s.off], '\n'); start > 0 && n >= 0 {
		start += int64(n) + 1
	}
	return start
}

// lineBefore returns the line that ends before off, and where it begins.
func (s *scanner) lineBefore(off int64) (line []byte, begin int64) {
	b := s.buf[:off-s.off]
	b = bytes.TrimSuffix(b, newline)
	i := bytes.LastIndexByte(b[max(0, len(b)-closeAround*4):], '\n')
	if i < 0 {
		return nil, off
	}
	i += max(0, len(b)-closeAround*4) + 1
	return b[i:], s.off + int64(i)
}

// frameLine reports whether a line of the log is a frame, whatever a tool printed in front of it.
func frameLine(line []byte) bool {
	text := strings.TrimLeft(clean(line), " \t")
	return strings.HasPrefix(text, "at ") || strings.Contains(text, "   at ")
}
