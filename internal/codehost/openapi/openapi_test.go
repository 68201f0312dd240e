package openapi

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestDescriptionJudges ensures that each kind of departure from GitHub's description is found.
func TestDescriptionJudges(t *testing.T) {
	d, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(d.From, "@octokit/openapi 23.0.2, MIT License") {
		t.Errorf("the description is from %q", d.From)
	}
	const path = "/repos/example/shop/issues/7/comments"
	for _, row := range []struct {
		e    simaws.Exchange
		want string
	}{
		{simaws.Exchange{Method: "POST", Path: "/repos/a/b/statuses/1", Request: []byte(`{"state":"red"}`),
			Status: 404, Response: []byte("{}")},
			"is red, none of"},
		{simaws.Exchange{Method: "POST", Path: "/repos/a/b/statuses/1", Request: []byte(`{"context":"x"}`),
			Status: 404, Response: []byte("{}")},
			"lacks state"},
		{simaws.Exchange{Method: "POST", Path: "/repos/a/b/statuses/1",
			Request: []byte(`{"state":"success","titel":""}`), Status: 404,
			Response: []byte("{}")}, "has titel, which nothing describes"},
		{simaws.Exchange{Method: "POST", Path: path, Request: []byte(`{"body":null}`), Status: 404,
			Response: []byte("{}")}, "body is null"},
		{simaws.Exchange{Method: "POST", Path: path, Request: []byte(`{"body":"x"}`), Status: 201,
			Response: []byte("{}")}, "lacks id"},
		{simaws.Exchange{Method: "POST", Path: path, Request: []byte(`{"body":"x"}`), Status: 200,
			Response: []byte("{}")}, "does not answer 200"},
		{simaws.Exchange{Method: "GET", Path: path, Status: 200, Response: []byte("{}")},
			"is of type object, not array"},
		{simaws.Exchange{Method: "GET", Path: path, Request: []byte("{}"), Status: 200, Response: []byte("[]")},
			"takes no body"},
		{simaws.Exchange{Method: "DELETE", Path: path}, "is described nowhere"},
		{simaws.Exchange{Method: "GET", Path: "/users"}, "is described nowhere"},
	} {
		if got := strings.Join(Check([]simaws.Exchange{row.e}), "\n"); !strings.Contains(got, row.want) {
			t.Errorf("%s %s %s: found %q, want %q", row.e.Method, row.e.Path, row.e.Request, got, row.want)
		}
	}
	if got := Check([]simaws.Exchange{{Method: "GET", Path: path + "?page=1", Status: 200,
		Response: []byte("[]")}}); got != nil {
		t.Errorf("a good one: %q", got)
	}
}
