package codehost

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/redact"
)

// Secrets reads a secret by its name or ARN. A [heal.FaultError] says what a person must mend first.
type Secrets interface {
	Secret(ctx context.Context, id string) (string, error)
}

// Credentials are those of a GitHub App, or a token, that a secret holds. They are read when they
// are needed first, and again after [secretFor]. They go to one host. Whoever makes a call asks for
// a token for one repository and one permission; of an App, that token can do no more.
type Credentials struct {
	Host    string // as in the settings
	Secret  string // name or ARN
	Kind    string // what Secret names, for people; "": a secret
	Secrets Secrets
	Clock   heal.Clock
	// Place is where they are, for people; "": in the secret.
	Place string

	mu     sync.Mutex
	held   secret
	read   time.Time
	tokens map[string]appToken // of an App, by repository and permission
	self   identity
	hidden []string // what must be in no error: everything that was secret so far
}

// How long credentials are kept.
const (
	// secretFor is how long after a secret was replaced its old value may be used.
	secretFor = 10 * time.Minute
	// beforeEnd is how long before its end a token is no longer used.
	beforeEnd = 5 * time.Minute
	// signedFor is how long a signature of the App holds (AWS.md#github).
	signedFor = 9 * time.Minute
	maxTokens = 200
)

// secret is what a secret holds: a token, or an App.
type secret struct {
	token string
	app   string
	key   *rsa.PrivateKey
}

// appToken is a token of an App's installation.
type appToken struct {
	token string
	until time.Time
}

// identity is by what GitHub names the author of what the credentials wrote: a user, or an App.
type identity struct{ user, app int64 }

func (i identity) known() bool { return i != identity{} }

// fault is an error for a person to act on.
func (c *Credentials) fault(format string, args ...any) error {
	return heal.FaultError{Says: c.hide(fmt.Sprintf(format, args...))}
}

func (c *Credentials) place() string {
	if c.Place != "" {
		return c.Place
	}
	return "in " + c.holder()
}

// holder is what holds them.
func (c *Credentials) holder() string { return cmp.Or(c.Kind, "secret") + " " + c.Secret }

func (c *Credentials) api() string { return APIOf(c.Host) }

// hide takes out of a text what was ever secret, and what looks so.
func (c *Credentials) hide(s string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.hidden {
		s = strings.ReplaceAll(s, h, redact.Mark)
	}
	return redact.Text(s)
}

// remember makes sure that values are in no error. c.mu is held.
func (c *Credentials) remember(values ...string) {
	for _, v := range values {
		if len(v) >= 8 {
			c.hidden = append(c.hidden, v)
		}
	}
	if over := len(c.hidden) - 2*maxTokens; over > 0 {
		c.hidden = append([]string(nil), c.hidden[over:]...)
	}
}

// token gives a token for the repository that has the permission.
func (c *Credentials) token(ctx context.Context, g *GitHub, owner, name string, need Need) (string, error) {
	s, err := c.current(ctx)
	if err != nil || s.token != "" {
		return s.token, err
	}
	place := owner + "/" + name + " " + need.Name
	c.mu.Lock()
	t, ok := c.tokens[place]
	c.mu.Unlock()
	if ok && c.Clock.Now().Before(t.until) {
		return t.token, nil
	}
	if t, err = c.install(ctx, g, s, owner, name, need); err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.tokens) >= maxTokens || c.tokens == nil {
		c.tokens = map[string]appToken{}
	}
	c.tokens[place] = t
	c.remember(t.token)
	return t.token, nil
}

// renewed gives another token in the place of one that GitHub does not accept, from the secret as it
// is now. It gives errUnknownToken if that is the same.
func (c *Credentials) renewed(ctx context.Context, g *GitHub, owner, name string, need Need, was string) (string,
	error) {
	c.mu.Lock()
	c.read, c.tokens, c.self = time.Time{}, nil, identity{}
	c.mu.Unlock()
	t, err := c.token(ctx, g, owner, name, need)
	if err == nil && t == was {
		return "", errUnknownToken
	}
	return t, err
}

