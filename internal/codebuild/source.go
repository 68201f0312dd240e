package codebuild

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

var (
	// sourceHost and sourcePath are what certainly names a repository. The location is the
	// project's, or of whoever started the build.
	sourceHost = lazyregexp.New(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?$`)
	sourcePath = lazyregexp.New(`^[\w.-]{1,100}(/[\w.-]{1,100}){1,5}$`)
	pullNumber = lazyregexp.New(`^(?:pr/|refs/pull/)([1-9][0-9]{0,8})(?:/head|/merge)?(?:\^\{[0-9a-f]{40}\})?$`)
)

// RepositoryAt names the repository of a source's location as HOST/PATH, such as
// github.com/example/shop: without a user's name or a token, which a location may hold, and
// without .git. It is "" for whatever is no plain https address of a repository.
func RepositoryAt(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return ""
	}
	host, path := strings.ToLower(u.Host), strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git")
	if !sourceHost.MatchString(host) || !sourcePath.MatchString(path) || strings.Contains("/"+path+"/", "/../") ||
		strings.Contains("/"+path+"/", "/./") {
		return ""
	}
	return host + "/" + path
}

// PullRequest is the number of the pull request at GitHub that the build was asked for
// (AWS.md#source-version); 0 if it was another thing.
func (b Build) PullRequest() int {
	m := pullNumber.FindStringSubmatch(b.SourceVersion)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1]) // 9 digits
	return n
}
