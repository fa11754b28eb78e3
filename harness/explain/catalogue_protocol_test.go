package explain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// protocolExamples is the catalogue's groups of protocol, contract, time and environment.
func protocolExamples() []example {
	return slices.Concat(pageExamples(), limitExamples(), connectionExamples(), orderExamples(), versionExamples(), accessExamples(),
		verbExamples(), statusExamples(), signatureExamples(), timeExamples(), termExamples(), driftExamples(), headerExamples(), noiseExamples())
}

// TestCatalogueOfProtocolIsExplained puts each example beside a difference that has nothing to do with it: the cause
// must be one finding, with everything that follows from it, and the stranger must stay out.
func TestCatalogueOfProtocolIsExplained(t *testing.T) {
	for _, tc := range protocolExamples() {
		t.Run(tc.name, func(t *testing.T) {
			before := append(slices.Clone(tc.before), stranger("quiet"))
			after := append(slices.Clone(tc.after), stranger("loud"))
			findings, c := explained(t, before, after, tc.rules, tc.setup)
			claimedOnce(t, c, findings)
			causes := slices.DeleteFunc(slices.Clone(findings), func(f harness.Finding) bool { return slices.Equal(f.Operations, []string{"GET /weather"}) })
			if len(causes) != 1 || len(findings) != 2 {
				t.Fatalf("%s: one cause must be one finding beside the stranger, got %d:\n%s", tc.why, len(findings), words(findings))
			}
			f := causes[0]
			if got := f.Kind + " " + string(f.Verdict); got != tc.want {
				t.Errorf("%s: %s, want %s\n%s", tc.why, got, tc.want, words(causes))
			}
			if got := fmt.Sprintf("%d/%d %s", f.Count, f.Of, f.Unit); tc.count != "" && got != tc.count {
				t.Errorf("%s: counts %s, want %s\n%s", tc.why, got, tc.count, words(causes))
			}
			for _, part := range tc.says {
				if !strings.Contains(words(causes), part) {
					t.Errorf("%s: does not say %q\n%s", tc.why, part, words(causes))
				}
			}
			if f.NextStep == "" || f.Owner != "Dana Ortiz" {
				t.Errorf("nobody owns it or nothing is to be done: %+v", f)
			}
			if same, _ := explained(t, before, before, tc.rules, nil); len(same) > 0 {
				t.Errorf("a recording differs from itself: %v", briefs(same))
			}
		})
	}
}

// stranger is a call in a session of its own that differs from run to run.
func stranger(word string) harness.Exchange {
	return timed(callOf("elsewhere", target, "weather", "GET", "/weather", "", "200", `{"wind":"`+word+`"}`), 0, 0)
}

func head(name, value string) harness.Field { return harness.Field{Name: name, Value: value} }

// asking adds fields to the head of the request.
func asking(x harness.Exchange, fields ...harness.Field) harness.Exchange {
	x.Request.Head = append(slices.Clone(x.Request.Head), fields...)
	return x
}

// timed sets when a call began and how long it took.
func timed(x harness.Exchange, at, took time.Duration) harness.Exchange {
	x.At, x.Took = now.Add(at), took
	return x
}

// empty takes the body out of the answer.
func empty(x harness.Exchange) harness.Exchange {
	x.Response.Media, x.Response.Body = "", harness.Body{}
	return x
}

// times makes n exchanges.
func times(n int, one func(i int) harness.Exchange) []harness.Exchange {
	var list []harness.Exchange
	for i := range n {
		list = append(list, one(i))
	}
	return list
}

// each applies a change to all exchanges.
func each(list []harness.Exchange, change func(harness.Exchange) harness.Exchange) []harness.Exchange {
	out := make([]harness.Exchange, 0, len(list))
	for _, x := range list {
		out = append(out, change(x))
	}
	return out
}

// applicant is the session of one applicant: question, answer to the SIS.
func applicant(i int) string { return fmt.Sprintf("A-%d", 20480+i) }