// current reads the secret, unless it was read a short while ago.
func (c *Credentials) current(ctx context.Context) (secret, error) {
	c.mu.Lock()
	held, fresh := c.held, !c.read.IsZero() && c.Clock.Now().Sub(c.read) < secretFor
	c.mu.Unlock()
	if fresh {
		return held, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	text, err := c.Secrets.Secret(ctx, c.Secret)
	if err != nil {
		return secret{}, c.unread(err)
	}
	s, err := parseSecret(text)
	if err != nil {
		return secret{}, c.fault("%s is not as it should be: %v", c.holder(), err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.token != held.token || s.app != held.app {
		c.tokens, c.self = nil, identity{}
	}
	c.held, c.read = s, c.Clock.Now()
	c.remember(text, s.token)
	return s, nil
}

// unread says why the secret could not be read, and what to do.
func (c *Credentials) unread(err error) error {
	var fault heal.FaultError
	var denied heal.DeniedError
	switch {
	case errors.As(err, &fault):
		return c.fault("%v", fault)
	case errors.As(err, &denied) && strings.HasPrefix(denied.Action, "kms:"):
		return c.fault("%s cannot be read: %v: %s; the policy of its key must allow that to the function's role", c.holder(),
			heal.ErrDenied, denied.Action)
	case errors.As(err, &denied) && denied.Action != "":
		return c.fault("%s cannot be read: %v", c.holder(), denied)
	case errors.As(err, &denied):
		return c.fault("%s cannot be read: %v. A key of yours must let the function's role decrypt with it", c.holder(), denied)
	case errors.Is(err, heal.ErrNotFound):
		return c.fault("there is no %s in this account and region; make it, or write its ARN into the settings", c.holder())
	case errors.Is(err, heal.ErrFinal):
		return c.fault("%s cannot be read: %v; restore it, or mend its key", c.holder(), err)
	}
	return fmt.Errorf("%w: reading %s: %s", heal.ErrLater, c.holder(), c.hide(err.Error()))
}

// maxSecret is the most bytes of a secret's text: as many as a parameter holds (AWS.md#parameters).
const maxSecret = 8 << 10

var (
	tokenText = lazyregexp.New(`^[\x21-\x7e]{20,}$`)
	appForm   = lazyregexp.New(`^(?:[0-9]{1,12}|Iv[\w.]{10,40})$`)
)

// isToken reports whether a text may be a token. GitHub fixes no form of them (AWS.md#github).
func isToken(s string) bool { return len(s) <= 4096 && tokenText.MatchString(s) }

const secretForms = "store JSON with the keys app_id and private_key for a GitHub App, or with the key token"

// parseSecret reads a secret's text. No error repeats anything of it.
func parseSecret(text string) (secret, error) {
	if text = strings.TrimSpace(text); len(text) > maxSecret {
		return secret{}, fmt.Errorf("it has more than %d bytes; %s", maxSecret, secretForms)
	}
	if !strings.HasPrefix(text, "{") {
		if isToken(text) {
			return secret{token: text}, nil
		}
		return secret{}, errors.New(secretForms)
	}
	var f struct {
		Token      string      `json:"token"`
		App        json.Number `json:"app_id"`
		Client     string      `json:"client_id"`
		PrivateKey string      `json:"private_key"`
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return secret{}, errors.New("it is no JSON of this form; " + secretForms)
	}
	app := f.App.String()
	if app == "" {
		app = f.Client
	}
	switch {
	case f.Token != "" && app == "" && f.PrivateKey == "":
		if !isToken(f.Token) {
			return secret{}, errors.New("its token has spaces in it, or is too short to be one")
		}
		return secret{token: f.Token}, nil
	case f.Token != "":
		return secret{}, errors.New("it holds a token and an App; keep one of them")
	case app == "" || f.PrivateKey == "":
		return secret{}, errors.New(secretForms)
	case !appForm.MatchString(app):
		return secret{}, errors.New("app_id is no App's id: a number, or its client id")
	}
	key, err := parseKey(f.PrivateKey)
	return secret{app: app, key: key}, err
}

// parseKey reads an App's private key, as GitHub gives it, or as PKCS #8.
func parseKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("private_key is no PEM file; store the file's whole text, its line breaks as \\n")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if key, ok := key.(*rsa.PrivateKey); ok {
			return key, nil
		}
	}
	return nil, errors.New("private_key is not the RSA key of a GitHub App")
}

// sign makes the JSON web token by which the App signs in.
func (s secret) sign(now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{"iat": now.Add(-time.Minute).Unix(),
		"exp": now.Add(signedFor).Unix(), "iss": s.app})
	if err != nil {
		return "", err
	}
	enc := base64.RawURLEncoding
	text := enc.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return text + "." + enc.EncodeToString(signature), nil
}

