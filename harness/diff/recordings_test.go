package diff

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// answer is a recording of one GET whose answer has the body.
func answer(media, body string, head ...harness.Field) *harness.Memory {
	return harness.NewMemory(harness.Manifest{}, call("s1", "GET", "/students", media, body, head...))
}

func call(session, method, path, media, body string, head ...harness.Field) harness.Exchange {
	return harness.Exchange{
		Session: session, Channel: harness.ChannelHTTP, From: "hubline", To: "sis",
		Request: harness.Message{Head: harness.Head{{Name: harness.FieldMethod, Value: method}, {Name: harness.FieldPath, Value: path}}},
		Response: harness.Message{
			Head:  append(harness.Head{{Name: harness.FieldStatus, Value: "200"}}, head...),
			Media: media, Body: harness.BytesBody([]byte(body)),
		},
	}
}

func file(name, body string) *harness.Memory {
	return harness.NewMemory(harness.Manifest{}, harness.Exchange{
		Session: "night", Channel: harness.ChannelFile, From: "sis", To: "hubline",
		Request: harness.Message{Head: harness.Head{{Name: harness.FieldName, Value: name}}, Media: "text/csv", Body: harness.BytesBody([]byte(body))},
	})
}

// lines writes each difference as "class path was → is", with the count when it stands for several places.
func lines(c *harness.Comparison) []string {
	var out []string
	for _, d := range c.Differences {
		s := fmt.Sprintf("%s %s %s → %s", d.Class, d.Path, short(d.Was), short(d.Is))
		if d.Count > 1 {
			s += fmt.Sprintf(" ×%d", d.Count)
		}
		out = append(out, s)
	}
	return out
}

func short(v harness.Value) string {
	if v.IsAbsent() {
		return "∅"
	}
	return v.Text
}

