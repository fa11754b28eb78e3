package explain

import (
	"fmt"
	"slices"
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
			tc.check(t, f)
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
