package heal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/redact"
)

// Said is what a command says of who sends it. Nothing rests on it.
type Said struct {
	By  string     `json:"by,omitempty"`
	Via decide.Via `json:"via,omitempty"`
	// short: it came in the short form, which asks for a short answer.
	short bool
}

// PlanWhat names the plan of an approval or of a rejection.
type PlanWhat struct {
	Plan string `json:"plan"`
	Said
}

// UndoWhat names the case whose changes are taken back.
type UndoWhat struct {
	Case string `json:"case"`
	Said
}

// ReplayWhat names the build whose failure is taken up again.
type ReplayWhat struct {
	Build   string `json:"build"` // ARN, or PROJECT:UUID of the hub's account and region
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
	Said
}

// PauseWhat says why everything is paused.
type PauseWhat struct {
	Because string `json:"because"`
	// Case is the one whose notice gave rise to it.
	Case string `json:"case,omitempty"`
	Said
}

// ResumeWhat is what a person resumes: nothing in it means everything that a
// person, or the breaker, has paused at once; a project, that project; with a
// grant, no pause at all, but what was taken back from the project.
type ResumeWhat struct {
	Project string `json:"project,omitempty"`
	// Grant is the one that may be given again; "*" stands for all of the project.
	Grant   string `json:"grant,omitempty"`
	Account string `json:"account,omitempty"` // if several accounts have a project of this name
	Region  string `json:"region,omitempty"`
	// Pause names one pause, as its notice did: no other one is ended.
	Pause string `json:"pause,omitempty"`
	Said
}

// all reports whether everything is meant.
func (r ResumeWhat) all() bool {
	r.Said = Said{}
	return r == ResumeWhat{}
}

// The short form of a command is a text in the place of the object: {"approve":"SHA256"}. It has no
// nested braces, of which it is not known whether a chat command may have them
// (AWS.md#chat-command). The buttons of a chat card send it, so it says that it comes from there.

// UnmarshalJSON implements [json.Unmarshaler].
func (p *PlanWhat) UnmarshalJSON(data []byte) error {
	type plain PlanWhat
	return either(data, &p.Plan, &p.Said, (*plain)(p))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (u *UndoWhat) UnmarshalJSON(data []byte) error {
	type plain UndoWhat
	return either(data, &u.Case, &u.Said, (*plain)(u))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *PauseWhat) UnmarshalJSON(data []byte) error {
	type plain PauseWhat
	return either(data, &p.Case, &p.Said, (*plain)(p))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (r *ResumeWhat) UnmarshalJSON(data []byte) error {
	type plain ResumeWhat
	err := either(data, &r.Pause, &r.Said, (*plain)(r))
	if err == nil && r.short && r.Pause == "" {
		return errors.New("resume: name the pause that ends, as its notice does") // "" must not mean everything
	}
	return err
}

// either reads a command's short form, which is the text alone, or the object with known fields.
func either(data []byte, text *string, said *Said, object any) error {
	if len(data) > 0 && data[0] == '"' {
		*said = Said{Via: decide.ViaChat, short: true}
		return json.Unmarshal(data, text)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(object)
}

// said is what the command says of its sender.
func (c Command) said() Said {
	switch {
	case c.Approve != nil:
		return c.Approve.Said
	case c.Reject != nil:
		return c.Reject.Said
	case c.Undo != nil:
		return c.Undo.Said
	case c.Replay != nil:
		return c.Replay.Said
	case c.Pause != nil:
		return c.Pause.Said
	case c.Resume != nil:
		return c.Resume.Said
	}
	return Said{}
}

// By is the command with what its carrier knows of the sender, whatever the command says: the
// invocation's id.
func (c Command) By(s decide.Sender) Command {
	c.carrier = s
	return c
}

// sender is who sent the command, as far as is known. At a desk that is whoever the credentials
// belong to.
func (h *Healer) sender(c Command) decide.Sender {
	said, s := c.said(), c.carrier
	if h.Self.Caller != "" {
		s = decide.Sender{By: h.Self.Caller, Via: decide.ViaDesk}
	}
	if s.By == "" {
		s.By = said.By
	}
	if s.Via == "" {
		s.Via = said.Via
	}
	s.By = clipped(redact.Text(clipped(s.By, 4*maxBy)), maxBy)
	if !slices.Contains(decide.Vias(), s.Via) {
		s.Via = ""
	}
	s.Request = clipped(s.Request, maxBy)
	return s
}

// asked is the command as the journal has it; ok is false for one that changes nothing by a
// person's will.
func (c Command) asked(s decide.Sender) (a decide.Asked, ok bool) {
	a.Sender = s
	switch {
	case c.Approve != nil:
		a.Verb, a.Plan = decide.Approve, c.Approve.Plan
	case c.Reject != nil:
		a.Verb, a.Plan = decide.Reject, c.Reject.Plan
	case c.Undo != nil:
		a.Verb, a.Case = decide.Undo, c.Undo.Case
	case c.Replay != nil:
		a.Verb, a.Build = decide.Replay, c.Replay.Build
	case c.Pause != nil:
		a.Verb, a.Case = decide.Pause, c.Pause.Case
	case c.Resume != nil:
		a.Verb, a.Project, a.Grant = decide.Resume, c.Resume.Project, c.Resume.Grant
	default:
		return a, false
	}
	return a, true
}

// clipped bounds a text of a command, and leaves out what does not print.
func clipped(by string, most int) string {
	by = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(by[:min(len(by), 4*most)], ""))
	return strings.ToValidUTF8(by[:min(len(by), most)], "")
}

// sentBy names the sender at the beginning of a sentence.
func sentBy(s decide.Sender) string {
	if s.By != "" {
		return s.By
	}
	who := s.Who()
	return strings.ToUpper(who[:1]) + who[1:]
}

// under names the request by which CloudTrail tells who it was.
func under(s decide.Sender) string {
	if s.Request == "" {
		return ""
	}
	return " (request " + s.Request + ")"
}

// because is why a person pauses everything. It says when, so that no two pauses are the same.
func (h *Healer) because(what PauseWhat, s decide.Sender) string {
	why := fmt.Sprintf("%s paused it%s at %s", sentBy(s), under(s), h.Clock.Now().UTC().Format(toTheSecond))
	if what.Case != "" {
		why += fmt.Sprintf(", because of case %s", clipped(what.Case, maxBy))
	}
	if what.Because != "" {
		return why + ": " + clipped(what.Because, maxBecause)
	}
	return why + "."
}

// toTheSecond is how sentences name a time that a person compares with others.
const toTheSecond = "2006-01-02 15:04:05 UTC"
