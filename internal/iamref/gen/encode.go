package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// encode gives the file that package iamref embeds. Its form is described
// there.
func encode(ref *reference, apis *apiList, ops *operationList, cor *corrections) []byte {
	var head, blocks bytes.Buffer
	add := func(name, text string) {
		text = name + "\n" + text
		fmt.Fprintf(&head, "%s\t%d\n", name, len(text))
		blocks.WriteString(text)
	}
	fmt.Fprintf(&head, "iamref 2\n%s\n%s\n", ref.source, ops.source)
	add("#operations", operationText(apis, ops, cor))
	for _, prefix := range ref.prefixes() {
		add(prefix, ref.services[prefix].text())
	}
	fmt.Fprintln(&head)
	return append(head.Bytes(), blocks.Bytes()...)
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
