package access

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Limits of getting a token.
const (
	tokenTimeout = 30 * time.Second
	maxToken     = 1 << 20          // bytes of an answer
	early        = 10 * time.Second // a token is renewed so long before its end
)

// token is a token of OAuth 2.0 that is got when the first request needs it, and again when it ends or is refused.
type token struct {
	at     place
	url    string
	form   url.Values
	client [2]string // id and secret, for the head of the request; empty: they stand in the form
	o      Options

	mu   sync.Mutex
	text string // empty: there is none
	kind string // such as Bearer
	ends time.Time
}

// grant is the recipe for a grant type.
func grant(kind string) func(material) (entry, error) {
	return func(m material) (entry, error) {
		t := &token{at: m.place(), o: m.o, form: url.Values{"grant_type": {kind}}}
		var err error
		if t.url, err = tokenURL(m.o.Base, m.spec.TokenURL); err != nil {
			return nil, err
		}
		secrets := map[string]string{}
		for name, reference := range map[string]string{"client_secret": m.spec.Secret, "password": m.spec.Password, "refresh_token": m.spec.Token} {
			if reference == "" {
				continue
			}
			if secrets[name], err = m.secret(reference); err != nil {
				return nil, err
			}
		}
		for name, value := range map[string]string{
			"username": m.spec.User, "password": secrets["password"], "refresh_token": secrets["refresh_token"], "scope": m.spec.Scope, "audience": m.spec.Audience,
		} {
			if value != "" {
				t.form.Set(name, value)
			}
		}
		switch {
		case m.spec.ID == "":
		case m.spec.InBody:
			t.form.Set("client_id", m.spec.ID)
			t.form.Set("client_secret", secrets["client_secret"])
		default:
			t.client = [2]string{m.spec.ID, secrets["client_secret"]}
		}
		return t, nil
	}
}

// tokenURL is where tokens are got: a URL of its own, or a path of the target.
func tokenURL(base, text string) (string, error) {
	if strings.HasPrefix(text, "/") {
		if base == "" {
			return "", fmt.Errorf("token-url %s is a path, and the target has no URL", text)
		}
		return strings.TrimSuffix(base, "/") + text, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("token-url %q is neither a URL nor a path of the target", text)
	}
	return text, nil
}

func (t *token) enter(ctx context.Context, m *harness.Message, _ moment) error {
	if t.at.read(*m) == "" {
		return nil
	}
	kind, text, err := t.current(ctx)
	if err != nil {
		return err
	}
	return t.at.replace(m, func(was string) string {
		if front := schemeOf(was); front != "" {
			return front + text
		}
		if strings.EqualFold(t.at.head, "Authorization") {
			return kind + " " + text
		}
		return text
	})
}

// current is the token to use now.
func (t *token) current(ctx context.Context) (kind, text string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.text == "" || !t.ends.IsZero() && !t.o.Now().Before(t.ends.Add(-early)) {
		if err := t.get(ctx); err != nil {
			return "", "", err
		}
	}
	return t.kind, t.text, nil
}

func (t *token) used(m harness.Message) string {
	value := t.at.read(m)
	return strings.TrimPrefix(value, schemeOf(value))
}

func (t *token) renew(used string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.text == used {
		t.text = ""
	}
}

// get asks for a token. No error repeats what was sent or answered, beside the status and the code of RFC 6749.
func (t *token) get(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, strings.NewReader(t.form.Encode()))
	if err != nil {
		return fmt.Errorf("get a token: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	if t.client[0] != "" {
		request.SetBasicAuth(url.QueryEscape(t.client[0]), url.QueryEscape(t.client[1]))
	}
	answer, err := t.o.Transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("get a token at %s: %w", t.url, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxToken))
	if err != nil {
		return fmt.Errorf("get a token at %s: %w", t.url, err)
	}
	var said struct {
		AccessToken  string      `json:"access_token"`
		TokenType    string      `json:"token_type"`
		ExpiresIn    json.Number `json:"expires_in"`
		RefreshToken string      `json:"refresh_token"`
		Error        string      `json:"error"`
	}
	decoded := json.Unmarshal(text, &said)
	if answer.StatusCode != http.StatusOK || decoded != nil || said.AccessToken == "" {
		return harness.CannotRun(fmt.Errorf("get a token at %s: status %d, %s", t.url, answer.StatusCode, cmp.Or(codeOf(said.Error), "no access_token in the answer")),
			"check id and secret of the test instance, and the scope")
	}
	t.text, t.kind, t.ends = said.AccessToken, cmp.Or(said.TokenType, "Bearer"), time.Time{}
	if strings.EqualFold(t.kind, "bearer") {
		t.kind = "Bearer" // some say bearer and do not take it
	}
	if seconds, err := said.ExpiresIn.Float64(); err == nil && seconds > 0 {
		t.ends = t.o.Now().Add(time.Duration(seconds * float64(time.Second)))
	}
	if said.RefreshToken != "" && t.form.Has("refresh_token") {
		t.form.Set("refresh_token", said.RefreshToken)
	}
	return nil
}

// codeOf is an error code of RFC 6749; empty when the text is anything else.
func codeOf(text string) string {
	if text == "" || len(text) > 40 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return ""
	}
	return text
}
