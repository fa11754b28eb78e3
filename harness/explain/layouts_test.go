package explain

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// The roster of these tests: 24 students, 6 teachers, 5 sections, in an old layout with a file for each and in new ones.

func pupil(i int) (number, first, last string) {
	first = []string{"Ana", "Bo", "Cai", "Dee", "Eli", "Fay"}[i%6]
	last = []string{"Holt", "Ibarra", "Jansen", "Kaur"}[i/6%4]
	return fmt.Sprintf("71%03d", i), first, last
}

func tutor(i int) (number, first, last string) {
	return fmt.Sprintf("82%03d", i), []string{"Gil", "Hana", "Ida", "Jo", "Kim", "Lou"}[i], []string{"Moss", "Nunez", "Otto", "Pace", "Quill", "Rey"}[i]
}

// rosterNames are the names of columns that differ between the old layout and the one of another country.
type rosterNames struct{ id, school, section, zip string }

var (
	oldNames   = rosterNames{"SIS ID", "School SIS ID", "Section SIS ID", "Zip"}
	otherNames = rosterNames{"ID", "School Number", "Section ID", "Postal Code"}
)

func rosterOf(n rosterNames) []harness.Exchange {
	file := func(name, body string) harness.Exchange { return fileOf("night", target, "lms", name, body) }
	return xs(
		file("School.csv", table(n.school+",Name,"+n.zip, 2, func(i int) string { return fmt.Sprintf("9%d,School %d,5410%d", i, i, i) })),
		file("Student.csv", table(n.id+","+n.school+",First Name,Last Name,Birthdate,Status", 24, func(i int) string {
			number, first, last := pupil(i)
			return fmt.Sprintf("%s,9%d,%s,%s,200%d-04-%02d,Active", number, i%2, first, last, i%7, i+1)
		})),
		file("Teacher.csv", table(n.id+","+n.school+",First Name,Last Name,Title", 6, func(i int) string {
			number, first, last := tutor(i)
			return fmt.Sprintf("%s,9%d,%s,%s,Dr.", number, i%2, first, last)
		})),
		file("StudentEnrollment.csv", table(n.section+","+n.id, 48, func(i int) string {
			number, _, _ := pupil(i / 2)
			return fmt.Sprintf("60%d,%s", (i+i/2)%5, number)
		})),
		file("TeacherRoster.csv", table(n.section+","+n.id, 5, func(i int) string {
			number, _, _ := tutor(i)
			return fmt.Sprintf("60%d,%s", i, number)
		})),
	)
}

// rosterInOne is the same people in one file, and their enrolments in another one.
func rosterInOne() []harness.Exchange {
	users := table("sourcedId,givenName,familyName,role", 30, func(i int) string {
		number, first, last := pupil(i)
		role := "student"
		if i >= 24 {
			number, first, last = tutor(i - 24)
			role = "teacher"
		}
		return strings.Join([]string{number, first, last, role}, ",")
	})
	enrollments := table("classSourcedId,userSourcedId,role", 48, func(i int) string {
		number, _, _ := pupil(i / 2)
		return fmt.Sprintf("60%d,%s,student", (i+i/2)%5, number)
	})
	return xs(fileOf("night", target, "lms", "users.csv", users), fileOf("night", target, "lms", "enrollments.csv", enrollments))
}

// renamedFile gives a file another name.
func renamedFile(list []harness.Exchange, old, name string) []harness.Exchange {
	list = slices.Clone(list)
	for i := range list {
		if list[i].Request.Head.Get(harness.FieldName) == old {
			list[i].Request.Head = harness.Head{{Name: harness.FieldName, Value: name}}
		}
	}
	return list
}

