package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
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
func (s *state) eventOf(x harness.Exchange) event {
	e := event{exchange: x}
	r := s.read(x)
	doc, err := r.doc("request")
	if err != nil {
		s.note(err)
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

// before reports whether the event stands before the other one in the history of their thing.
func (e event) before(other event) bool {
	if e.number != "" && other.number != "" {
		return len(e.number) < len(other.number) || len(e.number) == len(other.number) && e.number < other.number
	}
	return !e.at.IsZero() && e.at.Before(other.at)
}

// late is an event that comes after a later one of the same thing.
type late struct{ event, after event }

// detectEventOrder claims calls that came in another order, one finding for each operation. Where the history of one
// thing goes back that is dangerous: the last word is an old one.
func detectEventOrder(s *state) {
	for _, fed := range []bool{true, false} { // what the target gets is the cause of what it hands on
		moved := s.unclaimed(func(d *harness.Difference) bool { return isMovedCall(d) && s.downstream(d) != fed })
		for _, list := range s.bySlot(moved) {
			if list = s.take(list); len(list) > 0 {
				s.claimMovedCalls(list)
			}
		}
	}
}

func isMovedCall(d *harness.Difference) bool { return d.Class == harness.Moved && len(d.Path) == 1 }

// claimMovedCalls parts the sessions in which the history of a thing goes back from those in which nothing depends on
// the order. The differences are closed.
func (s *state) claimMovedCalls(list []int) {
	var back, free []int
	lates := map[string][]late{} // by session of the baseline
	for _, i := range list {
		d := s.at(i)
		if found := s.lateEvents(d); len(found) > 0 {
			lates[d.Session] = found
			back = append(back, i)
		} else {
			free = append(free, i)
		}
	}
	if len(back) > 0 {
		s.claimLateEvents(back, lates)
	}
	if len(free) > 0 {
		d := s.at(free[0])
		f := s.sized(free)
		f.Verdict, f.Unit, f.Of, f.Source = harness.Benign, "calls", len(s.before.bySlot[slotOf(d)]), s.side(d.From)+": "+d.Operation
		f.Sentence = fmt.Sprintf("%s makes the same calls to %s in another order (%d of %d).", s.side(d.From), d.Operation, f.Count, f.Of)
		f.NextStep = "Nothing to do, unless one of these calls needs what another one did: no history of one thing goes back."
		s.kind.Kind, s.kind.Title = "F24", "order of calls changed"
		s.claim(f, free)
	}
}

func (s *state) claimLateEvents(back []int, lates map[string][]late) {
	d := s.at(back[0])
	n := 0
	for _, list := range lates {
		n += len(list)
	}
	f := s.sized(back)
	f.Verdict, f.Hit, f.Unit, f.Count, f.Of = harness.Breaking, s.hits(back), "calls", n, len(s.before.bySlot[slotOf(d)])
	f.Source = s.side(d.From) + ": " + d.Operation
	f.Sentence = fmt.Sprintf("%s reach %s out of order: %s. The older message has the last word.", d.Operation, s.side(d.To), s.lateText(lates[d.Session][0]))
	if n > 1 {
		f.Effects = append(f.Effects, fmt.Sprintf("The same for %d more.", n-1))
	}
	f.NextStep = "Let the receiver compare the moment or number of a message with the newest that it knows, and drop older ones."
	c := s.afterEvents(d, lates)
	c.addTo(&f)
	s.kind.Kind, s.kind.Title = "F25", "events out of order"
	s.claim(f, append(back, c.list...))
}

// lateEvents lists the events of the slot and session that come after a later one of the same thing, in the candidate
// only.
func (s *state) lateEvents(d *harness.Difference) []late {
	known := map[string]bool{}
	for _, l := range s.latest(s.before.inSession(slotOf(d), d.Session)) {
		known[s.Comparison.Partner[l.event.exchange.ID]] = true
	}
	lates := s.latest(s.after.inSession(slotOf(d), s.now(d).Session))
	return slices.DeleteFunc(lates, func(l late) bool { return known[l.event.exchange.ID] })
}

// latest walks events in order and compares each with the newest before it of the same things.
func (s *state) latest(xs []harness.Exchange) []late {
	var lates []late
	newest := map[string]event{}
	for _, x := range xs {
		e := s.eventOf(x)
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
func (s *state) afterEvents(d *harness.Difference, lates map[string][]late) consequence {
	if s.downstream(d) {
		return consequence{}
	}
	things := map[string][]string{}
	for session, list := range lates {
		for _, l := range list {
			things[session] = append(things[session], l.event.things...)
		}
	}
	follow := s.take(s.unclaimed(func(o *harness.Difference) bool {
		about, same := things[o.Session]
		return same && s.downstream(o) && (isMovedCall(o) || s.isAboutAny(o, about))
	}))
	c := consequence{list: follow}
	for _, g := range s.grouped(follow) {
		o := s.at(g.list[0])
		c.targets = append(c.targets, s.place(o.To, o))
		if isMovedCall(o) {
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
	return slices.ContainsFunc(s.eventOf(x).things, func(t string) bool { return slices.Contains(things, t) }) ||
		slices.ContainsFunc(things, func(t string) bool { return strings.Contains(x.Request.Head.Get(harness.FieldPath), "/"+t) })
}
