package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// hook is an event that a vendor sends to the target.
func hook(session, body string, fields ...harness.Field) harness.Exchange {
	return asking(empty(callOf(session, "crm", target, "POST", "/hooks/enrollment", body, "202", "")), fields...)
}

// enrol is what the target makes of an event.
func enrol(session, student, status string) harness.Exchange {
	return callOf(session, target, "lms", "PUT", "/enrollments/"+student, `{"status":"`+status+`"}`, "200", `{}`)
}

// heldIn puts an exchange into the session of an applicant.
func heldIn(x harness.Exchange, i int) harness.Exchange {
	x.Session = applicant(i)
	return x
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
			name: "F25 in many sessions", why: "one reason, however many sessions it hits; where the receiver keeps the last word, that is another one",
			before: slices.Concat(times(4, func(i int) harness.Exchange { return heldIn(added, i) }), times(4, func(i int) harness.Exchange { return heldIn(dropped, i) }),
				times(4, func(i int) harness.Exchange { return enrol(applicant(i), "H00000142", "deleted") })),
			after: slices.Concat(times(4, func(i int) harness.Exchange { return heldIn(dropped, i) }), times(4, func(i int) harness.Exchange { return heldIn(added, i) }),
				times(4, func(i int) harness.Exchange { return enrol(applicant(i), "H00000142", "active") })),
			want: "F25 breaking", count: "4/8 calls", says: []string{"The same for 3 more", "status in PUT /enrollments/{} to Lantern LMS is active now (was deleted, 4 of 4 calls)"},
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
			name: "F13 job beside the result", why: "a number of a job beside the result puts nothing off",
			before: told("200", `{"applicationId":"g1"}`), after: told("200", `{"applicationId":"g1","job_id":"j-1"}`),
			want: "F13 benign", count: "3/3 calls",
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
