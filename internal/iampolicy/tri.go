package iampolicy

// tri is the truth of a part of a statement for one request. Its order makes
// "and" the minimum and "or" the maximum.
type tri int

const (
	no    tri = iota // false, for sure; the zero value
	maybe            // not to be told from what is known
	yes              // true, for sure
)

func (t tri) not() tri { return yes - t }

func truth(b bool) tri {
	if b {
		return yes
	}
	return no
}

// anyOf is the truth of "test holds for one of the items".
func anyOf(items []string, test func(string) tri) tri {
	out := no
	for _, s := range items {
		if out = max(out, test(s)); out == yes {
			break
		}
	}
	return out
}
