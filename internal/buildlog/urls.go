package buildlog

import (
	"bytes"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// What a text names by a URL, a host and a path, or a tool's own words, and not by an ARN
// (AWS.md#named-by-url).

// Parts of the expressions. domain is the end of AWS's host names.
const (
	domain     = `\.(?:amazonaws\.com(?P<china>\.cn)?|api\.aws|on\.aws)`
	region     = `(?P<Region>[a-z0-9-]+)`
	regionName = `[a-z]{2}(?:-[a-z]+)+-\d`
	account    = `(?P<Account>\d{12})`
	bucket     = `(?P<BucketName>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])`
	repository = `(?P<RepositoryName>[A-Za-z0-9._-]+)`
	inURL      = `[^\s"'<>` + "`" + `]*`
)

// hosts are the forms of URLs that name a resource. The names of their groups are those of the
// service reference's variables, or Account, Region and the like. What follows a bucket's host, or
// a registry's, is read by code.
var hosts = []struct {
	service string
	words   []string // one of which such a URL holds; they are found much faster
	re      *lazyregexp.Regexp
}{
	{"s3", []string{"s3://"}, lazyregexp.New(`s3://` + bucket + `(?:/(?P<ObjectName>` + inURL + `))?`)},
	{"s3", []string{".s3"}, lazyregexp.New(`https?://` + bucket + `\.s3(?:[.-](?:dualstack|fips|accelerate|` + regionName + `))*` +
		domain + `(?::443)?(?P<path>/` + inURL + `)?`)},
	{"s3", []string{"//s3"}, lazyregexp.New(`https?://s3(?:[.-](?:dualstack|fips|` + regionName + `))*` + domain +
		`(?::443)?/` + bucket + `(?P<path>/` + inURL + `)?`)},
	{"ecr", []string{".dkr"}, lazyregexp.New(`\b` + account + `\.dkr[.-]ecr(?:-fips)?\.` + region + domain +
		`(?::443)?/(?P<image>[a-z0-9][^\s"'<>,;()\]` + "`" + `]*)`)},
	{"codeartifact", []string{".codeartifact."}, lazyregexp.New(`\b(?P<DomainName>[a-z][a-z0-9-]*)-` + account +
		`\.d\.codeartifact\.` + region + domain + `(?::443)?(?:/[a-z]+/(?P<RepositoryName>[A-Za-z0-9][A-Za-z0-9._-]*))?`)},
	{"sqs", []string{"queue", "sqs"}, lazyregexp.New(`https?://(?:sqs(?:-fips)?\.` + region + `|(?P<Region2>[a-z0-9-]+)\.queue|queue)` +
		domain + `/` + account + `/(?P<QueueName>[A-Za-z0-9_-]{1,80}(?:\.fifo)?)`)},
	{"codecommit", []string{"git-codecommit"}, lazyregexp.New(`git-codecommit(?:-fips)?\.` + region + domain +
		`(?::\d+)?/v1/repos/` + repository)},
	{"codecommit", []string{"codecommit:"}, lazyregexp.New(`codecommit:(?::` + region + `:)?//(?:[^\s@/"']+@)?` + repository)},
	{"lambda", []string{"//lambda."}, lazyregexp.New(`https?://lambda\.` + region + domain +
		`/20\d\d-\d\d-\d\d/functions/(?P<FunctionName>[A-Za-z0-9_-]+)`)},
	{"s3", []string{"ucket"}, lazyregexp.New(`(?i:\bbucket)(?:[ \t]?(?:name)?[=:][ \t]?["'` + "`" + `]?|[ \t]["'` + "`" + `(\[])` +
		bucket + `(?:["'` + "`" + `)\],;\s]|$)`)},
}

// namedAt is a resource that a text names, and where.
type namedAt struct {
	names
	at int
}

// namesIn returns what a text names, in order. The text is on one line.
func namesIn(text string) []names {
	var list []namedAt
	for _, h := range hosts {
		if !slices.ContainsFunc(h.words, func(w string) bool { return strings.Contains(text, w) }) {
			continue
		}
		re := h.re.Get()
		for _, m := range re.FindAllStringSubmatchIndex(text, -1) {
			if n, ok := namesOf(h.service, re, text, m); ok {
				list = append(list, namedAt{n, m[0]})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b namedAt) int { return a.at - b.at })
	all := make([]names, len(list))
	for i, n := range list {
		all[i] = n.names
	}
	return all
}

// namesOf reads one match of an expression of hosts.
func namesOf(service string, re *regexp.Regexp, text string, m []int) (names, bool) {
	n := names{service: service, vars: map[string]string{}}
	for i, name := range re.SubexpNames() {
		if name == "" || m[2*i] < 0 {
			continue
		}
		v := text[m[2*i]:m[2*i+1]]
		switch name {
		case "Account":
			n.account = v
		case "Region", "Region2":
			n.region = v
		case "china":
			n.china = true
		case "path":
			n.key(pathKey(v))
		case "ObjectName":
			n.key(endOfWord(v), true)
		case "image":
			v = repositoryOf(v)
			if v == "" {
				return names{}, false
			}
			n.vars["RepositoryName"] = v
		default:
			n.vars[name] = endOfWord(v)
		}
	}
	if service == "codecommit" {
		n.vars["RepositoryName"] = strings.TrimSuffix(n.vars["RepositoryName"], ".git")
	}
	return n, true
}

// key sets an object's key; whole says that all of it is known.
func (n *names) key(key string, whole bool) {
	switch {
	case key == "":
	case !whole || strings.HasSuffix(key, "/") || strings.HasSuffix(key, "…") || strings.HasSuffix(key, ".."):
		n.prefix, n.begins = "ObjectName", strings.TrimRight(key, ".…")
	default:
		n.vars["ObjectName"] = key
	}
}

// endOfWord drops the punctuation after a name in a sentence.
func endOfWord(s string) string {
	s, _ = trimToken(s, false)
	return strings.TrimRight(s, ":!?")
}

// pathKey is the key in the path of an object's URL.
func pathKey(path string) (key string, whole bool) {
	path, _, _ = strings.Cut(strings.TrimPrefix(path, "/"), "?")
	path, _, _ = strings.Cut(path, "#")
	path = endOfWord(path)
	key, err := url.PathUnescape(path)
	if err != nil {
		i := strings.IndexByte(path, '%')
		return path[:i], false
	}
	return key, true
}

// repositoryOf is the repository of what follows a registry's host: an image's name, or a path of
// the registry's protocol; "" if it names none.
func repositoryOf(s string) string {
	s = endOfWord(s)
	if path, ok := strings.CutPrefix(s, "v2/"); ok {
		for _, w := range []string{"/manifests/", "/blobs/", "/tags/", "/referrers/"} {
			if i := strings.Index(path, w); i > 0 {
				return path[:i]
			}
		}
		return ""
	}
	s, _, _ = strings.Cut(s, "@")
	s, _, _ = strings.Cut(s, ":")
	return strings.Trim(s, "/")
}

// transferred is how the AWS CLI begins the line of a transfer that failed. It puts the names as
// they are, spaces included, up to the error.
var transferred = lazyregexp.New(`(?:upload|download|copy|move|delete)$`)

// uploaded is how boto3 says it.
var uploaded = lazyregexp.New(`^Failed to upload .+ to ([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+): $`)

// transfer reads such a line, up to the error: what it names is what was transferred from where to
// where.
func transfer(before string) (list []names, ok bool) {
	if m := uploaded.Get().FindStringSubmatch(before[max(0, strings.LastIndex(before, "Failed to upload ")):]); m != nil {
		return []names{s3Names(m[1], m[2])}, true
	}
	i := strings.Index(before, " failed: ")
	if i < 0 || !transferred.MatchString(before[:i]) {
		return nil, false
	}
	ends := strings.Split(strings.TrimSpace(before[i+len(" failed: "):]), " to ")
	if len(ends) > 2 {
		return nil, false // a name holds the word
	}
	for _, e := range ends {
		if u, ok := strings.CutPrefix(e, "s3://"); ok {
			bucket, key, _ := strings.Cut(u, "/")
			list = append(list, s3Names(bucket, key))
		}
	}
	return list, true
}

// oneWay keeps the end of a transfer that the action is about: what is read or moved away comes
// first, what is written comes last. A copy within S3 needs both.
func oneWay(list []names, a iamref.Action, operation string) []names {
	if len(list) != 2 || operation == "CopyObject" || operation == "UploadPartCopy" || strings.HasSuffix(a.Name, "Acl") {
		return list
	}
	if a.Level == iamref.Read || a.Level == iamref.List || strings.HasPrefix(a.Name, "s3:Delete") {
		return list[:1]
	}
	return list[1:]
}

// located gives the claims that do not say on what they are the resource that the text around them
// names, if it is certain; else [Denial.Near] says what it may be.
func (s *sentences) located() {
	end := 0 // of the claims before, in text
	for i := range s.list {
		c := &s.list[i]
		from := int(s.at[c.from])
		to := int(s.at[max(c.from, min(c.to, len(s.at)-1)-1)]) + 1
		if a, ok := iamref.Lookup(c.Action); ok && c.Resource == "" && len(a.Resources) > 0 {
			lo, hi := s.rowStart(from), s.rowEnd(to)
			if end <= from {
				lo = max(lo, end)
			}
			for _, next := range s.list[i+1:] {
				if next.from >= c.to && next.Action != "" {
					hi = min(hi, int(s.at[next.from]))
					break
				}
			}
			s.locate(c, a, end, lo, from, max(hi, to))
		}
		if c.Action != "" {
			end = max(end, to)
		}
	}
}

func (p *page) rowStart(t int) int { return int(p.rows[p.rowAt(t)].start) }

// rowEnd returns where the row of text[t] ends.
func (p *page) rowEnd(t int) int {
	if r := p.rowAt(t); r+1 < len(p.rows) {
		return int(p.rows[r+1].start) - 1
	}
	return max(0, len(p.text)-1)
}

// locate looks for the resource of the claim in its own rows, text[lo:hi], of which text[lo:from]
// is before the report; another report ends at text[after].
func (s *sentences) locate(c *claim, a iamref.Action, after, lo, from, hi int) {
	list, ok := transfer(string(s.text[lo:from]))
	if !ok {
		for row := range strings.Lines(string(s.text[lo:hi])) {
			list = append(list, namesIn(row)...)
		}
	}
	if ok {
		list = oneWay(list, a, c.Operation)
	}
	own := choose(list, a, s.home)
	typed := s.typed(after, lo, a, c.Operation) // not certainly the command that was refused
	switch {
	case len(own.arns) == 0 && len(typed.arns) == 0:
		c.Near = choose(s.errorAbove(lo), a, s.home).near()
	case own.agrees(typed) && own.one() != "":
		c.Resource = own.one()
	}
	if c.Resource == "" && c.Near == "" {
		c.Near = choice{arns: distinct(own.arns, typed.arns)}.near()
	}
}

func distinct(lists ...[]string) (all []string) {
	for _, l := range lists {
		for _, s := range l {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// maxAbove is how many rows above a report are read for what it may be about.
const maxAbove = 3

// errorWord marks a row that reports a failure.
var errorWord = lazyregexp.New(`(?i)error|fail|denied|unable|could not|cannot|403|exception`)

// errorAbove returns what the rows above text[at] name, if they report a failure themselves: tools
// print what they tried, then why it failed.
func (s *sentences) errorAbove(at int) (list []names) {
	for r := s.rowAt(at) - 1; r >= 0 && r >= s.rowAt(at)-maxAbove; r-- {
		row := s.row(r)
		if row == "" {
			break
		}
		if s.nameless[r] {
			continue // in a log full of reports, each row is above several
		}
		named := namesIn(row)
		if len(named) == 0 {
			if s.nameless == nil {
				s.nameless = map[int]bool{}
			}
			s.nameless[r] = true
		} else if errorWord.MatchString(row) {
			list = append(list, named...)
		}
	}
	return list
}

// maxTyped is how many rows above a report a shell's trace of the command is looked for.
const maxTyped = 20

// traced is how a trace, or a person, shows a command of the AWS CLI.
var traced = lazyregexp.New(`^(?:[+$%#]+ |Running command )*((?:[A-Z_]+=\S* )*aws +[a-z].*)$`)

// typed returns what the last command of the AWS CLI above text[at] names, if the text shows one
// with a prompt or as a shell traces it, and no other report, which ends at text[after], is
// between.
func (s *sentences) typed(after, at int, a iamref.Action, operation string) choice {
	for r := s.rowAt(at) - 1; r >= 0 && r >= s.rowAt(at)-maxTyped && int(s.rows[r].start) >= after; r-- {
		row := s.row(r)
		ran := strings.HasPrefix(row, "Running command ")
		if !ran && !strings.Contains(row, "aws ") {
			continue
		}
		if m := traced.Get().FindStringSubmatch(row); m != nil {
			c, _ := commandNames(m[1], a, operation, s.home)
			return c
		}
		if ran {
			break
		}
	}
	return choice{}
}

// objectFor reads Lambda's "for BUCKET/KEY. S3 Error Code: …" at flat[i:end]. It returns the
// object's ARN; "" if it is not stated, or not certain.
func (s *sentences) objectFor(i, end int) string {
	i, ok := cut(s.flat, s.skipFlat(i, "*", "`", "'", `"`), "for")
	n := bytes.Index(s.flat[min(i, end):end], []byte(".s3error"))
	if !ok || n <= 0 {
		return ""
	}
	object, spaces := s.joined(int(s.at[i]), int(s.at[i+n]))
	bucket, key, _ := strings.Cut(object, "/")
	if spaces || key == "" || !bucketName.MatchString(bucket) {
		return ""
	}
	return codebuild.ARN{Partition: s.home.Partition, Service: "s3", Resource: object}.String()
}

// calledHost is the service at whose host a call was made, as PHP's SDK says it, `" on
// "https://HOST/` at flat[i:end]; "" if it is not said.
func (s *sentences) calledHost(i, end int) string {
	i, ok := cut(s.flat, i, `"on"https://`)
	n := bytes.IndexAny(s.flat[min(i, end):end], `/"`)
	if !ok || n <= 0 {
		return ""
	}
	host := string(s.flat[i : i+n])
	label, rest, _ := strings.Cut(host, ".")
	switch {
	case !strings.Contains(rest, "amazonaws.com"):
		return ""
	case strings.HasPrefix(label, "s3") || strings.Contains(host, ".s3.") || strings.Contains(host, ".s3-"):
		return "S3"
	}
	return label
}

// ByURL returns the ARN of the resource that a URL names and that the action takes, in the build's
// partition, account and region where the URL does not say; "" if it names none for certain.
func ByURL(address, action string, b codebuild.Build) string {
	a, ok := iamref.Lookup(action)
	if !ok || !strings.Contains(address, "://") || len(address) > maxResource {
		return ""
	}
	home := b.At()
	if home.Partition == "" {
		home.Partition = "aws"
	}
	arn := choose(namesIn(address), a, home).one()
	if !strings.HasPrefix(arn, "arn:") {
		return ""
	}
	return arn
}
