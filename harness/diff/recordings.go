package diff

import (
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Options of a comparison.
type Options struct {
	Rules []harness.Rule // of the scenario; the built-in ones are always there
	Now   time.Time      // decides which rules have expired
	Exact bool           // other bytes that carry no meaning are a difference, too
}

// Recordings compares a baseline with a candidate. The error is about reading them or about a rule that cannot be
// understood; differences are no error. Order of differences: by exchange of the baseline, then by place; calls that
// moved come last.
func Recordings(before, after harness.Recording, o Options) (*harness.Comparison, error) {
	return compareAll(before, after, o, streamFrom, recordsPerPart)
}

// compareAll is Recordings with the size from which bodies are compared record by record, and how many records are held.
func compareAll(before, after harness.Recording, o Options, streamFrom int64, recordsPerPart int) (*harness.Comparison, error) {
	rules, err := compile(o)
	if err != nil {
		return nil, err
	}
	was, err := harness.Collect(before)
	if err != nil {
		return nil, fmt.Errorf("read baseline: %w", err)
	}
	is, err := harness.Collect(after)
	if err != nil {
		return nil, fmt.Errorf("read candidate: %w", err)
	}
	c := &comparer{rules: rules, streamFrom: streamFrom, recordsPerPart: recordsPerPart, keys: newKeyBook(), exact: o.Exact, patterns: map[string][]harness.Path{}, out: &harness.Comparison{Before: before, After: after, Exchanges: [2]int{len(was), len(is)}}}
	pairs := pair(was, is)
	c.out.Partner = partners(pairs)
	if err := c.survey(pairs); err != nil {
		return nil, err
	}
	ends := make([]int, len(pairs))
	for i, p := range pairs {
		c.rules.pair = i
		if err := c.pair(p); err != nil {
			return nil, err
		}
		ends[i] = len(c.out.Differences)
	}
	c.contradict(ends)
	c.order(pairs, is)
	c.finish(slices.Concat(was, is)...)
	return c.out, nil
}

// comparer gathers the facts of one comparison.
type comparer struct {
	rules *ruleSet
	out   *harness.Comparison
	keys  *keyBook
	notes noteCounter

	patterns map[string][]harness.Path // of differences, by the last name in them

	streamFrom     int64 // bytes from which bodies are compared record by record
	recordsPerPart int   // of which fingerprints are held at a time
	exact          bool

	// The pair at hand.
	isText bool                 // the bodies are lines, whose order is content
	place  harness.Difference   // a template with the exchange's data
	forms  []harness.Difference // differences of spelling, one for each pattern
	formOf map[string]int       // pattern → index in forms
}

// pair compares the two exchanges of a pair, or states that one of them is missing.
func (c *comparer) pair(p pairing) error {
	switch {
	case p.is == nil:
		c.begin(p.was)
		c.emit(harness.PathOf(harness.Name("call")), harness.MissingCall, callValue(p.was), harness.Value{Kind: harness.KindAbsent})
		return nil
	case p.was == nil:
		c.begin(p.is)
		c.emit(harness.PathOf(harness.Name("call")), harness.ExtraCall, harness.Value{Kind: harness.KindAbsent}, callValue(p.is))
		return nil
	}
	c.begin(p.was)
	if whole := c.faults(p.was, p.is); !whole {
		return nil
	}
	if err := c.message("request", &p.was.Request, &p.is.Request); err != nil {
		return fmt.Errorf("compare request of exchange %s: %w", p.was.ID, err)
	}
	if err := c.message("response", &p.was.Response, &p.is.Response); err != nil {
		return fmt.Errorf("compare response of exchange %s: %w", p.was.ID, err)
	}
	c.out.Differences = append(c.out.Differences, c.forms...)
	return nil
}

func (c *comparer) begin(x *harness.Exchange) {
	c.place = harness.Difference{
		Exchange: x.ID, Session: x.Session, Channel: x.Channel, Operation: x.Operation(), From: x.From, To: x.To, Count: 1,
	}
	c.forms, c.formOf = nil, map[string]int{}
}

// callValue describes an exchange that has no partner.
func callValue(x *harness.Exchange) harness.Value {
	return harness.Value{Kind: harness.KindObject, Text: x.Title()}
}

// faults compares how the exchanges ended and reports whether both are whole, so that their messages can be compared.
func (c *comparer) faults(was, is *harness.Exchange) bool {
	a, b := faultValue(was.Fault), faultValue(is.Fault)
	if a.Text != b.Text {
		c.emit(harness.PathOf(harness.Name("fault")), classOf(a, b), a, b)
	}
	if was.Fault != nil || is.Fault != nil {
		c.notes.add("exchanges that are incomplete on one side or both, so that their messages were not compared: %d")
		return false
	}
	return true
}

func faultValue(f *harness.Fault) harness.Value {
	if f == nil {
		return harness.Value{Kind: harness.KindAbsent}
	}
	return harness.Value{Kind: harness.KindString, Text: f.Kind, Fields: []harness.Field{{Name: "detail", Value: f.Detail}}}
}

// emit states one difference, unless a rule takes it away.
func (c *comparer) emit(path harness.Path, class harness.ChangeClass, was, is harness.Value) {
	d := c.place
	d.Path, d.Pattern, d.Class, d.Was, d.Is = path, c.patternOf(path), class, was, is
	d.Record = recordOf(path)
	if !c.rules.suppress(d) {
		c.rules.lapsed(&d)
		c.out.Differences = append(c.out.Differences, d)
	}
}

// patternOf is the path's pattern. Differences at places of one pattern share it, because there may be very many.
func (c *comparer) patternOf(path harness.Path) harness.Path {
	leaf := path.Leaf()
	for _, p := range c.patterns[leaf] {
		if isPatternOf(p, path) {
			return p
		}
	}
	p := path.Pattern()
	const most = 16 // names that are data have patterns of their own; to search many costs more than it saves
	if len(c.patterns[leaf]) < most {
		c.patterns[leaf] = append(c.patterns[leaf], p)
	}
	return p
}

// isPatternOf reports whether the pattern is the one that Pattern would make of the path.
func isPatternOf(pattern, path harness.Path) bool {
	return slices.EqualFunc(pattern, path, func(p, s harness.Step) bool {
		if s.Kind == harness.StepIndex || s.Kind == harness.StepKey {
			return p.Kind == harness.StepEach
		}
		return p.Kind == s.Kind && p.Name == s.Name
	})
}

// recordOf names the record that a path lies in: the texts of its last keyed step.
func recordOf(path harness.Path) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i].Kind == harness.StepKey {
			return keyText(path[i].Keys)
		}
	}
	return ""
}

func keyText(keys []harness.Field) string {
	s := ""
	for i, k := range keys {
		if i > 0 {
			s += " "
		}
		s += k.Name + "=" + k.Value
	}
	return s
}

// emitForm states a difference of spelling once for each pattern of a pair, and counts the places.
func (c *comparer) emitForm(path harness.Path, was, is harness.Value) {
	key := path.Pattern().String()
	if i, ok := c.formOf[key]; ok {
		c.forms[i].Count++
		return
	}
	before := len(c.out.Differences)
	c.emit(path, harness.Reformed, was, is)
	if len(c.out.Differences) > before {
		c.formOf[key] = len(c.forms)
		c.forms = append(c.forms, c.out.Differences[before])
		c.out.Differences = c.out.Differences[:before]
	}
}

func (c *comparer) finish(all ...harness.Exchange) {
	c.out.Suppressed = c.rules.suppressions()
	for _, r := range c.rules.expired {
		c.out.Expired = append(c.out.Expired, r.Rule)
	}
	c.out.Unused = c.rules.pointless(all)
	c.out.Notes = c.notes.lines()
}
