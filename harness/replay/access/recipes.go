package access

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/sign"
)

// Recipe is one row of the table of recipes.
type Recipe struct {
	Name    string
	Summary string
	Needs   []string // keys of the scenario that must be there
	May     []string // keys that may be
	make    func(m material) (entry, error)
}

// Recipes is the table of recipes, in the order of the documentation.
var Recipes = []Recipe{
	{"basic", "a login by HTTP Basic", []string{"user", "password"}, []string{"head"}, makeBasic},
	{"api-key", "a key in a header field, a parameter of the query or a place in the body", []string{"secret"}, []string{"head", "query", "body"}, makeKey},
	{"bearer", "a token that somebody got beforehand", []string{"secret"}, []string{"head"}, makeBearer},
	{"oauth2-client-credentials", "a token for a client, RFC 6749 section 4.4", []string{"token-url", "id", "secret"}, []string{"scope", "audience", "in-body", "head"}, grant("client_credentials")},
	{"oauth2-password", "a token for a login, RFC 6749 section 4.3", []string{"token-url", "user", "password"}, []string{"id", "secret", "scope", "audience", "in-body", "head"}, grant("password")},
	{"oauth2-refresh", "a token by a token for refreshing, RFC 6749 section 6", []string{"token-url", "token"}, []string{"id", "secret", "scope", "in-body", "head"}, grant("refresh_token")},
	{"aws", "requests and URLs that are signed by AWS Signature Version 4", []string{"id", "secret"}, []string{"token"}, makeAWS},
	{"webhook", "the signature of a well-known sender, for the moment", []string{"head", "secret"}, nil, makeWebhook},
	{"jwt", "the recorded token with later moments, signed with a test key", []string{"secret"}, []string{"head", "id", "algorithm"}, makeJWT},
}

// RecipeOf returns the row of that name.
func RecipeOf(name string) (Recipe, bool) {
	i := slices.IndexFunc(Recipes, func(r Recipe) bool { return r.Name == name })
	if i < 0 {
		return Recipe{}, false
	}
	return Recipes[i], true
}

// keys are the members of an Access that recipes ask for, by their names in the scenario.
func keys(a harness.Access) map[string]bool {
	return map[string]bool{
		"head": a.Head != "", "query": a.Query != "", "body": len(a.Body) > 0, "user": a.User != "", "password": a.Password != "", "id": a.ID != "",
		"secret": a.Secret != "", "token": a.Token != "", "token-url": a.TokenURL != "", "scope": a.Scope != "", "audience": a.Audience != "",
		"in-body": a.InBody, "algorithm": a.Algorithm != "",
	}
}

// Check says what is wrong with an entry of the scenario by itself, and at which key.
func Check(a harness.Access) (key string, err error) {
	r, ok := RecipeOf(a.Recipe)
	if !ok {
		names := make([]string, len(Recipes))
		for i := range Recipes {
			names[i] = Recipes[i].Name
		}
		return "recipe", fmt.Errorf("recipe %q is not one of %s", a.Recipe, strings.Join(names, ", "))
	}
	has := keys(a)
	for _, need := range r.Needs {
		if !has[need] {
			return "recipe", fmt.Errorf("recipe %s needs %s", r.Name, strings.Join(r.Needs, ", "))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(has)) {
		if has[key] && !slices.Contains(r.Needs, key) && !slices.Contains(r.May, key) {
			return key, fmt.Errorf("recipe %s has no %s", r.Name, key)
		}
	}
	return "", checkPlaces(a)
}

// checkPlaces looks at where credentials stand.
func checkPlaces(a harness.Access) error {
	has := keys(a)
	n := 0
	for _, key := range []string{"head", "query", "body"} {
		if has[key] {
			n++
		}
	}
	switch {
	case n > 1:
		return errors.New("head, query and body are three places for one thing: name one")
	case has["body"] && !strings.HasPrefix(a.Body.String(), "request.body."):
		return fmt.Errorf("body: %s is no place such as request.body.client_secret", a.Body)
	case a.Recipe == "webhook":
		if _, ok := sign.UsualOf(a.Head); !ok {
			return fmt.Errorf("head: no sender is known that signs in %s", a.Head)
		}
	}
	return nil
}

func makeBasic(m material) (entry, error) {
	password, err := m.secret(m.spec.Password)
	if err != nil {
		return nil, err
	}
	value := "Basic " + base64.StdEncoding.EncodeToString([]byte(m.spec.User+":"+password))
	return fixed{m.place(), func(string) string { return value }}, nil
}

func makeKey(m material) (entry, error) {
	secret, err := m.secret(m.spec.Secret)
	if err != nil {
		return nil, err
	}
	return fixed{m.place(), func(string) string { return secret }}, nil
}

func makeBearer(m material) (entry, error) {
	secret, err := m.secret(m.spec.Secret)
	if err != nil {
		return nil, err
	}
	return fixed{m.place(), func(was string) string { return schemeOf(was) + secret }}, nil
}

// schemeOf is what stands in front of a token, such as "Bearer ".
func schemeOf(value string) string { return value[:strings.LastIndexByte(value, ' ')+1] }

func makeAWS(m material) (entry, error) {
	secret, err := m.secret(m.spec.Secret)
	if err != nil {
		return nil, err
	}
	token := ""
	if m.spec.Token != "" {
		if token, err = m.secret(m.spec.Token); err != nil {
			return nil, err
		}
	}
	return signing{sign.AWS{ID: m.spec.ID, Secret: secret, Token: token}.Signer()}, nil
}

func makeWebhook(m material) (entry, error) {
	secret, err := m.secret(m.spec.Secret)
	if err != nil {
		return nil, err
	}
	hash, _ := sign.UsualOf(m.spec.Head) // Check has looked
	return signing{hash.Signer(secret)}, nil
}

func makeJWT(m material) (entry, error) {
	text, err := m.secret(m.spec.Secret)
	if err != nil {
		return nil, err
	}
	key, err := sign.ParseKey([]byte(text))
	if err != nil {
		return nil, err
	}
	key.Algorithm, key.ID = m.spec.Algorithm, m.spec.ID
	return minting{key, m.place().head}, nil
}
