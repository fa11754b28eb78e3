package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// promises is the invariants that one message of the candidate breaks, and the baseline did not.
type promises struct {
	slot    slot
	session string
	half    string
	broken  []harness.Breach
	totals  string // what the layout of the file says of its own totals, where no invariant speaks
}

// detectPromises claims what messages say of themselves and does not hold any more: trailers, sums, hashes, whole records.
// A file that is handed on belongs to the one that it comes from. Where an earlier cause explains all that differs in a
// message, its broken promises follow from that cause.
func detectPromises(s *state) {
	all := s.brokenPromises()
	for _, p := range all {
		if s.related(p) == nil {
			s.followFrom(p)
		}
	}
	all = slices.DeleteFunc(all, func(p *promises) bool { return s.related(p) == nil && s.claimant(p) != nil })
	for len(all) > 0 {
		first := all[0]
		var rest, copies []*promises
		for _, p := range all[1:] {
			if p.session == first.session && first.slot.to == p.slot.from && slices.ContainsFunc(p.said(), func(says string) bool { return slices.Contains(first.said(), says) }) {
				copies = append(copies, p)
			} else {
				rest = append(rest, p)
			}
		}
		s.claimPromises(first, copies)
		all = rest
	}
}

// brokenPromises collects them by message: what comes in first, then what the target hands on.
func (s *state) brokenPromises() []*promises {
	var all []*promises
	of := func(k slot, session, half string) *promises {
		for _, p := range all {
			if p.slot == k && p.session == session && p.half == half {
				return p
			}
		}
		p := &promises{slot: k, session: session, half: half}
		all = append(all, p)
		return p
	}
	for _, b := range s.Breaches {
		if b.After && !b.Before && b.Invariant.Kind != RuleFromOutside {
			p := of(slot{b.From, b.To, b.Channel, b.Operation}, b.Session, b.Half)
			p.broken = append(p.broken, b)
		}
	}
	for _, i := range s.unclaimed(isBrokenTotal) {
		d := s.at(i)
		p := of(slotOf(d), d.Session, d.Path[0].Name)
		p.totals = d.Is.Text
	}
	slices.SortStableFunc(all, func(a, b *promises) int {
		return order(a.slot.from == s.Scenario.Target.System) - order(b.slot.from == s.Scenario.Target.System)
	})
	return all
}

func order(last bool) int {
	if last {
		return 1
	}
	return 0
}

// isBrokenTotal reports whether the totals of a layout hold no more.
func isBrokenTotal(d *harness.Difference) bool {
	return isFormFact(d, "totals") && d.Was.IsAbsent() && !d.Is.IsAbsent()
}

func isFormFact(d *harness.Difference, names ...string) bool {
	return len(d.Path) == 3 && d.Path[1].Name == "form" && slices.Contains(names, d.Path[2].Name)
}

// said is what is said of each promise, in the order of the invariants; the layout speaks where none of them does.
func (p *promises) said() []string {
	var all []string
	for _, b := range p.broken {
		if !slices.Contains(all, b.Says) {
			all = append(all, b.Says)
		}
	}
	if len(all) == 0 && p.totals != "" {
		all = append(all, p.totals)
	}
	return all
}

// in is the differences of the message, open ones or all.
func (s *state) in(p *promises, open bool, keep func(*harness.Difference) bool) []int {
	var list []int
	for i := range s.open {
		d := s.at(i)
		if (!open || s.open[i]) && d.Session == p.session && slotOf(d) == p.slot && len(d.Path) > 1 && d.Path[0].Name == p.half && keep(d) {
			list = append(list, i)
		}
	}
	return list
}

// related is the open differences that a broken promise explains: records that are missing or new, the facts about totals
// and lengths, the places that the invariant names, and numbers where nothing else is there.
func (s *state) related(p *promises) []int {
	list := s.in(p, true, func(d *harness.Difference) bool {
		return isRecord(d) || isFormFact(d, "totals", "record lengths", "records of no type") || p.names(d)
	})
	if len(list) == 0 || !slices.ContainsFunc(list, func(i int) bool { return isRecord(s.at(i)) }) {
		list = append(list, s.in(p, true, func(d *harness.Difference) bool {
			return inBody(d) && !isRecord(d) && isDecimal(d.Was) && isDecimal(d.Is) && !p.names(d)
		})...)
	}
	return list
}