func pageExamples() []example {
	whole := xs(ask("poll", waiting(0, 74, "")), tell("poll", `{"read":74}`, "200", "{}"))
	total := xs(ask("poll", waiting(0, 74, `,"total":74`)))
	page := func(n, from, to int) harness.Exchange {
		return callOf("poll", target, "crm", "GET", fmt.Sprintf("/applications?limit=40&page=%d", n), "", "200", waiting(from, to, ""))
	}
	return []example{
		{
			name: "F07 link", why: "the catalogue's own example: 74 items without a link become 50 with one",
			before: whole, after: xs(ask("poll", waiting(0, 50, ""), head("Link", `</applications?page=2>; rel="next"`)), tell("poll", `{"read":50}`, "200", "{}")),
			want: "F07 breaking", count: "24/74 records", says: []string{"50 entries instead of 74", "next page", "24 of 74 are never read", "read in POST /admissions says 50 instead of 74"},
		},
		{
			name: "F07 cursor", why: "the sign of more is a cursor in the body",
			before: xs(ask("poll", waiting(0, 74, `,"next_cursor":null`))), after: xs(ask("poll", waiting(0, 50, `,"next_cursor":"c2"`))),
			want: "F07 breaking", count: "24/74 records", says: []string{"next_cursor"},
		},
		{
			name: "F07 has more", why: "the sign of more is a flag",
			before: xs(ask("poll", waiting(0, 74, `,"has_more":false`))), after: xs(ask("poll", waiting(0, 50, `,"has_more":true`))),
			want: "F07 breaking", count: "24/74 records", says: []string{"has_more"},
		},
		{
			name: "F07 total", why: "the total did not change and says what is missing",
			before: total, after: xs(ask("poll", waiting(0, 50, `,"total":74`))),
			want: "F07 breaking", count: "24/74 records", says: []string{"a total that says 74 (total)"},
		},
		{
			name: "F07 short page", why: "status 200, a page that is shorter than asked for, no sign: the client stops, the second page is not asked for",
			before: xs(page(1, 0, 40), page(2, 40, 74)), after: xs(page(1, 0, 20)),
			want: "F07 breaking", count: "20/40 records", says: []string{"20 entries instead of 40", "a round number", "not called any more"},
		},
		{
			name: "F07 many answers", why: "the lists of one operation are one cause, whoever asks",
			before: times(6, func(i int) harness.Exchange { return ask(applicant(i), waiting(0, 30, `,"next":null`)) }),
			after:  times(6, func(i int) harness.Exchange { return ask(applicant(i), waiting(0, 20, `,"next":"p2"`)) }),
			want:   "F07 breaking", count: "60/180 records", says: []string{"120 entries instead of 180 in 6 answers"},
		},
		{
			name: "F07 followed", why: "the target asks for the rest",
			before: whole,
			after: xs(ask("poll", waiting(0, 50, ""), head("Link", `</applications?page=2>; rel="next"`)),
				ask("poll", waiting(50, 74, "")), tell("poll", `{"read":74}`, "200", "{}")),
			want: "F07 benign", count: "24/74 records", says: []string{"asks for the rest"},
		},
	}
}

func limitExamples() []example {
	limited := func(i, limit int) harness.Exchange {
		return ask(applicant(i), `{"id":"A"}`, head("X-RateLimit-Limit", fmt.Sprint(limit)), head("X-RateLimit-Remaining", fmt.Sprint(max(0, limit-i-1))))
	}
	calm := times(125, func(i int) harness.Exchange { return limited(i, 600) })
	strict := times(125, func(i int) harness.Exchange {
		if i < 120 {
			return limited(i, 120)
		}
		return callOf(applicant(i), target, "crm", "GET", "/applications", "", "429", `{"error":"too many requests"}`,
			head("X-RateLimit-Limit", "120"), head("X-RateLimit-Remaining", "0"), head("Retry-After", "30"))
	})
	told := func(n int) []harness.Exchange {
		return times(n, func(i int) harness.Exchange { return tell(applicant(i), `{"id":"A"}`, "201", `{}`) })
	}
	few := times(5, func(i int) harness.Exchange { return limited(i, 600) })
	again := func(x harness.Exchange) harness.Exchange { x.Response = limited(4, 600).Response; return x }
	refused := callOf(applicant(4), target, "crm", "GET", "/applications", "", "403", `{"error":"slow down"}`, head("Retry-After", "2"))
	return []example{
		{
			name: "F08 too many calls", why: "the catalogue's own example: limit 600 becomes 120, call 121 is refused, and what would have followed is missing",
			before: slices.Concat(calm, told(125)), after: slices.Concat(strict, told(120)),
			want: "F08 breaking", count: "5/125 calls", says: []string{"from call 121 on", "allows 120 calls instead of 600", "Retry-After: 30", "POST /admissions to Atrium SIS is not called any more"},
		},
		{
			name: "F08 lower limit", why: "nothing is refused yet, the headers shrink",
			before: few, after: times(5, func(i int) harness.Exchange { return limited(i, 120) }),
			want: "F08 review", count: "5/5 calls", says: []string{"allows 120 calls instead of 600 (X-RateLimit-Limit)"},
		},
		{
			name: "F08 repeated", why: "403 with Retry-After is a limit too; the target waits and repeats",
			before: each(few, func(x harness.Exchange) harness.Exchange { x.Response.Head = x.Response.Head[:1]; return x }),
			after: append(each(few[:4], func(x harness.Exchange) harness.Exchange { x.Response.Head = x.Response.Head[:1]; return x }),
				refused, func() harness.Exchange { x := again(refused); x.Response.Head = x.Response.Head[:1]; return x }()),
			want: "F08 review", count: "1/5 calls", says: []string{"repeats every refused call"},
		},
	}
}

// cutOff is the call with a fault instead of an answer.
func cutOff(x harness.Exchange, kind, detail string) harness.Exchange {
	x.Response, x.Fault = harness.Message{}, &harness.Fault{Kind: kind, Detail: detail}
	return x
}

