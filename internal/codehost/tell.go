package codehost

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/notice"
)

// repositoryOf is OWNER/NAME of a repository on this host. One of another host is refused: it would
// get these credentials.
func (g *GitHub) repositoryOf(t decide.Telling) (string, error) {
	name, ok := strings.CutPrefix(t.Repository, g.Credentials.Host+"/")
	if !ok || strings.Count(name, "/") != 1 {
		return "", fmt.Errorf("%w: repository %q is not on %s", heal.ErrFinal, t.Repository, g.Credentials.Host)
	}
	return name, nil
}

// Status implements [heal.CodeHost].
func (g *GitHub) Status(ctx context.Context, t decide.Telling) error {
	repository, err := g.repositoryOf(t)
	if err != nil {
		return err
	}
	s := notice.StatusOf(t, g.Home)
	body := map[string]string{"state": s.State, "context": s.Context, "description": s.Description}
	if s.URL != "" {
		body["target_url"] = s.URL
	}
	return g.do(ctx, call{http.MethodPost, "/repos/" + repository + "/statuses/" + t.Commit, body, repository,
		writeStatuses}, nil)
}

// comment is a comment on a pull request.
type comment struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
	User *struct {
		ID int64 `json:"id"`
	} `json:"user"`
	App *struct {
		ID int64 `json:"id"`
	} `json:"performed_via_github_app"`
}

// of reports whether the comment is Buildmedic's: by its marker, and by its author. Anybody can
// write the marker.
func (c comment) of(self identity) bool {
	if !strings.HasPrefix(c.Body, notice.CommentMarker) {
		return false
	}
	if self.app != 0 {
		return c.App != nil && c.App.ID == self.app
	}
	return c.User != nil && c.User.ID == self.user && c.App == nil
}

// Comment implements [heal.CodeHost].
func (g *GitHub) Comment(ctx context.Context, ts []decide.Telling, id int64) (int64, error) {
	t := ts[len(ts)-1]
	repository, err := g.repositoryOf(t)
	if err != nil {
		return 0, err
	}
	body := map[string]string{"body": notice.CommentOf(ts, g.Home)}
	for range 2 {
		if id == 0 {
			if id, err = g.find(ctx, repository, t.PullRequest); err != nil {
				return 0, err
			}
		}
		if id == 0 {
			var made comment
			err := g.do(ctx, call{http.MethodPost, comments(repository, t.PullRequest), body, repository,
				writeComments}, &made)
			if err == nil && made.ID <= 0 {
				err = fmt.Errorf("%w: GitHub's answer cannot be read", heal.ErrFinal)
			}
			return made.ID, err
		}
		err = g.do(ctx, call{http.MethodPatch, fmt.Sprintf("/repos/%s/issues/comments/%d", repository, id), body,
			repository, writeComments}, nil)
		if !errors.Is(err, heal.ErrNotFound) {
			return id, err
		}
		id = 0 // somebody has deleted it
	}
	return 0, err
}

func comments(repository string, pull int) string {
	return fmt.Sprintf("/repos/%s/issues/%d/comments", repository, pull)
}

// How far a pull request's comments are read.
const (
	commentPage  = 30
	commentPages = 10
)

// find finds Buildmedic's comment; 0 if there is none. Where there are more comments than it reads,
// it gives an error, since a second comment must not be made.
func (g *GitHub) find(ctx context.Context, repository string, pull int) (int64, error) {
	self, err := g.Credentials.who(ctx, g, repository, writeComments)
	if err != nil {
		return 0, err
	}
	for page := 1; page <= commentPages; page++ {
		var list []comment
		path := fmt.Sprintf("%s?per_page=%d&page=%d", comments(repository, pull), commentPage, page)
		if err := g.do(ctx, call{http.MethodGet, path, nil, repository, writeComments}, &list); err != nil {
			return 0, err
		}
		for _, c := range list {
			if c.of(self) && c.ID > 0 {
				return c.ID, nil
			}
		}
		if len(list) < commentPage {
			return 0, nil
		}
	}
	return 0, fmt.Errorf("%w: pull request %d of %s has more than %d comments, and Buildmedic's is not among the first",
		heal.ErrFinal, pull, repository, commentPages*commentPage)
}