func TestLayoutsOfARosterAreExplained(t *testing.T) {
	old := rosterOf(oldNames)
	wide := func(columns string, value string) []harness.Exchange {
		return xs(out(table("user_id"+columns, 20, func(i int) string { return id(i) + value })))
	}
	for _, c := range []struct {
		why           string
		before, after []harness.Exchange
		want          []string // briefs
		says          []string
	}{
		{"a name that changed in several files is one cause, and rows that it left without a key are found again",
			old, rosterOf(otherNames),
			[]string{"F02 breaking 53/53 rows ×106", "F02 breaking 32/0 rows ×6", "F02 breaking 2/2 rows ×2", "F02 breaking 30/0 rows ×4"},
			[]string{
				`Columns of StudentEnrollment.csv and TeacherRoster.csv from HubLine are renamed: "Section SIS ID" → "Section ID" and "SIS ID" → "ID". 53 of 53 rows are the same under the new names.`,
				`"SIS ID" looks renamed to "ID" in Student.csv and Teacher.csv of HubLine (30 rows, same values).`,
				`"School SIS ID" looks renamed to "School Number" in School.csv, Student.csv and Teacher.csv of HubLine (32 rows, same values).`,
				`"Zip" looks renamed to "Postal Code" in School.csv of HubLine (2 rows, same values).`,
			}},
		{"two files became one, and a third has another name and layout; what has no successor is told",
			old, rosterInOne(),
			[]string{"F02 breaking 2/0 files ×3", "F02 breaking 1/0 files ×2", "F00 breaking 1/1 files ×1", "F00 breaking 1/1 files ×1"},
			[]string{
				"Student.csv and Teacher.csv from HubLine come as users.csv now, in another layout.",
				`24 of 24 rows of Student.csv are in users.csv: "SIS ID" → "sourcedId", "First Name" → "givenName" and "Last Name" → "familyName".`,
				`Without a counterpart from Student.csv: "School SIS ID", "Birthdate" and "Status".`,
				`48 of 48 rows of StudentEnrollment.csv are in enrollments.csv: "Section SIS ID" → "classSourcedId" and "SIS ID" → "userSourcedId".`,
				"Lantern LMS waits for Student.csv and goes on with old data, or fails.",
			}},
		{"the way back: one file is split",
			rosterInOne(), old,
			[]string{"F02 breaking 1/0 files ×3", "F02 breaking 1/0 files ×2", "F00 review 1/0 files ×1", "F00 review 1/0 files ×1"},
			[]string{"users.csv from HubLine comes as Student.csv and Teacher.csv now, in another layout."}},
		{"a file of another name and the same content is renamed, not gone",
			old, renamedFile(old, "Student.csv", "Learner.csv"),
			[]string{"F02 breaking 1/1 files ×1"}, []string{"Student.csv from HubLine is called Learner.csv now (1 of 1 file, mostly the same lines)."}},
		{"many columns that came together are one cause",
			wide("", ""), wide(",a,b,c,d,e", ",1,2,3,4,5"),
			[]string{"F13 breaking 5/0 columns ×5"}, []string{`5 columns were added to enrollments.csv of HubLine: "a", "b", "c", "d" and "e".`}},
		{"many columns that went together are one cause",
			wide(",a,b,c,d,e", ",1,2,3,4,5"), wide("", ""),
			[]string{"F03 review 5/0 columns ×5"}, []string{`5 columns are gone from enrollments.csv of HubLine: "a", "b", "c", "d" and "e".`}},
		{"many files that stay away are one finding",
			old, old[:1], []string{"F00 breaking 4/0 files ×4"}, []string{"4 files are not delivered from HubLine to Lantern LMS any more: Student.csv, Teacher.csv, StudentEnrollment.csv and TeacherRoster.csv; no cause was found."}},
	} {
		findings, comparison := explained(t, c.before, c.after, nil, nil)
		claimedOnce(t, comparison, findings)
		if got := briefs(findings); !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %q\nwant %q\n%s", c.why, got, c.want, words(findings))
		}
		for _, s := range c.says {
			if !strings.Contains(words(findings), s+"\n") {
				t.Errorf("%s: nobody says %q:\n%s", c.why, s, words(findings))
			}
		}
	}
}

// What looks alike by chance must not be taken for a layout.
func TestLayoutsClaimNothingByChance(t *testing.T) {
	file := func(name, body string) harness.Exchange { return fileOf("night", target, "lms", name, body) }
	counted := func(header, prefix string) string {
		return table(header, 20, func(i int) string { return fmt.Sprintf("%d,%s%d", i+1, prefix, i*7%20) })
	}
	for _, c := range []struct {
		why           string
		before, after []harness.Exchange
	}{
		{"numbers that count from 1 are in every file", xs(file("rooms.csv", counted("no,room", "R"))), xs(file("buses.csv", counted("nr,plate", "B")))},
		{"two columns with other values have nothing in common", xs(file("a.csv", counted("id,room", "R"))), xs(file("a.csv", counted("id,plate", "B")))},
		{"a flag that is the same everywhere is no evidence", xs(file("a.csv", table("id,active,x", 20, func(i int) string { return id(i) + ",1,2" }))),
			xs(file("a.csv", table("id,x,hidden", 20, func(i int) string { return id(i) + ",2,1" })))},
	} {
		findings, comparison := explained(t, c.before, c.after, nil, nil)
		claimedOnce(t, comparison, findings)
		for _, f := range findings {
			if f.Kind == "F02" {
				t.Errorf("%s: claimed %q", c.why, f.Sentence)
			}
		}
	}
}

func TestATableOfOtherRecordsIsOneFinding(t *testing.T) {
	people := func(from, to int) []harness.Exchange {
		return xs(out(table("user_id,name", to, func(i int) string {
			if i < from {
				return ""
			}
			return fmt.Sprintf("%s,name %d", id(i), i)
		})))
	}
	findings, comparison := explained(t, people(0, 12), people(40, 47), nil, nil)
	claimedOnce(t, comparison, findings)
	if len(findings) != 1 || findings[0].Sentence != "None of the 12 rows of enrollments.csv from HubLine is there any more; 7 others came." {
		t.Errorf("got\n%s", words(findings))
	}
}
