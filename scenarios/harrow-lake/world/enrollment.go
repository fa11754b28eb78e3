package world

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Section is a row of sections.csv.
type Section struct {
	Term, CRN, Subject, Course, Title, Part, Start, End string
}

// Registration is a row of registrations.csv: one student in one section.
type Registration struct {
	Number  int // r, from 0, in the order in which the students registered
	Term    string
	CRN     string
	Student string
	Status  string
	Date    string
	Credits string
}

const (
	sectionCount      = 20
	studentCount      = len(students)
	registrationCount = 240
)

// oldCRNs are from before the CRNs were renumbered: they have leading zeros.
var oldCRNs = [...]string{"00417", "00892", "01206", "02045"}

// courses are subject, number and title in the order of the sections. One title holds a comma, one a quotation mark.
var courses = [sectionCount][3]string{
	{"ACCT", "101", "Principles of Accounting"}, {"ANTH", "110", "Peoples and Places"},
	{"ART", "215", "Drawing from Life"}, {"BIOL", "120", "Cells and Genes"},
	{"BIOL", "121L", "Cells and Genes Laboratory"}, {"CHEM", "105", "General Chemistry I"},
	{"CS", "141", "Programming I"}, {"CS", "242", "Data Structures"},
	{"DATA", "310", "Ethics, Law and Data"}, {"ECON", "201", "Microeconomics"},
	{"ENGL", "230", `Reading "Moby-Dick"`}, {"FREN", "101", "Elementary French"},
	{"GEOG", "140", "Maps and Society"}, {"HIST", "105", "The World since 1500"},
	{"MATH", "151", "Calculus I"}, {"MUS", "001", "University Choir"},
	{"NURS", "220", "Health Assessment"}, {"PHIL", "100", "Logic"},
	{"PHYS", "130", "Mechanics"}, {"PSYC", "101", "Introduction to Psychology"},
}

// CRN is the reference number of a section, i from 0.
func CRN(i int) string {
	if i < len(oldCRNs) {
		return oldCRNs[i]
	}
	return fmt.Sprintf("%05d", 10234+37*(i-len(oldCRNs)))
}

// Sections returns the 20 sections in the order of their CRNs.
func Sections() []Section {
	list := make([]Section, sectionCount)
	for i, c := range courses {
		list[i] = Section{Fall, CRN(i), c[0], c[1], c[2], "1", "2026-08-31", "2026-12-18"}
	}
	return list
}

// Registrations returns the 240 registrations of SIS 9.31 in the order in which the students registered.
func Registrations() []Registration {
	first := time.Date(2026, 8, 3, 0, 0, 0, 0, time.UTC)
	list := make([]Registration, registrationCount)
	for r := range list {
		list[r] = Registration{
			Number:  r,
			Term:    Fall,
			CRN:     CRN(r % sectionCount),
			Student: StudentID(firstStudent + (7*r+r/studentCount)%studentCount),
			Status:  status(r),
			Date:    first.AddDate(0, 0, r/8).Format(time.DateOnly),
			Credits: []string{"3.00", "3.00", "4.00", "1.50"}[r%sectionCount%4],
		}
	}
	return list
}

// status spreads the codes over the registrations: 100 RE, 90 RW and ten of each other.
func status(r int) string {
	if special := []string{"AU", "WL", "DD", "DW", "W1"}; r%24 < len(special) {
		return special[r%24]
	}
	if r%2 == 0 {
		return "RW"
	}
	return "RE"
}

// Hybrid are the registrations that SIS 9.32 reports with the new status RH instead of RE.
var Hybrid = []int{9, 33, 57, 81, 105, 129, 153}

// SectionsCSV is sections.csv: the sections in the order of their CRNs.
func SectionsCSV() []byte {
	rows := [][]string{{"TERM", "CRN", "SUBJ", "CRSE", "TITLE", "PTRM", "START_DATE", "END_DATE"}}
	for _, s := range Sections() {
		rows = append(rows, []string{s.Term, s.CRN, s.Subject, s.Course, s.Title, s.Part, s.Start, s.End})
	}
	return table(rows)
}

// registrationColumns are the columns of SIS 9.31.
var registrationColumns = []string{"TERM", "CRN", "ID", "RSTS", "RSTS_DATE", "CREDITS"}

func (r Registration) row() []string {
	return []string{r.Term, r.CRN, r.Student, r.Status, r.Date, r.Credits}
}

// RegistrationsCSV is registrations.csv of SIS 9.31: sorted by student, then section.
func RegistrationsCSV() []byte {
	list := Registrations()
	slices.SortFunc(list, func(a, b Registration) int {
		return cmp.Or(strings.Compare(a.Student, b.Student), strings.Compare(a.CRN, b.CRN))
	})
	rows := [][]string{registrationColumns}
	for _, r := range list {
		rows = append(rows, r.row())
	}
	return table(rows)
}

// RegistrationsCSV932 is registrations.csv of SIS 9.32, with three changes at once: the status RH (D01), the last
// column LAST_ACTIVITY_TS (D02), and rows sorted by section, then student (D04).
func RegistrationsCSV932() []byte {
	list := Registrations()
	for _, r := range Hybrid {
		list[r].Status = "RH"
	}
	slices.SortFunc(list, func(a, b Registration) int {
		return cmp.Or(strings.Compare(a.CRN, b.CRN), strings.Compare(a.Student, b.Student))
	})
	seen := time.Date(2026, 10, 4, 12, 0, 0, 0, time.UTC)
	rows := [][]string{append(slices.Clone(registrationColumns), "LAST_ACTIVITY_TS")}
	for _, r := range list {
		at := seen.Add(time.Duration(r.Number) * 137 * time.Second)
		rows = append(rows, append(r.row(), at.Format(time.RFC3339)))
	}
	return table(rows)
}

// table writes rows as the SIS does: comma, LF, quotes only where needed.
func table(rows [][]string) []byte {
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}
