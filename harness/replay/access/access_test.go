package access

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/sign"
)

var (
	recorded = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	today    = time.Date(2026, 10, 5, 9, 0, 0, 0, time.UTC)
)

// secrets stand in the environment.
var secrets = map[string]string{"PASSWORD": "open sesame", "KEY": "k-live-777", "CLIENT": "s3cr&t", "FIRST": "refresh-1", "HOOK": "hook-secret", "TOKEN": "t-live"}

func getenv(name string) string { return secrets[name] }

// request is a recorded request with its answer.
func request(target, body string, status string, fields ...string) harness.Exchange {
	x := harness.Exchange{ID: "7", Channel: harness.ChannelHTTP, From: "hubline", To: "sis", At: recorded, Request: harness.Message{
		Head: harness.Head{{Name: ":method", Value: "POST"}, {Name: ":path", Value: target}}, Body: harness.BytesBody([]byte(body)),
	}, Response: harness.Message{Head: harness.Head{{Name: ":status", Value: status}}}}
	for i := 0; i < len(fields); i += 2 {
		x.Request.Head = append(x.Request.Head, harness.Field{Name: fields[i], Value: fields[i+1]})
		if fields[i] == "Content-Type" {
			x.Request.Media = fields[i+1]
		}
	}
	return x
}

