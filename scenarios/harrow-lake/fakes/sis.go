package fakes

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/world"
)

// person is how the SIS knows somebody. PersonID alone refers to a person that exists.
type person struct {
	PersonID string `json:"personId,omitempty"`
	Last     string `json:"lastName,omitempty"`
	First    string `json:"firstName,omitempty"`
	Birth    string `json:"birthDate,omitempty"`
	Email    string `json:"email,omitempty"`
	LegalSex string `json:"legalSex,omitempty"`
}

// admission is a request for an application of admission. A code that is missing or null is nil.
type admission struct {
	Person     person  `json:"person"`
	Term       *string `json:"termCode"`
	Program    *string `json:"programCode"`
	Residency  *string `json:"residencyCode"`
	Decision   *string `json:"decisionCode"`
	ExternalID *string `json:"externalId"`
}

// matched answers the search for a person.
type matched struct {
	Result    string `json:"result"` // none or match
	PersonID  string `json:"personId,omitempty"`
	StudentID string `json:"studentId,omitempty"`
}

// admitted answers an application of admission.
type admitted struct {
	ApplicationID string `json:"applicationId"`
	StudentID     string `json:"studentId"`
}

// stored is an application that the SIS holds, and what it was asked for.
type stored struct {
	request string
	answer  admitted
}

// sis is Atrium SIS.
type sis struct {
	splits bool // until 9.32

	mu           sync.Mutex
	persons      map[string]matched // by last name, first name and day of birth
	students     map[string]string  // personId → studentId
	applications map[string]stored  // by externalId
}

// SIS is Atrium SIS in release 9.31 or 9.32, holding the applicants who are known already. Another release is an error
// of usage.
func SIS(release string, now func() time.Time) (http.Handler, error) {
	if release != world.SISBefore && release != world.SISAfter {
		return nil, unknownRelease(world.SIS, release, world.SISBefore, world.SISAfter)
	}
	s := &sis{splits: release == world.SISBefore, persons: map[string]matched{}, students: map[string]string{}, applications: map[string]stored{}}
	for _, a := range world.Applications() {
		if a.Known {
			s.add(person{Last: a.Last, First: a.First, Birth: a.Birth}, guid("person "+a.StudentID), a.StudentID)
		}
	}
	routes := http.NewServeMux()
	routes.HandleFunc("POST /api/persons/match", s.match)
	routes.HandleFunc("POST /api/admission-applications", s.admit)
	return service(world.SIS, release, now, routes), nil
}

// add keeps a person. The lock is held, or nobody else knows s yet.
func (s *sis) add(p person, personID, studentID string) {
	s.persons[identity(p)] = matched{"match", personID, studentID}
	s.students[personID] = studentID
}

func identity(p person) string { return strings.Join([]string{p.Last, p.First, p.Birth}, "\x00") }

