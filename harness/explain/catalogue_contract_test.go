package explain

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

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
