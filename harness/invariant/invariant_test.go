package invariant

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

var now = time.Date(2026, 10, 5, 14, 0, 0, 0, time.UTC)

func day(text string) (d harness.Date) {
	if err := d.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return d
}

// file is a recording of one file.
func file(name, media, body string) harness.Recording {
	return harness.NewMemory(harness.Manifest{}, harness.Exchange{
		Session: "night", Channel: harness.ChannelFile, From: "sis", To: "hubline",
		Request: harness.Message{Head: harness.Head{{Name: harness.FieldName, Value: name}}, Media: media, Body: harness.BytesBody([]byte(body))},
	})
}

// said is what the invariant says of a file, nothing when it holds.
func said(t *testing.T, in harness.Invariant, rec harness.Recording) string {
	t.Helper()
	in.Name, in.Reason = "tested", "tested"
	if in.Operations == nil {
		in.Operations = []string{"*"}
	}
	found, unseen, err := Breaches(rec, rec, []harness.Invariant{in}, now)
	if err != nil || len(unseen) > 0 {
		t.Fatalf("%+v: %v %q", in, err, unseen)
	}
	if len(found) == 0 {
		return ""
	}
	if len(found) > 1 || !found[0].Before || !found[0].After {
		t.Fatalf("one file on both sides: %+v", found)
	}
	return found[0].Says
}

func TestExpressions(t *testing.T) {
	body := `{"status":"open","total":3.30,"big":9007199254740993,"lines":[{"id":1,"amount":1.10,"kind":"a"},{"id":2,"amount":"2.20","kind":"b"}],"none":null,"ok":true,"huge":1e999}`
	for _, tt := range []struct{ why, check, says string }{
		{"decimals add up exactly", `sum(body.lines.map(l, l.amount)) == body.total`, ""},
		{"what floating point cannot tell apart", `body.big == 9007199254740992`, "body.big is 9,007,199,254,740,993, expected 9007199254740992"},
		{"and what it can", `body.big == 9007199254740993`, ""},
		{"both sides are told", `count(body.lines) == body.total`, "count(body.lines) is 2, body.total is 3.30"},
		{"only the condition that fails is told", `body.ok && count(body.lines) > 3`, "count(body.lines) is 2, expected 3"},
		{"a condition that is no comparison", `body.lines.all(l, l.kind == 'a')`, `body.lines.all(l, l.kind == "a") does not hold`},
		{"a text is no number", `body.lines[1].amount == 2.2`, `it cannot be looked at: "2.20" is compared with 2.20, a text with a number; write number(…) around the text`},
		{"a text that is made one", `number(body.lines[1].amount) == 2.2`, ""},
		{"from the left as well", `2.2 == number(body.lines[1].amount) && 2 == count(body.lines) && 1 != count(body.lines)`, ""},
		{"arithmetic", `body.total - sum(body.lines.map(l, l.amount)) + 1 == 1 && body.total * 2 / 3 == 2.2 && -body.total < 0`, ""},
		{"division by zero", `body.total / 0 == 1`, "it cannot be looked at: division by zero"},
		{"numbers that fill the memory", `body.huge > 1`, "it cannot be looked at: 1e999 is too large a number"},
		{"null", `body.none == null`, ""},
		{"a member that is not there", `body.missing == 1`, "it cannot be looked at: no such key: missing"},
		{"presence", `has(body.total) && !has(body.missing)`, ""},
		{"membership", `'a' in body.lines.map(l, l.kind) && !('c' in body.lines.map(l, l.kind))`, ""},
		{"digits from the right", `digits(199980014, 4) == 14`, ""},
		{"an entry hash keeps ten digits", `entryHash([99999999, 99999999, 9999999999]) == 199999997`, ""},
		{"a sum of what is no number", `sum(['1', 'x']) == 1`, `it cannot be looked at: "x", the value 2 of a sum, is no number`},
		{"neither true nor false", `body.status`, `the check says "open", neither true nor false`},
		{"a head", `head[':name'] == 'order.json' && operation == 'order.json' && length > 10`, ""},
		{"no list, no records", `size(records) == 0 && size(trailer) == 0`, ""},
		{"lists and objects compare by content", `body.lines[0] == body.lines[0] && body.lines != [1] && body.lines[0] != body.lines[1]`, ""},
	} {
		if got := said(t, harness.Invariant{Check: tt.check}, file("order.json", "application/json", body)); got != tt.says {
			t.Errorf("%s: %s says %q, want %q", tt.why, tt.check, got, tt.says)
		}
	}
}

