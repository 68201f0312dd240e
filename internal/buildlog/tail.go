package buildlog

import (
	"bytes"
	"slices"
	"sort"
	"strings"
)

// A tail is the end of AWS's sentence: why the request was denied.
type tail struct {
	from, to int // in flat
	effect   Effect
	layer    Layer
	policy   string
	action   string // as the tail names it, "" if it does not
	public   bool   // S3 Block Public Access: no policy denies
}

// layerWords are the layers as printed (AWS.md#denial-layers), without white space
// and in lower case. Longer forms come first.
var layerWords = []struct {
	words string
	layer Layer
}{
	{"identity-basedpolicy", IdentityBased}, {"identitybasedpolicy", IdentityBased}, {"identitypolicy", IdentityBased},
	{"resource-basedpolicy", ResourceBased}, {"resourcebasedpolicy", ResourceBased}, {"resourcepolicy", ResourceBased},
	{"permissionsboundarypolicy", PermissionsBoundary}, {"permissionsboundary", PermissionsBoundary},
	{"permissionboundary", PermissionsBoundary},
	{"sessionspolicy", SessionPolicy}, {"sessionpolicy", SessionPolicy},
	{"servicecontrolpolicy", ServiceControl}, {"resourcecontrolpolicy", ResourceControl},
	{"vpcendpointpolicy", VPCEndpoint}, {"vpc-endpointpolicy", VPCEndpoint},
	{"roletrustpolicy", RoleTrust}, {"trustpolicy", RoleTrust},
}

// layerAt reads a layer at flat[i], with or without an article.
func (p *page) layerAt(i int) (Layer, int) {
	for _, article := range []string{"", "an", "a", "the", "your"} {
		j, ok := cut(p.flat, i, article)
		if !ok {
			continue
		}
		for _, l := range layerWords {
			if k, ok := cut(p.flat, j, l.words); ok {
				return l.layer, k
			}
		}
	}
	return LayerUnstated, i
}

// allTails finds every tail of the page, in order.
func (p *page) allTails() []tail {
	var list []tail
	for _, w := range []string{"because", "explicitdeny", "allowsthe"} {
		for i := 0; ; {
			n := bytes.Index(p.flat[i:], []byte(w))
			if n < 0 {
				break
			}
			at := i + n
			i = at + len(w)
			if t, ok := p.tailAt(at); ok {
				list = append(list, t)
			}
		}
	}
	slices.SortFunc(list, func(a, b tail) int { return a.from - b.from })
	end := 0
	return slices.DeleteFunc(list, func(t tail) bool {
		if t.from < end {
			return true
		}
		end = t.to
		return false
	})
}

// findTail finds the first tail that begins in flat[from:limit].
func (s *sentences) findTail(from, limit int) (tail, bool) {
	i := sort.Search(len(s.all), func(i int) bool { return s.all[i].from >= from })
	if i < len(s.all) && s.all[i].from < limit {
		return s.all[i], true
	}
	return tail{}, false
}

// tailAt reads the tail whose word "because", "explicit deny" or "allows the"
// is at flat[i].
func (p *page) tailAt(i int) (tail, bool) {
	if bytes.HasPrefix(p.flat[i:], []byte("allowsthe")) {
		for _, l := range layerWords {
			if from := i - len("no"+l.words); from >= 0 && string(p.flat[from:i]) == "no"+l.words {
				return p.implicit(from, from+len("no"))
			}
		}
		return tail{}, false
	}
	if j, ok := cut(p.flat, i, "explicitdeny"); ok {
		for _, w := range []string{"withan", "with", "duetoan", "dueto", "becauseofan", "becauseof"} {
			if bytes.HasSuffix(p.flat[:i], []byte(w)) {
				return p.explicit(i-len(w), j), true
			}
		}
		return p.explicit(i, j), true
	}
	j, _ := cut(p.flat, i, "because")
	if k, ok := cut(p.flat, j, "no"); ok {
		return p.implicit(i, k)
	}
	if j, ok := cut(p.flat, j, "public"); ok {
		if n := bytes.Index(p.flat[j:min(len(p.flat), j+120)], []byte("blockpublic")); n >= 0 {
			return tail{from: i, to: j + n, public: true}, true
		}
	}
	return tail{}, false
}

// implicit reads "LAYER allows the ACTION action" at flat[i]. The sentence
// may be cut anywhere after the layer.
func (p *page) implicit(from, i int) (tail, bool) {
	t := tail{from: from, effect: Implicit, layer: LayerUnstated}
	i = p.skipFlat(i, `"`, "'", "`", "+")
	layer, j := p.layerAt(i)
	if j == i { // a layer that we do not know
		n := bytes.Index(p.flat[i:min(len(p.flat), i+80)], []byte("allowsthe"))
		if n <= 0 || bytes.ContainsAny(p.flat[i:i+n], ".:\n") {
			return tail{}, false
		}
		j = i + n
	}
	t.layer, t.to = layer, j
	if k, ok := cut(p.flat, j, "allowsthe"); ok {
		t.to = k
		t.action, t.to = p.allowedAction(k)
	}
	return t, true
}

