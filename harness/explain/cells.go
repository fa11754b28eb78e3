package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectCells claims what the spelling of cells does beyond the facts of the file: values that fall apart at a delimiter
// which is not quoted any more, quotes that come and go, and numbers of the same value.
func detectCells(s *state) {
	s.detectFallenApart()
	for _, row := range respelledCells {
		for _, g := range bySlot(s.grouped(s.withoutRounded(s.unclaimed(row.fits)))) {
			s.claimCells(row, g.list)
		}
	}
}

// respelledCells is the spellings that leave the value as it is.
var respelledCells = []cellSpelling{
	{"F14", "quoting changed", "Values of %s in %s from %s are quoted otherwise; the values are the same: %s → %s (%s).", harness.Review,
		"Nothing to do for a reader of CSV. A loader that splits lines at the delimiter takes the quotes for a part of the values.",
		func(d *harness.Difference) bool {
			return d.Class == harness.Reformed && inBody(d) && d.Was.Kind == harness.KindString && unquoted(d.Was.Text) == unquoted(d.Is.Text)
		}},
	{"F17", "padding changed", "Values of %s in %s from %s are filled up otherwise; the values are the same: %s → %s (%s).", harness.Breaking,
		"Ask which side and which character the receiver expects: readers by position compare the bytes.",
		func(d *harness.Difference) bool {
			return d.Class == harness.Reformed && inBody(d) && d.Was.Kind == harness.KindString && !isHeader(d)
		}},
	{"F19", "number written otherwise", "Numbers of %s in %s from %s are written otherwise; the values are the same: %s → %s (%s).", harness.Benign,
		"Nothing to do, unless the text of the number is compared, signed or shown.",
		func(d *harness.Difference) bool {
			return d.Class == harness.Reformed && inBody(d) && d.Was.Kind == harness.KindNumber
		}},
}

// cellSpelling is one row of that table.
type cellSpelling struct {
	kind, title, sentence string
	out                   harness.Verdict // of what the target sends; what it reads is benign, unless this is breaking
	next                  string
	fits                  func(*harness.Difference) bool
}

func (s *state) claimCells(row cellSpelling, cells []int) {
	d := s.at(cells[0])
	var fields []string
	for _, i := range cells {
		if name := fieldName(s.at(i)); !slices.Contains(fields, name) {
			fields = append(fields, name)
		}
	}
	f := s.sized(cells)
	f.Verdict, f.Hit, f.NextStep = harness.Benign, s.hits(cells), row.next
	if row.out == harness.Breaking || s.downstream(d) {
		f.Verdict = row.out
	}
	f.Sentence = fmt.Sprintf(row.sentence, listSome(fields, 6), d.Operation, s.side(answerer(d)), cellText(d.Was), cellText(d.Is), count(f.Count, "place"))
	f.Proof = "Every value was read on both sides and is the same."
	s.kind.Kind, s.kind.Title = row.kind, row.title
	s.claim(f, s.take(cells))
}

// cellText shows a cell as it is written; blanks at its ends can be seen.
func cellText(v harness.Value) string {
	if strings.TrimSpace(v.Text) != v.Text {
		return fmt.Sprintf("%q", short(v.Text))
	}
	return short(v.Text)
}

// delimiterOf is the characters that the facts name.
var delimiterOf = map[string]string{"comma": ",", "tab": "\t", "semicolon": ";", "bar": "|"}

// detectFallenApart claims rows in which one value became several, or the reverse, because its delimiter lost its quotes.
func (s *state) detectFallenApart() {
	for _, g := range s.groups(func(d *harness.Difference) bool { return isFact(d, "rows of another width") }) {
		for _, i := range g.list {
			if rows := s.fallenApart(s.at(i)); len(rows) > 0 && s.open[i] {
				s.claimFallenApart(i, rows)
			}
		}
	}
}

// fallenApart is the differences of each row that a lost quote explains.
func (s *state) fallenApart(fact *harness.Difference) [][]int {
	var order []string
	byRow := map[string][]int{}
	for _, i := range s.unclaimed(func(d *harness.Difference) bool {
		return d.Exchange == fact.Exchange && d.Path[0].Name == fact.Path[0].Name && isPlace(d) && len(d.Path) == 4 && d.Path[1].Name == "body"
	}) {
		row := s.at(i).Path[:3].String()
		if byRow[row] == nil {
			order = append(order, row)
		}
		byRow[row] = append(byRow[row], i)
	}
	r := s.read(s.before.byID[fact.Exchange])
	doc, err := r.doc(fact.Path[0].Name)
	if s.note(err); err != nil {
		return nil
	}
	var rows [][]int
	for _, row := range order {
		was, is := s.cellsOf(fieldsOf(doc.Root().At(s.at(byRow[row][0]).Path[2:3])), byRow[row])
		if by := delimiterOf[doc.Fact("delimiter")]; isApart(was, is, by) || isApart(is, was, by) {
			rows = append(rows, byRow[row])
		}
	}
	return rows
}

// cellsOf is the cells of a row on both sides, by the old ones and the differences.
func (s *state) cellsOf(old []harness.Field, row []int) (was, is []string) {
	now := map[string]harness.Value{}
	var behind []string
	for _, i := range row {
		if d := s.at(i); d.Path.Leaf() == "" && d.Class == harness.Added {
			behind = append(behind, d.Is.Text)
		} else {
			now[d.Path.Leaf()] = d.Is
		}
	}
	for _, f := range old {
		was = append(was, f.Value)
		switch v, ok := now[f.Name]; {
		case !ok:
			is = append(is, f.Value)
		case !v.IsAbsent():
			is = append(is, v.Text)
		}
	}
	return was, append(is, behind...)
}

// isApart reports whether one cell of the first row stands in several cells of the second, and nothing else differs.
func isApart(whole, apart []string, by string) bool {
	more := len(apart) - len(whole)
	if more <= 0 || by == "" {
		return false
	}
	for i := range whole {
		if whole[i] == strings.Join(apart[i:i+more+1], by) {
			return slices.Equal(whole[i+1:], apart[i+more+1:])
		}
		if whole[i] != apart[i] {
			return false
		}
	}
	return false
}

func (s *state) claimFallenApart(fact int, rows [][]int) {
	d := s.at(fact)
	all := slices.Concat(rows...)
	f := s.sized(all)
	f.Verdict, f.Count, f.Of, f.Unit, f.Hit = harness.Breaking, len(rows), s.population(s.at(all[0])), "rows", s.hits(all)
	now := "fall apart at a delimiter that is not quoted any more: every value behind it stands in another column"
	if d.Is.IsAbsent() {
		f.Verdict, now = harness.Review, "that fell apart at a delimiter are whole again"
	}
	f.Sentence = fmt.Sprintf("Values in %d of %s of %s from %s %s.", len(rows), count(f.Of, "row"), d.Operation, s.side(answerer(d)), now)
	f.Proof = "Put together again with the delimiter, the values are as before, and so is the rest of each row."
	f.NextStep = fmt.Sprintf("Ask %s to quote values that hold the delimiter; a loader refuses these rows or loads them into wrong columns.", s.side(answerer(d)))
	s.kind.Kind, s.kind.Title = "F14", "delimiter not quoted"
	own := s.take(append(all, fact))
	s.claimWithEffects(f, own)
}

// backslashed is what a reader of CSV takes from a quoted text whose quotes are escaped by backslashes.
func backslashed(text string) string {
	escaped := strings.ReplaceAll(text, `"`, `\"`)
	if head, tail, ok := strings.Cut(escaped, `"`); ok {
		return head + tail + `"`
	}
	return escaped
}
