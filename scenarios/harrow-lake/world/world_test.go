package world

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// read returns the header and the rows of a table.
func read(t *testing.T, b []byte) (header []string, rows [][]string) {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[0], all[1:]
}

func TestRegistrationsHaveTheCountsOfTheOracle(t *testing.T) {
	byStatus, bySection, pairs := map[string]int{}, map[string]int{}, map[string]bool{}
	for _, r := range Registrations() {
		byStatus[r.Status]++
		bySection[r.CRN]++
		pairs[r.CRN+" "+r.Student] = true
	}
	want := map[string]int{"RE": 100, "RW": 90, "AU": 10, "WL": 10, "DD": 10, "DW": 10, "W1": 10}
	if diff := cmp.Diff(want, byStatus); diff != "" {
		t.Errorf("registrations by status (-want +got):\n%s", diff)
	}
	if len(pairs) != 240 {
		t.Errorf("%d distinct pairs of section and student, want 240", len(pairs))
	}
	if len(bySection) != 20 {
		t.Errorf("%d sections with registrations, want 20", len(bySection))
	}
	for crn, n := range bySection {
		if n != 12 {
			t.Errorf("section %s has %d registrations, want 12", crn, n)
		}
	}
}

func TestCRNs(t *testing.T) {
	var got []string
	for _, s := range Sections() {
		got = append(got, s.CRN)
	}
	want := []string{"00417", "00892", "01206", "02045", "10234", "10271", "10308", "10345", "10382", "10419",
		"10456", "10493", "10530", "10567", "10604", "10641", "10678", "10715", "10752", "10789"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("CRNs (-want +got):\n%s", diff)
	}
}

func TestStudentsHoldTheHardNames(t *testing.T) {
	header, rows := read(t, PersonsCSV())
	if diff := cmp.Diff([]string{"ID", "LAST_NAME", "FIRST_NAME", "PREF_NAME", "EMAIL", "BIRTH_DATE"}, header); diff != "" {
		t.Error(diff)
	}
	if len(rows) != 80 {
		t.Fatalf("%d students, want 80", len(rows))
	}
	find := func(why string, ok func(row []string) bool, want int) {
		t.Helper()
		n := 0
		for _, row := range rows {
			if ok(row) {
				n++
			}
		}
		if n != want {
			t.Errorf("%s: %d rows, want %d", why, n, want)
		}
	}
	name := func(first, last string) func([]string) bool {
		return func(row []string) bool { return row[1] == last && row[2] == first }
	}
	find("acute accents", name("José", "Núñez"), 1)
	find("diaeresis", name("Zoë", "Brännström"), 1)
	find("cedilla", name("François", "Lefèvre"), 1)
	find("letters outside ASCII, which a change of encoding hits", func(row []string) bool {
		return strings.ContainsFunc(strings.Join(row, ""), func(r rune) bool { return r > 127 })
	}, 3)
	find("apostrophe", func(row []string) bool { return row[1] == "O'Dwyer" }, 1)
	find("61-character hyphenated surname", func(row []string) bool {
		return utf8.RuneCountInString(row[1]) == 61 && strings.Contains(row[1], "-")
	}, 1)
	find("leap day", func(row []string) bool { return row[5] == "2004-02-29" }, 1)

	ids, emails := map[string]bool{}, map[string]bool{}
	for _, row := range rows {
		ids[row[0]], emails[row[4]] = true, true
	}
	if len(ids) != 80 || len(emails) != 80 || !ids["H00000101"] || !ids["H00000180"] || !ids["H00000142"] {
		t.Errorf("%d ids and %d addresses, want 80 of each, H00000101 to H00000180", len(ids), len(emails))
	}
}

func TestSectionTitlesNeedQuotes(t *testing.T) {
	raw := string(SectionsCSV())
	for _, want := range []string{`"Ethics, Law and Data"`, `"Reading ""Moby-Dick"""`} {
		if strings.Count(raw, want) != 1 {
			t.Errorf("sections.csv holds %s %d times, want once", want, strings.Count(raw, want))
		}
	}
	if strings.Contains(raw, "\r") || !strings.HasSuffix(raw, "\n") {
		t.Error("sections.csv has not LF at the end of each line")
	}
}

func TestBaselineRowsAreSortedByStudent(t *testing.T) {
	_, rows := read(t, RegistrationsCSV())
	if !slices.IsSortedFunc(rows, func(a, b []string) int { return strings.Compare(a[2], b[2]) }) {
		t.Error("registrations.csv of 9.31 is not sorted by ID")
	}
}

func TestCandidate932PlantsThreeChanges(t *testing.T) {
	header, before := read(t, RegistrationsCSV())
	header932, after := read(t, RegistrationsCSV932())
	if diff := cmp.Diff(append(slices.Clone(header), "LAST_ACTIVITY_TS"), header932); diff != "" {
		t.Errorf("D02, columns (-want +got):\n%s", diff)
	}
	if !slices.IsSortedFunc(after, func(a, b []string) int { return strings.Compare(a[1], b[1]) }) {
		t.Error("D04: registrations.csv of 9.32 is not sorted by CRN")
	}

	was := map[string][]string{}
	for _, row := range before {
		was[row[1]+" "+row[2]] = row
	}
	hit := map[string]bool{}
	changed := 0
	for _, row := range after {
		old, ok := was[row[1]+" "+row[2]]
		if !ok {
			t.Errorf("D04: %v has no partner in the baseline", row)
			continue
		}
		if slices.Equal(old, row[:6]) {
			continue
		}
		changed++
		hit[row[1]] = true
		if old[3] != "RE" || row[3] != "RH" || !slices.Equal(old[4:], row[4:6]) {
			t.Errorf("D01: %v became %v", old, row)
		}
	}
	if changed != 7 || len(after) != 240 {
		t.Errorf("D01: %d of %d rows changed, want 7 of 240", changed, len(after))
	}
	want := map[string]bool{"00892": true, "10271": true, "10419": true, "10567": true, "10715": true}
	if diff := cmp.Diff(want, hit); diff != "" {
		t.Errorf("D01, sections (-want +got):\n%s", diff)
	}
}

