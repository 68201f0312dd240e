package webpage

import "strings"

// table is a table as the template shows it; of each row the first cell is its head.
type table struct {
	Caption string
	Head    []head
	Rows    []row
	More    string // how many rows are left out, and what they sum up to
	Folded  string // what to click on to see it; "" if it is always seen
}

type head struct {
	Text string
	Num  bool
	Bar  bool
}

type row struct {
	Class int // whose colour it has, or -1
	Cells []cell
}

type cell struct {
	Label string // of its column
	Text  string
	Sub   string // in small letters
	Num   bool
	Code  bool
	Drawn bool // a bar, perhaps an empty one
	Bar   []part
}

// columns are heads from words: "#" is in front of those of numbers, "=" of those with bars.
func columns(words ...string) (out []head) {
	for _, w := range words {
		h := head{Text: w}
		if w != "" && (w[0] == '#' || w[0] == '=') {
			h = head{Text: w[1:], Num: w[0] == '#', Bar: w[0] == '='}
		}
		if h.Text != "" {
			h.Text = strings.ToUpper(h.Text[:1]) + h.Text[1:]
		}
		out = append(out, h)
	}
	return out
}

// add adds a row; its cells lack what the heads say of them.
func (t *table) add(class int, cells ...cell) {
	for i := range cells {
		cells[i].Label, cells[i].Num = t.Head[i].Text, t.Head[i].Num
	}
	t.Rows = append(t.Rows, row{class, cells})
}

func words(s string) cell     { return cell{Text: s} }
func both(s, sub string) cell { return cell{Text: s, Sub: sub} }
func number(n int) cell       { return cell{Text: thousands(n)} }
func drawn(ps []part) cell    { return cell{Drawn: true, Bar: ps} }
func verbatim(s string) cell  { return cell{Text: s, Code: true} }
func none(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}