func compare(t *testing.T, a, b harness.Recording, rules ...harness.Rule) *harness.Comparison {
	t.Helper()
	c, err := Recordings(a, b, Options{Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestJSONBodies(t *testing.T) {
	for _, tc := range []struct {
		name, was, is, why string
		want               []string
	}{
		{"big integer", `{"id":9007199254740992}`, `{"id":9007199254740993}`, "above 2^53 a float64 would call them equal",
			[]string{"changed response.body.id 9007199254740992 → 9007199254740993"}},
		{"lexical decimal", `{"gpa":3.50}`, `{"gpa":3.5}`, "same value, other spelling: shown, as form",
			[]string{"form response.body.gpa 3.50 → 3.5"}},
		{"exponents beyond every float", `{"n":1e400}`, `{"n":1e401}`, "decimals, not floats",
			[]string{"changed response.body.n 1e400 → 1e401"}},
		{"null and missing", `{"a":null}`, `{}`, "a missing member is not null", []string{"removed response.body.a null → ∅"}},
		{"null and empty", `{"a":null}`, `{"a":""}`, "null is a type of its own", []string{"type response.body.a null → "}},
		{"number and text", `{"a":1}`, `{"a":"1"}`, "type change", []string{"type response.body.a 1 → 1"}},
		{"duplicate member", `{"a":1}`, `{"a":1,"a":2}`, "a decoder keeps one and hides the other", []string{"added response.body.a[1] ∅ → 2"}},
		{"added member", `{"a":1}`, `{"a":1,"b":2}`, "an addition is a difference", []string{"added response.body.b ∅ → 2"}},
		{"member order", `{"a":1,"b":2}`, `{"b":2,"a":1}`, "order of members has no meaning", nil},
		{"array of false and null", `[false]`, `[null]`, "an untyped hash would call them equal", []string{"type response.body[0] false → null"}},
		{"array and scalar", `{"a":[1]}`, `{"a":1}`, "an array of one is not its element", []string{"type response.body.a [1] → 1"}},
		{"shifted array", `[1,2,3,4,5]`, `[9,1,2,3,4,5]`, "aligned by sequence, never by index", []string{"added response.body[0] ∅ → 9"}},
		{"record inserted and one changed", `[{"id":"a","n":1},{"id":"b","n":2}]`, `[{"id":"x","n":9},{"id":"a","n":1},{"id":"b","n":3}]`, "aligned by the inferred key",
			[]string{"changed response.body[id=b].n 2 → 3", `added response.body[id=x] ∅ → {"id":"x","n":9}`}},
		{"records in another order", `[{"id":"a"},{"id":"b"},{"id":"c"}]`, `[{"id":"c"},{"id":"a"},{"id":"b"}]`, "one move, no value changed",
			[]string{"moved response.body[*] 3 records in order → 1 of them in another place"}},
		{"damaged key", `[{"crn":"00417","t":"A"},{"crn":"10234","t":"B"}]`, `[{"crn":"417","t":"A"},{"crn":"10234","t":"B"}]`, "leading zeros lost: a change, not remove and add",
			[]string{"changed response.body[crn=00417].crn 00417 → 417"}},
		{"member gone everywhere", `[{"id":"a","x":1},{"id":"b","x":2},{"id":"c","x":3}]`, `[{"id":"a"},{"id":"b"},{"id":"c"}]`, "one fact with a count",
			[]string{"removed response.body[*].x 1 → ∅ ×3"}},
		{"elements within a list", `[[]]`, `[[null,1]]`, "two elements of one list are no column", []string{"added response.body[0][0] ∅ → null", "added response.body[0][1] ∅ → 1"}},
		{"repeated keys", `[{"id":"a","n":1},{"id":"a","n":2}]`, `[{"id":"a","n":1},{"id":"a","n":3}]`, "no unique key: by sequence and likeness",
			[]string{"changed response.body[1].n 2 → 3"}},
		{"escapes", `{"n":"Jos\u00e9"}`, `{"n":"José"}`, "spelling of a string has no meaning", nil},
		{"lone surrogates", `{"n":"\ud800"}`, `{"n":"\ud801"}`, "two broken halves stay different", []string{"changed response.body.n \xed\xa0\x80 → \xed\xa0\x81"}},
		{"normal forms", `{"n":"é"}`, "{\"n\":\"e\u0301\"}", "look alike, are not", []string{"changed response.body.n é → e\u0301"}},
		{"truncated", `{"a":[1,2]}`, `{"a":[1,2`, "not JSON any more",
			[]string{"form response.form.format json → text", `form response.form["line ends"] ∅ → none`, `form response.form["final newline"] ∅ → no`, "form response.form.malformed ∅ → parse json at byte 9 (line 1): ends before ']' closes what opened at byte 5", `type response.body {"a":[1,2]} → {"a":[1,2`}},
		{"top-level array", `[1]`, `[2]`, "some engines refuse it", []string{"changed response.body[0] 1 → 2"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := lines(compare(t, answer("application/json", tc.was), answer("application/json", tc.is)))
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("%s: -want +got\n%s", tc.why, d)
			}
			back := compare(t, answer("application/json", tc.is), answer("application/json", tc.was))
			if len(back.Differences) != len(got) {
				t.Errorf("%d differences one way, %d the other", len(got), len(back.Differences))
			}
			if same := compare(t, answer("application/json", tc.is), answer("application/json", tc.is)); len(same.Differences) > 0 {
				t.Errorf("a recording differs from itself: %v", lines(same))
			}
		})
	}
}

func TestTables(t *testing.T) {
	for _, tc := range []struct {
		name, was, is, why string
		want               []string
	}{
		{"column added", "id,rsts\na,RE\nb,RW\n", "id,rsts,ts\na,RE,1\nb,RW,2\n", "one fact for the column",
			[]string{"added request.body[*].ts ∅ → 1 ×2"}},
		{"line ends", "id,n\na,1\n", "id,n\r\na,1\r\n", "a fact of form", []string{`form request.form["line ends"] LF → CRLF`}},
		{"byte order mark", "id,n\na,1\n", "\xef\xbb\xbfid,n\na,1\n", "seen, and the first header is still id", []string{`form request.form["byte order mark"] ∅ → UTF-8`}},
		{"quoting", "id,n\na,001\nb,2\n", "id,n\na,\"001\"\nb,\"2\"\n", "same text, other form, counted", []string{`form request.body[id=a].n 001 → "001" ×2`}},
		{"leading zeros", "id,n\na,001\n", "id,n\na,1\n", "texts, not numbers", []string{"changed request.body[id=a].n 001 → 1"}},
		{"blank line and final newline", "id,n\na,1\n", "id,n\n\na,1", "nothing is skipped in silence",
			[]string{`form request.form["final newline"] yes → no`, `form request.form["blank lines"] ∅ → 1`}},
		{"Latin-1", "id,n\na,Jos\xc3\xa9\n", "id,n\na,Jos\xe9\n", "bytes tell", []string{"form request.form.encoding ∅ → Windows-1252 or Latin-1", "changed request.body[id=a].n José → Jos\xe9"}},
		{"delimiter", "id,n\na,1\n", "id;n\na;1\n", "same values behind another delimiter", []string{"form request.form.delimiter comma → semicolon"}},
		{"composite key", "crn,id,s\n1,a,x\n1,b,x\n2,a,x\n2,b,x\n", "crn,id,s\n1,a,x\n2,a,y\n1,b,x\n2,b,x\n", "two columns identify",
			[]string{"changed request.body[id=a,crn=2].s x → y", "moved request.body[*] 4 records in order → 1 of them in another place"}},
		{"empty table", "id,n\n", "id,m\n", "the header alone still counts", []string{`form request.form["columns without rows"] id,n → id,m`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, lines(compare(t, file("r.csv", tc.was), file("r.csv", tc.is)))); d != "" {
				t.Errorf("%s: -want +got\n%s", tc.why, d)
			}
		})
	}
}

func TestRecordsWithoutTheKeyPairInOrder(t *testing.T) {
	was := `[{"kind":"head","at":1},{"id":"a","n":1},{"id":"b","n":1},{"kind":"tail","count":2}]`
	is := `[{"kind":"head","at":2},{"id":"b","n":1},{"id":"a","n":2},{"kind":"tail","count":2}]`
	keyed := harness.Rule{At: harness.PathOf(harness.Name("response"), harness.Name("body")), Compare: "keyed", Key: []string{"id"}, Reason: "one line for each"}
	c := compare(t, answer("application/json", was), answer("application/json", is), keyed)
	want := []string{"changed response.body[0].at 1 → 2", "changed response.body[id=a].n 1 → 2", "moved response.body[*] 4 records in order → 1 of them in another place"}
	if d := cmp.Diff(want, lines(c)); d != "" {
		t.Error(d)
	}
}

func TestHeads(t *testing.T) {
	was := answer("application/json", "{}", harness.Field{Name: "X-Limit", Value: "600"}, harness.Field{Name: "Set-Cookie", Value: "a=1"}, harness.Field{Name: "Date", Value: "now"})
	is := answer("application/json", "{}", harness.Field{Name: "x-limit", Value: "120"}, harness.Field{Name: "Set-Cookie", Value: "a=1"}, harness.Field{Name: "Set-Cookie", Value: "b=2"},
		harness.Field{Name: "Date", Value: "later"}, harness.Field{Name: "Sunset", Value: "soon"})
	c := compare(t, was, is)
	want := []string{"changed response.head.X-Limit 600 → 120", "added response.head.Set-Cookie[1] ∅ → b=2", "added response.head.Sunset ∅ → soon"}
	if d := cmp.Diff(want, lines(c)); d != "" {
		t.Error(d)
	}
	if len(c.Suppressed) != 1 || c.Suppressed[0].Count != 1 || !c.Suppressed[0].Rule.BuiltIn {
		t.Errorf("Date was not counted as suppressed: %+v", c.Suppressed)
	}
}

func TestMissingAndExtraCalls(t *testing.T) {
	get, patch := call("A-1", "GET", "/applications/A-1", "", ""), call("A-1", "PATCH", "/applications/A-1", "", "")
	c := compare(t, harness.NewMemory(harness.Manifest{}, get, patch), harness.NewMemory(harness.Manifest{}, get, call("A-1", "POST", "/retry", "", "")))
	want := []string{"missing-call call PATCH /applications/A-1 → ∅", "extra-call call ∅ → POST /retry"}
	if d := cmp.Diff(want, lines(c)); d != "" {
		t.Error(d)
	}
}

func TestRules(t *testing.T) {
	for _, tc := range []struct {
		name, was, is string
		rule          harness.Rule
		want          int
		why           string
	}{
		{"instant within", `{"t":"2026-10-05T09:00:00Z"}`, `{"t":"2026-10-05T09:00:03Z"}`, harness.Rule{Compare: "instant", Tolerance: "5s"}, 0, "3 s of 5 s"},
		{"instant beyond", `{"t":"2026-10-05T09:00:00Z"}`, `{"t":"2026-10-05T09:00:07Z"}`, harness.Rule{Compare: "instant", Tolerance: "5s"}, 1, "7 s of 5 s"},
		{"instant in another layout", `{"t":"2026-10-05T09:00:00Z"}`, `{"t":"2026-10-05 09:00:00"}`, harness.Rule{Compare: "instant"}, 1, "the value may vary, its form may not"},
		{"instant gone", `{"t":"2026-10-05T09:00:00Z"}`, `{}`, harness.Rule{Compare: "instant"}, 1, "absence is no variation"},
		{"number within", `{"t":10.00}`, `{"t":10.01}`, harness.Rule{Compare: "number", Tolerance: "0.01"}, 0, "decimal, inclusive"},
		{"number beyond", `{"t":10.00}`, `{"t":10.011}`, harness.Rule{Compare: "number", Tolerance: "0.01"}, 1, "exact decimals"},
		{"number relative", `{"t":200}`, `{"t":203}`, harness.Rule{Compare: "number", Tolerance: "1%"}, 1, "1.5 % of 1 %"},
		{"pattern", `{"t":"INV-0012"}`, `{"t":"INV-0977"}`, harness.Rule{Compare: "pattern", Pattern: `INV-\d{4}`}, 0, "value varies, form holds"},
		{"pattern broken", `{"t":"INV-0012"}`, `{"t":"INV-12"}`, harness.Rule{Compare: "pattern", Pattern: `INV-\d{4}`}, 1, "the form changed"},
		{"one of", `{"t":"a"}`, `{"t":"b"}`, harness.Rule{Compare: "one-of", Values: []string{"a", "b"}}, 0, "allowed"},
		{"none of", `{"t":"a"}`, `{"t":"c"}`, harness.Rule{Compare: "one-of", Values: []string{"a", "b"}}, 1, "not allowed"},
		{"case", `{"t":"Payroll"}`, `{"t":"PAYROLL"}`, harness.Rule{Compare: "case"}, 0, "letters are the same"},
		{"trim", `{"t":"H1"}`, `{"t":"H1\u00a0 "}`, harness.Rule{Compare: "trim"}, 0, "a hard space is blank"},
		{"trim inside", `{"t":"H 1"}`, `{"t":"H1"}`, harness.Rule{Compare: "trim"}, 1, "blanks inside carry meaning"},
		{"normalize", `{"t":"\u00e9"}`, `{"t":"e\u0301"}`, harness.Rule{Compare: "normalize"}, 0, "composed and decomposed"},
		{"normalize is no translation", `{"t":"\u00e9"}`, `{"t":"e"}`, harness.Rule{Compare: "normalize"}, 1, "an accent was lost"},
		{"empty is missing", `{"t":""}`, `{}`, harness.Rule{Compare: "empty-is-missing"}, 0, "all three forms of nothing"},
		{"empty is not a value", `{"t":"a"}`, `{"t":null}`, harness.Rule{Compare: "empty-is-missing"}, 1, "a value was lost"},
		{"form", `{"t":3.50}`, `{"t":3.5}`, harness.Rule{Compare: "form"}, 0, "other spelling"},
		{"form is not value", `{"t":3.50}`, `{"t":3.6}`, harness.Rule{Compare: "form"}, 1, "other value"},
		{"ignore below", `{"t":{"a":1}}`, `{"t":{"a":2,"b":3}}`, harness.Rule{Compare: "ignore"}, 0, "covers what is below"},
		{"set", `{"t":["b","a","a"]}`, `{"t":["a","b","a"]}`, harness.Rule{Compare: "set"}, 0, "order is free"},
		{"set counts repeats", `{"t":["a","a"]}`, `{"t":["a"]}`, harness.Rule{Compare: "set"}, 1, "a multiset"},
		{"keyed", `{"t":[{"k":1,"v":1},{"k":2,"v":2}]}`, `{"t":[{"k":2,"v":2},{"k":1,"v":9}]}`, harness.Rule{Compare: "keyed", Key: []string{"k"}}, 2, "one change, one move"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.rule.At, tc.rule.Reason = harness.PathOf(harness.Name("response"), harness.Name("body"), harness.Name("t")), "test"
			c := compare(t, answer("application/json", tc.was), answer("application/json", tc.is), tc.rule)
			if len(c.Differences) != tc.want {
				t.Errorf("%s: %v", tc.why, lines(c))
			}
			if len(c.Unused) > 0 {
				t.Errorf("the place is there, yet the rule is called unused: %v", c.Unused)
			}
		})
	}
}

