package codebuild

import "testing"

// TestRepositoryAt ensures that a repository is named by its host and path alone: never by a text
// that may be another place, and never with the credentials that a location may hold.
func TestRepositoryAt(t *testing.T) {
	for location, want := range map[string]string{
		"https://github.com/example/shop.git":                  "github.com/example/shop",
		"https://GitHub.com/Example/Shop/":                     "github.com/Example/Shop",
		"https://me:s3cret@github.com/example/shop":            "github.com/example/shop",
		"https://github.example.com:8443/example/shop":         "github.example.com:8443/example/shop",
		"https://gitlab.com/group/sub/shop.git":                "gitlab.com/group/sub/shop",
		"http://github.com/example/shop":                       "",
		"git@github.com:example/shop.git":                      "",
		"https://github.com/example":                           "",
		"https://github.com/example/../admin":                  "",
		"https://github.com/example/./shop":                    "",
		"https://github.com/example/shop?ref=x":                "",
		"https://github.com/example/shop#x":                    "",
		"https://github.com@evil.example/example/shop":         "evil.example/example/shop",
		"https://github.com/example/shop%2f..%2f..%2fadmin/x":  "",
		"https://github.com/example/shop\nHost: evil.example/": "",
		"bucket/source.zip":                                    "",
		"":                                                     "",
	} {
		if got := RepositoryAt(location); got != want {
			t.Errorf("%q is %q, want %q", location, got, want)
		}
	}
}

// TestPullRequest ensures that only what is certainly a pull request's name gives its number.
func TestPullRequest(t *testing.T) {
	for version, want := range map[string]int{
		"pr/7": 7, "refs/pull/12/head": 12, "refs/pull/12/merge": 12,
		"pr/7^{2f1c0de9c1c7f1d8b7a8f5f9b2a1c3d4e5f60718}": 7,
		"pr/0": 0, "pr/07": 0, "pr/-1": 0, "pr/7/../8": 0, "pr/7 8": 0, "pr/9999999999": 0, "pr/": 0, "prod/7": 0,
		"refs/heads/pr/7": 0, "main": 0, "": 0,
	} {
		if got := (Build{SourceVersion: version}).PullRequest(); got != want {
			t.Errorf("%q is %d, want %d", version, got, want)
		}
	}
}