// names reports whether an invariant of the message is about the place.
func (p *promises) names(d *harness.Difference) bool {
	return slices.ContainsFunc(p.broken, func(b harness.Breach) bool {
		return len(b.Invariant.At) > 0 && (b.Invariant.At.Match(d.Path) || b.Invariant.At.Match(d.Pattern))
	})
}

func isDecimal(v harness.Value) bool {
	_, ok := harness.ParseDecimal(v.Text)
	return ok && isText(v)
}

// claimant is the earlier finding that claims most of what differs in the message, nil when nothing does.
func (s *state) claimant(p *promises) *harness.Finding {
	in := s.in(p, false, func(*harness.Difference) bool { return true })
	var best *harness.Finding
	most := 0
	for i := range s.findings {
		n := 0
		for _, d := range s.findings[i].Differences {
			if d.Session == p.session && slotOf(&d) == p.slot && len(d.Path) > 1 && d.Path[0].Name == p.half {
				n++
			}
		}
		if n > most {
			best, most = &s.findings[i], n
		}
	}
	if len(in) == 0 {
		return nil
	}
	return best
}

// followFrom says of an earlier cause that it breaks promises, too.
func (s *state) followFrom(p *promises) {
	f := s.claimant(p)
	if f == nil {
		return
	}
	f.Effects = append(f.Effects, fmt.Sprintf("Because of that, %s breaks its own promises: %s.", p.slot.operation, strings.Join(p.said(), "; ")))
	f.Verdict = harness.Worst(f.Verdict, p.verdict())
}

// verdict is the worst that the invariants ask for; nothing when only the layout speaks.
func (p *promises) verdict() harness.Verdict {
	worst := harness.Same
	for _, b := range p.broken {
		worst = harness.Worst(worst, b.Invariant.Verdict)
	}
	return worst
}

// claimPromises makes one finding of a message and of its copies.
func (s *state) claimPromises(p *promises, copies []*promises) {
	list := s.take(s.related(p))
	lost := slices.DeleteFunc(slices.Clone(list), func(i int) bool { return !isRecord(s.at(i)) || s.at(i).Class != harness.Removed })
	s.kind.Kind, s.kind.Title = p.kind(len(lost) > 0)
	f := harness.Finding{Count: 1, Unit: "files", Source: p.slot.from + ": " + p.slot.operation}
	if p.slot.channel != harness.ChannelFile {
		f.Unit = "calls"
	}
	if len(lost) > 0 {
		f = s.sized(lost)
		f.Hit = s.hits(lost)
	}
	if len(p.broken) > 0 {
		f.Verdict = p.verdict()
	}
	f.Sentence = fmt.Sprintf("%s from %s breaks its own promises: %s.", p.slot.operation, s.side(p.slot.from), strings.Join(p.said(), "; "))
	if len(lost) > 0 {
		f.Effects = append(f.Effects, s.lossSentence(lost))
	}
	for _, reason := range p.reasons() {
		f.Effects = append(f.Effects, reason)
	}
	f.NextStep = fmt.Sprintf("Do not import the file. Ask %s for a whole one; what it promises of itself is what receivers check.", s.side(p.slot.from))
	for _, c := range copies {
		f.Effects = append(f.Effects, fmt.Sprintf("%s to %s carries it on: %s.", c.slot.operation, s.side(c.slot.to), strings.Join(c.said(), "; ")))
		f.Target = append(f.Target, c.slot.to+": "+c.slot.operation)
		list = append(list, s.take(s.related(c))...)
	}
	follow := s.consequences(list)
	if len(lost) > 0 {
		follow.join(s.lostWith(lost, func(d *harness.Difference) bool { return isRecord(d) }))
	}
	follow.addTo(&f)
	s.claim(f, append(list, follow.list...))
}

// kind is what the broken promises are evidence of: parts of the message are missing, or its sums do not hold.
func (p *promises) kind(lost bool) (kind, title string) {
	if lost {
		return "F27", "file incomplete"
	}
	for _, b := range p.broken {
		if b.Invariant.Kind == "F27" {
			return "F27", "file incomplete"
		}
	}
	return "F30", "totals do not hold"
}

// reasons is why the promises are asked for, each once.
func (p *promises) reasons() []string {
	var all []string
	for _, b := range p.broken {
		text := fmt.Sprintf("Promise %s: %s.", b.Invariant.Name, strings.TrimSuffix(b.Invariant.Reason, "."))
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}
