package buildlog

import (
	"bytes"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// Authorization is where AWS keeps the details of a denied request: IAM Access Troubleshooter's ID
// of it, and the region that has it (AWS.md#authorization-ids).
type Authorization struct {
	ID     string `json:"id"`
	Region string `json:"region"`
}

// AWS puts it behind its sentence, as a link and once more in words. Here as in flat.
const (
	linkWords    = "gotohttps://"
	detailsWords = "#/authorization-details/"
	betweenWords = "forcompletedetails"
	againWords   = "orcallthegetrequestauthorizationdetailsapiwiththefollowingauthorizationid:"

	maxLink            = 300 // of the part before the ID, in characters of flat
	maxAuthorizationID = 256
)

// authorization reads what follows a sentence that ends at flat[i]. The ID must stand there twice and
// be the same, and the link's region must be of the partition. The link's host is not looked at.
func (p *page) authorization(i int, partition string) (a Authorization) {
	i, ok := cut(p.flat, p.skipFlat(i, "."), linkWords)
	if !ok {
		return a
	}
	n := bytes.Index(p.flat[i:min(len(p.flat), i+maxLink)], []byte(detailsWords))
	if n < 0 {
		return a
	}
	link := p.unbroken(i, i+n)
	i += n + len(detailsWords)
	n = bytes.Index(p.flat[i:min(len(p.flat), i+maxAuthorizationID+len(betweenWords))], []byte(betweenWords))
	if n < 0 {
		return a
	}
	id := p.unbroken(i, i+n)
	again, ok := cut(p.flat, p.skipFlat(i+n+len(betweenWords), ","), againWords) // a row may have begun with the comma
	if !ok || !isAuthorizationID(id) || again+n >= len(p.at) || p.unbroken(again, again+n) != id || p.wordGoesOn(again+n) {
		return a
	}
	_, query, _ := strings.Cut(link, "?")
	for v := range strings.SplitSeq(query, "&") {
		if region, ok := strings.CutPrefix(v, "region="); ok && codebuild.PartitionOf(region) == partition {
			return Authorization{ID: id, Region: region}
		}
	}
	return a
}

// unbroken is the text of flat[from:to], whose rows a tool may have broken; "" if it holds white space
// besides.
func (p *page) unbroken(from, to int) string {
	if to <= from {
		return ""
	}
	s, spaces := p.joined(int(p.at[from]), int(p.at[to-1])+1)
	if spaces {
		return ""
	}
	return s
}

// wordGoesOn reports whether the word before flat[i] goes on there.
func (p *page) wordGoesOn(i int) bool {
	t := int(p.at[i-1]) + 1
	return t < len(p.text) && (letter(p.text[t]) || digit(p.text[t]) || p.text[t] == '*')
}

func isAuthorizationID(id string) bool {
	return id != "" && len(id) <= maxAuthorizationID && strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyz") == ""
}
