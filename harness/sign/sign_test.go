package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// moment is when everything is sent again, and moved from when it was recorded by 100 days.
var (
	recorded = time.Date(2026, 10, 5, 14, 0, 0, 0, time.UTC)
	moment   = recorded.Add(100 * 24 * time.Hour)
)

func message(method, path string, fields ...string) *harness.Message {
	m := &harness.Message{Head: harness.Head{{Name: ":method", Value: method}, {Name: ":path", Value: path}}}
	for i := 0; i < len(fields); i += 2 {
		m.Head = append(m.Head, harness.Field{Name: fields[i], Value: fields[i+1]})
	}
	return m
}

// TestWebhooksAreSignedAsTheirDocumentationSays has the worked examples that GitHub and Slack publish for receivers.
func TestWebhooksAreSignedAsTheirDocumentationSays(t *testing.T) {
	const slackBody = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=" +
		"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	for _, c := range []struct {
		why, field, secret, was, body, want string
		head                                []string
		at                                  time.Time
	}{
		{"GitHub", "X-Hub-Signature-256", "It's a Secret to Everybody", "sha256=00", "Hello, World!", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", nil, moment},
		{"Slack", "X-Slack-Signature", "8f742231b10e8888abcd99yyyzzz85a5", "v0=00", slackBody, "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503", []string{"X-Slack-Request-Timestamp", "1"}, time.Unix(1531420618, 0)},
		{"Standard Webhooks", "Webhook-Signature", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "v1,AA== v1,BB==", `{"test": 2432232314}`, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", []string{"Webhook-Id", "msg_p5jXN8AQM9LWM0D4loKWxJek", "Webhook-Timestamp", "1"}, time.Unix(1614265330, 0)},
	} {
		row, ok := UsualOf(strings.ToLower(c.field))
		if !ok {
			t.Fatalf("%s: no row for %s", c.why, c.field)
		}
		m := message("POST", "/", append(c.head, c.field, c.was)...)
		signed, err := row.Signer(c.secret)(m, []byte(c.body), c.at)
		if got := m.Head.Get(c.field); err != nil || !signed || got != c.want {
			t.Errorf("%s: %t, %v, %s, want %s", c.why, signed, err, got, c.want)
		}
	}
}

func TestWebhooksWithATimeAreSignedForTheMoment(t *testing.T) {
	row, _ := UsualOf("Stripe-Signature")
	m := message("POST", "/", "Stripe-Signature", "t=1759672800,v1=abcd,v0=ef01")
	if signed, err := row.Signer("whsec_test")(m, []byte("{}"), moment); err != nil || !signed {
		t.Fatal(signed, err)
	}
	key, _ := base64.StdEncoding.DecodeString("test")
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("1799848800.{}"))
	if got, want := m.Head.Get("Stripe-Signature"), "t=1799848800,v1="+hex.EncodeToString(mac.Sum(nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestMessagesWithoutTheSignatureStayAsTheyAre(t *testing.T) {
	key := Key{Key: []byte("secret")}
	for _, c := range []struct {
		why    string
		m      *harness.Message
		signer Signer
	}{
		{"no field", message("GET", "/"), Usual[0].Signer("s")},
		{"another form", message("GET", "/", "X-Hub-Signature-256", "keyid=7;abcdef"), Usual[0].Signer("s")},
		{"no request to AWS", message("GET", "/?a=b", "Authorization", "Basic eHg6eHg="), AWS{Secret: "s"}.Signer()},
		{"opaque token", message("GET", "/", "Authorization", "Bearer abc.def.ghi"), key.Bearer("Authorization", recorded)},
		{"no token", message("GET", "/"), key.Bearer("Authorization", recorded)},
	} {
		was := append(harness.Head(nil), c.m.Head...)
		signed, err := All(c.signer)(c.m, nil, moment)
		if signed || err != nil || len(was) != len(c.m.Head) {
			t.Errorf("%s: %t, %v", c.why, signed, err)
		}
		for i := range was {
			if was[i] != c.m.Head[i] {
				t.Errorf("%s: %v became %v", c.why, was[i], c.m.Head[i])
			}
		}
	}
}

// The test suite of Signature Version 4 has one key and one moment.
const awsTestSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

func TestRequestsToAWSAreSignedAsItsTestSuiteSays(t *testing.T) {
	const front = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature="
	for _, c := range []struct{ method, path, want, why string }{
		{"GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", "get-vanilla"},
		{"GET", "/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500", "get-vanilla-query-order-key-case"},
		{"POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b", "post-vanilla"},
	} {
		stale := strings.Replace(front, "20150830", "20140101", 1) + strings.Repeat("a", 64)
		m := message(c.method, c.path, "Host", "example.amazonaws.com", "X-Amz-Date", "20140101T000000Z", "Authorization", stale)
		signed, err := AWS{Secret: awsTestSecret}.Signer()(m, nil, time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC))
		if got := m.Head.Get("Authorization"); err != nil || !signed || got != front+c.want {
			t.Errorf("%s: %s", c.why, got)
		}
		if again, ok := (AWS{Secret: awsTestSecret}).Value(*m, nil); !ok || again != front+c.want {
			t.Errorf("%s under its own date: %s", c.why, again)
		}
	}
}

// TestURLsAreSignedAsTheGuideOfS3Says has the worked example of the guide for signatures in query parameters.
func TestURLsAreSignedAsTheGuideOfS3Says(t *testing.T) {
	const path = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
	const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	const host, want = "https://examplebucket.s3.amazonaws.com", "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
	stale := path + strings.Repeat("0", 64)
	got, ok := AWS{Secret: secret}.PresignedURL(host + stale + "#page=2")
	if !ok || got != host+path+want+"#page=2" {
		t.Errorf("a URL: %s", got)
	}
	old := strings.ReplaceAll(stale, "20130524", "20120101")
	m := message("GET", old, "Host", "examplebucket.s3.amazonaws.com")
	signed, err := AWS{Secret: secret}.Signer()(m, nil, time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC))
	if err != nil || !signed || m.Head.Get(":path") != path+want {
		t.Errorf("a request: %t, %v, %s", signed, err, m.Head.Get(":path"))
	}
	for _, text := range []string{"https://a.example/?X-Amz-Signature=1&X-Amz-Credential=x", strings.Replace(host+stale, "SignedHeaders=host", "SignedHeaders=host%3Bx-a", 1), "%"} {
		if got, ok := (AWS{Secret: awsTestSecret}).PresignedURL(text); ok {
			t.Errorf("%s became %s", text, got)
		}
	}
}

func keysOfAllKinds(t *testing.T) map[string]any {
	t.Helper()
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]any{"HS256": []byte("secret"), "RS256": pair, "PS256": pair}
	for name, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES512": elliptic.P521()} {
		if keys[name], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	if _, keys["EdDSA"], err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	return keys
}

