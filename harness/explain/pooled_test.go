package explain

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// kinds is one file of rows that all have the same code.
func kinds(name, code string) harness.Exchange {
	return fileOf("night", "sis", target, name, table("ID,KIND", 4, func(i int) string { return id(i) + "," + code }))
}

// notes is a file of rows whose texts follow from the seed and from nothing else.
func notes(name string, seed int) harness.Exchange {
	return fileOf("night", "sis", target, name, table("ID,NOTE", 4, func(i int) string { return fmt.Sprintf("%s,note %x", id(i), (i+7)*(seed+11)*7919%65521) }))
}

// TestOneFieldInManyMessagesIsOneFinding checks that what happens to a field of one name is learned, and told, once,
// although each message has a single value of it.
func TestOneFieldInManyMessagesIsOneFinding(t *testing.T) {
	files := func(codes ...string) []harness.Exchange {
		var list []harness.Exchange
		for i, code := range codes {
			list = append(list, kinds(fmt.Sprintf("%c.csv", 'a'+i), code))
		}
		return list
	}
	for _, c := range []struct {
		name, why     string
		before, after []harness.Exchange
		want          []string
	}{
		{"a prefix", "three codes in three files show the prefix that none shows alone",
			files("DAY", "EVENING", "ONLINE"), files("X-DAY", "X-EVENING", "X-ONLINE"), []string{"F17 breaking 4/4 rows ×12"}},
		{"letter case", "one writer, whichever files he writes",
			files("ff", "ff"), files("fF", "fF"), []string{"F17 breaking 4/4 rows ×8"}},
		{"no rule", "the field is spoiled in each file, whatever the cause is",
			xs(notes("a.csv", 0), notes("b.csv", 0)), xs(notes("a.csv", 31), notes("b.csv", 47)), []string{"F00 review 4/4 rows ×8"}},
	} {
		findings, comparison := explained(t, c.before, c.after, nil, nil)
		claimedOnce(t, comparison, findings)
		if got := briefs(findings); !slices.Equal(got, c.want) {
			t.Errorf("%s, %s: %v\n%s", c.name, c.why, got, words(findings))
		}
	}
}

// TestTableHoldsNoTwoRules has codes that are padded in one file, in capitals in another and exchanged in a third: a table
// of all of them would give every new value and be wrong about the cause.
func TestTableHoldsNoTwoRules(t *testing.T) {
	several := func(name string, codes ...string) harness.Exchange {
		return fileOf("night", "sis", target, name, table("ID,KIND", 12, func(i int) string { return id(i) + "," + codes[i%len(codes)] }))
	}
	before := xs(several("a.csv", "3001", "3002"), several("b.csv", "day-one", "day-two"), several("c.csv", "eve-one", "eve-two"))
	after := xs(several("a.csv", "0000003001", "0000003002"), several("b.csv", "DAY-ONE", "DAY-TWO"), several("c.csv", "kqz-pfa", "tub-xee"))
	findings, _ := explained(t, before, after, nil, nil)
	for _, f := range findings {
		files := map[bool]bool{}
		for _, d := range f.Differences {
			files[d.Operation == "a.csv"] = true
		}
		if f.Kind != "F00" && len(files) > 1 {
			t.Errorf("one finding for padding and capitals:\n%s", words(findings))
		}
	}
}

// TestNothingFollowsFromWhatComesLater has an identifier that is lost in the last call of a session, and another one in an
// earlier call: the last cannot be the cause of the earlier.
func TestNothingFollowsFromWhatComesLater(t *testing.T) {
	var before, after []harness.Exchange
	for i := range 12 {
		session, number := fmt.Sprintf("s%02d", i), fmt.Sprintf("S%04d", 1000+37*i)
		made := func(id string) harness.Exchange { return tell(session, `{}`, "201", fmt.Sprintf(`{"student":%q}`, id)) }
		told := func(id string) harness.Exchange { return ask(session, fmt.Sprintf(`{"sis_number":%q}`, id)) }
		before = append(before, made(number), told(number))
		after = append(after, made(fmt.Sprintf("K%04d", 7771*(i+3)%9973)), told("DEFAULT"))
	}
	findings, comparison := explained(t, before, after, nil, nil)
	claimedOnce(t, comparison, findings)
	if len(findings) < 2 {
		t.Errorf("the later value is taken for the cause of the earlier one:\n%s", words(findings))
	}
}