func TestRuleWhosePlaceIsNowhereIsReported(t *testing.T) {
	at := func(s string) harness.Path {
		p, err := harness.ParsePath(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	there := []harness.Rule{{At: at("response.body.t"), Compare: "instant", Reason: "r"}, {At: at("**.t"), Compare: "ignore", Reason: "r"}, {At: at("response.head.:status"), Compare: "ignore", Reason: "r"}}
	gone := []harness.Rule{{At: at("response.body.u"), Compare: "ignore", Reason: "r"}, {At: at("response.head.ETag"), Compare: "ignore", Reason: "r"},
		{At: at("response.body.t"), Operation: "POST *", Compare: "ignore", Reason: "r"}}
	same := answer("application/json", `{"t":1}`)
	c := compare(t, same, same, append(there, gone...)...)
	if d := cmp.Diff(gone, c.Unused); d != "" {
		t.Error(d)
	}
}

func TestRuleThatCannotBeUnderstoodIsRefused(t *testing.T) {
	at := harness.PathOf(harness.Name("response"))
	for _, r := range []harness.Rule{
		{At: at, Compare: "ignore"},
		{At: at, Compare: "fuzzy", Reason: "r"},
		{At: at, Compare: "keyed", Reason: "r"},
		{At: at, Compare: "instant", Tolerance: "soon", Reason: "r"},
		{At: at, Compare: "number", Tolerance: "-1", Reason: "r"},
		{At: at, Compare: "pattern", Pattern: "(", Reason: "r"},
		{At: at, Compare: "pattern", Reason: "r"},
		{At: at, Compare: "one-of", Reason: "r"},
	} {
		_, err := Recordings(answer("", ""), answer("", ""), Options{Rules: []harness.Rule{r}})
		if err == nil || harness.HintOf(err) == "" {
			t.Errorf("%+v: error %v, hint %q", r, err, harness.HintOf(err))
		}
	}
}

func TestBytesThatCarryNoMeaningCountOnlyWhenAskedFor(t *testing.T) {
	before := answer("application/json", `{"a":1,"b":2}`)
	after := answer("application/json", `{ "b":2, "a":1 }`)
	for exact, want := range map[bool]int{false: 0, true: 1} {
		c, err := Recordings(before, after, Options{Exact: exact})
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Differences) != want {
			t.Errorf("exact %v: %d differences, want %d: %v", exact, len(c.Differences), want, c.Differences)
		}
		if exact && c.Differences[0].Path.String() != "response.form.bytes" {
			t.Errorf("other bytes are said at %s", c.Differences[0].Path)
		}
	}
	if c, err := Recordings(before, before, Options{Exact: true}); err != nil || len(c.Differences) != 0 {
		t.Errorf("a recording differs from itself: %v %v", c.Differences, err)
	}
}

func TestFactsOfConnectionsAreComparedWhereBothSidesHaveThem(t *testing.T) {
	with := func(fields ...harness.Field) harness.Recording {
		return harness.NewMemory(harness.Manifest{}, harness.Exchange{Channel: harness.ChannelHTTP, From: "hubline", To: "crm",
			Request:  harness.Message{Head: harness.Head{{Name: harness.FieldMethod, Value: "GET"}, {Name: harness.FieldPath, Value: "/"}}},
			Response: harness.Message{Head: append(harness.Head{{Name: harness.FieldStatus, Value: "200"}}, fields...)}})
	}
	secure, other := harness.Field{Name: harness.FieldTLS, Value: "TLS 1.3"}, harness.Field{Name: harness.FieldTLS, Value: "TLS 1.2"}
	for _, tc := range []struct {
		why    string
		a, b   harness.Recording
		differ int
	}{
		{"a mock has no certificate", with(secure), with(), 0},
		{"an old recording did not note it", with(), with(secure), 0},
		{"both saw it", with(secure), with(other), 1},
	} {
		c, err := Recordings(tc.a, tc.b, Options{})
		if err != nil || len(c.Differences) != tc.differ {
			t.Errorf("%s: %d differences, want %d (%v)", tc.why, len(c.Differences), tc.differ, err)
		}
	}
}