func connectionExamples() []example {
	fine := times(3, func(i int) harness.Exchange { return ask(applicant(i), `{}`) })
	failing := func(detail string) []harness.Exchange {
		return each(fine, func(x harness.Exchange) harness.Exchange { return cutOff(x, harness.FaultUnreachable, detail) })
	}
	followed := slices.Concat(fine, times(3, func(i int) harness.Exchange { return tell(applicant(i), `{}`, "201", `{}`) }))
	secured := func(state, leaf, end string) []harness.Exchange {
		return times(3, func(i int) harness.Exchange {
			return ask(applicant(i), `{}`, head(harness.FieldTLS, state), head(harness.FieldCert, leaf), head(harness.FieldCertEnd, end))
		})
	}
	token := func(status, body string) []harness.Exchange {
		return xs(callOf("token", target, "crm", "POST", "/oauth/token", "", status, body))
	}
	return []example{
		{
			name: "F09 handshake", why: "no version or cipher in common: a matter of the connection, not of data",
			before: followed, after: failing("remote error: tls: handshake failure"),
			want: "F09 breaking", count: "3/3 calls", says: []string{"no version or cipher in common", "tls: handshake failure", "not about data", "not called any more"},
		},
		{
			name: "F09 key exchange", why: "the words of SSH",
			before: fine, after: failing("ssh: handshake failed: ssh: no common algorithm for key exchange; client offered: [diffie-hellman-group14-sha1], server offered: [curve25519-sha256]"),
			want: "F09 breaking", count: "3/3 calls", says: []string{"curve25519-sha256"},
		},
		{
			name: "F10 certificate expired", why: "after the day of the catalogue's example",
			before: fine, after: failing("tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-12-01T00:00:00Z is after 2026-11-30T23:59:59Z"),
			want: "F10 breaking", count: "3/3 calls", says: []string{"not valid at this time", "2026-11-30"},
		},
		{
			name: "F10 host key", why: "a rotated or a false host",
			before: fine, after: failing("ssh: handshake failed: knownhosts: key mismatch"),
			want: "F10 breaking", count: "3/3 calls", says: []string{"another host key", "fingerprint"},
		},
		{
			name: "F10 certificate exchanged", why: "the recorder saw another certificate, which ends soon",
			before: secured("TLS 1.3 TLS_AES_128_GCM_SHA256", "aa", "2026-10-20T00:00:00Z"), after: secured("TLS 1.3 TLS_AES_128_GCM_SHA256", "bb", "2026-11-09T12:00:00Z"),
			want: "F10 review", count: "3/3 calls", says: []string{"which ends on 2026-11-09", "in 34 days", "pinned"},
		},
		{
			name: "F09 older version", why: "an older version of TLS is a matter of security",
			before: secured("TLS 1.3 TLS_AES_128_GCM_SHA256", "aa", "2027-10-20T00:00:00Z"), after: secured("TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "aa", "2027-10-20T00:00:00Z"),
			want: "F09 breaking", count: "3/3 calls", says: []string{"TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 instead of TLS 1.3", "older"},
		},
		{
			name: "F10 secret", why: "401 invalid_client is a matter of the secret, apart from other refusals",
			before: token("200", `{"access_token":"x","expires_in":3600}`), after: token("401", `{"error":"invalid_client"}`),
			want: "F10 breaking", count: "1/1 calls", says: []string{"does not know the client or its secret"},
		},
	}
}

// hook is an event that a vendor sends to the target.
func hook(session, body string, fields ...harness.Field) harness.Exchange {
	return asking(empty(callOf(session, "crm", target, "POST", "/hooks/enrollment", body, "202", "")), fields...)
}

// enrol is what the target makes of an event.
func enrol(session, student, status string) harness.Exchange {
	return callOf(session, target, "lms", "PUT", "/enrollments/"+student, `{"status":"`+status+`"}`, "200", `{}`)
}

func orderExamples() []example {
	added := hook("day", `{"event":"added","student_id":"H00000142","at":"2026-10-05T10:01:00Z"}`)
	dropped := hook("day", `{"event":"dropped","student_id":"H00000142","at":"2026-10-05T10:02:00Z"}`)
	other := hook("day", `{"event":"added","student_id":"H00000977","at":"2026-10-05T10:01:30Z"}`)
	numbered := func(n int) harness.Exchange {
		return hook("day", fmt.Sprintf(`{"data":{"student_id":"H00000142"},"sequence":%d,"state":"s%d"}`, n, n))
	}
	create := tell("night", `{"externalId":"A-20481"}`, "201", `{"ok":true}`)
	timeout := tell("night", `{"externalId":"A-20481"}`, "504", `upstream timed out`)
	submitted := callOf("night", "crm", target, "POST", "/hooks/application", `{"id":"A-20481"}`, "202", `{}`)
	return []example{
		{
			name: "F25 last word", why: "the catalogue's own example: add and drop arrive as drop and add, and the student is enrolled again",
			before: xs(added, enrol("day", "H00000142", "active"), dropped, enrol("day", "H00000142", "deleted")),
			after:  xs(dropped, enrol("day", "H00000142", "deleted"), added, enrol("day", "H00000142", "active")),
			want:   "F25 breaking", count: "1/2 calls", says: []string{"H00000142 at 10:01:00 comes after what happened at 10:02:00", "last word", "PUT /enrollments/{} to Lantern LMS follows"},
		},
		{
			name: "F25 number", why: "a sequence number goes back where there is no time",
			before: times(12, numbered), after: slices.Concat(times(9, numbered), xs(numbered(10), numbered(9), numbered(11))),
			want: "F25 breaking", count: "1/12 calls", says: []string{"number 9 of H00000142 comes after number 10"},
		},
		{
			name: "F24 other things", why: "events of different students have no order among them",
			before: xs(added, other), after: xs(other, added),
			want: "F24 benign", count: "1/2 calls", says: []string{"no history of one thing goes back"},
		},
		{
			name: "F26 delivered twice", why: "one message twice, and two creations",
			before: xs(submitted, create), after: xs(submitted, create, submitted, create),
			want: "F26 breaking", count: "1/1 calls", says: []string{"sent twice with the same content", "POST /admissions to Atrium SIS follows each time", "done twice"},
		},
		{
			name: "F26 delivered twice and recognised", why: "the receiver takes the second one for what it is",
			before: xs(submitted, create), after: xs(submitted, create, submitted),
			want: "F26 review", count: "1/1 calls",
		},
		{
			name: "F26 retry", why: "the catalogue's own example: a retry after 504 makes two applications",
			before: xs(submitted, create), after: xs(submitted, timeout, create),
			want: "F26 breaking", count: "1/1 calls", says: []string{"It is a retry: the first one was answered 504"},
		},
	}
}

// report is the answer with workers as XML, under the namespace, prefix and version.
func report(session, path, uri, prefix, version, more string) harness.Exchange {
	p := prefix + ":"
	body := `<` + p + `Workers xmlns:` + prefix + `="` + uri + `" ` + p + `version="` + version + `"><` + p + `Worker><` + p + `ID>W100007</` + p + `ID>` + more + `</` + p + `Worker></` + p + `Workers>`
	x := callOf(session, target, "hcm", "GET", path, "", "200", body)
	x.Response.Media = "application/xml"
	return x
}

func workers(uri, prefix, version, more string) []harness.Exchange {
	return times(3, func(i int) harness.Exchange {
		return report(fmt.Sprintf("cycle%d", i), "/workers", uri, prefix, version, more)
	})
}

// hcm adds the system of these examples to the catalogue.
func hcm(k *Case) { k.Catalogue.Systems["hcm"] = harness.System{Title: "Paylark HCM"} }

func versionExamples() []example {
	const uri = "urn:paylark:hr"
	v43 := workers(uri, "pl", "v43.0", "")
	typed := func(media, version string) []harness.Exchange {
		return times(3, func(i int) harness.Exchange {
			x := asking(ask(applicant(i), `{"id":"A","v":1}`, head("Content-Type", media+version+"+json")), head("Accept", media+version+"+json"))
			x.Response.Media = media + version + "+json"
			return x
		})
	}
	at := func(path, status, body string) []harness.Exchange {
		return times(3, func(i int) harness.Exchange {
			return callOf(applicant(i), target, "hcm", "GET", fmt.Sprintf("/api/%s/workers/W10000%d?term=202640", path, i), "", status, body)
		})
	}
	soap := func(action string) []harness.Exchange {
		return times(2, func(i int) harness.Exchange {
			return asking(callOf(applicant(i), target, "hcm", "POST", "/soap", "<Envelope/>", "200", "<Envelope/>"), head("SOAPAction", action))
		})
	}
	signed := `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">x</ds:Signature>`
	return []example{
		{
			name: "F31 version attribute and prefix", why: "the catalogue's own example, and D13 of the demo: another prefix for the same namespace and v43.0 becomes v44.0",
			before: v43, after: workers(uri, "wd", "v44.0", ""), setup: hcm,
			want: "F31 benign", count: "3/3 calls", says: []string{"v44.0 instead of v43.0", "prefixes", "Nothing else differs"},
		},
		{
			name: "F31 prefix alone", why: "prefixes stand for namespaces and mean nothing themselves",
			before: v43, after: workers(uri, "wd", "v43.0", ""), setup: hcm, want: "F31 benign", count: "3/3 calls",
		},
		{
			name: "F31 namespace", why: "another URI is another vocabulary",
			before: v43, after: workers(uri+":v44", "pl", "v43.0", ""), setup: hcm,
			want: "F31 breaking", count: "3/3 calls", says: []string{"urn:paylark:hr:v44 instead of urn:paylark:hr", "finds none of its elements"},
		},
		{
			name: "F31 signed", why: "a signature covers the writing",
			before: workers(uri, "pl", "v43.0", signed), after: workers(uri, "wd", "v43.0", signed), setup: hcm,
			want: "F31 breaking", says: []string{"breaks its signature"},
		},
		{
			name: "F31 media type", why: "the version stands in what is asked for and in what comes",
			before: typed("application/vnd.prospekt.", "v2"), after: typed("application/vnd.prospekt.", "v3"),
			want: "F31 benign", count: "3/3 calls", says: []string{"application/vnd.prospekt.v3+json instead of application/vnd.prospekt.v2+json"},
		},
		{
			name: "F31 path", why: "the same calls to /v17/ are no missing and no extra calls",
			before: at("v16", "200", `{"id":"W"}`), after: at("v17", "200", `{"id":"W"}`), setup: hcm,
			want: "F31 benign", count: "3/3 calls", says: []string{"the version in the path is v17 instead of v16"},
		},
		{
			name: "F31 path refused", why: "the new release wants something that the call does not bring",
			before: at("v16", "200", `{"id":"W"}`), after: at("v17", "400", `{"error":"effectiveDate is required"}`), setup: hcm,
			want: "F31 breaking", count: "3/3 calls", says: []string{"400 instead of 200", "effectiveDate is required"},
		},
		{
			name: "F31 SOAP action", why: "the call names another operation of the description",
			before: soap(`"urn:paylark:hr/v43/Get"`), after: soap(`"urn:paylark:hr/v44/Get"`), setup: hcm,
			want: "F31 benign", count: "2/2 calls", says: []string{"the SOAP action"},
		},
		{
			name: "F31 sunset", why: "the end of an interface is announced before anything fails",
			before: xs(ask("s1", `{}`), ask("s2", `{}`)),
			after: xs(ask("s1", `{}`, head("Deprecation", "@1790000000"), head("Sunset", "Mon, 01 Mar 2027 00:00:00 GMT")),
				ask("s2", `{}`, head("Deprecation", "@1790000000"), head("Sunset", "Mon, 01 Mar 2027 00:00:00 GMT"))),
			want: "F31 review", count: "2/2 calls", says: []string{"announces the end of GET /applications on 2027-03-01, in 146 days"},
		},
	}
}

func accessExamples() []example {
	bearing := func(credentials, status, body string, fields ...harness.Field) []harness.Exchange {
		return times(3, func(i int) harness.Exchange {
			return asking(callOf(applicant(i), target, "crm", "GET", "/applications", "", status, body, fields...), head("Authorization", credentials))
		})
	}
	token := func(life, scope string) harness.Exchange {
		return timed(callOf("cycle", target, "crm", "POST", "/oauth/token", "", "200", `{"access_token":"t","expires_in":`+life+`,"scope":"`+scope+`"}`), 0, time.Second)
	}
	used := func(at time.Duration) harness.Exchange {
		return timed(asking(ask("cycle", `{}`), head("Authorization", "Bearer t")), at, time.Second)
	}
	cookie := func(text string) []harness.Exchange { return xs(ask("s1", `{}`, head("Set-Cookie", text))) }
	return []example{
		{
			name: "F32 scheme", why: "the catalogue's own example: OAuth 1 is refused, Bearer is asked for",
			before: bearing("OAuth oauth_consumer_key=k", "200", `{}`), after: bearing("OAuth oauth_consumer_key=k", "401", `{"error":"unauthorized"}`, head("WWW-Authenticate", `Bearer realm="crm"`)),
			want: "F32 breaking", count: "3/3 calls", says: []string{"asks for Bearer; the call brings OAuth"},
		},
		{
			name: "F32 other scheme sent", why: "the target brings another kind of credentials",
			before: bearing("Basic aaaa", "200", `{}`), after: bearing("Bearer bbbb", "200", `{}`),
			want: "F32 review", count: "3/3 calls", says: []string{"brings Bearer for its credentials instead of Basic"},
		},
		{
			name: "F32 no credentials sent", why: "a test side may let in what production does not",
			before: bearing("Basic aaaa", "200", `{}`), after: times(3, func(i int) harness.Exchange { return ask(applicant(i), `{}`) }),
			want: "F32 breaking", count: "3/3 calls", says: []string{"brings nothing"},
		},
		{
			name: "F32 token life", why: "the catalogue's own example: 3600 seconds become 300, and the recording used a token after 12 minutes",
			before: xs(token("3600", "read"), used(12*time.Minute)), after: xs(token("300", "read"), used(12*time.Minute)),
			want: "F32 breaking", count: "1/1 calls", says: []string{"lives 300 seconds instead of 3600", "1 call came later than that"},
		},
		{
			name: "F32 token life that is enough", why: "the recording used the token at once",
			before: xs(token("3600", "read"), used(time.Minute)), after: xs(token("300", "read"), used(time.Minute)),
			want: "F32 review", count: "1/1 calls",
		},
		{
			name: "F32 scope", why: "a token that may not write any more",
			before: xs(token("3600", "read write")), after: xs(token("3600", "read")),
			want: "F32 breaking", says: []string{"write is gone from its scope"},
		},
		{
			name: "F32 forbidden", why: "the caller is known and may not",
			before: bearing("Bearer t", "200", `{}`), after: bearing("Bearer t", "403", `{"error":"insufficient_scope"}`),
			want: "F32 breaking", count: "3/3 calls", says: []string{"may not do this any more"},
		},
		{
			name: "F32 cookie", why: "flags of protection are gone: a matter of security",
			before: cookie("sid=abc; Path=/; Secure; HttpOnly; SameSite=Strict"), after: cookie("sid=abc; Path=/; HttpOnly; SameSite=None"),
			want: "F32 breaking", count: "1/1 calls", says: []string{"Secure is gone", "SameSite is None instead of Strict", "security"},
		},
	}
}

func verbExamples() []example {
	end := func(method, body, status string) []harness.Exchange {
		return times(3, func(i int) harness.Exchange {
			return callOf(fmt.Sprintf("cycle%d", i), target, "identity", method, fmt.Sprintf("/Users/%d", 100+i), body, status, `{}`)
		})
	}
	lower := `{"Operations":[{"op":"replace","path":"active","value":false}]}`
	upper := `{"Operations":[{"op":"Replace","path":"active","value":false}]}`
	return []example{
		{
			name: "F33 word", why: "the catalogue's own example: replace becomes Replace, and a strict receiver refuses it",
			before: end("PATCH", lower, "200"), after: end("PATCH", upper, "400"),
			want: "F33 breaking", count: "3/3 calls", says: []string{`"Replace" instead of "replace"`, "400 instead of 200"},
		},
		{
			name: "F33 word taken", why: "refused or not, a strict receiver will",
			before: end("PATCH", lower, "200"), after: end("PATCH", upper, "200"), want: "F33 breaking", count: "3/3 calls",
		},
		{
			name: "F33 value for path", why: "the catalogue's own example: remove names a value instead of a path",
			before: end("PATCH", `{"Operations":[{"op":"remove","path":"members[value eq \"7\"]"}]}`, "200"),
			after:  end("PATCH", `{"Operations":[{"op":"remove","path":"members","value":[{"value":"7"}]}]}`, "200"),
			want:   "F33 breaking", count: "3/3 calls", says: []string{"by its value instead of by its path"},
		},
		{
			name: "F33 PUT for PATCH", why: "the same users with another verb are no missing and extra calls",
			before: end("PATCH", lower, "200"), after: end("PUT", `{"active":false}`, "200"),
			want: "F33 breaking", count: "3/3 calls", says: []string{"PUT instead of PATCH", "left out", "replaces the whole thing"},
		},
		{
			name: "F33 verb refused", why: "the receiver does not know the verb",
			before: end("PATCH", lower, "200"), after: end("PUT", `{"active":false}`, "405"),
			want: "F33 breaking", count: "3/3 calls", says: []string{"refuses 3 of 3 calls (405)"},
		},
	}
}

func statusExamples() []example {
	told := func(status, body string, fields ...harness.Field) []harness.Exchange {
		return times(3, func(i int) harness.Exchange {
			x := tell(applicant(i), `{"id":"A"}`, status, body)
			x.Response.Head = append(x.Response.Head, fields...)
			return x
		})
	}
	job := func(path, body string) []harness.Exchange {
		return times(3, func(i int) harness.Exchange { return callOf(applicant(i), target, "sis", "GET", path, "", "200", body) })
	}
	write := func(id string) []harness.Exchange {
		return times(3, func(i int) harness.Exchange {
			return callOf(applicant(i), target, "crm", "PATCH", "/applications/"+applicant(i), `{"sis_id":`+id+`}`, "200", `{}`)
		})
	}
	return []example{
		{
			name: "F34 errors by status", why: "the catalogue's own example: 200 with errors inside becomes 422",
			before: told("200", `{"errors":[{"message":"term is closed"}]}`), after: told("422", `{"title":"term is closed"}`),
			want: "F34 breaking", count: "3/3 calls", says: []string{"inside an answer 200", "422"},
		},
		{
			name: "F34 error behind success", why: "422 becomes 200 with the errors inside",
			before: told("422", `{"title":"term is closed"}`), after: told("200", `{"errors":[{"message":"term is closed"}]}`),
			want: "F34 breaking", count: "3/3 calls", says: []string{"still tells an error inside", "term is closed"},
		},
		{
			name: "F34 error inside", why: "an answer of success begins to tell errors, under the same status",
			before: told("200", `{"ok":1}`), after: told("200", `{"ok":1,"errors":[{"message":"term is closed"}]}`),
			want: "F34 breaking", count: "3/3 calls", says: []string{"says success (200) and tells an error inside", "term is closed"},
		},
		{
			name: "F34 accepted", why: "the catalogue's own example: 201 becomes 202 and a place to ask at, which the target does",
			before: told("201", `{"applicationId":"g1","studentId":"H00000977"}`),
			after:  slices.Concat(told("202", `{"status":"queued"}`, head("Location", "/jobs/7")), job("/jobs/7", `{"studentId":"H00000977"}`)),
			want:   "F34 review", count: "3/3 calls", says: []string{"only accepts the call now (202)", "asks for the result"},
		},
		{
			name: "F34 accepted and lost", why: "the target takes the result from an answer that does not hold it any more",
			before: slices.Concat(told("201", `{"applicationId":"g1","studentId":"H00000977"}`), write(`"H00000977"`)),
			after:  slices.Concat(told("202", `{"status":"queued"}`, head("Location", "/jobs/7")), write(`null`)),
			want:   "F34 breaking", count: "3/3 calls", says: []string{"never asks for the result", "sis_id"},
		},
		{
			name: "F39 job", why: "sync becomes async under the same status",
			before: told("200", `{"applicationId":"g1","studentId":"H00000977"}`), after: told("200", `{"jobId":"j-1","state":"queued"}`),
			want: "F39 review", count: "3/3 calls", says: []string{"a job to ask for later"},
		},
		{
			name: "F34 redirect", why: "a redirect that nobody follows loses the call",
			before: told("201", `{"id":1}`), after: each(told("307", ``, head("Location", "https://new.sis.example/admissions")), empty),
			want: "F34 breaking", count: "3/3 calls", says: []string{"sends the caller elsewhere", "https://new.sis.example/admissions"},
		},
		{
			name: "F34 redirect followed", why: "one more call, and the answer is there",
			before: job("/persons/7", `{"id":7}`),
			after: slices.Concat(times(3, func(i int) harness.Exchange {
				return empty(callOf(applicant(i), target, "sis", "GET", "/persons/7", "", "301", ``, head("Location", "/people/7")))
			}), job("/people/7", `{"id":7}`)),
			want: "F34 review", count: "3/3 calls", says: []string{"follows it"},
		},
		{
			name: "F34 wording", why: "error text is noise as long as status and code are the same",
			before: told("422", `{"code":"TERM_CLOSED","message":"Term is closed"}`), after: told("422", `{"code":"TERM_CLOSED","message":"This term is closed."}`),
			want: "F34 benign", count: "3/3 calls", says: []string{"status and code are the same"},
		},
		{
			name: "F34 code", why: "programs go by the code",
			before: told("422", `{"code":"TERM_CLOSED","message":"Term is closed"}`), after: told("422", `{"code":"E-1107","message":"Term is closed"}`),
			want: "F34 review", count: "3/3 calls", says: []string{"code is E-1107 instead of TERM_CLOSED"},
		},
		{
			name: "F34 other success", why: "200 and 201 both mean success",
			before: told("200", `{"id":1}`), after: told("201", `{"id":1}`), want: "F34 review", count: "3/3 calls",
		},
		{
			name: "F34 other error", why: "404 and 410 are handled in different ways",
			before: told("404", `{"title":"no"}`), after: told("410", `{"title":"gone"}`), want: "F34 review", count: "3/3 calls", says: []string{"410 instead of 404"},
		},
	}
}

func signatureExamples() []example {
	sha1, sha256 := strings.Repeat("a1", 20), strings.Repeat("b2", 32)
	hooks := func(status string, fields ...harness.Field) []harness.Exchange {
		return times(3, func(i int) harness.Exchange {
			x := hook(applicant(i), `{"id":"`+applicant(i)+`"}`, fields...)
			x.Response.Head = x.Response.Head.With(harness.FieldStatus, status)
			return x
		})
	}
	asks := times(3, func(i int) harness.Exchange { return ask(applicant(i), `{}`) })
	return []example{
		{
			name: "F38 name and algorithm", why: "the catalogue's own example, and the target refuses what it cannot check",
			before: slices.Concat(hooks("202", head("X-Sig", "sha1="+sha1)), asks), after: hooks("401", head("X-Sig-256", "v1="+sha256+",t=1791208798")),
			want: "F38 breaking", count: "3/3 calls", says: []string{"X-Sig-256: v1=64 hexadecimal digits,t=number instead of X-Sig: sha1=40 hexadecimal digits", "401", "GET /applications"},
		},
		{
			name: "F38 algorithm", why: "another algorithm under the same name",
			before: hooks("202", head("X-Hub-Signature", "sha1="+sha1)), after: hooks("202", head("X-Hub-Signature", "sha256="+sha256)),
			want: "F38 breaking", count: "3/3 calls", says: []string{"sha256=64 hexadecimal digits instead of X-Hub-Signature: sha1=40 hexadecimal digits"},
		},
		{
			name: "F38 unsigned", why: "a message that is not signed any more",
			before: hooks("202", head("X-Hub-Signature", "sha1="+sha1)), after: hooks("202"),
			want: "F38 breaking", count: "3/3 calls", says: []string{"no signature instead of"},
		},
	}
}

func timeExamples() []example {
	slow := func(n int, took time.Duration) []harness.Exchange {
		return times(n, func(i int) harness.Exchange {
			return timed(ask(applicant(i), `{}`), time.Duration(i)*time.Minute, took)
		})
	}
	given := slow(25, 400*time.Millisecond)
	given[7] = cutOff(timed(given[7], 7*time.Minute, 31*time.Second), harness.FaultTimeout, "the answer of the upstream did not come in time")
	return []example{
		{
			name: "F39 slower", why: "the catalogue's own example: 0.4 seconds become 31",
			before: slow(25, 400*time.Millisecond), after: slow(25, 31*time.Second),
			want: "F39 review", count: "25/0 calls", says: []string{"within 31 s instead of 0.4 s"},
		},
		{
			name: "F39 given up", why: "one call is not answered within the limit of the client",
			before: slow(25, 400*time.Millisecond), after: given,
			want: "F39 breaking", count: "1/25 calls", says: []string{"given up after 31 s", "within 0.4 s"},
		},
	}
}

func termExamples() []example {
	filtered := func(code string) []harness.Exchange {
		return times(3, func(i int) harness.Exchange {
			return timed(callOf(applicant(i), target, "crm", "GET", "/applications?term="+code, "", "200", `{}`), 0, time.Second)
		})
	}
	rolled := func(k *Case) {
		k.Now = time.Date(2027, 1, 11, 6, 0, 0, 0, time.UTC)
		k.Catalogue.Calendar = harness.Calendar{Zone: "America/Chicago", Terms: []harness.Term{
			{Code: "202640", From: day("2026-08-24"), To: day("2026-12-18")}, {Code: "202710", From: day("2027-01-11"), To: day("2027-05-07")},
		}}
	}
	return []example{
		{
			name: "F41 hard-coded term", why: "the clock stands on the first day of the next term, and the filter does not follow",
			before: filtered("202640"), after: filtered("202640"), setup: rolled,
			want: "F41 breaking", count: "3/3 calls", says: []string{"still asks for term 202640 (term in GET /applications)", "202710"},
		},
		{
			name: "F41 term that follows", why: "another term under another clock is right",
			before: filtered("202640"), after: filtered("202710"), setup: rolled,
			want: "F41 benign", count: "3/3 calls", says: []string{"follows the calendar: 202710 instead of 202640"},
		},
	}
}

func driftExamples() []example {
	person := func(i int, status, body string) harness.Exchange {
		return callOf(applicant(i), target, "sis", "GET", fmt.Sprintf("/persons/%d", 100+i), "", status, body)
	}
	found := times(4, func(i int) harness.Exchange { return person(i, "200", `{"active":true}`) })
	write := times(4, func(i int) harness.Exchange { return tell(applicant(i), `{}`, "201", `{}`) })
	gone := append(slices.Clone(found[:3]), person(3, "404", `{"error":"not found"}`))
	return []example{{
		name: "F43 person gone", why: "the test person was terminated by a refresh: the run proves nothing about the release",
		before: slices.Concat(found, write), after: slices.Concat(gone, write[:3]),
		want: "F43 inconclusive", count: "1/4 calls", says: []string{"The test data moved", "refresh", "POST /admissions to Atrium SIS is not called any more"},
	}}
}

func headerExamples() []example {
	made := func(fields ...harness.Field) harness.Exchange {
		x := tell("s1", `{}`, "201", `{}`)
		x.Response.Head = append(x.Response.Head, fields...)
		return x
	}
	next := callOf("s1", target, "sis", "GET", "/admissions/7", "", "200", `{}`)
	return []example{
		{
			name: "F03 Location read", why: "the recording shows that the target goes where the field points",
			before: xs(made(head("Location", "/admissions/7")), next), after: xs(made(), next),
			want: "F03 breaking", count: "1/1 calls", says: []string{"Location is gone", "a later call of the session uses its value"},
		},
		{
			name: "F03 ETag", why: "nobody used it in this recording",
			before: xs(ask("s1", `{}`, head("ETag", `"1"`))), after: xs(ask("s1", `{}`)),
			want: "F03 review", count: "1/1 calls", says: []string{"If-Match"},
		},
	}
}

func noiseExamples() []example {
	with := func(fields ...func(i int) harness.Field) []harness.Exchange {
		return times(4, func(i int) harness.Exchange {
			x := ask(applicant(i), `{"id":1}`)
			for _, f := range fields {
				x.Response.Head = append(x.Response.Head, f(i))
			}
			return x
		})
	}
	field := func(name, format string, from int) func(int) harness.Field {
		return func(i int) harness.Field { return head(name, fmt.Sprintf(format, from+i)) }
	}
	holding := func(format string, from int) []harness.Exchange {
		return times(4, func(i int) harness.Exchange { return ask(applicant(i), fmt.Sprintf(format, from+i)) })
	}
	query := func(path string) []harness.Exchange {
		return xs(callOf("s1", target, "crm", "GET", path, "", "200", `{}`))
	}
	return []example{
		{
			name: "F44 request ids", why: "another identifier of the same form",
			before: with(field("X-Request-Id", "%016x", 4096)), after: with(field("X-Request-Id", "%016x", 70000)),
			want: "F44 review", count: "4/4 calls", says: []string{`pattern: "[0-9a-f]{16}"`, "their form is the same"},
		},
		{
			name: "F44 tags", why: "an entity tag changes with every version",
			before: with(field("ETag", `"%d"`, 10)), after: with(field("ETag", `"%d"`, 90)),
			want: "F44 review", count: "4/4 calls",
		},
		{
			name: "F44 tokens", why: "another token under the same scheme",
			before: times(2, func(i int) harness.Exchange {
				return asking(ask(applicant(i), `{}`), head("Authorization", "Bearer aaa"))
			}),
			after: times(2, func(i int) harness.Exchange {
				return asking(ask(applicant(i), `{}`), head("Authorization", "Bearer bbbb"))
			}),
			want: "F44 review", count: "2/2 calls", says: []string{`pattern: "Bearer .+"`},
		},
		{
			name: "F44 cookie values", why: "another session of the same cookie; its flags stay in the rule",
			before: with(field("Set-Cookie", "sid=%d; Path=/; Secure", 1)), after: with(field("Set-Cookie", "sid=%d; Path=/; Secure", 77)),
			want: "F44 review", count: "4/4 calls", says: []string{"sid=[^;]*; Path=/; Secure"},
		},
		{
			name: "F44 counter", why: "consecutive numbers on both sides",
			before: holding(`{"receipt":%d}`, 4711), after: holding(`{"receipt":%d}`, 5120), want: "F44 review", count: "4/4 calls", says: []string{"counters"},
		},
		{
			name: "F44 batch number", why: "its name says that it counts",
			before: xs(ask("s1", `{"batch_number":"0004711"}`)), after: xs(ask("s1", `{"batch_number":"0004713"}`)), want: "F44 review", count: "1/1 calls",
		},
		{
			name: "F44 last digits", why: "binary fractions end in noise",
			before: holding(`{"gpa":3.%d}`, 10), after: holding(`{"gpa":3.%d0000000000000004}`, 10), want: "F44 review", count: "4/4 calls", says: []string{"compare: number"},
		},
		{
			name: "F44 order of a query", why: "parameters of different names have no order",
			before: query("/applications?term=202640&page=1&q=a%20b"), after: query("/applications?page=1&term=202640&q=a+b"), want: "F44 benign", count: "1/1 calls",
		},
		{
			name: "F44 order of a list", why: "what is accepted has no order without weights",
			before: xs(asking(ask("s1", `{}`), head("Accept", "application/json, text/json"))), after: xs(asking(ask("s1", `{}`), head("Accept", "text/json,application/json"))),
			want: "F44 benign", count: "1/1 calls",
		},
	}
}
