package explain

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// TestCausesStayApart checks that one cause is one finding, wherever it shows, and that it holds nothing of another one.
func TestCausesStayApart(t *testing.T) {
	stamps := func(hour int) []harness.Exchange {
		var list []harness.Exchange
		for i := range 6 {
			list = append(list, ask(fmt.Sprintf("s%d", i), fmt.Sprintf(`{"updated":"2026-10-0%dT%02d:%02d:00Z"}`, i+1, hour+i, 7*i)))
		}
		return list
	}
	deleting := func(status, body string) harness.Exchange {
		return callOf("s3", target, "crm", "DELETE", "/hooks/7", "", status, body)
	}
	told := func(name, student string) harness.Exchange {
		return callOf("s1", target, "sis", "POST", "/match", fmt.Sprintf(`{"name":%q}`, name), "200", fmt.Sprintf(`{"student":%q}`, student))
	}
	matched := func(moved int, name string) []harness.Exchange {
		var list []harness.Exchange
		for i := range 6 {
			session, last := fmt.Sprintf("s%d", i), fmt.Sprintf("Okafor%d", i)
			answer := fmt.Sprintf(`{"person":{"last":%q}}`, last)
			if i < moved {
				answer = fmt.Sprintf(`{"person":{"details":{"last":%q}}}`, last)
			}
			if name != "" {
				last = name
			}
			list = append(list, ask(session, answer), callOf(session, target, "sis", "POST", "/match", fmt.Sprintf(`{"last":%q}`, last), "200", ""))
		}
		return list
	}
	due := func(days ...string) []harness.Exchange {
		var list []harness.Exchange
		for i, day := range days {
			list = append(list, fileOf("night", "sis", target, fmt.Sprintf("plan%c.csv", 'A'+i), table("ID,DUE", 3, func(n int) string { return id(n) + "," + day })))
		}
		return list
	}
	xml := func(name, body string) harness.Exchange {
		x := fileOf("night", "sis", target, name, `<?xml version="1.0"?>`+body)
		x.Request.Media = "application/xml"
		return x
	}
	twice := func(rows ...int) string {
		return table("ID,NAME", 6, func(i int) string {
			row := fmt.Sprintf("%s,N%d", id(i), i)
			if slices.Contains(rows, i) {
				return row + "\n" + row
			}
			return row
		})
	}
	nights := func(body string) []harness.Exchange {
		return xs(fileOf("n1", "sis", target, "people.csv", body), fileOf("n2", "sis", target, "people.csv", body))
	}
	for _, c := range []struct {
		name, why     string
		before, after []harness.Exchange
		want          []string
	}{
		{"a call fails beside a change of other answers", "the target asks as before, so that the failure has a reason of its own",
			append(stamps(8), deleting("204", "")), append(stamps(14), deleting("500", `{"error":"internal"}`)),
			[]string{"F06 breaking 6/6 calls ×6", "F00 breaking 1/1 calls ×6"}},
		{"a call fails that is made otherwise", "what the target says goes back to what it was told",
			xs(ask("s1", `{"name":"Ngozi"}`), told("Ngozi", "H1")), xs(ask("s1", `{"name":""}`), callOf("s1", target, "sis", "POST", "/match", `{"name":""}`, "422", `{"error":"name is empty"}`)),
			[]string{"F03 breaking 1/1 calls ×5"}},
		{"a value of one system is lost in an earlier answer of another", "an answer does not follow from a later one",
			xs(told("Ngozi", "H1"), ask("s1", `{"student":"H1","other":"x"}`)), xs(told("Ngozi", "J9"), ask("s1", `{"student":"DEFAULT","other":"x"}`)),
			[]string{"F00 review 1/1 calls ×1", "F00 review 1/1 calls ×1"}},
		{"a field moves in some sessions, and another holds one constant in all", "what happens without the cause as well is not of it",
			matched(0, ""), matched(4, "DEFAULT"), []string{"F02 review 4/6 calls ×8", "F01 review 6/6 calls ×6"}},
		{"one day in several files", "a single value in each file is the same step in all",
			due("2026-08-17", "2026-09-01"), due("2026-08-16", "2026-08-31"), []string{"F06 breaking 3/3 rows ×6"}},
		{"two steps", "one day earlier and one day later are two changes",
			due("2026-08-17", "2026-09-01"), due("2026-08-16", "2026-09-02"), []string{"F06 breaking 3/3 rows ×3", "F06 breaking 3/3 rows ×3"}},
		{"records twice on two nights", "one change of the vendor, every night", nights(twice()), nights(twice(2, 4)), []string{"F23 review 4/0 rows ×4"}},
		{"another namespace and another prefix", "a prefix is no release",
			xs(xml("a.xml", `<a xmlns="urn:a:1"><b>1</b></a>`), xml("b.xml", `<a xmlns="urn:b:1"><b>1</b></a>`)),
			xs(xml("a.xml", `<a xmlns="urn:a:2"><b>1</b></a>`), xml("b.xml", `<p:a xmlns:p="urn:b:1"><p:b>1</p:b></p:a>`)),
			[]string{"F31 breaking 1/1 calls ×2", "F31 benign 1/1 calls ×1"}},
		{"an element is emptied", "empty elements are written so because there are some",
			xs(xml("a.xml", `<a><b>1</b><c>2</c></a>`)), xs(xml("a.xml", `<a><b></b><c>2</c></a>`)), []string{"F03 review 1/1 files ×2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			findings, comparison := explained(t, c.before, c.after, nil, nil)
			claimedOnce(t, comparison, findings)
			if got := briefs(findings); !slices.Equal(got, c.want) {
				t.Errorf("%s: %q, want %q\n%s", c.why, got, c.want, words(findings))
			}
		})
	}
}
