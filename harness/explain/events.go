package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// event is what a message says of itself: which things it is about, and where it stands in their history.
type event struct {
	exchange harness.Exchange
	things   []string // values of its identifying members
	at       time.Time
	number   string // a sequence number as decimal digits, zeros in front left out
}

// Members of an event that say where it stands, in lower case, and how deep they may lie.
var sequenceNames = []string{"sequence", "sequencenumber", "sequence_number", "seq", "revision", "offset"}

const eventDepth = 3

// eventOf reads the request of an exchange. The zero event stands for a body without moment or number.
func eventOf(x harness.Exchange) event {
	e := event{exchange: x}
	doc, err := payload.Of(x.Request)
	if err != nil {
		return e
	}
	for path, n := range doc.Root().Leaves() {
		if len(path) > eventDepth {
			continue
		}
		name, text := strings.ToLower(path.Leaf()), n.Text()
		switch at, err := time.Parse(time.RFC3339, text); {
		case err == nil && e.at.IsZero():
			e.at = at
		case slices.Contains(sequenceNames, name) && onlyDigits.MatchString(text):
			e.number = strings.TrimLeft(text, "0")
		case identifies(path.Leaf()) && text != "":
			e.things = append(e.things, text)
		}
	}
	if path := x.Request.Head.Get(harness.FieldPath); strings.Contains(x.Operation(), "{}") {
		e.things = append(e.things, path)
	}
	return e
}

// identifies reports whether a member of that name tells one thing from another.
func identifies(name string) bool {
	return slices.ContainsFunc(wordsOfName(name), func(w string) bool { return w == "id" || w == "key" || w == "crn" || w == "guid" || w == "uuid" })
}

// isAbout reports whether both events are about the same thing.
func (e event) isAbout(other event) bool {
	return slices.ContainsFunc(e.things, func(t string) bool { return slices.Contains(other.things, t) })
}

// before reports whether the event stands before the other one in the history of their thing.
func (e event) before(other event) bool {
	if e.number != "" && other.number != "" {
		return len(e.number) < len(other.number) || len(e.number) == len(other.number) && e.number < other.number
	}
	return !e.at.IsZero() && e.at.Before(other.at)
}

// late is an event that comes after a later one of the same thing.
type late struct{ event, after event }

// detectEventOrder claims calls that came in another order. Where the history of one thing goes back that is dangerous:
// the last word is an old one.
func detectEventOrder(s *state) {
	isMoved := func(d *harness.Difference) bool { return d.Class == harness.Moved && len(d.Path) == 1 }
	for _, fed := range []bool{true, false} { // what the target gets is the cause of what it hands on
		for _, i := range s.unclaimed(func(d *harness.Difference) bool { return isMoved(d) && s.downstream(d) != fed }) {
			if s.open[i] {
				s.claimEventOrder(i, isMoved)
			}
		}
	}
}

func (s *state) claimEventOrder(i int, isMoved func(*harness.Difference) bool) {
	d := s.at(i)
	lates := s.lateEvents(d)
	f := s.sized([]int{i})
	f.Hit = nil
	f.Unit, f.Source = "calls", s.side(d.From)+": "+d.Operation
	f.Of = len(s.before.bySlot[slotOf(d)])
	own := s.take([]int{i})
	if len(lates) == 0 {
		s.kind.Kind, s.kind.Title = "F24", "order of calls changed"
		f.Verdict = harness.Benign
		f.Sentence = fmt.Sprintf("%s makes the same %s to %s in another order (%d of %d).", s.side(d.From), plural("call"), d.Operation, d.Count, f.Of)
		f.NextStep = "Nothing to do, unless one of these calls needs what another one did: no history of one thing goes back."
		s.claim(f, own)
		return
	}
	f.Verdict, f.Count = harness.Breaking, len(lates)
	f.Sentence = fmt.Sprintf("%s reach %s out of order: %s. The older message has the last word.",
		d.Operation, s.side(d.To), s.lateText(lates[0]))
	if len(lates) > 1 {
		f.Effects = append(f.Effects, fmt.Sprintf("The same for %d more.", len(lates)-1))
	}
	f.NextStep = "Let the receiver compare the moment or number of a message with the newest that it knows, and drop older ones."
	c := s.afterEvents(d, lates, isMoved)
	c.addTo(&f)
	s.kind.Kind, s.kind.Title = "F25", "events out of order"
	s.claim(f, append(own, c.list...))
}

