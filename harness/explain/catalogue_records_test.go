package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// persons is n people; row replaces single rows, and an empty one leaves it out.
func persons(n int, rows map[int]string) string {
	return table("ID,LAST_NAME,FIRST_NAME,EMAIL,BIRTH_DATE", n, func(i int) string {
		if row, ok := rows[i]; ok {
			return row
		}
		return person(i, id(i))
	})
}

func person(i int, id string) string {
	last, first := []string{"Hale", "Nasser", "Adeyemi", "Strand", "Achebe"}[i%5], []string{"Ola", "Funmi", "Omar", "Ruth", "Kim", "Leon", "Dana"}[i%7]
	return fmt.Sprintf("%s,%s,%s,p%d@hlu.example,%d-0%d-1%d", id, last, first, i, 1990+i, 1+i%9, i%10)
}

// seats is the registrations of people in sections; each person has three.
func seats(people int, who func(i int) string) string {
	return table("TERM,CRN,ID,RSTS", 3*people, func(i int) string {
		name := who(i / 3)
		if name == "" {
			return ""
		}
		return fmt.Sprintf("202640,%05d,%s,RE", 417+(i*7)%11, name)
	})
}

// becomes is the identifiers of people, one of them another one.
func becomes(who int, name string) func(int) string {
	return func(i int) string {
		if i == who {
			return name
		}
		return id(i)
	}
}

func file(name, body string) harness.Exchange  { return fileOf("night", "sis", target, name, body) }
func sends(name, body string) harness.Exchange { return fileOf("night", target, "lms", name, body) }

// statuses is what the mapping hands on, with a state for each row; an empty state leaves the row out.
func statuses(state func(i int) string) string {
	return table("user_id,section_id,status", 12, func(i int) string {
		if state(i) == "" {
			return ""
		}
		return fmt.Sprintf("%s,202640-%05d,%s", id(i), 417+i%5, state(i))
	})
}

