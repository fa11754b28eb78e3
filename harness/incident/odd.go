package incident

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Oddity is something about a message that no message of the same operation that went well has.
type Oddity struct {
	Kind     string // F01 to F44
	Field    string
	Sentence string
}

// most is how many distinct values of a field are held.
const most = 1000

// field is what messages that went well have at one place.
type field struct {
	in       int // messages
	values   map[string]bool
	longest  int  // characters
	beyond   rune // the highest character
	kinds    []harness.ValueKind
	overflow bool // there were more values than are held
}

// Healthy is what the messages of one operation that went well look like.
type Healthy struct {
	messages int
	fields   map[string]*field
}

// NewHealthy knows no message yet.
func NewHealthy() *Healthy { return &Healthy{fields: map[string]*field{}} }

// Read adds the messages of an operation of the system that were answered below 400.
func (h *Healthy) Read(rec harness.Recording, system, operation string) error {
	for x, err := range rec.Exchanges() {
		if err != nil {
			return fmt.Errorf("read what went well: %w", err)
		}
		if x.To == system && x.Fault == nil && x.Status() < 400 && x.Operation() == operation {
			h.add(x.Request)
		}
	}
	return nil
}

// Messages is how many were read.
func (h *Healthy) Messages() int { return h.messages }

// leavesOf are the values of a message by place, elements of arrays as one place.
func leavesOf(m harness.Message) map[string][]payload.Node {
	leaves := map[string][]payload.Node{}
	doc, err := payload.Of(m)
	if err != nil || m.Body.Size() == 0 {
		return leaves
	}
	for path, leaf := range doc.Root().Leaves() {
		place := path.Pattern().String()
		leaves[place] = append(leaves[place], leaf)
	}
	return leaves
}

func (h *Healthy) add(m harness.Message) {
	h.messages++
	for place, leaves := range leavesOf(m) {
		f := h.fields[place]
		if f == nil {
			f = &field{values: map[string]bool{}}
			h.fields[place] = f
		}
		f.in++
		for _, leaf := range leaves {
			f.add(leaf)
		}
	}
}

func (f *field) add(leaf payload.Node) {
	text := leaf.Text()
	if f.overflow = f.overflow || len(f.values) >= most && !f.values[text]; !f.overflow {
		f.values[text] = true
	}
	f.longest = max(f.longest, utf8.RuneCountInString(text))
	for _, r := range text {
		f.beyond = max(f.beyond, r)
	}
	if kind := leaf.Kind(); !slices.Contains(f.kinds, kind) {
		f.kinds = append(f.kinds, kind)
	}
}

// suspicion is one way in which a value can be odd. It returns the sentence, or nothing.
type suspicion struct {
	kind string
	of   func(f *field, leaf payload.Node) string
}

// isDay matches days and moments, which are no codes however few there are.
var isDay = regexp.MustCompile(`^\d{4}-\d\d-\d\d`)

// suspicions is the table of them, the most telling first. The first that holds is said of a value.
var suspicions = []suspicion{
	{"F04", func(f *field, leaf payload.Node) string {
		if slices.Contains(f.kinds, leaf.Kind()) || leaf.Kind() == harness.KindNull {
			return ""
		}
		return fmt.Sprintf("is a %s, where others are a %s", leaf.Kind(), f.kinds[0])
	}},
	{"F21", func(f *field, leaf payload.Node) string {
		if text := leaf.Text(); text != "" || f.values[""] || leaf.Kind() == harness.KindNull && slices.Contains(f.kinds, harness.KindNull) {
			return ""
		}
		return "is empty, and never is elsewhere"
	}},
	{"F11", func(f *field, leaf payload.Node) string {
		for _, r := range leaf.Text() {
			if r > f.beyond && r >= utf8.RuneSelf && (r > 0xffff) != (f.beyond > 0xffff) || r >= utf8.RuneSelf && f.beyond < utf8.RuneSelf {
				return fmt.Sprintf("holds the character U+%04X; the highest elsewhere is U+%04X", r, f.beyond)
			}
		}
		return ""
	}},
	{"F20", func(f *field, leaf payload.Node) string {
		n := utf8.RuneCountInString(leaf.Text())
		if n <= f.longest {
			return ""
		}
		return fmt.Sprintf("is %s long; the longest elsewhere is %d", harness.Count(n, "character"), f.longest)
	}},
	{"F01", func(f *field, leaf payload.Node) string {
		const enough, few = 3, 20 // values repeat, and there are few of them: a set of codes
		if f.overflow || isDay.MatchString(leaf.Text()) || f.values[leaf.Text()] || f.in < enough*len(f.values) || len(f.values) > few {
			return ""
		}
		return fmt.Sprintf("is none of the %s that occur elsewhere", harness.Count(len(f.values), "value"))
	}},
}

// Oddities compares a message that failed with those that went well, at the places that are left of it: what could be
// taken away did not matter. What it lacks is looked for in the message as it was.
func (h *Healthy) Oddities(was, left harness.Message) []Oddity {
	if h.messages == 0 {
		return nil
	}
	before, after := leavesOf(was), leavesOf(left)
	var odd []Oddity
	for place := range h.fields {
		if _, has := before[place]; !has && h.fields[place].in == h.messages {
			odd = append(odd, Oddity{"F03", place, fmt.Sprintf("is missing; all %d others have it", h.messages)})
		}
	}
	for place := range after {
		f := h.fields[place]
		if f == nil {
			odd = append(odd, Oddity{"F13", place, fmt.Sprintf("is there; none of the %d others has it", h.messages)})
			continue
		}
		if o, ok := f.oddity(before[place]); ok {
			o.Field = place
			odd = append(odd, o)
		}
	}
	slices.SortFunc(odd, func(a, b Oddity) int {
		return strings.Compare(a.Field+a.Kind, b.Field+b.Kind)
	})
	return odd
}

// oddity is the first suspicion that holds of one of the values.
func (f *field) oddity(leaves []payload.Node) (Oddity, bool) {
	for _, s := range suspicions {
		for _, leaf := range leaves {
			if sentence := s.of(f, leaf); sentence != "" {
				return Oddity{Kind: s.kind, Sentence: sentence}, true
			}
		}
	}
	return Oddity{}, false
}
