package invariant

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Breaches looks at the messages of both recordings and returns the invariants that one of them breaks, in the order of
// the list and then of the messages. Unseen names those of which there was no message. Only those that hold on the day of
// now are looked at. The error is about an invariant that cannot be understood, or about reading.
func Breaches(before, after harness.Recording, list []harness.Invariant, now time.Time) (found []harness.Breach, unseen []string, err error) {
	var promises []*promise
	for _, in := range list {
		if !in.From.IsZero() && in.From.Format(time.DateOnly) > now.Format(time.DateOnly) || in.Until.Before(now) {
			continue
		}
		p, err := compile(in)
		if err != nil {
			return nil, nil, harness.Usage(fmt.Errorf("invariant %s: %w", in.Name, err), "correct the invariant in the catalogue or in the scenario")
		}
		promises = append(promises, p)
	}
	if len(promises) == 0 {
		return nil, nil, nil
	}
	l := &looking{promises: promises, where: map[key]int{}}
	for _, side := range []struct {
		rec   harness.Recording
		after bool
	}{{before, false}, {after, true}} {
		if err := l.look(side.rec, side.after); err != nil {
			return nil, nil, err
		}
	}
	for _, p := range promises {
		if !p.seen {
			unseen = append(unseen, p.Name)
		}
	}
	slices.SortStableFunc(l.found, func(a, b located) int { return cmp.Compare(a.promise, b.promise) })
	for _, f := range l.found {
		found = append(found, f.Breach)
	}
	return found, unseen, nil
}

// looking is the work on both recordings.
type looking struct {
	promises []*promise
	found    []located
	where    map[key]int // index in found
}

type located struct {
	harness.Breach
	promise int
}

// key is what makes messages of two recordings one of the other.
type key struct {
	promise                               int
	session, channel, operation, from, to string
}

func (l *looking) look(rec harness.Recording, after bool) error {
	for x, err := range rec.Exchanges() {
		if err != nil {
			return err
		}
		docs := [2]*payload.Doc{}
		for n, p := range l.promises {
			if !p.covers(x.Operation()) {
				continue
			}
			p.seen = true
			half := halfOf(p.Half, x)
			m := x.Request
			i := 0
			if half == "response" {
				m, i = x.Response, 1
			}
			if docs[i] == nil {
				if docs[i], err = payload.Of(m); err != nil {
					return err
				}
			}
			if says := p.look(m, docs[i], x.Operation()); says != "" {
				l.add(n, x, half, says, after)
			}
		}
	}
	return nil
}

func (p *promise) covers(operation string) bool {
	return slices.ContainsFunc(p.Operations, func(glob string) bool {
		ok, err := path.Match(glob, operation)
		return ok && err == nil
	})
}

// halfOf is the half that an invariant is about.
func halfOf(half string, x harness.Exchange) string {
	if half == "" && harness.KindOfChannel(x.Channel).Answered && x.Request.Body.Size() == 0 {
		return "response"
	}
	return cmp.Or(half, "request")
}

func (l *looking) add(n int, x harness.Exchange, half, says string, after bool) {
	k := key{n, x.Session, x.Channel, x.Operation(), x.From, x.To}
	i, known := l.where[k]
	if !known {
		i = len(l.found)
		l.where[k] = i
		l.found = append(l.found, located{harness.Breach{
			Invariant: l.promises[n].Invariant, Session: x.Session, Channel: x.Channel, Operation: x.Operation(), From: x.From, To: x.To, Half: half,
		}, n})
	}
	f := &l.found[i]
	if after && !f.After || f.Says == "" {
		f.Says = says
	}
	f.Before, f.After = f.Before || !after, f.After || after
}

// look returns how the message breaks the promise, or nothing when it keeps it.
func (p *promise) look(m harness.Message, doc *payload.Doc, operation string) string {
	vars := variables(m, doc, operation)
	if what := doc.Fact("malformed"); what != "" {
		return "the body cannot be read: " + what
	}
	v, err := evaluate(p.holds, vars)
	switch {
	case err != nil:
		return "it cannot be looked at: " + err.Error()
	case v == types.True:
		return ""
	case v != types.False:
		return "the check says " + shown(v) + ", neither true nor false"
	case len(p.template) > 0:
		return p.fill(vars)
	default:
		return p.spell(vars)
	}
}

func variables(m harness.Message, doc *payload.Doc, operation string) map[string]any {
	root := doc.Root()
	var records, header, trailer ref.Val = noRecords, noMembers, noMembers
	if doc.Len() > 0 && root.Kind() == harness.KindArray {
		records = list{root}
		if n := root.Len(); n > 0 {
			header, trailer = valueOf(root.Element(0)), valueOf(root.Element(n-1))
		}
	}
	facts, head := map[string]string{}, map[string]string{}
	for _, f := range doc.Facts {
		facts[f.Name] = f.Value
	}
	for _, f := range slices.Backward(m.Head) {
		head[strings.ToLower(f.Name)] = f.Value
	}
	var body ref.Val = types.NullValue
	if doc.Len() > 0 {
		body = valueOf(root)
	}
	return map[string]any{
		"body": body, "records": records, "header": header, "trailer": trailer, "facts": facts, "head": head,
		"operation": operation, "length": int64(m.Body.Size()),
	}
}

var (
	noRecords = types.NewRefValList(types.DefaultTypeAdapter, nil)
	noMembers = types.NewStringStringMap(types.DefaultTypeAdapter, nil)
)

// evaluate computes an expression. What it may cost grows with the records: a bounded number of looks at each.
func evaluate(tree *cel.Ast, vars map[string]any) (ref.Val, error) {
	env, err := language()
	if err != nil {
		return nil, err
	}
	limit := uint64(baseCost)
	if records, ok := vars["records"].(list); ok {
		limit += costPerRecord * uint64(records.Len())
	}
	p, err := env.Program(tree, cel.CostLimit(limit), cel.CostTrackerOptions(prices()...))
	if err != nil {
		return nil, err
	}
	v, _, err := p.Eval(vars)
	return v, err
}

// fill puts values into what is said.
func (p *promise) fill(vars map[string]any) string {
	var b strings.Builder
	for _, part := range p.template {
		if part.value == nil {
			b.WriteString(part.text)
			continue
		}
		v, err := evaluate(part.value, vars)
		if err != nil {
			b.WriteString("(" + err.Error() + ")")
			continue
		}
		b.WriteString(plain(v))
	}
	return b.String()
}

// spell tells the conditions that do not hold, with the values of both sides of a comparison.
func (p *promise) spell(vars map[string]any) string {
	var all []string
	for _, c := range p.parts {
		if v, err := evaluate(c.holds, vars); err != nil || v == types.True {
			continue
		}
		if c.left == "" {
			all = append(all, c.source+" does not hold")
			continue
		}
		all = append(all, side(c.left, c.was, vars)+", "+side(c.right, c.is, vars))
	}
	return strings.Join(all, "; ")
}

// side tells the value of one side of a comparison; a literal speaks for itself.
func side(source string, tree *cel.Ast, vars map[string]any) string {
	v, err := evaluate(tree, vars)
	if err != nil {
		return source + " cannot be looked at"
	}
	if text := shown(v); strings.ReplaceAll(text, ",", "") != source {
		return source + " is " + text
	}
	return "expected " + source
}
