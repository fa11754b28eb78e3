package diff

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestFilesOfOtherNamesPairByTheirLines(t *testing.T) {
	people := func(from, to int) string {
		var b strings.Builder
		b.WriteString("id,name\n")
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, "H%04d,person %d\n", i, i)
		}
		return b.String()
	}
	file := func(id, name, to, body string) harness.Exchange {
		return harness.Exchange{ID: id, Session: "night", Channel: harness.ChannelFile, From: "hubline", To: to, Request: harness.Message{
			Head: harness.Head{{Name: harness.FieldName, Value: name}}, Media: "text/csv", Body: harness.BytesBody([]byte(body)),
		}}
	}
	for _, c := range []struct {
		why     string
		was, is []harness.Exchange
		pairs   string
	}{
		{"the same bytes under another name",
			[]harness.Exchange{file("1", "Student.csv", "lms", people(0, 20))}, []harness.Exchange{file("9", "users.csv", "lms", people(0, 20))}, "1=9"},
		{"most lines are the same",
			[]harness.Exchange{file("1", "Student.csv", "lms", people(0, 20))}, []harness.Exchange{file("9", "users.csv", "lms", people(3, 24))}, "1=9"},
		{"a name that stays goes before likeness",
			[]harness.Exchange{file("1", "users.csv", "lms", people(0, 20)), file("2", "old.csv", "lms", people(100, 120))},
			[]harness.Exchange{file("8", "users.csv", "lms", people(100, 120)), file("9", "new.csv", "lms", people(0, 20))}, "1=8 2- 9+"},
		{"the most alike pair first, whatever the order",
			[]harness.Exchange{file("1", "a.csv", "lms", people(0, 20)), file("2", "b.csv", "lms", people(4, 24))},
			[]harness.Exchange{file("8", "c.csv", "lms", people(4, 24)), file("9", "d.csv", "lms", people(0, 20))}, "1=9 2=8"},
		{"few lines in common prove nothing",
			[]harness.Exchange{file("1", "a.csv", "lms", people(0, 20))}, []harness.Exchange{file("9", "b.csv", "lms", people(18, 40))}, "1- 9+"},
		{"two lines are no evidence, even if they are all",
			[]harness.Exchange{file("1", "a.csv", "lms", people(0, 1))}, []harness.Exchange{file("9", "b.csv", "lms", people(0, 1))}, "1- 9+"},
		{"a file for another system is another file",
			[]harness.Exchange{file("1", "a.csv", "lms", people(0, 20))}, []harness.Exchange{file("9", "b.csv", "crm", people(0, 20))}, "1- 9+"},
	} {
		var got []string
		for _, p := range pair(c.was, c.is) {
			switch {
			case p.is == nil:
				got = append(got, p.was.ID+"-")
			case p.was == nil:
				got = append(got, p.is.ID+"+")
			default:
				got = append(got, p.was.ID+"="+p.is.ID)
			}
		}
		if text := strings.Join(got, " "); text != c.pairs {
			t.Errorf("%s: pairs are %s, want %s", c.why, text, c.pairs)
		}
	}
}

func TestAFileOfAnotherNameDiffersInItsName(t *testing.T) {
	was := harness.Exchange{ID: "1", Session: "n", Channel: harness.ChannelFile, From: "a", To: "b", Request: harness.Message{
		Head: harness.Head{{Name: harness.FieldName, Value: "gl.dat"}}, Body: harness.BytesBody([]byte("one\ntwo\nthree\n"))}}
	is := was
	is.ID, is.Request.Head = "2", harness.Head{{Name: harness.FieldName, Value: "ledger.dat"}}
	c, err := Recordings(harness.NewMemory(harness.Manifest{}, was), harness.NewMemory(harness.Manifest{}, is), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Differences) != 1 || c.Differences[0].Path.String() != "request.head.:name" || c.Differences[0].Is.Text != "ledger.dat" {
		t.Errorf("differences are %+v, want the name alone", c.Differences)
	}
}
