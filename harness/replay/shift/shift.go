// Package shift moves the dates of a recording by whole days, so that a recording of last spring can be fed to a system
// that lives today, and moves the dates of its answers back before they are compared.
//
// Only dates near the recording are moved: a date of birth or the end of a contract in 2099 stays. Times of day and zones
// stay, because days are moved and not hours. Every form keeps its length, so that records of fixed width stay whole.
// Bodies are read as text; those that are not UTF-8 stay, and content encodings are taken off and put on again.
package shift

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Form is one row of the table of forms.
type Form struct {
	Name    string
	Example string
	Usual   bool // taken unless the scenario names forms; the others look like plain numbers
	find    *regexp.Regexp
	parse   func(text string) (time.Time, bool)
	format  func(t time.Time, was string) string
}

// Forms is the table of forms, in the order in which they are looked for.
var Forms = []Form{
	{"http", "Mon, 05 Oct 2026 09:00:00 GMT", true, regexp.MustCompile(`\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}\b`), layout("Mon, 02 Jan 2006"), write("Mon, 02 Jan 2006")},
	{"iso", "2026-10-05, also with a time behind it", true, regexp.MustCompile(`\b(?:19|20)\d{2}-\d{2}-\d{2}\b|\b(?:19|20)\d{2}-\d{2}-\d{2}T`), layoutFront("2006-01-02"), writeFront("2006-01-02")},
	{"compact", "20261005, also with a time behind it", false, regexp.MustCompile(`(?:\b|_)(?:19|20)\d{6}(?:\d{4}|\d{6})?(?:\b|_|T)`), compactDate, compactText},
	{"us", "10/05/2026", false, regexp.MustCompile(`\b\d{2}/\d{2}/(?:19|20)\d{2}\b`), layout("01/02/2006"), write("01/02/2006")},
	{"european", "05.10.2026", false, regexp.MustCompile(`\b\d{2}\.\d{2}\.(?:19|20)\d{2}\b`), layout("02.01.2006"), write("02.01.2006")},
	{"epoch", "1791190800, seconds since 1970; also milliseconds", false, regexp.MustCompile(`\b\d{10}(?:\d{3})?\b`), epochTime, epochText},
}

func layout(l string) func(string) (time.Time, bool) {
	return func(text string) (time.Time, bool) {
		t, err := time.Parse(l, text)
		return t, err == nil
	}
}

func write(l string) func(time.Time, string) string {
	return func(t time.Time, _ string) string { return t.Format(l) }
}

// layoutFront reads a date with something behind it.
func layoutFront(l string) func(string) (time.Time, bool) {
	return func(text string) (time.Time, bool) { return layout(l)(text[:len(l)]) }
}

func writeFront(l string) func(time.Time, string) string {
	return func(t time.Time, was string) string { return t.Format(l) + was[len(l):] }
}

const compactLayout = "20060102"

func compactStart(text string) int {
	if text[0] == '_' {
		return 1
	}
	return 0
}

func compactDate(text string) (time.Time, bool) {
	from := compactStart(text)
	return layout(compactLayout)(text[from : from+len(compactLayout)])
}

func compactText(t time.Time, was string) string {
	from := compactStart(was)
	return was[:from] + t.Format(compactLayout) + was[from+len(compactLayout):]
}

const secondsLength = 10

func epochTime(text string) (time.Time, bool) {
	n, err := strconv.ParseInt(text[:secondsLength], 10, 64)
	return time.Unix(n, 0).UTC(), err == nil
}

func epochText(t time.Time, was string) string {
	return strconv.FormatInt(t.Unix(), 10) + was[secondsLength:]
}

// Window is how far from the recording a date may lie to be moved, unless the scenario says otherwise.
const Window = 400 * 24 * time.Hour

// Days moves dates that lie near a moment. The zero Days moves nothing. It is safe for concurrent use.
type Days struct {
	by     int // days
	around time.Time
	within time.Duration
	forms  []Form
}