// lateEvents lists the events of the slot and session that come after a later one of the same thing, in the candidate
// only.
func (s *state) lateEvents(d *harness.Difference) []late {
	known := map[string]bool{}
	for _, l := range latest(s.before.bySlot[slotOf(d)], d.Session) {
		known[s.Comparison.Partner[l.event.exchange.ID]] = true
	}
	session := s.now(d).Session
	lates := latest(s.after.bySlot[slotOf(d)], session)
	return slices.DeleteFunc(lates, func(l late) bool { return known[l.event.exchange.ID] })
}

// latest walks the events of a session in order and compares each with the newest before it of the same things.
func latest(xs []harness.Exchange, session string) []late {
	var lates []late
	newest := map[string]event{}
	for _, x := range xs {
		if x.Session != session {
			continue
		}
		e := eventOf(x)
		found := false
		for _, t := range e.things {
			if top, ok := newest[t]; ok && e.before(top) {
				if !found {
					lates, found = append(lates, late{e, top}), true
				}
				continue
			}
			newest[t] = e
		}
	}
	return lates
}

func (s *state) lateText(l late) string {
	thing := ""
	for _, t := range l.event.things {
		if slices.Contains(l.after.things, t) {
			thing = t
			break
		}
	}
	if l.event.number != "" && l.after.number != "" {
		return fmt.Sprintf("number %s of %s comes after number %s", l.event.number, short(thing), l.after.number)
	}
	return fmt.Sprintf("what happened to %s at %s comes after what happened at %s",
		short(thing), l.event.at.UTC().Format(time.TimeOnly), l.after.at.UTC().Format(time.TimeOnly))
}

// afterEvents claims what the target therefore hands on in another order, or with another last word.
func (s *state) afterEvents(d *harness.Difference, lates []late, isMoved func(*harness.Difference) bool) consequence {
	if s.downstream(d) {
		return consequence{}
	}
	var things []string
	for _, l := range lates {
		things = append(things, l.event.things...)
	}
	follow := s.take(s.unclaimed(func(o *harness.Difference) bool {
		return o.Session == d.Session && s.downstream(o) && (isMoved(o) || s.isAboutAny(o, things))
	}))
	c := consequence{list: follow}
	for _, g := range s.grouped(follow) {
		o := s.at(g.list[0])
		c.targets = append(c.targets, s.place(o.To, o))
		if isMoved(o) {
			c.effects = append(c.effects, fmt.Sprintf("%s to %s follows in the new order.", o.Operation, s.side(o.To)))
			continue
		}
		c.effects = append(c.effects, fmt.Sprintf("%s in %s to %s is %s now (was %s, %s).",
			fieldName(o), o.Operation, s.side(o.To), inWords(o.Is), inWords(o.Was), s.share(g.list)))
	}
	return c
}

// isAboutAny reports whether the difference lies in a record or call that is about one of the things.
func (s *state) isAboutAny(d *harness.Difference, things []string) bool {
	for _, k := range keysOf(d.Path) {
		if slices.Contains(things, k.Value) {
			return true
		}
	}
	x, ok := s.before.byID[d.Exchange]
	if !ok || d.Channel != harness.ChannelHTTP {
		return false
	}
	return slices.ContainsFunc(eventOf(x).things, func(t string) bool { return slices.Contains(things, t) }) ||
		slices.ContainsFunc(things, func(t string) bool { return strings.Contains(x.Request.Head.Get(harness.FieldPath), "/"+t) })
}
