package infer

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxLayouts    = 12  // solved from one pair
	maxLayoutWalk = 600 // steps of one solution
)

// datePart is one component of a date in one spelling.
type datePart struct {
	name  string
	grain grain
	text  func(time.Time) string
}

func written(pattern string) func(time.Time) string {
	return func(t time.Time) string { return t.Format(pattern) }
}

func capitals(pattern string) func(time.Time) string {
	return func(t time.Time) string { return strings.ToUpper(t.Format(pattern)) }
}

// dateParts is the table of components, long spellings first.
var dateParts = []datePart{
	{"year", hasDate, written("2006")},
	{"month name", hasDate, written("January")}, {"MONTH NAME", hasDate, capitals("January")},
	{"weekday", hasDate, written("Monday")}, {"WEEKDAY", hasDate, capitals("Monday")},
	{"Mon", hasDate, written("Jan")}, {"MON", hasDate, capitals("Jan")},
	{"short weekday", hasDate, written("Mon")}, {"SHORT WEEKDAY", hasDate, capitals("Mon")},
	{"day of the year", hasDate, written("002")},
	{"hour", hasClock, written("15")}, {"month", hasDate, written("01")}, {"day", hasDate, written("02")}, {"12-hour", hasClock, written("03")}, {"minute", hasClock, written("04")},
	{"second", hasClock, written("05")}, {"two-digit year", hasDate, written("06")}, {"AM/PM", hasClock, written("PM")}, {"am/pm", hasClock, written("pm")},
	{"month without zero", hasDate, written("1")}, {"day without zero", hasDate, written("2")}, {"12-hour without zero", hasClock, written("3")},
	{"hour without zero", hasClock, func(t time.Time) string { return strconv.Itoa(t.Hour()) }},
	{"quarter", hasDate, func(t time.Time) string { return strconv.Itoa((int(t.Month()) + 2) / 3) }},
}

// solvedPart is a row of dateParts, or a literal when the row is negative.
type solvedPart struct {
	row     int
	literal string
}

// solver finds the ways to write one date as one text.
type solver struct {
	texts []string // of dateParts, for the date
	out   [][]solvedPart
	steps int
}

// solveLayouts returns layouts that write the time as the text. They can be written, not read.
func solveLayouts(t time.Time, text string) []*layout {
	if len(text) > 40 || text == "" {
		return nil
	}
	s := solver{}
	for _, p := range dateParts {
		s.texts = append(s.texts, p.text(t))
	}
	s.walk(text, nil)
	var out []*layout
	for _, parts := range s.out {
		out = append(out, solved(parts))
	}
	return out
}

func (s *solver) walk(rest string, done []solvedPart) {
	if s.steps++; s.steps > maxLayoutWalk || len(s.out) == maxLayouts {
		return
	}
	if rest == "" {
		if rows(done) > 0 {
			s.out = append(s.out, append([]solvedPart(nil), done...))
		}
		return
	}
	for row, text := range s.texts {
		if strings.HasPrefix(rest, text) && !used(done, row) {
			s.walk(rest[len(text):], append(done, solvedPart{row: row}))
		}
	}
	r, n := utf8.DecodeRuneInString(rest)
	if unicode.IsDigit(r) {
		return
	}
	if last := len(done) - 1; last >= 0 && done[last].row < 0 {
		longer := append([]solvedPart(nil), done...)
		longer[last].literal += rest[:n]
		s.walk(rest[n:], longer)
		return
	}
	s.walk(rest[n:], append(done, solvedPart{row: -1, literal: rest[:n]}))
}

func rows(parts []solvedPart) int {
	n := 0
	for _, p := range parts {
		if p.row >= 0 {
			n++
		}
	}
	return n
}

func used(parts []solvedPart, row int) bool {
	for _, p := range parts {
		if p.row == row {
			return true
		}
	}
	return false
}

// solved makes a layout of parts.
func solved(parts []solvedPart) *layout {
	l := &layout{solved: parts, bits: 3}
	var words []string
	for _, p := range parts {
		if p.row < 0 {
			l.bits += 2 * float64(len(p.literal))
			continue
		}
		l.bits += 3
		l.grain |= dateParts[p.row].grain
		words = append(words, dateParts[p.row].name)
	}
	l.words = strings.Join(words, ", ")
	return l
}

func (l *layout) formatSolved(t time.Time) string {
	var b strings.Builder
	for _, p := range l.solved {
		if p.row < 0 {
			b.WriteString(p.literal)
		} else {
			b.WriteString(dateParts[p.row].text(t))
		}
	}
	return b.String()
}

// offerSolved proposes layouts that are in no table, such as the month alone, for dates that can be read.
func (p *profile) offerSolved(in *layout) {
	read := 0
	for i, was := range p.was {
		t, ok := in.parse(was)
		if !ok {
			continue
		}
		if read++; read > 3 {
			return
		}
		for _, out := range solveLayouts(t, p.is[i]) {
			if out.grain&^in.grain == 0 {
				p.offerDate(in, out, move{key: "same", kind: "F05", words: dropped(in.grain&^hasZone, out.grain), lossy: true, bits: out.bits, run: sameTime})
			}
		}
	}
}
