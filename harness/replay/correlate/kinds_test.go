package correlate

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// wire reads messages as they would cross: a request line or status, fields, a blank line and a body.
func wire(text string) (m harness.Message) {
	head, body, _ := strings.Cut(text, "\n\n")
	for i, line := range strings.Split(head, "\n") {
		if i > 0 {
			name, value, _ := strings.Cut(line, ": ")
			m.Head = append(m.Head, harness.Field{Name: name, Value: value})
			continue
		}
		first, rest, _ := strings.Cut(line, " ")
		if rest == "" {
			m.Head = harness.Head{{Name: harness.FieldStatus, Value: first}}
			continue
		}
		m.Head = harness.Head{{Name: harness.FieldMethod, Value: first}, {Name: harness.FieldPath, Value: rest}}
	}
	m.Media, _, _ = strings.Cut(m.Head.Get("Content-Type"), ";")
	if m.Media == "" && strings.HasPrefix(body, "{") {
		m.Media = "application/json"
	}
	m.Body = harness.BytesBody([]byte(body))
	return m
}

// unwire is the inverse of wire.
func unwire(t testing.TB, m harness.Message) string {
	t.Helper()
	var b strings.Builder
	for i, f := range m.Head {
		switch f.Name {
		case harness.FieldMethod:
			b.WriteString(f.Value + " ")
		case harness.FieldPath, harness.FieldStatus:
			b.WriteString(f.Value)
		default:
			fmt.Fprintf(&b, "\n%s: %s", m.Head[i].Name, f.Value)
		}
	}
	body, err := m.Body.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if len(body) > 0 {
		b.WriteString("\n\n" + string(body))
	}
	return b.String()
}

// call is an exchange, its moment by its number.
func call(n int, session, request, response string) harness.Exchange {
	at := time.Date(2026, 3, 2, 7, 0, n, 0, time.UTC)
	return harness.Exchange{ID: harness.SequenceID(n), Session: session, Channel: harness.ChannelHTTP, From: "portal", To: "lakeside", At: at,
		Took: 20 * time.Millisecond, Request: wire(request), Response: wire(response)}
}

// calls are exchanges from pairs of texts.
func calls(pairs ...string) (xs []harness.Exchange) {
	for i := 0; i < len(pairs); i += 2 {
		xs = append(xs, call(i/2+1, "", pairs[i], pairs[i+1]))
	}
	return xs
}

// renamed is the recording as the server would play it with other values.
func renamed(t testing.TB, xs []harness.Exchange, pairs ...string) (out []harness.Exchange) {
	r := strings.NewReplacer(pairs...)
	for _, x := range xs {
		x.Request, x.Response = wire(r.Replace(unwire(t, x.Request))), wire(r.Replace(unwire(t, x.Response)))
		out = append(out, x)
	}
	return out
}

// replay sends the recording to a server that answers as live, checks that each request is what that server expects, and
// that what crossed becomes the recording again.
func replay(t testing.TB, recorded, live []harness.Exchange) *Plan {
	t.Helper()
	plan, err := Mine(recorded, Options{})
	if err != nil {
		t.Fatal(err)
	}
	v := plan.NewValues()
	var crossed []harness.Exchange
	for i, x := range recorded {
		sent, err := plan.Request(x, v)
		if err != nil {
			t.Errorf("%v", err)
		}
		if diff := cmp.Diff(unwire(t, live[i].Request), unwire(t, sent.Request)); diff != "" {
			t.Errorf("request %s (-expected +sent):\n%s", x.ID, diff)
		}
		sent.Response = live[i].Response
		crossed = append(crossed, sent)
		if err := plan.Learn(x, sent, v); err != nil {
			t.Errorf("%v", err)
		}
	}
	for i, x := range crossed {
		back, err := plan.Restore(x, v)
		if err != nil {
			t.Errorf("%v", err)
		}
		if diff := cmp.Diff(unwire(t, recorded[i].Request), unwire(t, back.Request)); diff != "" {
			t.Errorf("request %s restored (-recorded +restored):\n%s", x.ID, diff)
		}
		if diff := cmp.Diff(unwire(t, recorded[i].Response), unwire(t, back.Response)); diff != "" {
			t.Errorf("response %s restored (-recorded +restored):\n%s", x.ID, diff)
		}
	}
	return plan
}

