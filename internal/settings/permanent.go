package settings

import (
	"fmt"
	"slices"
	"strings"
)

// PolicyCode is the file in which pull requests ask for what the role is given for which the project
// stands: in place of a change in IAM, or to make one permanent.
func (p Project) PolicyCode() PolicyCode {
	if p.Write.Code.Set() {
		return p.Write.Code
	}
	return p.Permanent
}

// Ending are the grants of the role for which the project stands that give something for a time only, so
// that a change which they make is never made permanent.
func (s *Settings) Ending(p Project) (ids []string) {
	for _, id := range p.Grants {
		if g, ok := s.Grant(id); ok && g.Expires > 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// permanent reads where what is written is asked for, so that it need not stay. A project to which
// nothing is written may take it from the defaults.
func (o object) permanent(w Write) PolicyCode {
	if !o.has("permanent") {
		return PolicyCode{}
	}
	c := o.child("permanent").policyCode()
	switch {
	case w == Write{}:
		return PolicyCode{}
	case w.Code.Set() && c.Set():
		o.problem("permanent", "what write: {code: …} asks for is permanent already; remove permanent, or write permanent: {} "+
			"at a project that would have it from the defaults")
	}
	return c
}

// sharedFiles tells of files that several roles' policies are deployed from: each role has what is asked
// for another one. A managed policy is one, however many roles it is on.
func sharedFiles(s *Settings) (list []Problem) {
	type file struct {
		Problem
		owned []string
	}
	var files []*file
	known := map[string]*file{}
	for i, p := range s.Projects {
		for j, r := range p.Roles() {
			code := r.PolicyCode()
			if !code.Set() {
				continue
			}
			at := Problem{Line: p.Line, Path: fmt.Sprintf("projects[%d].", i)}
			if j > 0 {
				at = Problem{Line: p.AlsoRoles[j-1].Line, Path: fmt.Sprintf("projects[%d].also_roles[%d].", i, j-1)}
			}
			key, owned := "permanent.code", "role "+baseName(r.Role)
			if r.Write.Code.Set() {
				key = "write.code"
			}
			if r.Write.Managed != "" {
				owned = "policy " + baseName(r.Write.Managed)
			}
			if r.Account != "" {
				owned += " of account " + r.Account
			}
			which := s.FileOf(code) + "\x00" + code.Base
			if code.CodeCommit != "" {
				which += "\x00" + r.Account + "\x00" + r.Region
			}
			f, ok := known[which]
			if !ok {
				at.Path += key
				at.Message = s.FileOf(code)
				f = &file{Problem: at}
				known[which], files = f, append(files, f)
			}
			if !slices.ContainsFunc(f.owned, func(o string) bool { return strings.EqualFold(o, owned) }) {
				f.owned = append(f.owned, owned)
			}
		}
	}
	for _, f := range files {
		if len(f.owned) > 1 {
			f.Message = fmt.Sprintf("%s is the file of %s: each has what is asked for another one; name a file for each, where "+
				"that is not meant", f.Message, brief(f.owned))
			list = append(list, f.Problem)
		}
	}
	return list
}
