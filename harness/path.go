package harness

import (
	"fmt"
	"slices"
	"strings"
)

// Path is a place in an exchange, one syntax for every payload format:
//
//	request.head.:path                     a header or pseudo-field
//	response.body.students[3].plan         member, index from 0, member
//	request.body[CRN=00417,ID=H001].RSTS   the record with that key
//	request.body[*].role                   every element
//	request.segment[1]                     a segment of the path of a call, from 0
//	request.query.page                     a parameter of its query
//	response.body.**.updated_at            any number of steps, also none
//
// A name of letters, digits and any of _ - : @ $ / + stands bare; every other name is quoted in brackets: ["a.b"].
// Key values are bare under the same rule and quoted otherwise. The zero Path is the whole exchange.
//
// A Path with a wildcard ([*], [key=*], ** or a name *) is a pattern; Match compares it with a concrete one. A star in
// quotes is a star: [code="*"] is the record whose code is *, ["*"] the member of that name.
type Path []Step

// Step is one step of a Path.
type Step struct {
	Kind  StepKind
	Name  string   // StepName
	Index int      // StepIndex, from 0
	Keys  []Field  // StepKey: member names and their texts
	Any   []string // StepKey: names of members that must be there, whatever their text
}

// StepKind says what a Step selects.
type StepKind uint8

// Kinds of Step.
const (
	StepName  StepKind = iota // the member of that name
	StepIndex                 // the element at that place
	StepKey                   // the element whose members have those texts
	StepEach                  // every element, [*]
	StepAny                   // every member, *
	StepDeep                  // any number of steps, **
)

// Name is the step to the member of that name.
func Name(name string) Step { return Step{Kind: StepName, Name: name} }

// Index is the step to the element at that place, from 0.
func Index(i int) Step { return Step{Kind: StepIndex, Index: i} }

// Keyed is the step to the element whose members have those texts.
func Keyed(keys ...Field) Step { return Step{Kind: StepKey, Keys: keys} }

// Each is the wildcard step to every element.
func Each() Step { return Step{Kind: StepEach} }

// IsElement reports whether the step leads from an array to its elements.
func (s Step) IsElement() bool {
	return s.Kind == StepIndex || s.Kind == StepKey || s.Kind == StepEach
}

// PathOf is the path of the steps.
func PathOf(steps ...Step) Path { return Path(steps) }

// Child returns the path one step deeper; p itself is not changed.
func (p Path) Child(s Step) Path {
	child := make(Path, len(p)+1) // not one step more: a comparison holds very many paths
	copy(child, p)
	child[len(p)] = s
	return child
}

// HasPrefix reports whether p begins with the steps of prefix, compared by [Path.Match].
func (p Path) HasPrefix(prefix Path) bool {
	return len(p) >= len(prefix) && prefix.Match(p[:len(prefix)])
}

// Pattern returns the path with every index and key replaced by [*].
func (p Path) Pattern() Path {
	out := make(Path, len(p))
	for i, s := range p {
		if s.Kind == StepIndex || s.Kind == StepKey {
			s = Each()
		}
		out[i] = s
	}
	return out
}

// IsPattern reports whether the path holds a wildcard.
func (p Path) IsPattern() bool {
	for _, s := range p {
		switch s.Kind {
		case StepEach, StepAny, StepDeep:
			return true
		case StepKey:
			if len(s.Any) > 0 {
				return true
			}
		}
	}
	return false
}

// Leaf returns the name of the last named step, or the empty string.
func (p Path) Leaf() string {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i].Kind == StepName {
			return p[i].Name
		}
	}
	return ""
}

// Match reports whether the pattern p covers the concrete or general path q as a whole. Header names compare without
// letter case.
func (p Path) Match(q Path) bool {
	head := len(q) >= 2 && q[1].Kind == StepName && q[1].Name == "head"
	return matchSteps(p, q, head)
}