func TestTemplate(t *testing.T) {
	rec := file("order.json", "application/json", `{"total":1398.75,"who":" NUNEZ  "}`)
	in := harness.Invariant{Check: "body.total == 0", Says: "{body.who} owes {body.total}, {body.total * 100} cents; {body.x}"}
	want := `NUNEZ owes 1,398.75, 139,875 cents; (no such key: x)`
	if got := said(t, in, rec); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}

func TestWhatCannotBeUnderstoodIsRefused(t *testing.T) {
	deep := strings.Repeat("(", 100) + "1" + strings.Repeat(")", 100)
	for _, tt := range []struct {
		why  string
		in   harness.Invariant
		says string
	}{
		{"syntax", harness.Invariant{Check: "body.a =="}, "check: at character "},
		{"an unknown function", harness.Invariant{Check: "total(records) == 1"}, "undeclared reference to 'total'"},
		{"a number is no condition", harness.Invariant{Check: "1 + 2"}, "check: the expression gives int, want true or false"},
		{"a text is no condition", harness.Invariant{Check: "operation"}, "check: the expression gives string, want true or false"},
		{"an unknown variable", harness.Invariant{Check: "rows == 1"}, "undeclared reference to 'rows'"},
		{"an unknown ready-made one", harness.Invariant{Use: "nacha"}, `use: "nacha" is none of those that come with the program: layout-totals, `},
		{"a brace that stays open", harness.Invariant{Check: "true", Says: "it is {body.a"}, "says: a { is not closed"},
		{"an expression in what is said", harness.Invariant{Check: "true", Says: "{body.}"}, "says: {body.}: at character "},
		{"a glob", harness.Invariant{Check: "true", Operations: []string{"[*"}}, `operation "[*" is not a glob`},
		{"too deep", harness.Invariant{Check: deep + " == 1"}, "check: "},
		{"too long", harness.Invariant{Check: strings.Repeat("1 + ", 2000) + "1 == 1"}, "longer than 4096 bytes"},
	} {
		err := Check(tt.in)
		if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", tt.why, err, tt.says)
		}
	}
}

func TestCostIsBounded(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("id\n")
	for i := range 2_000 {
		fmt.Fprintln(&rows, i)
	}
	rec := file("rows.csv", "text/csv", rows.String())
	for _, check := range []string{"records.all(r, records.exists(s, s.id == r.id))", "records.all(r, sum(records.map(s, s.id)) > 0)", "records.all(r, count(of(records, 'x')) == 0)"} {
		if says := said(t, harness.Invariant{Check: check}, rec); !strings.Contains(says, "cost limit exceeded") {
			t.Errorf("%s was not stopped: %q", check, says)
		}
	}
	if says := said(t, harness.Invariant{Check: "sum(records.map(r, r.id)) == 1999000 && records.all(r, number(r.id) >= 0)"}, rec); says != "" {
		t.Errorf("one look at each record is within the bound: %s", says)
	}
}

