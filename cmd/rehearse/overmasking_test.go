package main

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// recordingsOf lists the folders of the recordings of Harrow Lake.
func recordingsOf(t *testing.T) (dirs []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join("..", "..", "fixtures", "harrow-lake"), func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "recording.yaml" {
			dirs = append(dirs, filepath.Dir(name))
		}
		return err
	})
	if err != nil || len(dirs) < 17 {
		t.Fatalf("%d recordings: %v", len(dirs), err)
	}
	return dirs
}

func TestRecordingsOfHarrowLakeAreProved(t *testing.T) {
	rehearses(t, append([]string{"scan", "--strict"}, recordingsOf(t)...)...)
}

// harrowPeople is what names people in the payloads of Harrow Lake; everything else stays, but for values that are known
// from there.
const harrowPeople = `policy: people of Harrow Lake
rules:
  - field: [ID, externalId, sis_id, studentId, student_id, personId, applicationId, user_id, person, individual_id, employeeNumber]
    class: id
  - field: [FIRST_NAME, LAST_NAME, PREF_NAME, first, last, "@first", "@last", first_name, last_name, firstName, lastName, familyName, givenName, individual_name]
    class: person-name
  - field: email
    class: email
  - field: [login_id, userName]
    class: login
  - field: [BIRTH_DATE, birthDate]
    class: date-of-birth
  - at: "**"
    keep: except-known
    reason: codes, grades, terms, amounts and dates of business
`

// TestNothingOfHarrowLakeIsMaskedTooMuch scrubs every recording: each leaf that names nobody is what it was, byte for
// byte: grades, codes, terms, amounts, dates, titles of courses that hold surnames.
func TestNothingOfHarrowLakeIsMaskedTooMuch(t *testing.T) {
	policy, err := scrub.ParsePolicy("people.yaml", []byte(harrowPeople))
	if err != nil {
		t.Fatal(err)
	}
	o := &overmasking{policy: policy, people: map[string]bool{}, words: map[string]int{}}
	for _, dir := range recordingsOf(t) {
		rec, err := fixtures.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		list, err := harness.Collect(rec)
		if err != nil {
			t.Fatal(err)
		}
		s := scrub.New(policy, worldKey(t))
		for _, x := range list {
			o.collect(x)
			if err := s.Learn(x); err != nil {
				t.Fatal(err)
			}
		}
		for _, x := range list {
			clean, err := s.Exchange(x)
			if err != nil {
				t.Fatal(err)
			}
			o.compare(t, x.Request, clean.Request)
			o.compare(t, x.Response, clean.Response)
		}
	}
	t.Logf("%d leaves of people are others, %d that name nobody are the same, %d hold an identifier of somebody", o.replaced, o.same, o.mixed)
	if o.replaced < 3000 || o.same < 10_000 || o.words["RSTS"] == 0 || o.words["amount"] == 0 || o.words["termCode"] == 0 {
		t.Error("too little was compared")
	}
}

// overmasking compares what was scrubbed with what was recorded, by the names of leaves alone.
type overmasking struct {
	policy                *scrub.Policy
	people                map[string]bool // values that name somebody
	words                 map[string]int  // leaves that stayed, by name
	replaced, same, mixed int
}

// isPersonal reports whether a rule of the policy names the leaf.
func (o *overmasking) isPersonal(path harness.Path) bool {
	for _, r := range o.policy.Rules {
		if r.Class != "" && r.Covers(path, false) {
			return true
		}
	}
	return false
}

// collect notes the identifiers that may stand within other leaves.
func (o *overmasking) collect(x harness.Exchange) {
	for _, m := range []harness.Message{x.Request, x.Response} {
		if m.Body.Size() == 0 {
			continue
		}
		doc, err := payload.Of(m)
		if err != nil {
			continue
		}
		for path, n := range doc.Root().Leaves() {
			if text := strings.TrimSpace(n.Text()); o.isPersonal(path) && len(text) >= 5 {
				o.people[text] = true
			}
		}
	}
}

// holdsPerson reports whether a text holds an identifier.
func (o *overmasking) holdsPerson(text string) bool {
	for person := range o.people {
		if strings.Contains(text, person) {
			return true
		}
	}
	return false
}

func (o *overmasking) compare(t *testing.T, was, now harness.Message) {
	t.Helper()
	for i, f := range was.Head {
		if value := now.Head[i].Value; value != f.Value && !o.holdsPerson(f.Value) && f.Name != "Content-Length" {
			t.Errorf("field %s of the head was %s and is %s", f.Name, f.Value, value)
		}
	}
	if was.Body.Size() == 0 {
		return
	}
	a, err := payload.Of(was)
	if err != nil {
		t.Fatal(err)
	}
	b, err := payload.Of(now)
	if err != nil {
		t.Fatal(err)
	}
	var then []payload.Node // names of elements come more than once
	for _, n := range b.Root().Leaves() {
		then = append(then, n)
	}
	for path, n := range a.Root().Leaves() {
		if len(then) == 0 {
			t.Fatalf("%s has no leaf any more", path)
		}
		after := then[0]
		then = then[1:]
		same := string(n.Raw()) == string(after.Raw())
		switch {
		case o.isPersonal(path):
			if same && !scrub.IsSentinel(n.Text()) {
				t.Errorf("%s is what it was: %s", path, n.Text())
			}
			o.replaced++
		case !same && o.holdsPerson(n.Text()):
			o.mixed++
		case !same:
			t.Errorf("%s was %s and is %s", path, n.Raw(), after.Raw())
		default:
			o.same++
			o.words[path.Leaf()]++
		}
	}
}