func TestEnrollmentIsOneSession(t *testing.T) {
	var names []string
	for _, x := range Enrollment() {
		if x.Session != "2026-10-05" || x.From != SIS || x.To != HubLine || x.Channel != harness.ChannelFile {
			t.Errorf("%s crosses %s→%s in session %q on %q", x.ID, x.From, x.To, x.Session, x.Channel)
		}
		if got := x.Request.Head.Get(harness.FieldModified); got != "2026-10-05T07:15:00Z" {
			t.Errorf("modification time %s, want 02:15 in Chicago", got)
		}
		if !x.Response.IsZero() {
			t.Error("a file has an answer")
		}
		names = append(names, x.Operation())
	}
	if diff := cmp.Diff([]string{"persons.csv", "sections.csv", "registrations.csv"}, names); diff != "" {
		t.Error(diff)
	}
	candidate := EnrollmentCandidate932()
	names = nil
	for _, x := range candidate {
		names = append(names, x.Session+" "+x.Operation())
	}
	if diff := cmp.Diff([]string{EnrollmentSession + " persons.csv", EnrollmentSession + " registrations.csv"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestCandidateHasThreeNamesInWindows1252(t *testing.T) {
	persons, err := EnrollmentCandidate932()[0].Request.Body.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, line := range bytes.Split(persons, []byte("\n")) {
		if !utf8.Valid(line) {
			rows++
		}
	}
	if rows != 3 {
		t.Errorf("%d rows are no UTF-8, want 3", rows)
	}
}

func TestGenerationIsDeterministic(t *testing.T) {
	for _, generate := range []func() []harness.Exchange{Enrollment, EnrollmentCandidate932, Webhooks} {
		a, b := generate(), generate()
		for i := range a {
			if a[i].Request.Body.Digest() != b[i].Request.Body.Digest() {
				t.Errorf("%s of session %s differs between two calls", a[i].ID, a[i].Session)
			}
		}
	}
}

func TestApplications(t *testing.T) {
	list := Applications()
	if len(list) != 24 {
		t.Fatalf("%d applications, want 24", len(list))
	}
	zeros := 0
	terms, seen := map[string]int{}, map[string]bool{}
	sets := map[string]map[string]bool{"residency": {}, "decision": {}}
	for _, a := range list {
		terms[a.Term]++
		sets["residency"][a.Residency], sets["decision"][a.Decision] = true, true
		seen[a.ID], seen[a.Email], seen[a.StudentID] = true, true, true
		if len(a.GPA) != 4 {
			t.Errorf("%s: grade point average %q has not two decimals", a.ID, a.GPA)
		}
		if strings.HasSuffix(a.GPA, "0") {
			zeros++
		}
	}
	if diff := cmp.Diff(map[string]int{Spring: 20, Fall: 4}, terms); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
	want := map[string]map[string]bool{
		"residency": {"IS": true, "OS": true, "IN": true}, "decision": {"AD": true, "DE": true, "WL": true},
	}
	if diff := cmp.Diff(want, sets); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	if len(seen) != 3*24 {
		t.Errorf("ids, addresses and student ids are not all distinct: %d", len(seen))
	}
	if zeros != 9 {
		t.Errorf("%d averages end in a zero, want 9", zeros)
	}
	if a := list[0]; a.ID != "A-20481" || a.First != "Funmi" || a.GPA != "3.50" || a.StudentID != "H00000977" || a.Email != "funmi@mail.example" {
		t.Errorf("first application %+v", a)
	}
}

func TestWebhooksAreSignedSessions(t *testing.T) {
	hooks := Webhooks()
	if len(hooks) != 24 {
		t.Fatalf("%d webhooks, want 24", len(hooks))
	}
	for _, x := range hooks {
		body, err := x.Request.Body.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		var event struct{ Event, ID, At string }
		if err := json.Unmarshal(body, &event); err != nil {
			t.Fatal(err)
		}
		if event.ID != x.Session || event.Event != "application.submitted" {
			t.Errorf("session %s carries %+v", x.Session, event)
		}
		if got := x.Request.Head.Get(SignatureHeader); got != Signature(HookSecret, body) || got == Signature("other", body) {
			t.Errorf("%s: signature %s", x.Session, got)
		}
		if x.Operation() != "POST /hooks/application" || !x.Response.IsZero() {
			t.Errorf("%s: operation %s, response %v", x.Session, x.Operation(), x.Response)
		}
	}
	first, _ := hooks[0].Request.Body.Bytes()
	if want := `{"event":"application.submitted","id":"A-20481","at":"2026-10-05T13:59:58Z"}`; string(first) != want {
		t.Errorf("first webhook %s, want %s", first, want)
	}
}
