package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// without is the table of ten users, less the given ones.
func without(rows ...int) string {
	return table("user_id,name", 10, func(i int) string {
		if slices.Contains(rows, i) {
			return ""
		}
		return fmt.Sprintf("%s,N%d", id(i), i)
	})
}

func faulty(x harness.Exchange, kind string) harness.Exchange {
	x.Fault = &harness.Fault{Kind: kind}
	return x
}

func photo(body string) harness.Exchange {
	x := fileOf("night", target, "lms", "photo.bin", body)
	x.Request.Media = "application/octet-stream"
	return x
}

// signInPage is what a client gets whose session is over.
const signInPage = "<!DOCTYPE html>\n<html><head><title>Sign in &middot;\n Atrium</title></head><form><input type=password></form></html>"

// codeOf is the code that the CRM answers in a session.
func codeOf(session string) string {
	if session == "s2" || session == "s6" {
		return "WL"
	}
	return "AD"
}

// inPart is eight sessions in which the target is called, asks the CRM and writes to the SIS; spoil changes the first three.
func inPart(spoil func(session string) []harness.Exchange) (before, after []harness.Exchange) {
	for i := range 8 {
		session := fmt.Sprintf("s%d", i+1)
		whole := []harness.Exchange{
			callOf(session, "crm", target, "POST", "/hooks", `{}`, "200", `{"state":"done","sent":3,"failed":0}`),
			ask(session, fmt.Sprintf(`{"code":%q}`, codeOf(session))), tell(session, `{}`, "201", `{}`),
		}
		before = append(before, whole...)
		if i < 3 {
			whole = append(spoil(session), callOf(session, "crm", target, "POST", "/hooks", `{}`, "200", `{"state":"failed in part","sent":2,"failed":1}`))
		}
		after = append(after, whole...)
	}
	return before, after
}

