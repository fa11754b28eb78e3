package whatif

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func message(operation, media, body string) harness.Exchange {
	x := harness.Exchange{ID: "1", From: "sis", To: "hub", Session: "s", Request: harness.Message{Media: media, Body: harness.BytesBody([]byte(body))}}
	if method, path, call := strings.Cut(operation, " "); call {
		x.Channel = harness.ChannelHTTP
		x.Request.Head = harness.Head{{Name: ":method", Value: method}, {Name: ":path", Value: path}}
		return x
	}
	x.Channel = harness.ChannelFile
	x.Request.Head = harness.Head{{Name: ":name", Value: operation}}
	return x
}

// answer is a call of the system that is answered.
func answer(operation, body string) harness.Exchange {
	x := message(operation, "", "")
	x.From, x.To = "hub", "crm"
	x.Response = harness.Message{Head: harness.Head{{Name: ":status", Value: "200"}, {Name: "Content-Length", Value: "7"}}, Media: "application/json", Body: harness.BytesBody([]byte(body))}
	return x
}

func apply(t *testing.T, kind, argument string, list ...harness.Exchange) *Variant {
	t.Helper()
	k, err := KindOf(kind)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Parse(k, argument)
	if err != nil {
		t.Fatal(err)
	}
	p, err := v.Apply(list, "hub")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func body(t *testing.T, m harness.Message) string {
	t.Helper()
	b, err := m.Body.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestVariantsKeepEveryByteThatWasNotAskedFor(t *testing.T) {
	const table = "\xef\xbb\xbfTERM,RSTS,\"Note\"\r\n1,RE,\"a,b\"\r\n2, RW ,x\r\n3,RE,\r\n"
	ledger := "HATRIUMAR20261005233000GL00004711                                                                                                   \n" +
		"DATRIUMARF0012345000120261005CHG1H110001210500113010000000Tuition Fall 2026                  0000000412550DH00000142202640          \n" +
		"TATRIUMAR0000001000000000412550000000000000000                                                                                      \n"
	for _, tc := range []struct {
		name, kind, argument string
		x                    harness.Exchange
		want                 string
	}{
		{"a cell", "value", "registrations.RSTS=RH", message("registrations.csv", "text/csv", table), strings.NewReplacer(",RE,", ",RH,", " RW ", "RH").Replace(table)},
		{"letter case aside", "value", "Registrations.rsts=RH", message("registrations.csv", "text/csv", table), strings.NewReplacer(",RE,", ",RH,", " RW ", "RH").Replace(table)},
		{"a member of an address", "value", "applications.residency=XX", message("POST /api/v2/applications", "application/json", `{ "a":{"residency" : "IS"},"gpa":3.50}`), `{ "a":{"residency" : "XX"},"gpa":3.50}`},
		{"a member below another", "value", "a.residency=XX", message("POST /x", "application/json", `{"residency":"q","a":{"residency":"IS"}}`), `{"residency":"q","a":{"residency":"XX"}}`},
		{"an element", "value", "Worker.Type=New", message("POST /reports", "application/xml", `<w:Ws xmlns:w="u"><w:Worker><w:Type>Regular</w:Type></w:Worker></w:Ws>`), `<w:Ws xmlns:w="u"><w:Worker><w:Type>New</w:Type></w:Worker></w:Ws>`},
		{"null", "null", "x.a", message("POST /x", "application/json", `{"a": 12 , "b":1}`), `{"a": null , "b":1}`},
		{"an empty cell", "null", "registrations.Note", message("registrations.csv", "text/csv", "Note,A\nx,1\n"), "Note,A\n,1\n"},
		{"the first member", "missing", "x.a", message("POST /x", "application/json", `{"a": 12 , "b":1}`), `{ "b":1}`},
		{"the last member", "missing", "x.b", message("POST /x", "application/json", `{"a": 12 , "b":1}`), `{"a": 12 }`},
		{"the only member", "missing", "x.a", message("POST /x", "application/json", `{"a":"a"}`), `{}`},
		{"an element that goes", "missing", "Worker.Type", message("POST /r", "application/xml", `<Worker id="7"><ID>1</ID><Type>Regular</Type></Worker>`), `<Worker id="7"><ID>1</ID></Worker>`},
		{"a column", "missing", "registrations.RSTS", message("registrations.csv", "text/csv", table), "\xef\xbb\xbfTERM,\"Note\"\r\n1,\"a,b\"\r\n2,x\r\n3,\r\n"},
		{"the first column", "missing", "registrations.TERM", message("registrations.csv", "text/csv", "TERM,A\n1,2\n"), "A\n2\n"},
		{"longer", "longer", "x.a=7", message("POST /x", "application/json", `{"a":"abc"}`), `{"a":"abcabca"}`},
		{"longer than ever", "longer", "x.a", message("POST /x", "application/json", `{"a":"ab","b":1}`), `{"a":"abab","b":1}`},
		{"an amount, and the total that it is part of", "value", "gl.amount=10.00", message("gl.dat", "", ledger), strings.NewReplacer("0000000412550D", "0000000001000D", "0000001000000000412550", "0000001000000000001000").Replace(ledger)},
		{"an encoding", "encoding", "persons=windows-1252", message("persons.csv", "text/csv", "N\nZoë €\n"), "N\nZo\xeb ?\n"},
		{"rows", "order", "persons", message("persons.csv", "text/csv", "N\r\n1\r\n2\r\n3"), "N\r\n3\r\n2\r\n1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			was := body(t, tc.x.Request)
			p := apply(t, tc.kind, tc.argument, tc.x)
			if got := body(t, p.Exchanges[0].Request); got != tc.want || p.Records == 0 {
				t.Errorf("%d varied: %q, want %q", p.Records, got, tc.want)
			}
			if body(t, tc.x.Request) != was {
				t.Error("the recording itself was changed")
			}
		})
	}
}

func TestAnswersOfOtherSystemsAreVariedAndTheirSystemsMocked(t *testing.T) {
	p := apply(t, "value", "applications.code=ZZ", answer("GET /applications/A-1", `{"code":"AD"}`))
	if got := body(t, p.Exchanges[0].Response); got != `{"code":"ZZ"}` || len(p.Answerers) != 1 || p.Answerers[0] != "crm" || p.Exchanges[0].Response.Head.Get("Content-Length") != "13" {
		t.Errorf("%s, mocked %v, %v", got, p.Answerers, p.Exchanges[0].Response.Head)
	}
	p = apply(t, "status", "applications=429", answer("GET /applications/A-1", `{}`), answer("GET /other", `{}`))
	if len(p.Faults) != 1 || p.Faults[0].Operation != "GET /applications/{}" || p.Faults[0].Times != 1 || len(p.Answerers) != 1 {
		t.Errorf("%+v", p)
	}
}

func TestPagesHoldAllRecordsAndNameTheNext(t *testing.T) {
	p := apply(t, "page", "applications=2", answer("GET /applications?since=1", `{"items":[{"id":1}, {"id":2}, {"id":3}, {"id":4}, {"id":5}],"total":5}`))
	if len(p.Exchanges) != 3 {
		t.Fatalf("%d pages", len(p.Exchanges))
	}
	for i, want := range []struct{ path, body, link string }{
		{"/applications?since=1", `{"items":[{"id":1}, {"id":2}],"total":5}`, `</applications?since=1&page=2>; rel="next"`},
		{"/applications?since=1&page=2", `{"items":[{"id":3}, {"id":4}],"total":5}`, `</applications?since=1&page=3>; rel="next"`},
		{"/applications?since=1&page=3", `{"items":[{"id":5}],"total":5}`, ""},
	} {
		x := p.Exchanges[i]
		if x.Request.Head.Get(":path") != want.path || body(t, x.Response) != want.body || x.Response.Head.Get("Link") != want.link {
			t.Errorf("page %d: %s %s %q", i+1, x.Request.Head.Get(":path"), body(t, x.Response), x.Response.Head.Get("Link"))
		}
	}
}

func TestDuplicatesFollowTheirOriginal(t *testing.T) {
	a, b := message("POST /hooks/a", "application/json", `1`), message("POST /hooks/b", "application/json", `2`)
	b.ID = "2"
	p := apply(t, "duplicate", "a", a, b)
	if len(p.Exchanges) != 3 || p.Exchanges[1].Operation() != "POST /hooks/a" || p.Exchanges[1].ID != "" || p.Exchanges[2].ID != "2" {
		t.Errorf("%v", p.Exchanges)
	}
}

func TestAValueThatIsKnownNeedsNoRehearsal(t *testing.T) {
	table := message("registrations.csv", "text/csv", "RSTS,N\nRE,1\nRW,2\nRE,3\n")
	crosswalks := []harness.Crosswalk{{File: "roles.csv", Codes: map[string]int{}, Default: true}, {File: "reg-status.csv", Codes: map[string]int{"RE": 2, "RW": 3, "WL": 8}}}
	for _, tc := range []struct {
		argument string
		effect   Effect
		says     string
	}{
		{"registrations.RSTS=WL", Known, "reg-status.csv has a row for WL, line 8"},
		{"registrations.N=3", Known, "recorded already, in 1 of 3 records"},
		{"registrations.OTHER=1", Absent, "does not read registrations.OTHER"},
		{"persons.RSTS=RH", Absent, "does not read persons.RSTS"},
	} {
		k, _ := KindOf("value")
		v, err := Parse(k, tc.argument)
		if err != nil {
			t.Fatal(err)
		}
		p, err := v.Apply([]harness.Exchange{table}, "hub")
		if err != nil {
			t.Fatal(err)
		}
		o, ok := Foreseen(v, p, crosswalks)
		if !ok || o.Effect != tc.effect || !strings.Contains(o.Says, tc.says) || o.NeedsPerson() {
			t.Errorf("%s: %v %+v", tc.argument, ok, o)
		}
	}
	if _, ok := Foreseen(Variation{Kind: Kinds[0], Value: "RH"}, apply(t, "value", "registrations.RSTS=RH", table), crosswalks); ok {
		t.Error("a new value is judged without a rehearsal")
	}
}

func TestArgumentsThatSayNothingAreRefused(t *testing.T) {
	for _, tc := range [][2]string{{"value", "registrations.RSTS"}, {"value", "a="}, {"null", "a=b"}, {"value", ".a=b"}, {"null", "a..b"}} {
		k, _ := KindOf(tc[0])
		if _, err := Parse(k, tc[1]); err == nil || harness.HintOf(err) == "" {
			t.Errorf("%v: %v", tc, err)
		}
	}
	for _, tc := range [][2]string{{"longer", "a=x"}, {"encoding", "a=klingon"}, {"page", "a=0"}, {"status", "a=200"}, {"status", "a=reset"}, {"slow", "a=soon"}} {
		k, _ := KindOf(tc[0])
		v, err := Parse(k, tc[1])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Apply([]harness.Exchange{message("POST /x", "application/json", `{"a":"b"}`)}, "hub"); err == nil || harness.HintOf(err) == "" {
			t.Errorf("%v: %v", tc, err)
		}
	}
	if _, err := KindOf("flood"); err == nil {
		t.Error("an unknown kind is taken")
	}
}

// What a format cannot spell otherwise stays; nothing may panic.
func FuzzEditsStayWithinTheDocument(f *testing.F) {
	f.Add("application/json", `{"a":[{"f":1},{"f":"x"}]}`)
	f.Add("text/csv", "f,g\n1,2\n")
	f.Add("application/xml", `<r f="1"><f>2</f></r>`)
	f.Fuzz(func(t *testing.T, media, text string) {
		for _, kind := range []string{"value", "null", "missing", "longer"} {
			k, _ := KindOf(kind)
			argument := "f"
			if kind == "value" {
				argument = "f=new"
			}
			v, err := Parse(k, argument)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := v.Apply([]harness.Exchange{message("POST /x", media, text)}, "hub"); err != nil && harness.ClassOf(err) != harness.ClassUsage {
				t.Errorf("%s: %v", kind, err)
			}
		}
	})
}
