package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// applicants is three sessions: the CRM answers with the body, the target writes the request, the SIS answers.
func applicants(body, request func(i int) string, status string) []harness.Exchange {
	var list []harness.Exchange
	for i := range 3 {
		session := fmt.Sprintf("A-%d", i)
		answer := `{"ok":true}`
		if status != "201" {
			answer = `{"errors":[{"message":"termCode is required"}]}`
		}
		list = append(list, ask(session, body(i)), tell(session, request(i), status, answer))
	}
	return list
}

func term(i int) string { return fmt.Sprint(202640 + 10*i) }

// member writes an object with a number and one more member.
func member(name string, value func(i int) string) func(int) string {
	return func(i int) string { return fmt.Sprintf(`{"number":"A-%d",%q:%s}`, i, name, value(i)) }
}

func quoted(value func(int) string) func(int) string {
	return func(i int) string { return `"` + value(i) + `"` }
}

func always(text string) func(int) string { return func(int) string { return text } }

// people is ten rows of a table.
func people(header string, row func(i int) string) harness.Exchange {
	return in(table(header, 10, row))
}

func byPosition(c *Case) { c.Integration.Reads = "position" }

func fieldCases() []acceptance {
	terms, number := quoted(term), func(i int) string { return fmt.Sprintf(`{"number":"A-%d"}`, i) }
	return append([]acceptance{
		{
			name: "member renamed", why: "the target loses the value, and the receiver refuses",
			before: applicants(member("start_term", terms), member("termCode", terms), "201"),
			after:  applicants(member("entry_term", terms), member("termCode", always("null")), "422"),
			want:   []string{"F02 breaking 3/3 calls ×18"},
		},
		{
			name: "column renamed", why: "no likeness of the names is needed when values are many",
			before: xs(people("ID,SURNAME", func(i int) string { return fmt.Sprintf("%s,N%d", id(i), i) })),
			after:  xs(people("ID,FAMILY", func(i int) string { return fmt.Sprintf("%s,N%d", id(i), i) })),
			want:   []string{"F02 review 10/10 rows ×2"},
		},
		{
			name: "column renamed in the output", why: "the receiver looks for the old name",
			before: xs(out("user_id,status\nH1,a\nH2,b\nH3,c\n")), after: xs(out("user_id,state\nH1,a\nH2,b\nH3,c\n")),
			want: []string{"F02 breaking 3/3 rows ×2"},
		},
		{
			name: "column renamed and its values lost in the output", why: "the values of all rows are followed, not those of the first alone",
			before: xs(people("ID,MAIL", func(i int) string { return fmt.Sprintf("%s,m%d@hlu.example", id(i), i) }),
				out(table("user_id,email", 10, func(i int) string { return fmt.Sprintf("%s,m%d@hlu.example", id(i), i) }))),
			after: xs(people("ID,EMAIL_ADDRESS", func(i int) string { return fmt.Sprintf("%s,m%d@hlu.example", id(i), i) }),
				out(table("user_id,email", 10, func(i int) string { return id(i) + "," }))),
			want: []string{"F02 breaking 10/10 rows ×12"},
		},
		{
			name: "constant renamed with a like name", why: "a shared word is evidence where values are none",
			before: applicants(member("isActive", always("true")), number, "201"), after: applicants(member("activeFlag", always("true")), number, "201"),
			want: []string{"F02 review 3/3 calls ×6"},
		},
		{
			name: "constant came where another went", why: "two columns that are always true have nothing in common",
			before: applicants(member("visible", always("true")), number, "201"), after: applicants(member("eligible", always("true")), number, "201"),
			want: []string{"F03 review 3/3 calls ×3", "F13 benign 3/3 calls ×3"},
		},
		{
			name: "other values are no rename", why: "like names, other values",
			before: applicants(member("start_term", terms), number, "201"), after: applicants(member("start_date", func(i int) string { return fmt.Sprintf(`"2026-09-0%d"`, i+1) }), number, "201"),
			want: []string{"F03 review 3/3 calls ×3", "F13 benign 3/3 calls ×3"},
		},
		{
			name: "two renamed with the same values", why: "names decide between equal values",
			before: xs(people("ID,HOME_CITY,WORK_CITY", func(i int) string { return fmt.Sprintf("%s,C%d,C%d", id(i), i, i) })),
			after:  xs(people("ID,CITY_OF_WORK,CITY_AT_HOME", func(i int) string { return fmt.Sprintf("%s,C%d,C%d", id(i), i, i) })),
			want:   []string{"F02 review 10/10 rows ×2", "F02 review 10/10 rows ×2"},
		},
		{
			name: "object renamed", why: "containers are compared by content",
			before: applicants(member("address", func(i int) string { return fmt.Sprintf(`{"zip":"0%d"}`, i) }), number, "201"),
			after:  applicants(member("home", func(i int) string { return fmt.Sprintf(`{"zip":"0%d"}`, i) }), number, "201"),
			want:   []string{"F02 review 3/3 calls ×6"},
		},
		{
			name: "member removed", why: "nobody is seen to read it",
			before: applicants(member("phone", always(`"555-0100"`)), number, "201"), after: applicants(number, number, "201"),
			want: []string{"F03 review 3/3 calls ×3"},
		},
		{
			name: "member emptied with a lost target field", why: "the mapping reads it",
			before: applicants(member("phone", always(`"555-0100"`)), member("tel", always(`"555-0100"`)), "201"),
			after:  applicants(member("phone", always(`""`)), member("tel", always("null")), "201"),
			want:   []string{"F03 breaking 3/3 calls ×6"},
		},
		{
			name: "middle column removed from a table read by position", why: "every later column moves",
			before: xs(people("ID,A,B", func(i int) string { return id(i) + ",x,y" })), after: xs(people("ID,B", func(i int) string { return id(i) + ",y" })),
			setup: byPosition, want: []string{"F03 breaking 10/10 rows ×1"},
		},
	}, addedCases()...)
}

func addedCases() []acceptance {
	three := xs(people("TERM,CRN,ID", func(i int) string { return "202640,00417," + id(i) }))
	last := xs(people("TERM,CRN,ID,LAST_ACTIVITY_TS", func(i int) string { return "202640,00417," + id(i) + ",x" }))
	middle := xs(people("TERM,CRN,LEVEL,ID", func(i int) string { return "202640,00417,UG," + id(i) }))
	return []acceptance{
		{name: "column added and read by name", why: "harmless", before: three, after: middle, want: []string{"F13 benign 10/10 rows ×1"}},
		{name: "middle column added and read by position", why: "every later column moves", before: three, after: middle, setup: byPosition, want: []string{"F13 breaking 10/10 rows ×1"}},
		{name: "last column added and read by position", why: "no other column moves", before: three, after: last, setup: byPosition, want: []string{"F13 review 10/10 rows ×1"}},
		{
			name: "column added to the output", why: "the receiver must accept it", before: xs(out("user_id,role\nH1,a\nH2,b\n")), after: xs(out("user_id,role,notify\nH1,a,1\nH2,b,1\n")),
			want: []string{"F13 breaking 2/2 rows ×1"},
		},
		{
			name: "member added by position", why: "objects are never read by position", before: askMany(`{"a":"x"}`), after: askMany(`{"new":1,"a":"x"}`),
			setup: byPosition, want: []string{"F13 benign 1/1 calls ×1"},
		},
	}
}