func restCases() []acceptance {
	read := func(status string) harness.Exchange {
		return callOf("s1", target, "sis", "GET", "/terms", "", status, `{}`)
	}
	wrote := func(status string) harness.Exchange { return tell("s1", `{}`, status, `{}`) }
	bodyOf := func(body, path string) harness.Exchange {
		return callOf("s1", target, "sis", "GET", path, "", "200", body)
	}
	pageOf := func(status, body, path string) harness.Exchange {
		x := callOf("s1", target, "sis", "GET", path, "", status, body)
		x.Response.Head, x.Response.Media = x.Response.Head.With("Content-Type", "text/html; charset=utf-8"), "text/html"
		return x
	}
	unsent := func(path, reason string) harness.Exchange {
		x := bodyOf("", path)
		x.Response, x.Fault = harness.Message{}, &harness.Fault{Kind: harness.FaultNotSent, Detail: "send exchange 000000 (GET " + path + "): no live value for request.segment[1]: " + reason}
		return x
	}
	ok := ask("s1", `{"name":"Ngozi"}`)
	before, afterCode := inPart(func(session string) []harness.Exchange { return xs(ask(session, `{"code":"ZZ"}`)) })
	_, afterRefusal := inPart(func(session string) []harness.Exchange {
		return xs(ask(session, fmt.Sprintf(`{"code":%q}`, codeOf(session))), tell(session, `{}`, "422", `{"error":"no"}`))
	})
	_, afterNothing := inPart(func(session string) []harness.Exchange {
		return xs(ask(session, fmt.Sprintf(`{"code":%q}`, codeOf(session))), tell(session, `{}`, "201", `{}`))
	})
	long := `{"list":[` + strings.Repeat("1,", 20) + `1]}`
	return []acceptance{
		{name: "value changed", why: "no code, no damage", before: xs(ok), after: xs(ask("s1", `{"name":"Omar"}`)), want: []string{"F00 review 1/1 calls ×1"}},
		{name: "spelling changed", why: "same value, other form: shown, and harmless", before: askMany(`{"gpa":3.50}`), after: askMany(`{"gpa":3.5}`), want: []string{"F19 benign 1/1 calls ×1"}},
		{name: "element added to a list of texts", why: "elements have no name of their own", before: askMany(`{"tags":["a","b"]}`), after: askMany(`{"tags":["a","b","c"]}`), want: []string{"F00 review 1/0 elements ×1"}},
		{name: "element added to a list that is the whole body", why: "there is no member around it", before: askMany(`["a","b"]`), after: askMany(`["a","b","c"]`), want: []string{"F00 review 1/0 elements ×1"}},
		{name: "element gone from a list that is the whole body", why: "there is no member around it", before: askMany(`["a","b","c"]`), after: askMany(`["a","b"]`), want: []string{"F00 review 1/3 elements ×1"}},
		{name: "answer missing", why: "half an exchange", before: xs(ok), after: xs(func() harness.Exchange { x := ok; x.Response = harness.Message{}; return x }()), want: []string{"F00 review 1/1 calls ×1"}},
		{name: "opaque body changed", why: "bytes have no fields", before: xs(photo("\x00\x01\x02")), after: xs(photo("\x00\x01\x03")),
			want: []string{"F00 review 1/1 files ×1"}},
		{name: "call breaks off", why: "an exchange that was whole is not any more", before: xs(ok), after: xs(faulty(ok, harness.FaultReset)), want: []string{"F00 breaking 1/1 calls ×1"}},
		{name: "a system breaks off every call", why: "one cause, however many operations it hits",
			before: xs(read("200"), wrote("201")), after: xs(faulty(read("200"), harness.FaultReset), faulty(wrote("201"), harness.FaultReset)), want: []string{"F00 breaking 2/2 calls ×2"}},
		{name: "a system breaks off all calls but one", why: "it answers, so that each may have a cause of its own",
			before: xs(read("200"), read("200"), wrote("201")), after: xs(read("200"), faulty(read("200"), harness.FaultReset), faulty(wrote("201"), harness.FaultReset)),
			want: []string{"F00 breaking 1/2 calls ×1", "F00 breaking 1/1 calls ×1"}},
		{name: "a system answers every call with one error", why: "one cause",
			before: xs(read("200"), wrote("201")), after: xs(read("503"), wrote("503")), want: []string{"F00 breaking 2/2 calls ×2"}},
		{name: "a system answers with several errors", why: "they may have several causes",
			before: xs(read("200"), wrote("201")), after: xs(read("503"), wrote("500")), want: []string{"F00 breaking 1/1 calls ×1", "F00 breaking 1/1 calls ×1"}},
		{name: "a system answers no call in its format", why: "all stop to be readable at one place",
			before: xs(bodyOf(`{"id":1}`, "/terms"), bodyOf(`[1]`, "/courses")), after: xs(bodyOf(`<html>`, "/terms"), bodyOf(`<html>`, "/courses")), want: []string{"F00 breaking 1/1 calls ×10"}},
		{name: "a system answers with a page to sign in", why: "nothing of the page is compared, whatever the status was",
			before: xs(bodyOf(`{"id":1,"name":"Fall"}`, "/terms"), bodyOf(`[{"id":2}]`, "/courses"), bodyOf(`{"id":3}`, "/rooms")),
			after:  xs(pageOf("200", signInPage, "/terms"), pageOf("203", signInPage, "/courses"), bodyOf(`{"id":4}`, "/rooms")), want: []string{"F00 breaking 2/3 calls ×14", "F00 review 1/1 calls ×1"}},
		{name: "requests want what a page does not give", why: "they follow from it, and from one another",
			before: xs(bodyOf(`{"id":1}`, "/terms"), bodyOf(`{"room":2}`, "/terms/1"), bodyOf(`{}`, "/rooms/2"), bodyOf(`{}`, "/rooms/3")),
			after: xs(pageOf("200", signInPage, "/terms"), unsent("/terms/1", "exchange 000001 (GET /terms) answered without a value at response.body.id"),
				unsent("/rooms/2", "exchange 000002 (GET /terms/{}) was not answered yet"), unsent("/rooms/3", "exchange 000009 (GET /halls) answered without a value at response.body.room")),
			want: []string{"F00 breaking 1/4 calls ×7", "F00 breaking 1/2 requests ×1"}},
		{name: "a system answers with a page of maintenance", why: "without a title there is none to tell",
			before: xs(bodyOf(`{"id":1}`, "/terms")), after: xs(pageOf("200", `<html><p>Back soon</p></html>`, "/terms")), want: []string{"F00 breaking 1/1 calls ×5"}},
		{name: "a system redirects with a page", why: "that is a redirect",
			before: xs(bodyOf(`{"id":1}`, "/terms")), after: xs(pageOf("302", `<a href="/login">Found</a>`, "/terms")), want: []string{"F34 breaking 1/1 calls ×6"}},
		{name: "a page for people was one before", why: "its words are compared as text",
			before: xs(pageOf("200", "<p>Back soon</p>", "/terms")), after: xs(pageOf("200", "<p>Back at noon</p>", "/terms")), want: []string{"F00 review 1/1 elements ×1"}},
		{name: "call missing", why: "a question is not asked any more", before: xs(ok, tell("s1", `{}`, "201", `{}`)), after: xs(tell("s1", `{}`, "201", `{}`)), want: []string{"F00 review 1/1 calls ×1"}},
		{name: "write missing", why: "what is not written is lost", before: xs(ok, tell("s1", `{}`, "201", `{}`)), after: xs(ok), want: []string{"F00 breaking 1/1 calls ×1"}},
		{name: "file missing", why: "a whole delivery is lost", before: xs(in(without()), out(without())), after: xs(in(without())), want: []string{"F00 breaking 1/1 files ×1"}},
		{name: "calls extra", why: "the target asks twice more", before: xs(ok), after: xs(ok, ok, ok), want: []string{"F00 review 2/0 calls ×2"}},

		{name: "call fails", why: "an error page is one finding with its status", before: xs(ok, tell("s1", `{}`, "201", `{"id":7,"links":{}}`)), after: xs(ok, tell("s1", `{}`, "503", `{"error":"maintenance"}`)),
			want: []string{"F00 breaking 1/1 calls ×4"}},
		{name: "calls fail and others are missing", why: "what is not called after a failure belongs to it",
			before: xs(tell("s1", `{}`, "201", `{}`), ask("s1", `{}`)), after: xs(tell("s1", `{}`, "500", `{}`)), want: []string{"F00 breaking 1/1 calls ×2"}},
		{name: "the target fails in part for a new code", why: "what it tells of its own failure follows from the cause", before: before, after: afterCode, want: []string{"F01 breaking 3/8 calls ×15"}},
		{name: "the target fails in part as a call of its own is refused", why: "the refusal is the finding", before: before, after: afterRefusal, want: []string{"F00 breaking 3/8 calls ×15"}},
		{name: "the target fails in part and nothing else differs", why: "success that tells a failure is named", before: before, after: afterNothing, want: []string{"F34 breaking 3/8 calls ×9"}},
		{name: "a state of a system that was asked", why: "what others tell of a record is no failure of theirs", before: askMany(`{"state":"open"}`), after: askMany(`{"state":"failed"}`), want: []string{"F00 review 1/1 calls ×1"}},
		{name: "one success for another", why: "not a failure", before: xs(tell("s1", `{}`, "200", `{}`)), after: xs(tell("s1", `{}`, "202", `{}`)), want: []string{"F34 review 1/1 calls ×1"}},

		{name: "records lost in the output", why: "lost data is never noise", before: xs(in(without()), out(without())), after: xs(in(without()), out(without(2))), want: []string{"F00 breaking 1/10 rows ×1"}},
		{name: "mass loss in the output", why: "the guard is named", before: xs(in(without()), out(without())), after: xs(in(without()), out(without(2, 3, 4, 5))), setup: guarded("5%", nil),
			want: []string{"F00 breaking 4/10 rows ×4"}},
		{name: "records missing from the input", why: "the output lacks them for that reason", before: xs(in(without()), out(without())), after: xs(in(without(2, 3)), out(without(2, 3))),
			want: []string{"F00 review 2/10 rows ×4"}},
		{name: "records new in the input", why: "the output has them for that reason", before: xs(in(without(4)), out(without(4))), after: xs(in(without()), out(without())), want: []string{"F00 review 1/0 rows ×2"}},
		{name: "records new in the output", why: "nobody sent them", before: xs(in(without()), out(without(4))), after: xs(in(without()), out(without())), want: []string{"F00 review 1/0 rows ×1"}},

		{name: "body truncated", why: "the place where reading ends is said", before: askMany(long), after: askMany(long[:20]), want: []string{"F00 breaking 1/1 calls ×5"}},
		{name: "body truncated in the file that the target writes", why: "nothing behind the place was compared", before: xs(out("id,name\nH1,a\nH2,b\n")), after: xs(out("id,name\nH1,\"a\nH2,b\n")),
			want: []string{"F00 breaking 1/1 files ×8"}},
	}
}
