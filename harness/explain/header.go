package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// isHeader reports whether the difference is the spelling of a column's name: the place is the column of all rows.
func isHeader(d *harness.Difference) bool {
	n := len(d.Path)
	return d.Class == harness.Reformed && n > 3 && d.Path[1].Name == "body" && d.Path[n-2].Kind == harness.StepEach && d.Path[n-1].Kind == harness.StepName
}

// detectHeader claims columns whose names are spelled in another way, all of a file as one finding.
func detectHeader(s *state) {
	for _, g := range bySlot(s.groups(isHeader)) {
		list := s.take(g.list)
		if len(list) == 0 {
			continue
		}
		d := s.at(list[0])
		var names []string
		for _, i := range list {
			if text := fmt.Sprintf("%q → %q", s.at(i).Was.Text, s.at(i).Is.Text); !slices.Contains(names, text) {
				names = append(names, text)
			}
		}
		f := s.sized(list)
		f.Count, f.Of, f.Unit = len(names), 0, "columns"
		f.Sentence = fmt.Sprintf("%s of %s from %s %s spelled in another way: %s%s.",
			count(len(names), "column"), d.Operation, s.side(answerer(d)), isOrAre(len(names)), listSome(names, 6), s.hiddenIn(list))
		f.Effects = []string{"A reader that looks for the old name does not find the column; some leave it out without a word."}
		f.Proof = "The names have the same letters and digits, and the rows below them were compared as those of one column."
		f.NextStep = fmt.Sprintf("Ask %s for the old names, or read both spellings in the mapping.", s.side(answerer(d)))
		s.claimWithEffects(f, list)
	}
}

// hiddenIn names the characters of the new names that cannot be seen.
func (s *state) hiddenIn(columns []int) string {
	var hidden []string
	for _, i := range columns {
		for _, name := range blanksBeside(s.at(i).Was.Text, s.at(i).Is.Text) {
			if !slices.Contains(hidden, name) {
				hidden = append(hidden, name)
			}
		}
	}
	if len(hidden) == 0 {
		return ""
	}
	return ", with " + list(hidden)
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
