package explain

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// causeCases is about what a cause may claim, and what not.
func causeCases() []acceptance {
	patch := func(i int) harness.Exchange {
		return callOf(fmt.Sprintf("A-%d", i), target, "crm", "PATCH", "/applications", `{"done":true}`, "200", `{}`)
	}
	old, renamed := member("start_term", quoted(term)), member("entry_term", quoted(term))
	number := func(i int) string { return fmt.Sprintf(`{"number":"A-%d"}`, i) }
	with := func(list []harness.Exchange, more ...harness.Exchange) []harness.Exchange {
		return append(slices.Clone(list), more...)
	}
	mails := func(name string, empty ...int) string {
		return table(name, 10, func(i int) string {
			if slices.Contains(empty, i) {
				return id(i) + ","
			}
			return id(i) + ",desk@hlu.example"
		})
	}
	again := applicants(renamed, member("termCode", always("null")), "422")
	codes := func(last string) string {
		return table("ID,PLAN", 400, func(i int) string {
			if i == 7 {
				return id(i) + "," + last
			}
			return fmt.Sprintf("%s,P%02d", id(i), i%16)
		})
	}
	return []acceptance{
		{name: "renamed and a call is left out", why: "nothing fails, yet the target does not go on in the sessions with the cause",
			before: with(applicants(old, number, "201"), patch(0), patch(1), patch(2)), after: applicants(renamed, number, "201"), want: []string{"F02 breaking 3/3 calls ×9"}},
		{name: "renamed and tried again", why: "repeated calls belong to the failure",
			before: applicants(old, member("termCode", quoted(term)), "201"), after: with(again, again[1], again[3], again[5]), want: []string{"F02 breaking 3/3 calls ×21"}},
		{name: "a file is missing in the night of a cause", why: "nothing ties them together",
			before: xs(in(registrations("")), out(enrollments(active))), after: xs(in(registrations("RH", 3))),
			want: []string{"F00 breaking 1/1 files ×1", "F01 review 1/40 rows ×1"}},
		{name: "emptied in rows that belong together", why: "row 7 holds the same value and is lost for another reason",
			before: xs(in(mails("ID,MAIL")), out(mails("user_id,email"))), after: xs(in(mails("ID,MAIL", 2, 3)), out(mails("user_id,email", 2, 3, 7))),
			want: []string{"F03 breaking 2/10 rows ×4", "F03 breaking 1/10 rows ×1"}},
		{name: "code lost beside another row", why: "row 20 is missing without the code: the proof falls, and the row is shown",
			before: xs(in(registrations("")), out(enrollments(active))), after: xs(in(registrations("RH", 3, 17)), out(enrollments(but("", 3, 17, 20)))),
			want: []string{"F01 breaking 2/40 rows ×4", "F00 breaking 1/40 rows ×1"}},
		{name: "known code in another row", why: "RW is known, it is not new", before: xs(in(registrations(""))), after: xs(in(registrations("RW", 0))), want: []string{"F00 review 1/40 rows ×1"}},
		{name: "code in an output row with another change", why: "what an output says is no consequence of what else it says",
			before: xs(out(named("student", "N"))), after: xs(out(named("observer", "X"))), want: []string{"F01 review 1/20 rows ×1", "F00 review 1/20 rows ×1"}},
		{name: "known code changes a text in the output", why: "texts are other ones in every row; a new text is nothing new to the receiver", setup: withCrosswalk(false, "RE", "RW", "AU", "WL", "RH"),
			before: xs(in(registrations("")), out(enrollments(id))), after: xs(in(registrations("RH", 3)), out(enrollments(func(i int) string { return strings.Replace(id(i), "H0003", "hybrid", 1) }))),
			want: []string{"F01 benign 1/40 rows ×2"}},
		{name: "input row missing and output row changed", why: "a changed row does not follow from a missing one",
			before: xs(in(without()), out(without())), after: xs(in(without(2)), out(strings.Replace(without(), "N2", "X2", 1))), want: []string{"F00 review 1/10 rows ×1", "F00 review 1/10 rows ×1"}},
		{name: "input row missing and output row new", why: "a new row does not follow from a missing one, even if it names it",
			before: xs(in(without()), out(without())), after: xs(in(without(2)), out(without(2)+"H0099,H0002\n")), want: []string{"F00 review 1/10 rows ×2", "F00 review 1/0 rows ×1"}},
		{name: "loss in two nights", why: "the guard looks at the worse night", setup: guarded("20%", nil),
			before: xs(out(without()), fileOf("next", target, "lms", "enrollments.csv", without())), after: xs(out(without(1)), fileOf("next", target, "lms", "enrollments.csv", without(2, 3, 4, 5))),
			want: []string{"F00 breaking 5/20 rows ×5"}},
		{name: "declared twice", why: "a place is counted for the first entry that covers it", before: askMany(`{"v":"x"}`), after: askMany(`{"v":"y"}`),
			setup: declares(harness.Expectation{Change: "C1", At: at("response.body.v"), Reason: "r"}, harness.Expectation{Change: "C1", At: at("response.**"), Reason: "r"}), want: []string{"C1 review 1/1 calls ×1"}},
		{name: "header renamed", why: "headers are fields, too",
			before: xs(ask("s1", `{}`, harness.Field{Name: "X-Total", Value: "7"}), ask("s2", `{}`, harness.Field{Name: "X-Total", Value: "9"})),
			after:  xs(ask("s1", `{}`, harness.Field{Name: "X-Total-Count", Value: "7"}), ask("s2", `{}`, harness.Field{Name: "X-Total-Count", Value: "9"})),
			want:   []string{"F02 review 2/2 calls ×4"}},
		{name: "long list of codes", why: "the report names the first ones and counts the others", before: xs(in(codes("P07"))), after: xs(in(codes("P99"))), want: []string{"F01 review 1/400 rows ×1"}},
		{name: "declared for one operation", why: "the same place elsewhere is not declared",
			before: xs(ask("s1", `{"v":"x"}`), callOf("s1", target, "crm", "GET", "/people", "", "200", `{"v":"x"}`)),
			after:  xs(ask("s1", `{"v":"y"}`), callOf("s1", target, "crm", "GET", "/people", "", "200", `{"v":"y"}`)),
			setup:  declares(harness.Expectation{Change: "C1", At: at("response.body.v"), Operation: "GET /app*", Class: "changed", Reason: "r"}), want: []string{"F00 review 1/1 calls ×1", "C1 expected 1/1 calls ×1"}},
		{name: "declared failure", why: "the answer of a declared error is looked at field by field", before: xs(tell("s1", `{}`, "201", `{"id":7}`)), after: xs(tell("s1", `{}`, "409", `{"id":8}`)),
			setup: declares(harness.Expectation{Change: "C1", At: at("response.head.:status"), From: text("201"), To: text("409"), Reason: "r"}), want: []string{"F00 review 1/1 calls ×1", "C1 expected 1/1 calls ×1"}},
		{name: "other types in one field", why: "each change of type is a cause of its own", before: askMany(`{"v":1}`, `{"v":true}`), after: askMany(`{"v":"1"}`, `{"v":[true]}`),
			want: []string{"F04 breaking 1/2 calls ×1", "F04 breaking 1/2 calls ×1"}},
		{name: "map whose names are data", why: "nothing is compared with everything", before: askMany(keyed("a")), after: askMany(keyed("b")), want: slices.Concat(
			slices.Repeat([]string{"F03 review 1/1 calls ×1"}, maxSiblings+1), slices.Repeat([]string{"F13 benign 1/1 calls ×1"}, maxSiblings+1))},
	}
}

