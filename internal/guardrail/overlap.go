package guardrail

// overlap reports whether some text matches both patterns, in which * stands
// for any characters and ? for one. It takes time in proportion to the
// product of their lengths at most.
func overlap(a, b string) bool { return overlapBelow(a, b, 0) }

// couldBe reports whether the resource of a grant could be the part, an ARN of which some pieces are
// not known. These are a segment each, such as the region, so what stands for one of the first five
// holds no colon; a * of the grant may go on beyond one (AWS.md#resource-patterns).
func couldBe(part, resource string) bool {
	n, colons := 0, 0
	for ; n < len(part) && colons < 5; n++ {
		if part[n] == ':' {
			colons++
		}
	}
	return overlapBelow(part, resource, n)
}

// overlapBelow is overlap, but a * of a within its first n bytes matches no colon.
func overlapBelow(a, b string, n int) bool {
	// Most pairs differ in a letter before their first wildcard, or behind their last.
	literal := func(c byte) bool { return c != '*' && c != '?' }
	for a != "" && b != "" && literal(a[0]) && literal(b[0]) {
		if a[0] != b[0] {
			return false
		}
		a, b, n = a[1:], b[1:], n-1
	}
	for a != "" && b != "" && literal(a[len(a)-1]) && literal(b[len(b)-1]) {
		if a[len(a)-1] != b[len(b)-1] {
			return false
		}
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	// meet[j] says whether a[i:] and b[j:] have a text in common.
	meet, next := make([]bool, len(b)+1), make([]bool, len(b)+1)
	for i := len(a); i >= 0; i-- {
		for j := len(b); j >= 0; j-- {
			inA, inB := i < len(a), j < len(b)
			switch {
			case !inA && !inB:
				meet[j] = true
			case inA && a[i] == '*':
				meet[j] = next[j] || inB && meet[j+1] && (b[j] != ':' || i >= n)
			case inB && b[j] == '*':
				meet[j] = meet[j+1] || inA && next[j]
			default:
				meet[j] = inA && inB && (a[i] == b[j] || a[i] == '?' || b[j] == '?') && next[j+1]
			}
		}
		meet, next = next, meet
	}
	return next[0]
}