func verifies(name string, key any, text, sum []byte) bool {
	digest := sha256.Sum256(text)
	switch key := key.(type) {
	case []byte:
		mac := hmac.New(sha256.New, key)
		mac.Write(text)
		return hmac.Equal(mac.Sum(nil), sum)
	case *rsa.PrivateKey:
		if name == "PS256" {
			return rsa.VerifyPSS(&key.PublicKey, crypto.SHA256, digest[:], sum, nil) == nil
		}
		return rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], sum) == nil
	case *ecdsa.PrivateKey:
		of := digest[:]
		if name == "ES512" {
			h := crypto.SHA512.New()
			h.Write(text)
			of = h.Sum(nil)
		}
		half := len(sum) / 2
		return ecdsa.Verify(&key.PublicKey, of, new(big.Int).SetBytes(sum[:half]), new(big.Int).SetBytes(sum[half:]))
	case ed25519.PrivateKey:
		return ed25519.Verify(key.Public().(ed25519.PublicKey), text, sum)
	}
	return false
}

func TestTokensAreMintedAgainWithLaterMoments(t *testing.T) {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	const claims = "{ \"sub\":\"H0000142\", \"iat\":1791208800,\"exp\":1791212400 ,\"nbf\":1791208800.25,\"auth_time\":1791208800000,\"n\":9007199254740993,\"nested\":{\"exp\":1}}\n"
	const want = "{ \"sub\":\"H0000142\", \"iat\":1799848800,\"exp\":1799852400 ,\"nbf\":1799848800.25,\"auth_time\":1799848800000,\"n\":9007199254740993,\"nested\":{\"exp\":1}}\n"
	for name, key := range keysOfAllKinds(t) {
		header := `{"typ":"JWT","alg":"` + name + `","kid":"old"}`
		m := message("GET", "/", "Authorization", "Bearer "+part(header)+"."+part(claims)+".AAAA")
		signed, err := Key{Key: key, ID: "new"}.Bearer("authorization", recorded)(m, nil, moment)
		if err != nil || !signed {
			t.Fatalf("%s: %t, %v", name, signed, err)
		}
		token := strings.TrimPrefix(m.Head.Get("Authorization"), "Bearer ")
		at := strings.LastIndexByte(token, '.')
		sum, err := base64.RawURLEncoding.DecodeString(token[at+1:])
		if err != nil || !verifies(name, key, []byte(token[:at]), sum) {
			t.Errorf("%s: the signature does not verify", name)
		}
		if token[:at] != part(strings.Replace(header, "old", "new", 1))+"."+part(want) {
			t.Errorf("%s: %s", name, token)
		}
	}
	other, err := Key{Algorithm: "HS256", Key: []byte("x")}.Token(part(`{"alg":"RS256"}`)+"."+part("{}")+".AAAA", 0)
	if err != nil || !strings.HasPrefix(other, part(`{"alg":"HS256"}`)+"."+part("{}")+".") {
		t.Errorf("another algorithm: %s, %v", other, err)
	}
	if plain, err := (Key{}).Token(part(`{"alg":"none"}`)+"."+part(`{"exp":1}`)+".", time.Minute); err != nil || plain != part(`{"alg":"none"}`)+"."+part(`{"exp":61}`)+"." {
		t.Errorf("without signature: %s, %v", plain, err)
	}
}

