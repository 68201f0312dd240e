package main

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// encode gives the file that package iamref embeds. Its form is described
// there. Each service is compressed alone, so that asking for one costs one;
// a dictionary shared by all makes up for that.
func encode(ref *reference, apis *apiList, ops *operationList, cor *corrections) []byte {
	texts := map[string]string{}
	for prefix, s := range ref.services {
		texts[prefix] = s.text()
	}
	operations := operationText(apis, ops, cor)
	dictionary := buildDictionary(texts)

	var index, blocks bytes.Buffer
	add := func(name string, data []byte) {
		fmt.Fprintf(&index, "%s\t%d\n", name, len(data))
		blocks.Write(data)
	}
	fmt.Fprintf(&index, "%s\n%s\n", ref.source, ops.source)
	add("#dictionary", deflate(dictionary, nil))
	add("#operations", deflate(operations, []byte(dictionary)))
	for _, prefix := range ref.prefixes() {
		add(prefix, deflate(texts[prefix], []byte(dictionary)))
	}

	packed := deflate(index.String(), nil)
	out := []byte("iamref\x001")
	out = binary.BigEndian.AppendUint32(out, uint32(len(packed)))
	out = append(out, packed...)
	return append(out, blocks.Bytes()...)
}

func deflate(text string, dictionary []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriterDict(&b, flate.BestCompression, dictionary)
	if err != nil {
		panic("gen: " + err.Error()) // only for a bad level
	}
	w.Write([]byte(text)) // a bytes.Buffer does not fail
	w.Close()
	return b.Bytes()
}

// text is the service's block.
func (s *service) text() string {
	var b strings.Builder
	for _, t := range s.types {
		fmt.Fprintf(&b, "%s\t%s\n", t.name, strings.TrimPrefix(t.arn, "arn:${Partition}:"))
	}
	b.WriteByte('\n')
	seen := map[string]bool{}
	for _, a := range s.actions {
		for _, c := range a.conditions {
			seen[c] = true
		}
	}
	conditions := slices.Sorted(maps.Keys(seen))
	for _, c := range conditions {
		b.WriteString(c + "\n")
	}
	b.WriteByte('\n')
	for _, a := range s.actions {
		var uses, keys []string
		for _, u := range a.uses {
			n := strconv.Itoa(u.kind)
			if u.required {
				n += "!"
			}
			uses = append(uses, n)
		}
		for _, c := range a.conditions {
			i, _ := slices.BinarySearch(conditions, c)
			keys = append(keys, strconv.Itoa(i))
		}
		line := strings.Join([]string{a.name, string(a.level), strings.Join(uses, ","),
			strings.Join(keys, ","), strings.Join(a.dependent, ",")}, "\t")
		b.WriteString(strings.TrimRight(line, "\t") + "\n")
	}
	return b.String()
}

// operationText is the block of what is known about operations.
func operationText(apis *apiList, ops *operationList, cor *corrections) string {
	var b strings.Builder
	for _, a := range apis.list {
		names := []string{}
		for _, n := range append([]string{a.name}, a.others...) {
			if k := key(n); !slices.Contains(names, k) {
				names = append(names, k)
			}
		}
		fmt.Fprintf(&b, "%s\t%s\n", a.prefix, strings.Join(names, "\t"))
	}
	b.WriteByte('\n')
	for _, o := range ops.rows {
		fmt.Fprintf(&b, "%d\t%s\t%s\n", o.api, o.name, strings.Join(o.actions, "\t"))
	}
	b.WriteByte('\n')
	not := slices.Collect(maps.Keys(cor.NotByName))
	for _, a := range apis.list {
		if a.unknown {
			not = append(not, a.prefix)
		}
	}
	for _, name := range unique(not) {
		b.WriteString(strings.ToLower(name) + "\n")
	}
	return b.String()
}

// buildDictionary collects what many services' blocks have in common, the
// most worthwhile last, where references to it are shortest.
func buildDictionary(texts map[string]string) string {
	const size = 12 << 10
	count := map[string]int{}
	for _, prefix := range slices.Sorted(maps.Keys(texts)) {
		seen := map[string]bool{}
		for _, piece := range pieces(texts[prefix]) {
			if !seen[piece] {
				seen[piece] = true
				count[piece]++
			}
		}
	}
	list := slices.Collect(maps.Keys(count))
	slices.SortFunc(list, func(a, b string) int {
		if d := worth(b, count[b]) - worth(a, count[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var chosen []string
	total := 0
	for _, piece := range list {
		if count[piece] < 3 || total+len(piece) > size {
			break
		}
		chosen = append(chosen, piece)
		total += len(piece)
	}
	slices.Reverse(chosen)
	return strings.Join(chosen, "")
}

func worth(piece string, count int) int { return (len(piece) - 3) * (count - 1) }

// pieces cuts a block into its lines without their numbers, and the lines'
// words: "DescribeImageTags" gives itself, "Describe", "Image", "Tags".
func pieces(text string) []string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		for _, field := range strings.Split(line, "\t") {
			if len(field) > 3 && !strings.Contains("0123456789", field[:1]) {
				out = append(out, field+"\t")
			}
			out = append(out, words(field)...)
		}
	}
	return out
}

func words(s string) []string {
	var out []string
	start := 0
	for i := 1; i <= len(s); i++ {
		if i == len(s) || s[i] >= 'A' && s[i] <= 'Z' && (s[i-1] < 'A' || s[i-1] > 'Z') || s[i] == ':' || s[i] == '/' {
			if i-start > 3 {
				out = append(out, s[start:i])
			}
			start = i
		}
	}
	return out
}