func (s *sis) match(w http.ResponseWriter, r *http.Request) {
	var p person
	if !readRequest(w, r, &p) {
		return
	}
	if problems := checkPerson(p, ""); len(problems) > 0 {
		refuse(w, http.StatusUnprocessableEntity, problems...)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.persons[identity(p)]; ok {
		answer(w, http.StatusOK, m)
		return
	}
	answer(w, http.StatusOK, matched{Result: "none"})
}

func (s *sis) admit(w http.ResponseWriter, r *http.Request) {
	var a admission
	if !readRequest(w, r, &a) {
		return
	}
	if problems := a.check(); len(problems) > 0 {
		refuse(w, http.StatusUnprocessableEntity, problems...)
		return
	}
	if s.splits && a.Person.splits() {
		refuse(w, http.StatusInternalServerError, problem{"", "internal",
			"lastName: character split at column 60, trace " + guid("trace "+*a.ExternalID)})
		return
	}
	request, err := encode(a)
	if err != nil {
		refuse(w, http.StatusInternalServerError, problem{"", "internal", err.Error()})
		return
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	switch held, ok := s.applications[*a.ExternalID]; {
	case ok && held.request == string(request): // delivered twice
		answer(w, http.StatusOK, held.answer)
		return
	case ok:
		refuse(w, http.StatusConflict, problem{"externalId", "duplicate", "another application has this externalId"})
		return
	}
	student, ok := s.student(a)
	if !ok {
		refuse(w, http.StatusUnprocessableEntity, problem{"person.personId", "unknown", "no such person"})
		return
	}
	out := admitted{guid("application " + *a.ExternalID), student}
	s.applications[*a.ExternalID] = stored{string(request), out}
	answer(w, http.StatusCreated, out)
}

// student returns the student ID of the person, whom it makes when the request describes a new one.
func (s *sis) student(a admission) (studentID string, ok bool) {
	if a.Person.PersonID != "" {
		studentID, ok = s.students[a.Person.PersonID]
		return studentID, ok
	}
	if m, known := s.persons[identity(a.Person)]; known {
		return m.StudentID, true
	}
	studentID = newStudentID(*a.ExternalID)
	s.add(a.Person, guid("person "+studentID), studentID)
	return studentID, true
}

// newStudentID counts student IDs along with the CRM's applications: A-20481 becomes H00000977. It does not depend on
// the order of requests.
func newStudentID(externalID string) string {
	const distance = 20481 - 977
	n, _ := strconv.Atoi(strings.TrimPrefix(externalID, "A-")) // five digits, it was checked
	return world.StudentID((n - distance + 100_000_000) % 100_000_000)
}

// externalID is the form of the CRM's identifiers.
var externalID = regexp.MustCompile(`^A-\d{5}$`)

// Codes that the SIS accepts.
var (
	terms       = []string{world.Fall, world.Spring}
	residencies = []string{"R", "N", "I"}
	decisions   = []string{"A1", "D1", "W1"}
)

// check returns what is wrong with the request, in the order of its members.
func (a admission) check() []problem {
	problems := checkPerson(a.Person, "person.")
	for _, c := range []struct {
		field string
		code  *string
		ok    func(string) bool
	}{
		{"termCode", a.Term, oneOf(terms)},
		{"programCode", a.Program, func(s string) bool { return s != "" && len(s) <= 12 }},
		{"residencyCode", a.Residency, oneOf(residencies)},
		{"decisionCode", a.Decision, oneOf(decisions)},
		{"externalId", a.ExternalID, externalID.MatchString},
	} {
		switch {
		case c.code == nil:
			problems = append(problems, problem{c.field, "required", c.field + " must not be null"})
		case !c.ok(*c.code):
			problems = append(problems, problem{c.field, "invalid", c.field + " is not a valid code"})
		}
	}
	return problems
}

func oneOf(codes []string) func(string) bool {
	return func(s string) bool { return slices.Contains(codes, s) }
}

// splits reports whether the SIS fails on the person. Until 9.32 it has this bug: it cuts surnames at 60 characters, and where a
// name holds a character of four bytes it counts wrongly and cuts through one.
func (p person) splits() bool {
	const column = 60
	wide := strings.ContainsFunc(p.First+p.Last, func(r rune) bool { return r > 0xffff })
	return wide && utf8.RuneCountInString(p.Last) > column
}

// checkPerson wants a reference, or a name with a day of birth.
func checkPerson(p person, prefix string) []problem {
	if p.PersonID != "" {
		return nil
	}
	var problems []problem
	for _, f := range []struct{ field, value string }{{"lastName", p.Last}, {"firstName", p.First}} {
		if f.value == "" {
			problems = append(problems, problem{prefix + f.field, "required", f.field + " must not be empty"})
		}
	}
	if _, err := time.Parse(time.DateOnly, p.Birth); err != nil {
		problems = append(problems, problem{prefix + "birthDate", "invalid", "birthDate must be a day such as 2008-03-11"})
	}
	return problems
}