// A check of the sides, days and messages that are looked at.
func TestBreaches(t *testing.T) {
	good, bad := file("a.csv", "text/csv", "id\n1\n2\n"), file("a.csv", "text/csv", "id\n1\n")
	two := harness.Invariant{Name: "two", Operations: []string{"a.csv"}, Check: "count(records) == 2", Reason: "r"}
	from := func(text string) harness.Invariant { in := two; in.From = day(text); return in }
	until := func(text string) harness.Invariant { in := two; in.Until = day(text); return in }
	elsewhere := two
	elsewhere.Operations = []string{"b.csv"}
	for _, tt := range []struct {
		why           string
		in            harness.Invariant
		before, after harness.Recording
		want, unseen  string
	}{
		{"kept", two, good, good, "", ""},
		{"broken by the candidate", two, good, bad, "after count(records) is 1, expected 2", ""},
		{"mended by the candidate", two, bad, good, "before count(records) is 1, expected 2", ""},
		{"broken on both sides", two, bad, bad, "before after count(records) is 1, expected 2", ""},
		{"it holds from today", from("2026-10-05"), good, bad, "after count(records) is 1, expected 2", ""},
		{"it does not hold yet", from("2026-10-06"), good, bad, "", ""},
		{"its last day is today", until("2026-10-05"), good, bad, "after count(records) is 1, expected 2", ""},
		{"it has ended", until("2026-10-04"), good, bad, "", ""},
		{"there is no such message", elsewhere, good, bad, "", "two"},
		{"a body that cannot be read", two, good, file("a.csv", "text/csv", "id\n\"1\n"), "after the body cannot be read: ", ""},
		{"an empty file", two, good, file("a.csv", "text/csv", ""), "after count(records) is 0, expected 2", ""},
	} {
		found, unseen, err := Breaches(tt.before, tt.after, []harness.Invariant{tt.in}, now)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		for _, b := range found {
			got += map[bool]string{true: "before "}[b.Before] + map[bool]string{true: "after "}[b.After] + b.Says
			if b.Half != "request" || b.Operation != "a.csv" || b.Session != "night" || b.Invariant.Kind != "F30" || b.Invariant.Verdict != harness.Breaking {
				t.Errorf("%s: %+v", tt.why, b)
			}
		}
		if !strings.HasPrefix(got, tt.want) || (tt.want == "") != (got == "") || strings.Join(unseen, "; ") != tt.unseen {
			t.Errorf("%s: %q, unseen %q; want %q, unseen %q", tt.why, got, unseen, tt.want, tt.unseen)
		}
	}
}

func TestAnswersAreLookedAtWhenTheRequestIsEmpty(t *testing.T) {
	x := harness.Exchange{
		Session: "s", Channel: harness.ChannelHTTP, From: "hubline", To: "crm",
		Request:  harness.Message{Head: harness.Head{{Name: harness.FieldMethod, Value: "GET"}, {Name: harness.FieldPath, Value: "/applications"}}},
		Response: harness.Message{Head: harness.Head{{Name: harness.FieldStatus, Value: "200"}}, Media: "application/json", Body: harness.BytesBody([]byte(`{"total":3,"items":[1,2]}`))},
	}
	in := harness.Invariant{Operations: []string{"GET /applications"}, Check: "count(body.items) == body.total"}
	if got, want := said(t, in, harness.NewMemory(harness.Manifest{}, x)), "count(body.items) is 2, body.total is 3"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

const nacha = `101 99990000412345678902610061500A094101FIRST PRAIRIE BANK     HARROW LAKE UNIV               
5220HARROW LAKE UNIV                    1234567890PPDREFUND    OCT 06261007   1999900000000001
622999900017000123456789     0000025000H00000142      NUNEZ JOSE              0999900000000001
622999900130778899001        0000118875H00000977      ADEYEMI FUNMI           0999900000000002
822000000201999800140000000000000000001438751234567890                         999900000000001
9000001000001000000020199980014000000000000000000143875                                       
`

const feed = `HATRIUMAR20261005233000GL00004711                                                                                                   
DATRIUMARF0012345000120261005CHG1H110001210500113010000000Tuition Fall 2026                  0000000412550DH00000142202640          
DATRIUMARF0012345000220261005CHG1H110001210500511010100100Tuition Fall 2026                  0000000412550CH00000142202640          
TATRIUMAR0000002000000000412550000000000412550                                                                                      
`

var nines = strings.Repeat(strings.Repeat("9", 94)+"\n", 4)

func without(text string, line int) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(append(lines[:line:line], lines[line+1:]...), "")
}

