package world

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Two students whom the SIS finds to be one person: the first ID goes into the second.
var (
	MergedFrom = StudentID(142)
	MergedInto = StudentID(177)
)

// EnrollmentCandidateMerged returns what the SIS leaves on the night after the merge (D18): persons.csv without the ID
// that is gone, and registrations.csv with its sections under the other one.
func EnrollmentCandidateMerged() []harness.Exchange {
	return []harness.Exchange{
		extract(1, PersonsFile, personsMerged()),
		extract(3, RegistrationsFile, registrationsMerged()),
	}
}

func personsMerged() []byte {
	var kept [][]byte
	for line := range bytes.Lines(PersonsCSV()) {
		if !bytes.HasPrefix(line, []byte(MergedFrom+",")) {
			kept = append(kept, line)
		}
	}
	return bytes.Join(kept, nil)
}

func registrationsMerged() []byte {
	list := Registrations()
	for i := range list {
		if list[i].Student == MergedFrom {
			list[i].Student = MergedInto
		}
	}
	slices.SortFunc(list, func(a, b Registration) int {
		return cmp.Or(strings.Compare(a.Student, b.Student), strings.Compare(a.CRN, b.CRN))
	})
	rows := [][]string{registrationColumns}
	for _, r := range list {
		rows = append(rows, r.row())
	}
	return table(rows)
}
