package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

func valueCases() []acceptance {
	crn := func(format string) harness.Exchange {
		return out(table("user_id,section_id", 6, func(i int) string { return fmt.Sprintf("%s,"+format, id(i), 400+i) }))
	}
	rows := func(from, step int) string {
		return table("ID,V", 8, func(i int) string { k := (from + i*step + 80) % 8; return fmt.Sprintf("%s,%d", id(k), k) })
	}
	stamp := func(head, text string) []harness.Exchange {
		var list []harness.Exchange
		for i := range 3 {
			list = append(list, ask(fmt.Sprintf("s%d", i), `{"a":1}`, harness.Field{Name: head, Value: fmt.Sprintf(text, i)}))
		}
		return list
	}
	fields := func(text string) []harness.Exchange {
		return askMany(fmt.Sprintf(`{"v":%s}`, fmt.Sprintf(text, 1)), fmt.Sprintf(`{"v":%s}`, fmt.Sprintf(text, 2)))
	}
	instant := []harness.Rule{{At: at("response.body.v"), Compare: "instant", Reason: "server clock"}}
	return []acceptance{
		{name: "number became text", why: "strict readers refuse it", before: askMany(`{"n":4}`), after: askMany(`{"n":"4"}`), want: []string{"F04 breaking 1/1 calls ×1"}},
		{name: "boolean became text", why: "a text that is not empty counts as true", before: askMany(`{"active":false}`, `{"active":false}`), after: askMany(`{"active":"False"}`, `{"active":"False"}`),
			want: []string{"F04 breaking 2/2 calls ×2"}},
		{name: "scalar became a list", why: "what XML converters do", before: askMany(`{"major":"BIOL"}`), after: askMany(`{"major":["BIOL"]}`), want: []string{"F04 breaking 1/1 calls ×1"}},
		{name: "null got a value", why: "null is no type", before: askMany(`{"advisor":null}`), after: askMany(`{"advisor":"Omar Nasser"}`), want: []string{"F00 benign 1/1 calls ×1"}},

		{name: "leading zeros of ids", why: "one cause in all rows", before: xs(crn("%05d")), after: xs(crn("%d")), want: []string{"F18 breaking 6/0 rows ×6"}},
		{name: "leading zeros within a composite", why: "the number is a part of the text", before: xs(crn("202640-%05d")), after: xs(crn("202640-%d")), want: []string{"F18 breaking 6/0 rows ×6"}},
		{name: "leading zeros lost to a number", why: "the type changed because of the same cause", before: askMany(`{"crn":"00417"}`), after: askMany(`{"crn":417}`), want: []string{"F18 breaking 1/0 calls ×1"}},
		{name: "scientific notation", why: "what a spreadsheet does to long numbers", before: askMany(`{"card":"1234567890123"}`), after: askMany(`{"card":"1.23457E+12"}`), want: []string{"F18 breaking 1/0 calls ×1"}},
		{name: "another number in scientific notation", why: "not the old one, rounded", before: askMany(`{"card":"1234567890123"}`), after: askMany(`{"card":"1.9E+3"}`), want: []string{"F00 review 1/1 calls ×1"}},
		{name: "spreadsheet dates", why: "3-26 is a section, not a day", before: askMany(`{"section":"3-26"}`), after: askMany(`{"section":"Mar-26"}`), want: []string{"F18 breaking 1/0 calls ×1"}},

		{name: "input in another order", why: "same keys", before: xs(in(rows(0, 1))), after: xs(in(rows(7, -1))), want: []string{"F24 benign 7/8 rows ×1"}},
		{name: "output in another order", why: "same keys", before: xs(out(rows(0, 1))), after: xs(out(rows(7, -1))), want: []string{"F24 benign 7/8 rows ×1"}},
		{name: "input and output in another order", why: "the output follows", before: xs(in(rows(0, 1)), out(rows(0, 1))), after: xs(in(rows(7, -1)), out(rows(7, -1))), want: []string{"F24 benign 7/8 rows ×2"}},

		{name: "time stamps", why: "the instant rule is proposed", before: fields(`"2026-10-05T09:00:0%dZ"`), after: fields(`"2026-10-05T09:07:0%dZ"`), want: []string{"F44 review 2/2 calls ×2"}},
		{name: "time stamps under a rule", why: "the rule says that they are noise", before: fields(`"2026-10-05T09:00:0%dZ"`), after: fields(`"2026-10-05T09:07:0%dZ"`), rules: instant, want: nil},
		{name: "time stamps in another form", why: "not noise: readers may not know the form", before: fields(`"2026-10-05T09:00:0%dZ"`), after: fields(`"2026-10-05 09:00:0%d"`), want: []string{"F05 breaking 2/2 calls ×2"}},
		{name: "UUIDs", why: "ignore is proposed", before: fields(`"6f1c2a90-1111-4a6b-9d2e-00000000000%d"`), after: fields(`"6f1c2a90-2222-4a6b-9d2e-00000000000%d"`), want: []string{"F44 review 2/2 calls ×2"}},
		{name: "entity tags", why: "ignore is proposed", before: stamp("ETag", `W/"a%d"`), after: stamp("ETag", `W/"b%d"`), want: []string{"F44 review 3/3 calls ×3"}},
	}
}