// matchSteps goes back to the last ** only, which is enough for wildcards of this form and keeps the cost at
// len(p) * len(q).
func matchSteps(p, q Path, head bool) bool {
	pi, qi, deep, mark := 0, 0, -1, 0
	for qi < len(q) {
		switch {
		case pi < len(p) && p[pi].Kind == StepDeep:
			deep, mark = pi, qi
			pi++
		case pi < len(p) && matchStep(p[pi], q[qi], head):
			pi++
			qi++
		case deep >= 0:
			mark++
			pi, qi = deep+1, mark
		default:
			return false
		}
	}
	for pi < len(p) && p[pi].Kind == StepDeep {
		pi++
	}
	return pi == len(p)
}

func matchStep(p, q Step, head bool) bool {
	switch p.Kind {
	case StepEach:
		return q.IsElement()
	case StepAny:
		return q.Kind == StepName || q.Kind == StepAny
	case StepName:
		return q.Kind == StepName && (p.Name == q.Name || head && strings.EqualFold(p.Name, q.Name))
	case StepIndex:
		return q.Kind == StepIndex && p.Index == q.Index
	default:
		return q.Kind == StepKey && matchKeys(p, q)
	}
}

// matchKeys reports whether each key of the pattern is among the keys of the element.
func matchKeys(p, q Step) bool {
	for _, k := range p.Keys {
		if !slices.Contains(q.Keys, k) {
			return false
		}
	}
	for _, name := range p.Any {
		named := func(k Field) bool { return k.Name == name }
		if !slices.ContainsFunc(q.Keys, named) && !slices.Contains(q.Any, name) {
			return false
		}
	}
	return true
}

// String writes the path so that ParsePath reads it back.
func (p Path) String() string {
	var b strings.Builder
	for i, s := range p {
		switch s.Kind {
		case StepName:
			writeName(&b, s.Name, i == 0)
		case StepIndex:
			fmt.Fprintf(&b, "[%d]", s.Index)
		case StepKey:
			writeKeys(&b, s)
		case StepEach:
			b.WriteString("[*]")
		case StepAny:
			writeDotted(&b, "*", i == 0)
		case StepDeep:
			writeDotted(&b, "**", i == 0)
		}
	}
	return b.String()
}

func writeDotted(b *strings.Builder, s string, first bool) {
	if !first {
		b.WriteByte('.')
	}
	b.WriteString(s)
}

func writeName(b *strings.Builder, name string, first bool) {
	if isBare(name) {
		writeDotted(b, name, first)
		return
	}
	b.WriteByte('[')
	writeQuoted(b, name)
	b.WriteByte(']')
}

func writeKeys(b *strings.Builder, s Step) {
	between := byte('[')
	for _, k := range s.Keys {
		b.WriteByte(between)
		writeWord(b, k.Name)
		b.WriteByte('=')
		writeWord(b, k.Value)
		between = ','
	}
	for _, name := range s.Any {
		b.WriteByte(between)
		writeWord(b, name)
		b.WriteString("=*")
		between = ','
	}
	b.WriteByte(']')
}

func writeWord(b *strings.Builder, s string) {
	if isBare(s) {
		b.WriteString(s)
		return
	}
	writeQuoted(b, s)
}

// writeQuoted escapes only the quote and the backslash, so that every byte of a name survives.
func writeQuoted(b *strings.Builder, s string) {
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
}

