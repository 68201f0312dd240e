package iamref

import (
	"compress/flate"
	_ "embed"
	"encoding/binary"
	"io"
	"strconv"
	"strings"
	"sync"
)

// reference.bin is, all texts deflated:
//
//	"iamref\x001", 4 bytes length of the index, the index, the blocks
//
// The index has two lines that tell the sources, then a line NAME \t SIZE a
// block, in order: "#dictionary", the preset dictionary of all further
// blocks; "#operations", see operations.go; then one a service, named by its
// prefix. A service's block is three lists, each ended by an empty line:
//
//	NAME \t ARN without its "arn:${Partition}:"     its resource types
//	KEY                                             its condition keys
//	NAME \t LEVEL \t TYPES \t KEYS \t DEPENDENT      its actions, sorted
//
// LEVEL is a letter, TYPES and KEYS are indices into the first two lists
// ("3!": a required type), lists are joined by commas, empty fields at the
// end are left out.
//
//go:embed reference.bin
var reference string

const magic = "iamref\x001"

// archive is the index of reference.bin.
type archive struct {
	packageSource   string
	operationSource string
	dictionary      []byte
	operations      string // compressed
	prefixes        []string
	blocks          map[string]*block
}

// block is one service, parsed at most once.
type block struct {
	packed string
	load   func() *service
}

// file reads the index. The file is part of the program and its tests, so
// one that cannot be read is a defect of the build: it panics.
var file = sync.OnceValue(func() *archive { return open(reference, parseService) })

// open reads an archive. parse is called for each service that is asked for.
func open(reference string, parse func(prefix, text string) *service) *archive {
	rest, ok := strings.CutPrefix(reference, magic)
	if !ok || len(rest) < 4 {
		panic("iamref: reference.bin is not what gen writes")
	}
	size := int(binary.BigEndian.Uint32([]byte(rest[:4])))
	lines := strings.Split(strings.TrimSuffix(inflate(rest[4:4+size], nil), "\n"), "\n")
	rest = rest[4+size:]
	f := &archive{packageSource: lines[0], operationSource: lines[1], blocks: map[string]*block{}}
	for _, line := range lines[2:] {
		name, n, _ := strings.Cut(line, "\t")
		size := number(n)
		data := rest[:size]
		rest = rest[size:]
		switch name {
		case "#dictionary":
			f.dictionary = []byte(inflate(data, nil))
		case "#operations":
			f.operations = data
		default:
			f.prefixes = append(f.prefixes, name)
			f.blocks[name] = &block{data, sync.OnceValue(func() *service {
				return parse(name, inflate(data, f.dictionary))
			})}
		}
	}
	return f
}

// service gives a service by its lower-case prefix, or nil.
func (f *archive) service(prefix string) *service {
	b := f.blocks[prefix]
	if b == nil {
		return nil
	}
	return b.load()
}

// load gives a service by its lower-case prefix, or nil.
func load(prefix string) *service { return file().service(prefix) }

func inflate(packed string, dictionary []byte) string {
	r := flate.NewReaderDict(strings.NewReader(packed), dictionary)
	var b strings.Builder
	if _, err := io.Copy(&b, r); err != nil {
		panic("iamref: reference.bin is damaged: " + err.Error())
	}
	return b.String()
}

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
		panic("iamref: reference.bin is damaged: " + err.Error())
	}
	return n
}
