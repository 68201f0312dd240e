package compare

import (
	"net/url"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// The parts of a link. They come from the build's record, and only what is certainly a name may
// become a part of a link that people follow.
var (
	hostForm   = lazyregexp.New(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:\d{1,5})?$`)
	repoForm   = lazyregexp.New(`^[\w.-]+(/[\w.-]+){1,20}$`)
	nameForm   = lazyregexp.New(`^[\w.-]{1,100}$`)
	commitForm = lazyregexp.New(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
)

// Link is the page of the source's host that shows what came between two commits
// (AWS.md#commits-between-two-builds); "" where there is none: for other sources, and for anything
// but two whole commit ids.
func Link(b codebuild.Build, location, from, to string) string {
	if !commitForm.MatchString(from) || !commitForm.MatchString(to) || from == to {
		return ""
	}
	u, err := url.Parse(location)
	if err != nil || u.Scheme != "https" {
		return ""
	}
	host, repo := strings.ToLower(u.Host), strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git")
	if !hostForm.MatchString(host) {
		return ""
	}
	if b.SourceType == "CODECOMMIT" {
		return codecommit(b, repo, from, to)
	}
	if !repoForm.MatchString(repo) || strings.Contains("/"+repo+"/", "/../") || strings.Contains("/"+repo+"/", "/./") {
		return ""
	}
	page := "https://" + host + "/" + repo
	switch b.SourceType {
	case "GITHUB":
		return only(host, "github.com", page+"/compare/"+from+"..."+to)
	case "GITHUB_ENTERPRISE":
		return page + "/compare/" + from + "..." + to
	case "GITLAB":
		return only(host, "gitlab.com", page+"/-/compare/"+from+"..."+to)
	case "GITLAB_SELF_MANAGED":
		return page + "/-/compare/" + from + "..." + to
	case "BITBUCKET": // the newer one first
		return only(host, "bitbucket.org", page+"/branches/compare/"+to+".."+from)
	}
	return ""
}

// IsLink reports whether the page is one that [Link] makes for the build, of some repository at a
// host of its kind of source. Whoever shows a link that was stored asks this first.
func IsLink(b codebuild.Build, from, page string) bool {
	to, location := b.ResolvedSourceVersion, page
	name, commits, ok := strings.Cut(strings.TrimPrefix(page, codecommitPages), "/compare/")
	if b.SourceType == "CODECOMMIT" {
		if !ok || commits == "" {
			return false
		}
		location = "https://git-codecommit/v1/repos/" + name
	}
	for _, end := range []string{
		"/-/compare/" + from + "..." + to, "/branches/compare/" + to + ".." + from, "/compare/" + from + "..." + to,
	} {
		location = strings.TrimSuffix(location, end)
	}
	return page != "" && Link(b, location, from, to) == page
}

// codecommitPages begin the pages of CodeCommit's repositories.
const codecommitPages = "https://console.aws.amazon.com/codesuite/codecommit/repositories/"

func only(host, want, link string) string {
	if host != want {
		return ""
	}
	return link
}

// codecommit is the console's page of a repository whose address is
// https://git-codecommit.REGION.amazonaws.com/v1/repos/NAME.
func codecommit(b codebuild.Build, path, from, to string) string {
	name, ok := strings.CutPrefix(path, "v1/repos/")
	at := b.At()
	if !ok || !nameForm.MatchString(name) || at.Partition != "aws" || at.Region == "" {
		return ""
	}
	return codecommitPages + name + "/compare/" + from + "/.../" + to +
		"?region=" + url.QueryEscape(at.Region)
}

// location is a source's address without the user's name or password that may stand in it.
func location(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "" // nobody knows what stands in it
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