func isBare(s string) bool {
	for i := range len(s) {
		if !isBareByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isBareByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_-:@$/+", c) >= 0
}

// MarshalText writes the path as String does.
func (p Path) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the path as ParsePath does.
func (p *Path) UnmarshalText(text []byte) error {
	parsed, err := ParsePath(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}

// maxSteps bounds a path, so that a hostile one cannot make matching slow.
const maxSteps = 1000

// ParsePath reads the syntax that Path documents. The error names the byte offset.
func ParsePath(s string) (Path, error) {
	ps := pathParser{s: s}
	var p Path
	for ps.i < len(s) {
		step, err := ps.step(len(p) == 0)
		if err != nil {
			return nil, fmt.Errorf("parse path %q at byte %d: %w", s, ps.i, err)
		}
		if step.Kind == StepDeep && len(p) > 0 && p[len(p)-1].Kind == StepDeep {
			continue // ** twice says no more than once
		}
		if p = append(p, step); len(p) > maxSteps {
			return nil, fmt.Errorf("parse path of %d bytes: more than %d steps", len(s), maxSteps)
		}
	}
	return p, nil
}

// CheckPlace refuses the places of a request that have another spelling: request.path[1] is request.segment[1].
func (p Path) CheckPlace() error {
	if len(p) < 2 || p[0].Kind != StepName || p[0].Name != "request" || p[1].Kind != StepName || p[1].Name != "path" {
		return nil
	}
	instead := PathOf(append([]Step{Name("request"), Name("segment")}, p[2:]...)...)
	if len(p) == 2 {
		instead = instead.Child(Each())
	}
	return fmt.Errorf("%s is no place of a request: segments of its path are written %s, the whole target is request.head.:path", p, instead)
}

type pathParser struct {
	s string
	i int
}

func (ps *pathParser) step(first bool) (Step, error) {
	switch c := ps.s[ps.i]; {
	case c == '[':
		ps.i++
		return ps.bracket()
	case c == '.' && !first:
		ps.i++
		return ps.dotted()
	case first:
		return ps.dotted()
	default:
		return Step{}, fmt.Errorf("unexpected %q, want . or [", c)
	}
}

func (ps *pathParser) dotted() (Step, error) {
	for _, wild := range []struct {
		text string
		kind StepKind
	}{{"**", StepDeep}, {"*", StepAny}} {
		if strings.HasPrefix(ps.s[ps.i:], wild.text) {
			ps.i += len(wild.text)
			return Step{Kind: wild.kind}, nil
		}
	}
	name := ps.bare()
	if name == "" {
		return Step{}, fmt.Errorf("want a name; quote unusual ones as [\"…\"]")
	}
	return Name(name), nil
}

func (ps *pathParser) bracket() (Step, error) {
	if ps.take("*]") {
		return Each(), nil
	}
	word, quoted, err := ps.word()
	if err != nil {
		return Step{}, err
	}
	if ps.take("]") {
		if quoted {
			return Name(word), nil
		}
		return ps.index(word)
	}
	return ps.keys(word)
}

func (ps *pathParser) index(digits string) (Step, error) {
	const maxIndex = 1 << 30 // no document has more elements
	if !allDigits(digits) {
		return Step{}, fmt.Errorf("%q is not an index", digits)
	}
	n := 0
	for i := range len(digits) {
		if n = n*10 + int(digits[i]-'0'); n > maxIndex {
			return Step{}, fmt.Errorf("index %s is out of range", digits)
		}
	}
	return Index(n), nil
}

func (ps *pathParser) keys(name string) (Step, error) {
	step := Keyed()
	for {
		if !ps.take("=") {
			return Step{}, fmt.Errorf("want = or ] after %q", name)
		}
		if ps.take("*") {
			step.Any = append(step.Any, name)
		} else {
			value, _, err := ps.word()
			if err != nil {
				return Step{}, err
			}
			step.Keys = append(step.Keys, Field{name, value})
		}
		if ps.take("]") {
			return step, nil
		}
		if !ps.take(",") {
			return Step{}, fmt.Errorf("want , or ] after the value of %q", name)
		}
		var err error
		if name, _, err = ps.word(); err != nil {
			return Step{}, err
		}
	}
}

// word reads a bare or quoted word, which may be an empty quoted one.
func (ps *pathParser) word() (word string, quoted bool, err error) {
	if !ps.take(`"`) {
		if word = ps.bare(); word == "" {
			return "", false, fmt.Errorf("want a name, an index or *")
		}
		return word, false, nil
	}
	var b strings.Builder
	for ps.i < len(ps.s) {
		c := ps.s[ps.i]
		ps.i++
		switch {
		case c == '"':
			return b.String(), true, nil
		case c == '\\' && ps.i < len(ps.s):
			c = ps.s[ps.i]
			ps.i++
		}
		b.WriteByte(c)
	}
	return "", true, fmt.Errorf("quote is not closed")
}

func (ps *pathParser) bare() string {
	start := ps.i
	for ps.i < len(ps.s) && isBareByte(ps.s[ps.i]) {
		ps.i++
	}
	return ps.s[start:ps.i]
}

func (ps *pathParser) take(prefix string) bool {
	if !strings.HasPrefix(ps.s[ps.i:], prefix) {
		return false
	}
	ps.i += len(prefix)
	return true
}