// install gets a token of the App's installation: for the repository and the permission alone.
func (c *Credentials) install(ctx context.Context, g *GitHub, s secret, owner, name string, need Need) (appToken,
	error) {
	jwt, err := s.sign(c.Clock.Now())
	if err != nil {
		return appToken{}, c.fault("the private key %s cannot sign", c.place())
	}
	c.mu.Lock()
	c.remember(jwt)
	c.mu.Unlock()
	repository := owner + "/" + name
	var in struct {
		ID  int64 `json:"id"`
		App int64 `json:"app_id"`
	}
	err = g.send(ctx, call{http.MethodGet, "/repos/" + repository + "/installation", nil, repository, need}, jwt, &in)
	if errors.Is(err, heal.ErrNotFound) {
		return appToken{},
			c.fault("the GitHub App %s is not installed in repository %s; install it there, with the permission %s",
				c.place(), repository, need.Words)
	}
	if err != nil {
		return appToken{}, err
	}
	if in.ID <= 0 || in.App <= 0 {
		return appToken{}, fmt.Errorf("%w: GitHub's answer cannot be read", heal.ErrFinal)
	}
	permissions := map[string]string{}
	for p := range strings.FieldsSeq(need.Name) {
		permissions[p] = "write"
	}
	body := map[string]any{"repositories": []string{name}, "permissions": permissions}
	var got struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expires_at"`
	}
	err = g.send(ctx, call{http.MethodPost, fmt.Sprintf("/app/installations/%d/access_tokens", in.ID), body,
		repository, need}, jwt, &got)
	if errors.Is(err, heal.ErrFinal) { // 422: the installation does not have the permission
		return appToken{},
			c.fault("the GitHub App %s gets no token for repository %s: it needs the permission %s, and its "+
				"owner's consent to it", c.place(), repository, need.Words)
	}
	if err != nil {
		return appToken{}, err
	}
	if !isToken(got.Token) {
		return appToken{}, fmt.Errorf("%w: GitHub's answer cannot be read", heal.ErrFinal)
	}
	c.mu.Lock()
	c.self = identity{app: in.App}
	c.mu.Unlock()
	return appToken{got.Token, got.Expires.Add(-beforeEnd)}, nil
}

// who is the author of what the credentials write.
func (c *Credentials) who(ctx context.Context, g *GitHub, repository string, need Need) (self identity, err error) {
	err = g.signedIn(ctx, repository, need, func(token string) error { // of an App, signing in tells
		c.mu.Lock()
		self = c.self
		c.mu.Unlock()
		if self.known() {
			return nil
		}
		var user struct {
			ID int64 `json:"id"`
		}
		if err := g.send(ctx, call{http.MethodGet, "/user", nil, repository, need}, token, &user); err != nil {
			return err
		}
		if user.ID <= 0 {
			return fmt.Errorf("%w: GitHub's answer cannot be read", heal.ErrFinal)
		}
		self = identity{user: user.ID}
		c.mu.Lock()
		c.self = self
		c.mu.Unlock()
		return nil
	})
	return self, err
}