func recordExamples() []example {
	rows := persons(12, nil)
	row := func(i int, text string) string { return persons(12, map[int]string{i: text}) }
	add := func(text string) string { return rows + text + "\n" }
	ended := func(text string) func(int) string {
		return func(i int) string {
			if i%4 == 0 {
				return text
			}
			return "active"
		}
	}
	stray := func(body string) string { return swap(body, "p7@hlu.example", "x7@hlu.example") }
	events := func(order ...string) string { return "ID,STATUS,SEATS\n" + strings.Join(order, "\n") + "\n" }
	courses := func(order ...string) string { return "ID,PARENT_ID,TITLE\n" + strings.Join(order, "\n") + "\n" }
	merged, two := becomes(2, id(5)), func(list ...harness.Exchange) []harness.Exchange { return list }
	return []example{
		{name: "F23 same row twice", why: "a receiver that adds up takes it twice", before: one(rows), after: one(add(person(3, id(3)))), stray: one(stray(add(person(3, id(3))))), want: "F23 review", count: "1/0 rows", says: []string{"once more"}},
		{name: "F23 same row once again", why: "the other direction", before: one(add(person(3, id(3)))), after: one(rows), want: "F23 benign"},
		{name: "F23 two states under one key", why: "which one counts is chance", before: one(statuses(ended("active"))), after: one(statuses(ended("active")) + "H0003,202640-00420,deleted\n"),
			stray: one(swap(statuses(ended("active")), "H0007,202640-00419,active", "H0007,202640-00419,Zq7#") + "H0003,202640-00420,deleted\n"), want: "F23 breaking", count: "1/0 keys", says: []string{"status active and deleted"}},
		{name: "F23 two states, the new one first", why: "the row before is still there", before: one(statuses(ended("active"))), after: one(swap(statuses(ended("active")), "H0003,202640-00420,active", "H0003,202640-00420,deleted\nH0003,202640-00420,active")), want: "F23 breaking", count: "1/0 keys"},
		{name: "F23 two states became one", why: "the other direction", after: one(statuses(ended("active"))), before: one(statuses(ended("active")) + "H0003,202640-00420,deleted\n"), want: "F23 review"},
		{name: "F23 twice in input and output", why: "the output follows", before: xs(in(rows), out(statuses(ended("active")))), after: xs(in(add(person(3, id(3)))), out(statuses(ended("active"))+"H0003,202640-00420,active\n")), want: "F23 review"},
		{name: "F23 member twice", why: "readers differ in which one counts", before: askMany(`{"id":"H1","role":"student"}`), after: askMany(`{"id":"H1","role":"student","role":"observer"}`), want: "F23 breaking", says: []string{`"role" stands more than once`, "observer"}},
		{name: "F23 member twice, the same", why: "strict readers refuse it", before: askMany(`{"id":"H1","role":"student"}`), after: askMany(`{"id":"H1","role":"student","role":"student"}`), want: "F23 breaking"},
		{name: "F23 member once again", why: "the other direction", after: askMany(`{"id":"H1","role":"student"}`), before: askMany(`{"id":"H1","role":"student","role":"observer"}`), want: "F23 review"},

		{name: "F24 sorted otherwise", why: "the key tells them apart", before: one(rows), after: one(reversed(rows)), stray: one(stray(reversed(rows))), want: "F24 benign"},
		{name: "F24 the last row wins", why: "the state of a person is another one now", before: one(events("H1,active,2", "H2,active,1", "H1,deleted,2", "H3,active,1")), after: one(events("H1,deleted,2", "H2,active,1", "H1,active,2", "H3,active,1")),
			want: "F24 breaking", says: []string{"last"}},
		{name: "F24 without a key", why: "the same rows", before: one(events("H1,active,2", "H2,active,1", "H1,active,3", "H3,active,1")), after: one(events("H3,active,1", "H2,active,1", "H1,active,2", "H1,active,3")), want: "F24 benign"},
		{name: "F24 child before its parent", why: "the parent is not there yet when the child is loaded", before: one(courses("C1,,a", "C2,C1,b", "C3,C1,c", "C4,C2,d")), after: one(courses("C4,C2,d", "C3,C1,c", "C2,C1,b", "C1,,a")), want: "F24 breaking", says: []string{"before"}},

		{name: "F29 delta for a snapshot", why: "a receiver that mirrors deletes the rest", before: one(persons(200, nil)), after: one(delta(200, 9)), want: "F29 breaking", says: []string{"200 → 9 rows"}},
		{name: "F29 snapshot for a delta", why: "a receiver loads everything anew", before: one(delta(200, 9)), after: one(persons(200, nil)), want: "F29 review"},

		{name: "F35 identifier used again", why: "another person gets the data of the old one", before: one(rows), after: one(row(4, "H0004,Okafor,Ines,i4@hlu.example,2006-12-24")), stray: one(stray(row(4, "H0004,Okafor,Ines,i4@hlu.example,2006-12-24"))),
			want: "F35 breaking", count: "1/12 rows", says: []string{"another person", "Privacy"}},
		{name: "F35 login used again", why: "a record alone has an identifier, too", before: askMany(`{"login":"jsmith","name":"Jo Smith","birth_date":"1999-01-02"}`), after: askMany(`{"login":"jsmith","name":"Jan Smithson","birth_date":"2007-05-06"}`), want: "F35 breaking", count: "1/1 calls"},
		{name: "F35 other form", why: "receivers take them for new ones", before: one(persons(12, nil)), after: one(table("ID,LAST_NAME,FIRST_NAME,EMAIL,BIRTH_DATE", 12, func(i int) string { return person(i, fmt.Sprintf("HLU-%08d", i)) })), want: "F35 breaking", count: "12/12 rows", says: []string{"H0000 → HLU-00000000"}},
		{name: "F35 given out anew", why: "no rule leads from the old ones", before: one(persons(12, nil)), after: one(table("ID,LAST_NAME,FIRST_NAME,EMAIL,BIRTH_DATE", 12, func(i int) string { return person(i, anew(i)) })), want: "F35 breaking", count: "12/12 rows"},

		{name: "F35 given out anew, and what refers to them", why: "the references hold the new ones", before: two(file("persons.csv", rows), file("photos.csv", table("PHOTO,PERSON_ID", 12, func(i int) string { return fmt.Sprintf("p%d.jpg,%s", i, id(i)) }))),
			after: two(file("persons.csv", table("ID,LAST_NAME,FIRST_NAME,EMAIL,BIRTH_DATE", 12, func(i int) string { return person(i, anew(i)) })), file("photos.csv", table("PHOTO,PERSON_ID", 12, func(i int) string { return fmt.Sprintf("p%d.jpg,%s", i, anew(i)) }))),
			rules: []harness.Rule{{At: at("request.body"), Operation: "persons.csv", Compare: "keyed", Key: []string{"ID"}, Reason: "one row for each person"}}, want: "F35 breaking", count: "12/12 rows", says: []string{"PERSON_ID"}},
		{name: "F35 all of many given out anew", why: "they are neither deleted nor new", before: two(file("persons.csv", persons(90, nil))), after: two(file("persons.csv", table("ID,LAST_NAME,FIRST_NAME,EMAIL,BIRTH_DATE", 90, func(i int) string { return person(i, anew(i)) }))),
			rules: []harness.Rule{{At: at("request.body"), Operation: "persons.csv", Compare: "keyed", Key: []string{"ID"}, Reason: "one row for each person"}}, want: "F35 breaking", count: "90/90 rows"},
		{name: "F35 all of many in another form", why: "they are neither deleted nor new", before: two(file("persons.csv", persons(90, nil))), after: two(file("persons.csv", table("ID,LAST_NAME,FIRST_NAME,EMAIL,BIRTH_DATE", 90, func(i int) string { return person(i, "HLU-"+id(i)) }))),
			rules: []harness.Rule{{At: at("request.body"), Operation: "persons.csv", Compare: "keyed", Key: []string{"ID"}, Reason: "one row for each person"}}, want: "F35 breaking", count: "90/90 rows", says: []string{"HLU-"}},
		{name: "F18 keys that became dates", why: "rows that went and came are the same ones", before: one(table("SECTION,TITLE,SEATS", 30, func(i int) string { return fmt.Sprintf("%d-%d,T%d,20", 1+i%12, 3+i%9, i) })), after: one(table("SECTION,TITLE,SEATS", 30, func(i int) string { return fmt.Sprintf("%s-%02d,T%d,20", months[i%12*3:i%12*3+3], 3+i%9, i) })),
			rules: []harness.Rule{{At: at("request.body"), Compare: "keyed", Key: []string{"SECTION"}, Reason: "one row for each section"}}, want: "F18 breaking", count: "30/0 rows"},
		{name: "F18 keys in scientific notation", why: "they are all the same now, and still the rows are paired", before: one(table("CARD,NAME", 12, func(i int) string { return fmt.Sprintf("%d,N%d", 1234567890123+1000*i, i) })), after: one(table("CARD,NAME", 12, func(i int) string { return fmt.Sprintf("1.23457E+12,N%d", i) })),
			rules: []harness.Rule{{At: at("request.body"), Compare: "keyed", Key: []string{"CARD"}, Reason: "one row for each card"}}, want: "F18 breaking", count: "12/0 rows"},
		{name: "F36 two became one", why: "three enrolments moved to the other identifier", before: two(file("persons.csv", rows), file("registrations.csv", seats(12, id))), after: two(file("persons.csv", row(2, "")), file("registrations.csv", seats(12, merged))),
			stray: two(file("persons.csv", stray(row(2, ""))), file("registrations.csv", seats(12, merged))), want: "F36 review", count: "3/36 rows", says: []string{"Looks like a merge: H0002 → H0005 (3 of 36 rows of registrations.csv"}},
		{name: "F36 two became one, who shared a section", why: "the seat that both had is there once", before: two(file("persons.csv", rows), file("registrations.csv", sorted(seats(12, id)))), after: two(file("persons.csv", row(2, "")), file("registrations.csv", sorted(onceEach(seats(12, merged))))),
			rules: []harness.Rule{{At: at("request.body"), Operation: "registrations.csv", Compare: "keyed", Key: []string{"TERM", "CRN", "ID"}, Reason: "one seat for each"}}, want: "F36 review", count: "2/36 rows"},
		{name: "F36 two became one, and what follows", why: "the output is a part of the finding", before: two(file("persons.csv", rows), file("registrations.csv", seats(12, id)), sends("users.csv", swap(rows, "ID", "user_id")), sends("enrollments.csv", seats(12, id))),
			after: two(file("persons.csv", row(2, "")), file("registrations.csv", seats(12, merged)), sends("users.csv", swap(row(2, ""), "ID", "user_id")), sends("enrollments.csv", seats(12, merged))), want: "F36 review", count: "3/36 rows"},
		{name: "F36 one became two", why: "a part stands under a new identifier", after: two(file("persons.csv", rows), file("registrations.csv", seats(12, id))), before: two(file("persons.csv", row(2, "")), file("registrations.csv", seats(12, merged))), want: "F36 review", says: []string{"Looks like a split: H0005 → H0002"}},
		{name: "F36 mark in a name", why: "receivers show the mark as a name", before: one(rows), after: one(swap(rows, "H0004,Achebe", "H0004,MULTIPLE ID 48512 ACHEBE")), want: "F36 review", says: []string{"mark of a merge"}},

		{name: "F37 absent to deleted", why: "rows that are over come with a state", before: one(statuses(ended(""))), after: one(statuses(ended("deleted"))), stray: one(swap(statuses(ended("deleted")), "H0007,202640-00419,active", "H0007,202640-00419,Zq7#")), want: "F37 breaking", count: "3/0 rows", says: []string{"status deleted"}},
		{name: "F37 deleted to absent", why: "a receiver that waits for the state keeps them", before: one(statuses(ended("deleted"))), after: one(statuses(ended(""))), want: "F37 breaking", count: "3/12 rows", says: []string{"left out now"}},
		{name: "F37 deleted to inactive", why: "an inactive record keeps its account", before: one(statuses(ended("deleted"))), after: one(statuses(ended("inactive"))), want: "F37 breaking", says: []string{"inactive instead of deleted"}},
		{name: "F37 inactive to deleted", why: "the data is taken out", before: sent(statuses(ended("inactive"))), after: sent(statuses(ended("deleted"))), want: "F37 breaking"},
		{name: "F37 left out in input and output", why: "the output says that they were over", before: xs(in(statuses(ended("DD"))), out(statuses(ended("deleted")))), after: xs(in(statuses(ended(""))), out(statuses(ended("")))), want: "F37 breaking", count: "3/12 rows"},
		{name: "F37 flag", why: "a member says it, too", before: askMany(`[{"id":"H1","deleted":false},{"id":"H2","deleted":false}]`), after: askMany(`[{"id":"H1","deleted":false},{"id":"H2","deleted":false},{"id":"H3","deleted":true}]`), want: "F37 breaking"},
	}
}

// anew is another identifier of person i, by no rule.
func anew(i int) string { return fmt.Sprintf("K%04d", (i*7919+13)%10000) }

// reversed is a table with its rows the other way round.
func reversed(body string) string {
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	slices.Reverse(lines[1:])
	return strings.Join(lines, "\n") + "\n"
}

// delta is a few of n people.
func delta(n, few int) string {
	return table("ID,LAST_NAME,FIRST_NAME,EMAIL,BIRTH_DATE", n, func(i int) string {
		if i%(n/few) != 3 {
			return ""
		}
		return person(i, id(i))
	})
}

// onceEach is a table without the lines that stood before.
func onceEach(body string) string {
	var kept []string
	for line := range strings.Lines(body) {
		if !slices.Contains(kept, line) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}