// token is an unsigned token about an account.
func token(account string) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"none"}`)) + "." + part([]byte(`{"sub":"`+account+`","admin":true}`)) + "."
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// Each kind of link: what is recorded, what a server with other values would be sent and answer.
func TestKindsOfLinks(t *testing.T) {
	const uuid, other = "5f8b1c9e-3d2a-4e7b-9c1d-2a3b4c5d6e7f", "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
	tests := []struct {
		why      string
		recorded []string
		renames  []string
		links    []string // places that consume, in order
	}{
		{
			"an id that is created stands in later paths",
			[]string{
				"POST /v1/students\n\n" + `{"name":"Mara"}`, "201\n\n" + `{"id":"` + uuid + `","name":"Mara"}`,
				"GET /v1/students/" + uuid + "/enrollments", "200\n\n" + `{"student":"` + uuid + `","items":[]}`,
			},
			[]string{uuid, other}, []string{"request.segment[2]"},
		},
		{
			"a number becomes a part of a path and a string of a body, and a longer one still a number",
			[]string{
				"POST /v1/applications\n\n{}", "201\n\n" + `{"id":4711023,"state":"draft"}`,
				"PUT /v1/applications/4711023\n\n" + `{"id":4711023,"ref":"4711023"}`, "200\n\n" + `{"id":4711023}`,
			},
			[]string{"4711023", "90000000001"}, []string{"request.segment[2]", "request.body.id", "request.body.ref"},
		},
		{
			"a serial number of one digit links where the answer created it and the path names its kind",
			[]string{
				"POST /orders\nContent-Type: application/json\n\n" + `{"quantity":7}`, "201\nLocation: /orders/7\n\n" + `{"id":7,"quantity":7}`,
				"GET /orders/7", "200\n\n" + `{"id":7,"quantity":7}`,
			},
			nil, []string{"request.segment[1]"},
		},
		{
			"a bearer token",
			[]string{
				"POST /token\n\n{}", "200\n\n" + `{"access_token":"k3J9xQ2vLmN8pR4tYw7z","expires_in":3600}`,
				"GET /me\nAuthorization: Bearer k3J9xQ2vLmN8pR4tYw7z", "200\n\n" + `{"name":"Mara"}`,
			},
			[]string{"k3J9xQ2vLmN8pR4tYw7z", "Zz9Yy8Xx7Ww6Vv5Uu4Tt3Ss2"}, []string{"request.head.Authorization.:bearer"},
		},
		{
			"cookies by name, attributes aside",
			[]string{
				"GET /login", "200\nSet-Cookie: sid=a81f00b2c93d4e; Path=/; HttpOnly\nSet-Cookie: lang=en",
				"GET /me\nCookie: lang=en; sid=a81f00b2c93d4e", "200",
			},
			[]string{"a81f00b2c93d4e", "ffee00112233445566"}, []string{"request.head.Cookie.lang", "request.head.Cookie.sid"},
		},
		{
			"a CSRF field of a page goes into a form and a field of the head",
			[]string{
				"GET /apply", "200\nContent-Type: text/html\n\n<html><form><input type=\"hidden\" name=\"csrf_token\" value=\"Qm3+x/9Lk2PzT7w=\"></form></html>",
				"POST /apply\nContent-Type: application/x-www-form-urlencoded\nX-CSRF-Token: Qm3+x/9Lk2PzT7w=\n\nname=Mara&csrf_token=Qm3%2Bx%2F9Lk2PzT7w%3D", "200",
			},
			[]string{"Qm3+x/9Lk2PzT7w=", "Hh8+y/1Aa2BbC3d=", "Qm3%2Bx%2F9Lk2PzT7w%3D", "Hh8%2By%2F1Aa2BbC3d%3D"}, []string{"request.head.X-CSRF-Token", "request.body.csrf_token"},
		},
		{
			"a Location is followed as it is",
			[]string{
				"POST /imports\n\n{}", "202\nLocation: https://lakeside.example/v2/jobs/8f14e45fceea167a/status?wait=5",
				"GET /v2/jobs/8f14e45fceea167a/status?wait=5", "200\n\n" + `{"state":"running"}`,
			},
			[]string{"8f14e45fceea167a", "c9f0f895fb98ab91"}, []string{"request.head.:path"},
		},
		{
			"the last part of a Location goes elsewhere",
			[]string{
				"POST /imports\n\n{}", "202\nLocation: https://lakeside.example/v2/jobs/8f14e45fceea167a",
				"GET /v2/results?job=8f14e45fceea167a", "200\n\n" + `{"state":"running"}`,
			},
			[]string{"8f14e45fceea167a", "c9f0f895fb98ab91"}, []string{"request.query.job"},
		},
		{
			"a cursor in a Link field",
			[]string{
				"GET /users", "200\nLink: <https://lakeside.example/users?page=bookmark%3AWzE3MDFd&per_page=10>; rel=\"next\"",
				"GET /users?per_page=10&page=bookmark%3AWzE3MDFd", "200",
			},
			[]string{"WzE3MDFd", "WzE3OTlk"}, []string{"request.query.page"},
		},
		{
			"an entity tag, short as it is",
			[]string{
				"GET /doc", "200\nETag: \"v7\"",
				"PUT /doc\nIf-Match: \"v7\"\n\n{}", "200",
			},
			[]string{"v7", "v31"}, []string{"request.head.If-Match"},
		},
		{
			"user and token in basic authentication",
			[]string{
				"POST /keys\n\n{}", "200\n\n" + `{"apiKey":"sk_9f8e7d6c5b4a"}`,
				"GET /me\nAuthorization: Basic " + b64("mara:sk_9f8e7d6c5b4a"), "200",
			},
			[]string{"sk_9f8e7d6c5b4a", "sk_000111222333444", b64("mara:sk_9f8e7d6c5b4a"), b64("mara:sk_000111222333444")}, []string{"request.head.Authorization.:basic.:base64"},
		},
		{
			"two ids make a key",
			[]string{
				"POST /a\n\n{}", "201\n\n" + `{"id":"aa11bb22cc"}`,
				"POST /b\n\n{}", "201\n\n" + `{"id":"dd33ee44ff"}`,
				"GET /pairs/aa11bb22cc:dd33ee44ff?key=order-aa11bb22cc", "200\n\n" + `{"key":"aa11bb22cc:dd33ee44ff"}`,
			},
			[]string{"aa11bb22cc", "1234567890ab", "dd33ee44ff", "fedcba0987"}, []string{"request.segment[1]", "request.segment[1]", "request.query.key"},
		},
		{
			"a value in capitals",
			[]string{
				"POST /a\n\n{}", "201\n\n" + `{"id":"aa11bb22cc33"}`,
				"GET /labels/AA11BB22CC33", "200",
			},
			[]string{"aa11bb22cc33", "1a2b3c4d5e6f", "AA11BB22CC33", "1A2B3C4D5E6F"}, []string{"request.segment[1]"},
		},
		{
			"escapes of a writer of JSON that likes them, within a text",
			[]string{
				"POST /a\n\n{}", "201\n\n" + `{"id":"77a1c0ffee42"}`,
				"POST /b\n\n" + `{"self":"https:\/\/x.example\/a\/77a1c0ffee42","note":"caf\u00e9 \ud83d\ude00 77a1c0ffee42"}`, "200",
			},
			[]string{"77a1c0ffee42", "0123456789ab"}, []string{"request.body.self.:url.segment[1]", "request.body.note"},
		},
		{
			"a UUID without its hyphens",
			[]string{
				"POST /a\n\n{}", "201\n\n" + `{"id":"` + uuid + `"}`,
				"GET /files/" + strings.ReplaceAll(uuid, "-", "") + ".pdf", "200",
			},
			[]string{uuid, other, strings.ReplaceAll(uuid, "-", ""), strings.ReplaceAll(other, "-", "")}, []string{"request.segment[1]"},
		},
		{
			"an address that was assigned, and none that stands in a configuration",
			[]string{
				"POST /networking/ips\n\n{}", "200\n\n" + `{"address":"203.0.113.7","gateway":"203.0.113.1"}`,
				"GET /networking/ips/203.0.113.7?gateway=203.0.113.1", "200",
			},
			[]string{"203.0.113.7", "198.51.100.44"}, []string{"request.segment[2]"},
		},
		{
			"the claims of a token",
			[]string{
				"POST /token\n\n{}", "200\n\n" + `{"jwt":"` + token("acct-5f8b1c9e3d2a") + `"}`,
				"GET /accounts/acct-5f8b1c9e3d2a", "200",
			},
			[]string{token("acct-5f8b1c9e3d2a"), token("acct-00ff00ff00ff"), "acct-5f8b1c9e3d2a", "acct-00ff00ff00ff"}, []string{"request.segment[1]"},
		},
		{
			"hexadecimal and base64 of what was given, and an id within what was given in base64",
			[]string{
				"POST /a\n\n{}", "201\n\n" + `{"id":"node 7:77a1c0ffee42","cursor":"` + b64("after:99b2beef0042") + `"}`,
				"GET /b?h=" + hex.EncodeToString([]byte("node 7:77a1c0ffee42")) + "&b=" + b64("[77a1c0ffee42]") + "&after=99b2beef0042", "200",
			},
			[]string{"77a1c0ffee42", "0123456789ab", hex.EncodeToString([]byte("node 7:77a1c0ffee42")), hex.EncodeToString([]byte("node 7:0123456789ab")),
				b64("[77a1c0ffee42]"), b64("[0123456789ab]"), "99b2beef0042", "ba9876543210", b64("after:99b2beef0042"), b64("after:ba9876543210")},
			[]string{"request.query.h.:hex", "request.query.b.:base64", "request.query.after"},
		},
		{
			"a script of a page, and a reference of a page",
			[]string{
				"GET /", "200\nContent-Type: text/html\n\n<script>\nwindow.boot = {nonce: \"n0nce-77a1c0ffee42\", n: 1}\n</script><a href=\"/next?page=9f8e7d6c5b4a&amp;x=1\">next</a>",
				"GET /next?page=9f8e7d6c5b4a&x=1\nX-Nonce: n0nce-77a1c0ffee42", "200",
			},
			[]string{"n0nce-77a1c0ffee42", "n0nce-0123456789abcdef", "9f8e7d6c5b4a", "ffeeddccbbaa"}, []string{"request.head.:path", "request.head.X-Nonce"},
		},
		{
			"SOAP and XML",
			[]string{
				"POST /soap\nContent-Type: text/xml\n\n<e:Envelope xmlns:e=\"urn:e\"><e:Body><Open/></e:Body></e:Envelope>",
				"200\nContent-Type: text/xml\n\n<e:Envelope xmlns:e=\"urn:e\"><e:Body><Opened><SessionId>77a1c0ffee42</SessionId></Opened></e:Body></e:Envelope>",
				"POST /soap\nContent-Type: text/xml\n\n<e:Envelope xmlns:e=\"urn:e\"><e:Header sid=\"77a1c0ffee42\"/><e:Body><Get>1</Get></e:Body></e:Envelope>",
				"200\nContent-Type: text/xml\n\n<r/>",
			},
			[]string{"77a1c0ffee42", "beef00112233"}, []string{"request.body.Envelope.Header.@sid"},
		},
		{
			"a part of a multipart body and a cell of a table",
			[]string{
				"POST /uploads\n\n{}", "201\n\n" + `{"ticket":"tk-66a7b8c9d0e1"}`,
				"POST /files\nContent-Type: multipart/form-data; boundary=xx\n\n--xx\r\nContent-Disposition: form-data; name=\"ticket\"\r\n\r\ntk-66a7b8c9d0e1\r\n--xx--\r\n", "200",
				"POST /rows\nContent-Type: text/csv\n\nticket,rows\ntk-66a7b8c9d0e1,12\n", "200",
			},
			[]string{"tk-66a7b8c9d0e1", "tk-000000000000ffff"}, []string{"request.body[0].body", "request.body[0].ticket"},
		},
		{
			"variables of GraphQL, and an id within the query",
			[]string{
				"POST /graphql\n\n" + `{"query":"mutation {create{id}}"}`, "200\n\n" + `{"data":{"create":{"id":"U3R1ZGVudDo5OTE="}}}`,
				"POST /graphql\n\n" + `{"query":"{student(id: \"U3R1ZGVudDo5OTE=\"){name}}","variables":{"id":"U3R1ZGVudDo5OTE="}}`, "200\n\n" + `{"data":{}}`,
			},
			[]string{"U3R1ZGVudDo5OTE=", "U3R1ZGVudDoxMDA0"}, []string{"request.body.query", "request.body.variables.id"},
		},
		{
			"what the client chose is no link when the server echoes it",
			[]string{
				"POST /users\n\n" + `{"login":"hpark-77120"}`, "201\n\n" + `{"login":"hpark-77120"}`,
				"GET /users/hpark-77120", "200",
			},
			nil, nil,
		},
		{
			"what means the same everywhere is no link",
			[]string{
				"GET /config", "200\n\n" + `{"active":true,"count":1,"day":"2026-03-01","state":"submitted","currency":"USD","price":12.50,"page_size":50}`,
				"GET /list?active=true&count=1&day=2026-03-01&state=submitted&currency=USD&price=12.50&page=1&per=50", "200",
			},
			nil, nil,
		},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			recorded := calls(test.recorded...)
			plan := replay(t, recorded, renamed(t, recorded, test.renames...))
			var got []string
			for _, l := range plan.Links {
				got = append(got, l.To.Path.String())
				if l.Evidence == "" || l.Score < threshold {
					t.Errorf("%+v", l)
				}
			}
			if diff := cmp.Diff(test.links, got); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
		})
	}
}
