package iamref

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// reference.txt is a head, an empty line, and the blocks. It is plain, since
// the function's package is compressed as a whole, and what is read in place
// needs no time at the start.
//
// The head's first line is its version, the next two tell the sources. Then
// there is a line NAME \t SIZE for each block, in order: "#operations", see
// operations.go, and one a service, named by its prefix, sorted. A block
// begins with a line of its name. A service's block is three lists, each ended
// by an empty line:
//
//	NAME \t ARN without its "arn:${Partition}:"     its resource types
//	KEY                                             its condition keys
//	NAME \t LEVEL \t TYPES \t KEYS \t DEPENDENT      its actions, sorted
//
// LEVEL is a letter, TYPES and KEYS are indices into the first two lists
// ("3!": a required type), lists are joined by commas, empty fields at the
// end are left out.
//
//go:embed reference.txt
var reference string

const (
	version         = "iamref 2"
	operationsBlock = "#operations"
)

// archive is the head of reference.txt.
type archive struct {
	packageSource   string
	operationSource string
	operations      string   // its block
	prefixes        []string // sorted
	blocks          []block  // of each prefix
	parse           func(prefix, text string) *service
}

// block is one service, parsed at most once.
type block struct {
	text    string // with its name
	once    sync.Once
	service *service
}

// file reads the head. The file is part of the program and its tests, so
// one that cannot be read is a defect of the build: it panics.
var file = sync.OnceValue(func() *archive { return open(reference, parseService) })

// open reads an archive. parse is called for each service that is asked for.
func open(reference string, parse func(prefix, text string) *service) *archive {
	head, rest, _ := strings.Cut(reference, "\n\n")
	lines := strings.Split(head, "\n")
	if lines[0] != version || len(lines) < 4 {
		panic("iamref: reference.txt is not what gen writes")
	}
	f := &archive{packageSource: lines[1], operationSource: lines[2], parse: parse}
	lines = lines[3:]
	f.prefixes, f.blocks = make([]string, 0, len(lines)), make([]block, 0, len(lines))
	for _, line := range lines {
		name, n, _ := strings.Cut(line, "\t")
		size := number(n)
		text := rest[:size] // not looked at: most of the file need never be loaded
		rest = rest[size:]
		if name == operationsBlock {
			f.operations = text
			continue
		}
		f.prefixes = append(f.prefixes, name)
		f.blocks = append(f.blocks, block{text: text})
	}
	if rest != "" {
		panic("iamref: reference.txt is damaged: there is more than it says")
	}
	return f
}

// service gives a service by its lower-case prefix, or nil.
func (f *archive) service(prefix string) *service {
	i, ok := slices.BinarySearch(f.prefixes, prefix)
	if !ok {
		return nil
	}
	b := &f.blocks[i]
	b.once.Do(func() { b.service = f.parse(prefix, lists(prefix, b.text)) })
	return b.service
}

// lists gives what is in a block after its name.
func lists(name, text string) string {
	rest, ok := strings.CutPrefix(text, name+"\n")
	if !ok {
		panic("iamref: reference.txt is damaged: there is no " + name)
	}
	return rest
}

// load gives a service by its lower-case prefix, or nil.
func load(prefix string) *service { return file().service(prefix) }

// service is one parsed block.
type service struct {
	types   []ResourceType
	actions []entry // sorted by key
	shapes  func() []shape
}

// entry is an action with what finds it.
type entry struct {
	Action
	key   string // lower-case name without its prefix
	types []int  // indices of Resources in service.types
	of    *service
}

var levels = map[string]Level{"L": List, "R": Read, "W": Write, "P": Permissions, "T": Tagging}

func parseService(prefix, text string) *service {
	typeLines, keys, actionLines := section(&text), section(&text), section(&text)
	s := &service{}
	for _, line := range typeLines {
		name, arn, _ := strings.Cut(line, "\t")
		s.types = append(s.types, ResourceType{Name: name, ARN: "arn:${Partition}:" + arn})
	}
	s.shapes = sync.OnceValue(func() []shape { return compile(s.types) })
	s.actions = make([]entry, len(actionLines))
	for i, line := range actionLines {
		s.actions[i] = s.parseAction(prefix, line, keys)
	}
	return s
}

// section cuts the lines up to the next empty line off the text.
func section(text *string) (lines []string) {
	for *text != "" {
		line, rest, _ := strings.Cut(*text, "\n")
		*text = rest
		if line == "" {
			break
		}
		lines = append(lines, line)
	}
	return lines
}

func (s *service) parseAction(prefix, line string, keys []string) entry {
	fields := append(strings.Split(line, "\t"), "", "", "")
	e := entry{key: lower(fields[0]), of: s}
	e.Name = prefix + ":" + fields[0]
	e.Level = levels[fields[1]]
	for _, use := range list(fields[2]) {
		n, required := strings.CutSuffix(use, "!")
		t := s.types[number(n)]
		t.Required = required
		e.Resources = append(e.Resources, t)
		e.types = append(e.types, number(n))
	}
	for _, n := range list(fields[3]) {
		e.Conditions = append(e.Conditions, keys[number(n)])
	}
	e.Dependent = list(fields[4])
	return e
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("iamref: reference.txt is damaged: " + err.Error())
	}
	return n
}