func TestReadyMade(t *testing.T) {
	csv := "id,n\nA,1\nB,2\nT,2\n"
	for _, tt := range []struct{ why, use, name, body, says string }{
		{"a whole ACH file", "nacha-control", "r.ach", nacha + nines, ""},
		{"an entry is missing", "nacha-control", "r.ach", without(nacha, 2) + nines,
			"batch_control count in record 4 says 2, the records give 1; batch_control entry_hash in record 4 says 199980014, the records give 99990013; "},
		{"the control record is missing", "nacha-control", "r.ach", without(nacha, 5), "record file_control is missing"},
		{"another entry hash", "nacha-control", "r.ach", strings.Replace(nacha, "0199980014", "0199980013", 1) + nines,
			"batch_control entry_hash in record 5 says 199980013, the records give 199980014"},
		{"blocks of ten", "nacha-blocking", "r.ach", nacha + nines, ""},
		{"no fill", "nacha-blocking", "r.ach", nacha, "file control says 1 blocks of ten, file holds 6 records"},
		{"a ledger feed that is whole", "gl-trailer-count", "gl_1.dat", feed, ""},
		{"a detail is missing", "gl-trailer-count", "gl_1.dat", without(feed, 2), "trailer says 2, file holds 1"},
		{"the trailer is missing", "gl-trailer-count", "gl_1.dat", without(feed, 3), "trailer is missing, file holds 2"},
		{"debits are credits", "gl-balance", "gl_1.dat", feed, ""},
		{"a credit is missing", "gl-balance", "gl_1.dat", without(feed, 2), "debits − credits = 4,125.50"},
		{"totals of any layout", "layout-totals", "gl_1.dat", without(feed, 2), "trailer count in record 3 says 2, the records give 1; trailer credits in record 3 says 4125.50, the records give 0.00"},
		{"totals that hold", "layout-totals", "gl_1.dat", feed, ""},
		{"nothing at all", "layout-totals", "gl_1.dat", "", "file holds no records"},
		{"rows and a trailer", "csv-trailer-count", "x.csv", csv, ""},
		{"a row is missing", "csv-trailer-count", "x.csv", without(csv, 2), "trailer says 2, file holds 1 rows"},
		{"no trailer at all", "csv-trailer-count", "x.csv", without(csv, 3), "trailer says 2, file holds 1 rows"},
		{"records", "not-empty", "x.csv", csv, ""},
		{"a header alone", "not-empty", "x.csv", "id,n\n", "file holds no records"},
	} {
		got := said(t, harness.Invariant{Use: tt.use}, file(tt.name, "", tt.body))
		if !strings.HasPrefix(got, tt.says) || (got == "") != (tt.says == "") {
			t.Errorf("%s: %s says %q, want %q", tt.why, tt.use, got, tt.says)
		}
	}
}

func TestReadyMadeAreComplete(t *testing.T) {
	names := map[string]bool{}
	for _, r := range ReadyMade {
		if names[r.Name] || r.Summary == "" || r.Says == "" || !strings.HasPrefix(r.Kind, "F") {
			t.Errorf("%+v", r)
		}
		names[r.Name] = true
		if err := Check(harness.Invariant{Use: r.Name}); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
}

// Whatever an expression is, it is refused, stopped or answered; nothing panics, and no error has several lines.
func FuzzExpressions(f *testing.F) {
	for _, r := range ReadyMade {
		f.Add(r.Check, r.Says)
	}
	for _, check := range []string{
		"sum(records.map(r, r.id)) / count(records) == 1.5", "digits(number(trailer.id), 2) == 1 && cell(header, 1) == '1'", "facts['line ends'] == 'LF'",
		"entryHash([1, 2.5, '3']) > 0", "records[0] == body[0] && header in records", "{'a': 1}.a == number(' ')", "-number('1e400') < 0 || body.size() == 2u", "@same(1, 1)",
	} {
		f.Add(check, "{"+check+"}")
	}
	f.Fuzz(func(t *testing.T, check, says string) {
		in := harness.Invariant{Name: "fuzzed", Operations: []string{"a.csv"}, Check: check, Says: says, Reason: "r"}
		if err := Check(in); err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("several lines: %q", err)
			}
			return
		}
		rec := file("a.csv", "text/csv", "id\n1\n2\n")
		if _, _, err := Breaches(rec, rec, []harness.Invariant{in}, now); err != nil {
			t.Errorf("%q was accepted before: %v", check, err)
		}
	})
}
