// Package webpage makes one HTML page of failed builds: to decide with, and to show to others. The
// page needs no network and no script, and holds whatever texts it is given as text. It is pure: a
// [Report] in, bytes out.
package webpage

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"sync"
	"time"
)

// Kind is where a report comes from.
type Kind int

// The kinds.
const (
	Scan    Kind = iota // an account's builds, with nothing deployed
	History             // what the ledger remembers
)

// Class is what there is to say of a failed build; its words depend on the [Kind].
type Class int

// The classes.
const (
	Best  Class = iota // scan: could have been acted on; history: green again by Buildmedic
	Other              // scan: would be refused whatever is allowed; history: green again otherwise
	Rest               // scan: a person must act; history: not known to be green again
	classes
)

// Report is what a page shows. Its texts may be anything.
type Report struct {
	Kind     Kind
	Account  string // "" if it is not known
	Region   string
	Project  string // "" for all
	Made     time.Time
	From, To time.Time // builds that ended from From to To
	Projects int       // that were looked at; 0 if that is not known
	Most     int       // scan: at most so many failed builds of each project were read
	Cut      bool      // of some project older builds are not in it
	Notes    []string  // what the reader must know first, such as what could not be read
	Builds   []Build
	// Causes and Whys explain the names that builds and cases have.
	Causes map[string]Term
	Whys   map[string]Term

	Denied   []Denied // scan
	Settings string   // scan: a buildmedic.yaml to start from

	Cases []Case // history: those of this time, the open ones first
	Flaky []Flaky
}

// Term explains a name.
type Term struct{ Meaning, Change string }

// Build is a failed build.
type Build struct {
	Project string
	Cause   string
	Class   Class
	Why     string // scan: the remedy that it could have had, or the rule that refuses
	End     time.Time
	Seconds int       // how long it ran
	Green   time.Time // end of the next green one; zero if none is known
}

// Denied is an action that roles were denied.
type Denied struct {
	Action, Resource string
	Builds           int
	Projects         []string
	Never            string // why no setting can allow it; "" if one can
}

// Case is what became of a failure that Buildmedic took up.
type Case struct {
	ID, Project, Cause, Outcome string
	Opened                      time.Time
	Waits                       bool      // for a person, or for a build that runs
	Until                       time.Time // a person may approve its plan until then; zero if there is no plan
	Changed                     []string
	Refused                     []string // rules
}

// Flaky is a test that failed, and passed on the same commit.
type Flaky struct {
	Project, Test           string
	Flaked, Builds, Seconds int
	Last                    time.Time
	Broken                  bool
}

// Mark is in the first [MarkWithin] bytes of each page, and tells it from other files.
const (
	Mark       = `<meta name="generator" content="buildmedic">`
	MarkWithin = 512
)

var (
	//go:embed page.html.tmpl
	pageText string
	//go:embed page.css
	style string
)

// The page may use the one style sheet that is in it, and nothing else.
var policy = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'"
})

var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(pageText))
})

// view is what the template shows: all texts are made safe, and all is bounded.
type view struct {
	Policy   string
	Mark     template.HTML
	Style    template.CSS
	Eyebrow  string
	Title    string
	Facts    []string
	Notes    []string
	Short    []string
	Tiles    []tile
	Sections []section
	Foot     []string
}

// tile is a figure with its definition.
type tile struct{ Label, Value, Unit, What string }

type section struct {
	ID, Title string
	Intro     []string
	Trend     *trend
	Split     *split
	Tables    []table
	Block     *block
}

// block is a text to copy.
type block struct {
	Label, Text, Summary string
	Open                 bool
	More                 string
}

// Render makes the page.
func Render(r Report) ([]byte, error) {
	v := newSum(r).view()
	v.Policy, v.Mark, v.Style = policy(), Mark, template.CSS(style)
	var b bytes.Buffer
	if err := page().Execute(&b, v); err != nil {
		return nil, fmt.Errorf("making the page: %w", err)
	}
	return b.Bytes(), nil
}