// New moves dates within the window around the recording's moment so that it becomes the day of now. Forms
// are names of the table; see [Check]. None: the usual ones.
func New(recorded, now time.Time, within time.Duration, forms []string) Days {
	const day = 24 * time.Hour
	d := Days{by: int(now.UTC().Truncate(day).Sub(recorded.UTC().Truncate(day)) / day), around: recorded, within: within}
	if within == 0 {
		d.within = Window
	}
	for _, f := range Forms {
		if slices.Contains(forms, f.Name) || len(forms) == 0 && f.Usual {
			d.forms = append(d.forms, f)
		}
	}
	return d
}

// Check says what is wrong with how a scenario moves dates, and at which key.
func Check(s harness.Shift) (key string, err error) {
	if _, err := time.Parse(time.DateOnly, s.To); s.To != harness.ShiftToday && err != nil {
		return "to", fmt.Errorf("%q is neither %s nor a day such as 2026-10-05", s.To, harness.ShiftToday)
	}
	for _, name := range s.Forms {
		if !slices.ContainsFunc(Forms, func(f Form) bool { return f.Name == name }) {
			return "forms", fmt.Errorf("%q is not one of %s", name, strings.Join(names(), ", "))
		}
	}
	if s.Within < 0 {
		return "within", errors.New("a duration below zero cannot be")
	}
	return "", nil
}

func names() []string {
	list := make([]string, len(Forms))
	for i := range Forms {
		list[i] = Forms[i].Name
	}
	return list
}

// Of is what a scenario asks for, in a recording that began at that moment and a run of today.
func Of(s *harness.Shift, recorded, today time.Time) Days {
	if s == nil {
		return Days{}
	}
	if day, err := time.Parse(time.DateOnly, s.To); err == nil {
		today = day
	}
	return New(recorded, today, time.Duration(s.Within), s.Forms)
}

// By is by how many days dates are moved; below zero: into the past.
func (d Days) By() int { return d.by }

// Back moves the dates of answers to where those of the recording lie.
func (d Days) Back() Days {
	back := d
	back.by, back.around = -d.by, d.around.AddDate(0, 0, d.by)
	return back
}

// Text moves the dates in a text.
func (d Days) Text(text string) string {
	if d.by == 0 {
		return text
	}
	for _, f := range d.forms {
		text = f.find.ReplaceAllStringFunc(text, func(was string) string {
			t, ok := f.parse(was)
			if !ok || t.Sub(d.around).Abs() > d.within {
				return was
			}
			return f.format(t.AddDate(0, 0, d.by), was)
		})
	}
	return text
}

// untouched are fields whose values are no dates of the conversation: what crossed is signed or counted by them.
var untouched = []string{"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "ETag", "If-Match", "If-None-Match", harness.FieldMethod, harness.FieldStatus}

// Message moves the dates in head and body. The head and body that are given are not changed.
func (d Days) Message(m harness.Message) (harness.Message, error) {
	if d.by == 0 {
		return m, nil
	}
	head := slices.Clone(m.Head)
	for i, f := range head {
		if !slices.ContainsFunc(untouched, func(name string) bool { return strings.EqualFold(name, f.Name) }) {
			head[i].Value = d.Text(f.Value)
		}
	}
	m.Head = head
	return d.body(m)
}

func (d Days) body(m harness.Message) (harness.Message, error) {
	packed, err := m.Body.Bytes()
	if err != nil {
		return m, err
	}
	encoding := m.Head.Get("Content-Encoding")
	plain, err := payload.Unpack(encoding, packed)
	if err != nil || !utf8.Valid(plain) {
		return m, nil //nolint:nilerr // what cannot be read stays as it is, and the comparison shows it
	}
	text := string(plain)
	moved := d.Text(text)
	if moved == text {
		return m, nil
	}
	if packed, err = payload.Pack(encoding, []byte(moved)); err != nil {
		return m, err
	}
	m.Body = harness.BytesBody(packed)
	return m, nil
}
