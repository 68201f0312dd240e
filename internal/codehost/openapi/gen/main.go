// Command gen cuts the operations that package codehost uses out of GitHub's own OpenAPI
// description, into the schemas by which the tests judge each request and each answer.
//
//	npm pack @octokit/openapi@VERSION, unpack it, and in internal/codehost/openapi:
//	go run ./gen package/generated/api.github.com.json > github.json
package main

import (
	"encoding/json"
	"log"
	"os"
	"slices"
	"strings"
)

// operations are those that are used, by path and method.
var operations = [][2]string{
	{"/repos/{owner}/{repo}/statuses/{sha}", "post"},
	{"/repos/{owner}/{repo}/issues/{issue_number}/comments", "get"},
	{"/repos/{owner}/{repo}/issues/{issue_number}/comments", "post"},
	{"/repos/{owner}/{repo}/issues/comments/{comment_id}", "patch"},
	{"/repos/{owner}/{repo}/installation", "get"},
	{"/app/installations/{installation_id}/access_tokens", "post"},
	{"/user", "get"},
	{"/repos/{owner}/{repo}", "get"},
	{"/repos/{owner}/{repo}/git/ref/{ref}", "get"},
	{"/repos/{owner}/{repo}/git/refs", "post"},
	{"/repos/{owner}/{repo}/git/refs/{ref}", "patch"},
	{"/repos/{owner}/{repo}/git/commits/{commit_sha}", "get"},
	{"/repos/{owner}/{repo}/git/commits", "post"},
	{"/repos/{owner}/{repo}/git/trees/{tree_sha}", "get"},
	{"/repos/{owner}/{repo}/git/trees", "post"},
	{"/repos/{owner}/{repo}/git/blobs/{file_sha}", "get"},
	{"/repos/{owner}/{repo}/pulls", "get"},
	{"/repos/{owner}/{repo}/pulls", "post"},
	{"/repos/{owner}/{repo}/pulls/{pull_number}", "patch"},
	{"/repos/{owner}/{repo}/actions/runs", "get"},
	{"/repos/{owner}/{repo}/actions/runs/{run_id}", "get"},
	{"/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs", "get"},
	{"/repos/{owner}/{repo}/actions/jobs/{job_id}/rerun", "post"},
}

// said are keys that only explain.
var said = []string{"description", "title", "summary", "example", "examples", "externalDocs", "x-github",
	"x-githubEnterpriseOnly",
	"x-multi-segment", "x-octokit", "deprecated", "tags", "headers", "links", "parameters", "operationId"}

type cutter struct {
	whole map[string]any
	need  map[string]bool // components that are referred to
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("gen: name the file api.github.com.json of @octokit/openapi")
	}
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatalf("gen: %v", err)
	}
	c := cutter{need: map[string]bool{}}
	if err := json.Unmarshal(data, &c.whole); err != nil {
		log.Fatalf("gen: %v", err)
	}
	paths := map[string]map[string]any{}
	for _, o := range operations {
		op, ok := c.at("paths", o[0], o[1]).(map[string]any)
		if !ok {
			log.Fatalf("gen: there is no %s %s", o[1], o[0])
		}
		if paths[o[0]] == nil {
			paths[o[0]] = map[string]any{}
		}
		cut := map[string]any{"responses": c.clean(op["responses"])}
		if body, ok := op["requestBody"]; ok {
			cut["requestBody"] = c.clean(body)
		}
		paths[o[0]][o[1]] = cut
	}
	components := map[string]any{}
	for len(c.need) > 0 {
		for ref := range c.need {
			delete(c.need, ref)
			if _, done := components[ref]; !done {
				components[ref] = c.clean(c.at(append([]string{"components"}, strings.Split(ref, "/")...)...))
			}
		}
	}
	info := c.whole["info"].(map[string]any)
	out, err := json.Marshal(map[string]any{
		"from":    "@octokit/openapi " + info["version"].(string) + ", MIT License, Copyright (c) 2020 Octokit contributors",
		"openapi": c.whole["openapi"], "paths": paths, "components": components})
	if err != nil {
		log.Fatalf("gen: %v", err)
	}
	os.Stdout.Write(append(out, '\n'))
}

func (c cutter) at(keys ...string) any {
	var v any = c.whole
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

// clean takes out what only explains, and notes what is referred to.
func (c cutter) clean(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, sub := range v {
			_, text := sub.(string)
			if slices.Contains(said, k) && (text || k != "title" && k != "description" && k != "summary" &&
				k != "parameters" && k != "links") {
				continue // a property may have such a name
			}
			if ref, ok := sub.(string); ok && k == "$ref" {
				ref = strings.TrimPrefix(ref, "#/components/")
				c.need[ref] = true
				sub = ref
			}
			out[k] = c.clean(sub)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = c.clean(v[i])
		}
		return out
	}
	return v
}