func newAccess(t *testing.T, o Options, entries ...harness.Access) *Access {
	o.Getenv = getenv
	if o.Now == nil {
		o.Now = func() time.Time { return today }
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	a, err := New(entries, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func bodyOf(t *testing.T, x harness.Exchange) string {
	b, err := x.Request.Body.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFixedCredentials(t *testing.T) {
	body, err := harness.ParsePath("request.body.client_secret")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		why   string
		entry harness.Access
		x     harness.Exchange
		get   func(harness.Exchange) string
		want  string
	}{
		{"a login", harness.Access{Recipe: "basic", User: "hubline", Password: "env:PASSWORD"}, request("/x", "", "200", "Authorization", "Basic b2xk"), head("Authorization"),
			"Basic " + base64.StdEncoding.EncodeToString([]byte("hubline:open sesame"))},
		{"no credentials were recorded", harness.Access{Recipe: "basic", User: "hubline", Password: "env:PASSWORD"}, request("/x", "", "200"), head("Authorization"), ""},
		{"the refusal is what was recorded", harness.Access{Recipe: "bearer", Secret: "env:TOKEN"}, request("/x", "", "401", "Authorization", "Bearer wrong"), head("Authorization"), "Bearer wrong"},
		{"so is that the login may not", harness.Access{Recipe: "bearer", Secret: "env:TOKEN"}, request("/x", "", "403", "Authorization", "Bearer small"), head("Authorization"), "Bearer small"},
		{"the scheme stays", harness.Access{Recipe: "bearer", Secret: "env:TOKEN"}, request("/x", "", "200", "Authorization", "Token old"), head("Authorization"), "Token t-live"},
		{"a field of its own", harness.Access{Recipe: "api-key", Secret: "env:KEY", Head: "X-API-Key"}, request("/x", "", "200", "x-api-key", "old"), head("X-API-Key"), "k-live-777"},
		{"a parameter; all else stays as written", harness.Access{Recipe: "api-key", Secret: "env:CLIENT", Query: "key"}, request("/x?a=%41&key=old&b", "", "200"), head(":path"), "/x?a=%41&key=s3cr%26t&b"},
		{"a form", harness.Access{Recipe: "api-key", Secret: "env:CLIENT", Body: body}, request("/x", "grant_type=x&client_secret=old", "200", "Content-Type", "application/x-www-form-urlencoded"), nil, "grant_type=x&client_secret=s3cr%26t"},
		{"a document", harness.Access{Recipe: "api-key", Secret: "env:CLIENT", Body: body}, request("/x", `{"client_secret": "old",  "n": 1.0}`, "200", "Content-Type", "application/json"), nil, `{"client_secret": "s3cr&t",  "n": 1.0}`},
		{"a document without the place", harness.Access{Recipe: "api-key", Secret: "env:CLIENT", Body: body}, request("/x", `{"n": 1.0}`, "200", "Content-Type", "application/json"), nil, `{"n": 1.0}`},
		{"another operation", harness.Access{Recipe: "bearer", Secret: "env:TOKEN", Operation: "GET /*"}, request("/x", "", "200", "Authorization", "Bearer old"), head("Authorization"), "Bearer old"},
		{"this operation", harness.Access{Recipe: "bearer", Secret: "env:TOKEN", Operation: "POST /*"}, request("/x", "", "200", "Authorization", "Bearer old"), head("Authorization"), "Bearer t-live"},
	}
	for _, test := range tests {
		before := test.x.Request.Head.Get("Authorization")
		got, err := newAccess(t, Options{}, test.entry).Enter(t.Context(), test.x)
		if err != nil {
			t.Errorf("%s: %v", test.why, err)
			continue
		}
		is := ""
		if test.get != nil {
			is = test.get(got)
		} else {
			is = bodyOf(t, got)
		}
		if is != test.want {
			t.Errorf("%s: %q, want %q", test.why, is, test.want)
		}
		if test.x.Request.Head.Get("Authorization") != before {
			t.Errorf("%s: the recorded request was changed", test.why)
		}
	}
}

func head(name string) func(harness.Exchange) string {
	return func(x harness.Exchange) string { return x.Request.Head.Get(name) }
}

func TestSignaturesAreMadeForTheMoment(t *testing.T) {
	usual, _ := sign.UsualOf("Stripe-Signature")
	a := newAccess(t, Options{}, harness.Access{Recipe: "webhook", Head: "Stripe-Signature", Secret: "env:HOOK"})
	x := request("/hooks", `{"type":"paid"}`, "200", "Stripe-Signature", "t=1772438400,v1=00ff")
	got, err := a.Enter(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	want, ok := usual.Value(secrets["HOOK"], fmt.Sprintf("t=%d,v1=00", today.Unix()), x.Request, []byte(`{"type":"paid"}`))
	if is := got.Request.Head.Get("Stripe-Signature"); !ok || is != want {
		t.Errorf("signature %s, want %s", is, want)
	}
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	token := part(map[string]string{"alg": "HS256"}) + "." + part(map[string]any{"sub": "u1", "iat": recorded.Unix(), "exp": recorded.Add(time.Hour).Unix()}) + ".c2ln"
	a = newAccess(t, Options{}, harness.Access{Recipe: "jwt", Secret: "env:HOOK"})
	if got, err = a.Enter(t.Context(), request("/x", "", "200", "Authorization", "Bearer "+token)); err != nil {
		t.Fatal(err)
	}
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(got.Request.Head.Get("Authorization"), ".")[1])
	if want := fmt.Sprintf(`"exp":%d`, today.Add(time.Hour).Unix()); err != nil || !strings.Contains(string(claims), want) || !strings.Contains(string(claims), `"sub":"u1"`) {
		t.Errorf("claims %s, want %s", claims, want)
	}
}

// issuer gives tokens as RFC 6749 says, and counts them.
type issuer struct {
	mu      sync.Mutex
	asked   []url.Values
	clients []string
	life    int
	status  int
	body    string // instead of a token
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r.ParseForm() //nolint:errcheck // what is missing shows in the test
	id, secret, _ := r.BasicAuth()
	i.asked, i.clients = append(i.asked, r.PostForm), append(i.clients, id+":"+secret)
	w.Header().Set("Content-Type", "application/json")
	if i.status != 0 {
		w.WriteHeader(i.status)
		fmt.Fprint(w, i.body)
		return
	}
	fmt.Fprintf(w, `{"access_token":"live-%d","token_type":"bearer","expires_in":%d,"refresh_token":"refresh-%d"}`, len(i.asked), i.life, len(i.asked)+1)
}

func TestTokensAreGotAndRenewed(t *testing.T) {
	i := &issuer{life: 3600}
	server := httptest.NewServer(i)
	defer server.Close()
	now := today
	a := newAccess(t, Options{Base: server.URL + "/base/", Now: func() time.Time { return now }},
		harness.Access{Recipe: "oauth2-client-credentials", TokenURL: "/token", ID: "hub line", Secret: "env:CLIENT", Scope: "read write"})
	x := request("/x", "", "200", "Authorization", "Bearer old")
	enter := func() (harness.Exchange, string) {
		got, err := a.Enter(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		return got, got.Request.Head.Get("Authorization")
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { a.Enter(t.Context(), x) }) //nolint:errcheck // seen below
	}
	group.Wait()
	sent, value := enter()
	if value != "Bearer live-1" || len(i.asked) != 1 {
		t.Errorf("nine requests: %s, %d tokens; want one token for all", value, len(i.asked))
	}
	if got := i.asked[0]; got.Get("grant_type") != "client_credentials" || got.Get("scope") != "read write" || i.clients[0] != "hub+line:s3cr%26t" {
		t.Errorf("asked %v by %s", got, i.clients[0])
	}
	refusal := x
	refusal.Response = harness.Message{Head: harness.Head{{Name: ":status", Value: "401"}}}
	if !a.Renew(x, sent, refusal) {
		t.Error("a token that is refused now is not renewed")
	}
	if _, value = enter(); value != "Bearer live-2" {
		t.Errorf("after the refusal: %s", value)
	}
	a.Renew(x, sent, refusal) // another request was sent with the old token
	if _, value = enter(); value != "Bearer live-2" || len(i.asked) != 2 {
		t.Errorf("after a late refusal: %s, %d tokens; want the renewed one to stay", value, len(i.asked))
	}
	if recordedRefusal := request("/x", "", "401", "Authorization", "Bearer old"); a.Renew(recordedRefusal, sent, refusal) {
		t.Error("a refusal that was recorded is renewed")
	}
	if a.Renew(x, sent, x) {
		t.Error("a success is renewed")
	}
	now = now.Add(59*time.Minute + 55*time.Second)
	if _, value = enter(); value != "Bearer live-3" {
		t.Errorf("shortly before its end: %s, want a new token", value)
	}
}

func TestTheTokenForRefreshingTurns(t *testing.T) {
	i := &issuer{life: 1} // ends before it is used again
	server := httptest.NewServer(i)
	defer server.Close()
	a := newAccess(t, Options{Base: server.URL}, harness.Access{Recipe: "oauth2-refresh", TokenURL: "/token", Token: "env:FIRST", ID: "hub", InBody: true, Secret: "env:CLIENT"})
	for range 2 {
		if _, err := a.Enter(t.Context(), request("/x", "", "200", "Authorization", "Bearer old")); err != nil {
			t.Fatal(err)
		}
	}
	if i.asked[0].Get("refresh_token") != "refresh-1" || i.asked[1].Get("refresh_token") != "refresh-2" || i.asked[0].Get("client_secret") != "s3cr&t" {
		t.Errorf("asked %v", i.asked)
	}
}

func TestErrorsOfTokensHoldNoSecret(t *testing.T) {
	tests := []struct {
		status     int
		body, want string
	}{
		{400, `{"error":"invalid_client","error_description":"s3cr&t is wrong"}`, "invalid_client"},
		{200, `{"token":"live"}`, "no access_token"},
		{500, `s3cr&t k-live`, "status 500"},
		{401, `{"error":"s3cr&t"}`, "status 401"},
	}
	for _, test := range tests {
		server := httptest.NewServer(&issuer{status: test.status, body: test.body})
		a := newAccess(t, Options{Base: server.URL}, harness.Access{Recipe: "oauth2-password", TokenURL: "/token", User: "u", Password: "env:PASSWORD", ID: "hub", Secret: "env:CLIENT"})
		_, err := a.Enter(context.Background(), request("/x", "", "200", "Authorization", "Bearer old"))
		server.Close()
		if harness.ClassOf(err) != harness.ClassCannotRun || !strings.Contains(err.Error(), test.want) || harness.HintOf(err) == "" {
			t.Errorf("%s: err %v, want %s", test.body, err, test.want)
			continue
		}
		for _, secret := range secrets {
			if strings.Contains(err.Error()+harness.HintOf(err), secret) {
				t.Errorf("the error holds a secret: %v", err)
			}
		}
	}
	dead := httptest.NewServer(nil)
	dead.Close()
	a := newAccess(t, Options{Base: dead.URL}, harness.Access{Recipe: "oauth2-client-credentials", TokenURL: "/token", ID: "hub", Secret: "env:CLIENT"})
	if _, err := a.Enter(context.Background(), request("/x", "", "200", "Authorization", "Bearer old")); err == nil || !strings.Contains(err.Error(), "get a token at "+dead.URL) {
		t.Errorf("dead issuer: err %v", err)
	}
}

func TestWhatIsWrongWithAnEntry(t *testing.T) {
	tests := []struct {
		entry harness.Access
		want  string
	}{
		{harness.Access{Recipe: "magic"}, `recipe "magic" is not one of basic, api-key`},
		{harness.Access{Recipe: "basic", User: "u"}, "needs user, password"},
		{harness.Access{Recipe: "basic", User: "u", Password: "env:PASSWORD", Scope: "x"}, "has no scope"},
		{harness.Access{Recipe: "api-key", Secret: "env:KEY", Head: "X", Query: "k"}, "name one"},
		{harness.Access{Recipe: "webhook", Secret: "env:KEY", Head: "X-Unheard-Of"}, "no sender is known"},
		{harness.Access{Recipe: "bearer", Secret: "env:UNSET"}, "read env:UNSET"},
		{harness.Access{Recipe: "bearer", Secret: "k-live-777"}, "read k-live-777"}, // read as a file name: it is none
		{harness.Access{Recipe: "oauth2-client-credentials", ID: "a", Secret: "env:KEY", TokenURL: "token"}, "neither a URL nor a path"},
		{harness.Access{Recipe: "oauth2-client-credentials", ID: "a", Secret: "env:KEY", TokenURL: "/token"}, "the target has no URL"},
	}
	for _, test := range tests {
		if _, err := New([]harness.Access{test.entry}, Options{Getenv: getenv}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: err %v, want %s", test.entry, err, test.want)
		}
	}
	for _, r := range Recipes {
		if r.Summary == "" || r.make == nil || len(r.Needs) == 0 {
			t.Errorf("row %s is not whole", r.Name)
		}
	}
}