// allowedAction reads "ACTION action" at flat[i]: the word after it shows where an action ends that
// is broken over two lines.
func (p *page) allowedAction(i int) (action string, after int) {
	i = p.skipFlat(i, `"`, "'", "`")
	for k := i; ; {
		n := bytes.Index(p.flat[k:min(len(p.flat), i+maxAction)], []byte("action"))
		if n < 0 {
			break
		}
		k += n
		t := int(p.at[k])
		if t > 0 && bytes.IndexByte([]byte(" \n\"'`"), p.text[t-1]) >= 0 {
			if a, spaces := p.joined(int(p.at[i]), t); !spaces && validAction(strings.TrimRight(a, "\"'`")) {
				return strings.TrimRight(a, "\"'`"), k + len("action")
			}
		}
		k += len("action")
	}
	a, end := p.action(i)
	return a, end
}

// explicit reads "[in a LAYER[: POLICY]]" at flat[i].
func (p *page) explicit(from, i int) tail {
	t := tail{from: from, to: i, effect: Explicit, layer: LayerUnstated}
	for _, w := range []string{"in", "transitivelythrough"} {
		j, ok := cut(p.flat, i, w)
		if !ok {
			continue
		}
		if layer, k := p.layerAt(j); k > j {
			t.layer, t.to = layer, k
			break
		}
	}
	if j, ok := cut(p.flat, t.to, ":"); ok {
		if _, ok := cut(p.flat, p.skipFlat(j, `"`, "'"), "arn:"); ok {
			t.policy, t.to = p.value(j, tail{}, false, 0)
		}
	}
	return t
}

// loose reads the tails without a head: a list of actions, or of "Action: …", "Resource: …" lines,
// each with its reason; or, without an action, only that access was denied.
func (s *sentences) loose(withAction bool) {
	read := s.spans()
	end := 0 // of the sentence before
	for _, t := range s.all {
		for len(read) > 0 && read[0].to <= t.from {
			end = read[0].to
			read = read[1:]
		}
		if t.public || len(read) > 0 && read[0].from <= t.from {
			continue
		}
		if c, ok := s.looseTail(t, end); ok && (c.Action != "") == withAction && !s.saidBefore(&c) {
			s.list = append(s.list, c)
			end = c.to
		}
	}
}

// saidBefore reports whether a tail on its own only repeats what a claim of the page says: people
// quote the end of a message when they explain it.
func (s *sentences) saidBefore(c *claim) bool {
	return c.Action != "" && c.Resource == "" && c.Principal == "" && slices.ContainsFunc(s.list, func(d claim) bool {
		return d.Action == c.Action && d.Effect == c.Effect && d.Layer == c.Layer && d.Reason == c.Reason
	})
}

// spans returns the sentences read so far, in order.
func (s *sentences) spans() []span {
	list := slices.Clone(s.none)
	for _, c := range s.list {
		list = append(list, span{c.from, c.to})
	}
	slices.SortStableFunc(list, func(a, b span) int { return a.from - b.from })
	return list
}

// looseTail reads what t says together with the text before it, down to end.
func (s *sentences) looseTail(t tail, end int) (claim, bool) {
	lo := max(end, t.from-maxGap)
	lo += 1 + bytes.LastIndexByte(s.flat[lo:t.from], '\n')
	d := Denial{Effect: t.effect, Layer: t.layer, PolicyARN: t.policy, Resource: s.labelled(lo, t.from, "resource:", t),
		Reason: s.reasonAt(t.from)}
	from := t.from
	if t.action != "" {
		d.Action = canonical(t.action)
		if n := bytes.LastIndex(s.flat[lo:t.from], []byte(strings.ToLower(t.action))); n >= 0 {
			from = lo + n
		}
	} else if bytes.HasSuffix(s.flat[:t.from], []byte("accessthisresource")) {
		return claim{}, false // API Gateway, in front of somebody's own service
	} else if a, at := s.namedAction(lo, t.from); a != "" {
		d.Action, from = a, at
	} else if n := bytes.LastIndex(s.flat[max(lo, t.from-40):t.from], []byte("accessdenied")); n >= 0 {
		from = max(lo, t.from-40) + n
	} else {
		return claim{}, false
	}
	for _, label := range []string{"principal:", "user:"} {
		if v := s.labelled(lo, t.from, label, tail{}); strings.HasPrefix(v, "arn:") {
			d.Principal = v
			from = min(from, lo+bytes.LastIndex(s.flat[lo:t.from], []byte(label)))
			break
		}
	}
	return claim{Denial: d, from: from, to: t.to}, true
}

// beforeLabel are the words of AWS's own sentence in front of a label.
var beforeLabel = []string{"on", "for", "the", "this"}

// labelled returns the value after the last label in flat[lo:hi]; "" if another word is before it
// in its row: "Terraform resource: aws_db_instance.main" names none of AWS's.
func (p *page) labelled(lo, hi int, label string, t tail) string {
	n := bytes.LastIndex(p.flat[lo:hi], []byte(label))
	if n < 0 {
		return ""
	}
	at := int(p.at[lo+n])
	if before := strings.Fields(string(p.text[p.rowStart(at):at])); len(before) > 0 && letter(before[len(before)-1][0]) &&
		!slices.Contains(beforeLabel, strings.ToLower(before[len(before)-1])) {
		return ""
	}
	v, _ := p.value(lo+n+len(label), t, t.to > 0, 0)
	return v
}