// named is 20 rows with a role and a name; row 4 has the given ones.
func named(role, name string) string {
	return table("user_id,role,name", 20, func(i int) string {
		if i == 4 {
			return fmt.Sprintf("%s,%s,%s%d", id(i), role, name, i)
		}
		return fmt.Sprintf("%s,%s,N%d", id(i), student(i), i)
	})
}

// keyed is an object with more members than siblings are compared.
func keyed(prefix string) string {
	var members []string
	for i := range maxSiblings + 1 {
		members = append(members, fmt.Sprintf(`"%s%d":"x"`, prefix, i))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// broken is a recording that cannot be read.
type broken struct{ harness.Recording }

var errBroken = errors.New("the disk is gone")

func (broken) Exchanges() iter.Seq2[harness.Exchange, error] {
	return func(yield func(harness.Exchange, error) bool) { yield(harness.Exchange{}, errBroken) }
}

func TestRecordingThatCannotBeReadIsAnError(t *testing.T) {
	whole := harness.NewMemory(harness.Manifest{})
	for _, c := range []harness.Comparison{{Before: broken{}, After: whole}, {Before: whole, After: broken{}}} {
		if _, err := Findings(Case{Comparison: &c}); !errors.Is(err, errBroken) {
			t.Errorf("error is %v", err)
		}
	}
}

func TestBodyThatCannotBeReadIsAnError(t *testing.T) {
	_, c := explained(t, programs("", ""), programs("DATA", "", 5), nil, nil)
	lost := harness.NewMemory(harness.Manifest{})
	for x := range c.Before.Exchanges() {
		x.Response.Body = harness.StoredBody(9, "", func() (io.ReadCloser, error) { return nil, errBroken })
		if err := lost.Put(x); err != nil {
			t.Fatal(err)
		}
	}
	c.Before = lost
	if _, err := Findings(Case{Comparison: c}); !errors.Is(err, errBroken) {
		t.Errorf("error is %v", err)
	}
}
