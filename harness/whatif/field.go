package whatif

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Field is a field as people name it: words from the outside to the inside.
type Field []string

// ParseField reads registrations.RSTS.
func ParseField(text string) (Field, error) {
	words := strings.Split(text, ".")
	if slices.Contains(words, "") {
		return nil, harness.Usage(errors.New("what-if: "+text+" names no field"), "write it as registrations.RSTS or applicant.residency")
	}
	return words, nil
}

// String is the field as it was named.
func (f Field) String() string { return strings.Join(f, ".") }

// wordsOf are what an operation is called by: the parts of its address, the name of a file without its extension.
var wordParts = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

func isWordOf(operation, word string) bool {
	return slices.ContainsFunc(wordParts.Split(operation, -1), func(part string) bool { return strings.EqualFold(part, word) })
}

// is reports whether a leaf of a message of the operation is the field: its last words are members on the way to the
// leaf, the first ones name the operation.
func (f Field) is(operation string, path harness.Path) bool {
	var names []string
	for _, step := range path {
		if step.Name != "" {
			names = append(names, step.Name)
		}
	}
	n := 0
	for n < len(f) && n < len(names) && strings.EqualFold(f[len(f)-1-n], names[len(names)-1-n]) {
		n++
	}
	if n == 0 {
		return false
	}
	return !slices.ContainsFunc(f[:len(f)-n], func(word string) bool { return !isWordOf(operation, word) })
}

// record is one place of a field.
type record struct {
	exchange int
	answer   bool
	leaf     int // of the document, in order
	text     string
}

// half is one message of an exchange.
func half(x *harness.Exchange, answer bool) *harness.Message {
	if answer {
		return &x.Response
	}
	return &x.Request
}

// variable reports whether a message can be varied: what is fed to the system, and what it is answered.
func variable(x *harness.Exchange, answer bool, system string) bool {
	return !answer && x.To == system || answer && x.From == system && x.Channel == harness.ChannelHTTP
}

// find lists the places of the field in what can be varied.
func (f Field) find(list []harness.Exchange, system string) ([]record, error) {
	var found []record
	for i := range list {
		for _, answer := range []bool{false, true} {
			x := &list[i]
			if !variable(x, answer, system) || half(x, answer).Body.Size() == 0 {
				continue
			}
			doc, err := payload.Of(*half(x, answer))
			if err != nil {
				continue // a body that is not of its format has no fields
			}
			n := 0
			for path, leaf := range doc.Root().Leaves() {
				if f.is(x.Operation(), path) {
					found = append(found, record{i, answer, n, leaf.Text()})
				}
				n++
			}
		}
	}
	return found, nil
}

// valuesOf counts the values of the places.
func valuesOf(found []record) map[string]int {
	values := map[string]int{}
	for _, r := range found {
		values[r.text]++
	}
	return values
}

// typical are the places with the most frequent value that is not empty, the first ones of the recording; where they are
// fewer than wanted, others follow.
func typical(found []record, most int) []record {
	values := valuesOf(found)
	best := ""
	for _, r := range found {
		if r.text != "" && values[r.text] > values[best] || best == "" {
			best = r.text
		}
	}
	list := slices.Clone(found)
	slices.SortStableFunc(list, func(a, b record) int { return cmp.Compare(rank(a, best), rank(b, best)) })
	list = list[:min(most, len(list))]
	slices.SortStableFunc(list, func(a, b record) int { return cmp.Or(a.exchange-b.exchange, a.leaf-b.leaf) })
	return list
}

// rank orders places: those with the most frequent value, other values, none.
func rank(r record, best string) int {
	switch r.text {
	case best:
		return 0
	case "":
		return 2
	}
	return 1
}