func TestTokensThatCannotBeSignedSayWhyWithoutTheirClaims(t *testing.T) {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for _, c := range []struct{ why, token, want string }{
		{"two parts", "ey.ey", "not three parts"},
		{"header", "ey.ey.A", "header is no JSON"},
		{"claims", part(`{"alg":"HS256"}`) + ".%.A", "no base64url"},
		{"a list", part(`{"alg":"HS256"}`) + "." + part(`["Maria"]`) + ".A", "no object"},
		{"cut", part(`{"alg":"HS256"}`) + "." + part(`{"name":"Maria"`) + ".A", "no object"},
		{"a moment in words", part(`{"alg":"HS256"}`) + "." + part(`{"exp":"Maria"}`) + ".A", "claim exp is no number"},
		{"another kind of key", part(`{"alg":"RS256"}`) + "." + part(`{"name":"Maria"}`) + ".A", "sign with RS256: the key is of another kind"},
		{"unknown", part(`{"alg":"XX"}`) + "." + part(`{"name":"Maria"}`) + ".A", `no algorithm "XX"`},
	} {
		_, err := Key{Key: []byte("secret")}.Token(c.token, 0)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "Maria") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}

func TestKeysAreReadAsTheyAreUsuallyKept(t *testing.T) {
	keys := keysOfAllKinds(t)
	for name, key := range keys {
		if _, isSecret := key.([]byte); isSecret {
			continue
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		read, err := ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		equal, ok := key.(interface{ Equal(crypto.PrivateKey) bool })
		if err != nil || !ok || !equal.Equal(read.Key) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if key, err := ParseKey([]byte("secret \r\n")); err != nil || string(key.Key.([]byte)) != "secret " {
		t.Errorf("a secret: %v", err)
	}
	for _, text := range []string{"", "\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		if _, err := ParseKey([]byte(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestHashesSayWhatIsWrongWithThem(t *testing.T) {
	good := Hash{Head: "X", Algorithm: "hmac-sha256", Form: "{hex}", Over: "{body}"}
	for _, row := range append([]Hash{good}, Usual...) {
		if err := row.Check(); err != nil {
			t.Errorf("%s: %v", row.Head, err)
		}
	}
	for want, change := range map[string]func(*Hash){
		"needs head:": func(h *Hash) { h.Head = ":path" }, "needs algorithm:": func(h *Hash) { h.Over = "" }, "needs {hex}": func(h *Hash) { h.Form = "x" },
		`algorithm is "md5"`: func(h *Hash) { h.Algorithm = "md5" }, "form: holds {x}": func(h *Hash) { h.Form = "{hex}{x}" }, "over: holds {y}": func(h *Hash) { h.Over = "{y}" },
		"takes {time}": func(h *Hash) { h.Over = "{time}" },
	} {
		h := good
		change(&h)
		_, err := h.Signer("s")(message("GET", "/", "X", "00"), nil, moment)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if unknown := (*UnknownWord)(nil); errors.As(err, &unknown) && len(unknown.Known) == 0 {
			t.Errorf("%v names nothing that is known", err)
		}
	}
}
