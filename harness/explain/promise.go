package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// promises is the invariants that one message of the candidate breaks, and the baseline did not.
type promises struct {
	message
	broken []harness.Breach
	totals string // what the layout of the file says of its own totals, where no invariant speaks
	all    []int  // the differences in the message
	copies []*promises
}

// message is one half of the exchanges of a slot in a session.
type message struct {
	slot    slot
	session string
	half    string
}

// detectPromises claims what messages say of themselves and does not hold any more: trailers, sums, hashes, whole records.
// A file that is handed on belongs to the one that it comes from. Where an earlier cause explains all that differs in a
// message, its broken promises follow from that cause. The same promise broken in many sessions is one finding.
func detectPromises(s *state) {
	all := s.brokenPromises()
	if len(all) == 0 {
		return
	}
	messages, claimants := s.messages(), s.claimants()
	var open []*promises
	for _, p := range all {
		p.all = messages[p.message]
		facts, others := s.split(s.related(p))
		if f, claimed := claimants[p.message]; claimed && len(others) == 0 {
			s.followFrom(f, p, facts)
		} else {
			open = append(open, p)
		}
	}
	incoming := map[string][]*promises{} // by session
	for _, p := range open {
		if p.slot.from != s.Scenario.Target.System {
			incoming[p.session] = append(incoming[p.session], p)
		}
	}
	var order []string
	groups := map[string][]*promises{}
	for _, p := range open {
		if parent := p.parent(incoming[p.session]); parent != nil {
			parent.copies = append(parent.copies, p)
			continue
		}
		key := p.key()
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], p)
	}
	for _, key := range order {
		s.claimPromises(groups[key])
	}
}

// messages finds the differences of each message, in order.
func (s *state) messages() map[message][]int {
	index := map[message][]int{}
	for i := range s.open {
		if d := s.at(i); len(d.Path) > 1 {
			m := messageOfDifference(d)
			index[m] = append(index[m], i)
		}
	}
	return index
}

func messageOfDifference(d *harness.Difference) message {
	return message{slotOf(d), d.Session, d.Path[0].Name}
}

// claimants finds the finding that claims most of the records and numbers that differ in each message.
func (s *state) claimants() map[message]int {
	best, most := map[message]int{}, map[message]int{}
	for f := range s.findings {
		counts := map[message]int{}
		for n := range s.findings[f].Differences {
			if d := &s.findings[f].Differences[n]; isRecord(d) || isCounted(d) {
				counts[messageOfDifference(d)]++
			}
		}
		for m, n := range counts {
			if n > most[m] {
				best[m], most[m] = f, n
			}
		}
	}
	return best
}

// parent is the incoming message that the target hands on as this one, with the same broken promise; nil when there is none.
func (p *promises) parent(incoming []*promises) *promises {
	for _, in := range incoming {
		if in != p && in.slot.to == p.slot.from && slices.ContainsFunc(p.said(), func(says string) bool { return slices.Contains(in.said(), says) }) {
			return in
		}
	}
	return nil
}

// key is equal for messages of one operation that break the same promises.
func (p *promises) key() string {
	names := []string{p.slot.from, p.slot.to, p.slot.channel, p.slot.operation, p.half}
	for _, b := range p.broken {
		names = append(names, b.Invariant.Name)
	}
	return strings.Join(names, "\x00")
}

// brokenPromises collects them by message: what comes in first, then what the target hands on.
func (s *state) brokenPromises() []*promises {
	var all []*promises
	index := map[message]*promises{}
	of := func(m message) *promises {
		if index[m] == nil {
			index[m] = &promises{message: m}
			all = append(all, index[m])
		}
		return index[m]
	}
	for _, b := range s.Breaches {
		if b.After && !b.Before && b.Invariant.Kind != RuleFromOutside {
			p := of(message{slot{b.From, b.To, b.Channel, b.Operation}, b.Session, b.Half})
			p.broken = append(p.broken, b)
		}
	}
	for _, i := range s.unclaimed(isBrokenTotal) {
		d := s.at(i)
		of(messageOfDifference(d)).totals = d.Is.Text
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

// related is the open differences that a broken promise explains: records that are missing or new, the facts about totals
// and lengths, the places that the invariant names, and the number that was altered where nothing else is there.
func (s *state) related(p *promises) []int {
	var list []int
	records := false
	for _, i := range p.all {
		if d := s.at(i); s.open[i] && (isRecord(d) || isFormFact(d, "totals", "record lengths", "records of no type") || p.names(d)) {
			list = append(list, i)
			records = records || isRecord(d)
		}
	}
	if n := s.altered(p); !records && n >= 0 && !slices.Contains(list, n) {
		list = append(list, n)
	}
	return list
}

// altered is the one number of the message that differs, -1 when there are several: which of them is wrong is not known,
// and they can have several causes.
func (s *state) altered(p *promises) int {
	found := -1
	for _, i := range p.all {
		switch {
		case !isCounted(s.at(i)):
		case found >= 0 || !s.open[i]:
			return -1
		default:
			found = i
		}
	}
	return found
}

// isCounted reports whether the difference is of a number that can be a part of a sum: days written in digits are none.
func isCounted(d *harness.Difference) bool {
	return inBody(d) && isDecimal(d.Was) && !digitDay.MatchString(d.Was.Text)
}

var digitDay = regexp.MustCompile(`^(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$`)

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

// split parts what a message says of itself from what it holds.
func (s *state) split(list []int) (facts, others []int) {
	for _, i := range list {
		if d := s.at(i); len(d.Path) == 3 && d.Path[1].Name == "form" {
			facts = append(facts, i)
		} else {
			others = append(others, i)
		}
	}
	return facts, others
}

// followFrom says of an earlier cause that it breaks promises, too, and gives it the facts about them.
func (s *state) followFrom(n int, p *promises, facts []int) {
	f := &s.findings[n]
	for _, i := range s.take(facts) {
		f.Differences = append(f.Differences, *s.at(i))
	}
	says := fmt.Sprintf("Because of that, %s breaks its own promises: %s.", p.slot.operation, strings.Join(p.said(), "; "))
	if len(f.Effects) < maxFollow {
		f.Effects = append(f.Effects, says)
	}
	f.Verdict = harness.Worst(f.Verdict, p.verdict())
}

// maxFollow is how many effects a cause has at most before broken promises are told no more.
const maxFollow = 12

// verdict is the worst that the invariants ask for; nothing when only the layout speaks.
func (p *promises) verdict() harness.Verdict {
	worst := harness.Same
	for _, b := range p.broken {
		worst = harness.Worst(worst, b.Invariant.Verdict)
	}
	return worst
}

// claimPromises makes one finding of messages that break the same promises, and of their copies.
func (s *state) claimPromises(group []*promises) {
	p := group[0]
	var list, lost []int
	for _, one := range group {
		own := s.take(s.related(one))
		list = append(list, own...)
		lost = append(lost, slices.DeleteFunc(own, func(i int) bool { return !isRecord(s.at(i)) || s.at(i).Class != harness.Removed })...)
	}
	s.kind.Kind, s.kind.Title = p.kind(len(lost) > 0)
	f := harness.Finding{Count: len(group), Unit: plural(p.unit()), Source: p.slot.from + ": " + p.slot.operation}
	if len(lost) > 0 {
		f = s.sized(lost)
		f.Hit = s.hits(lost)
	}
	if len(p.broken) > 0 {
		f.Verdict = p.verdict()
	}
	others := ""
	if len(group) > 1 {
		others = fmt.Sprintf(", and %s with numbers of their own", count(len(group)-1, "other "+p.unit()))
	}
	f.Sentence = fmt.Sprintf("%s from %s breaks its own promises: %s%s.", p.slot.operation, s.side(p.slot.from), strings.Join(p.said(), "; "), others)
	if len(lost) > 0 {
		f.Effects = append(f.Effects, s.lossSentence(lost))
	}
	f.Effects = append(f.Effects, p.reasons()...)
	f.NextStep = fmt.Sprintf("Do not import it. Ask %s for a whole one; what it promises of itself is what receivers check.", s.side(p.slot.from))
	for _, one := range group {
		list = append(list, s.claimCopies(&f, one)...)
	}
	follow := s.consequences(list)
	if len(lost) > 0 {
		follow.join(s.lostWith(lost, func(d *harness.Difference) bool { return isRecord(d) }))
	}
	follow.addTo(&f)
	s.claim(f, append(list, follow.list...))
}

// claimCopies adds what the target hands on of the message; each operation is told once.
func (s *state) claimCopies(f *harness.Finding, p *promises) []int {
	var list []int
	for _, c := range p.copies {
		if target := c.slot.to + ": " + c.slot.operation; !slices.Contains(f.Target, target) {
			f.Target = append(f.Target, target)
			f.Effects = append(f.Effects, fmt.Sprintf("%s to %s carries it on: %s.", c.slot.operation, s.side(c.slot.to), strings.Join(c.said(), "; ")))
		}
		list = append(list, s.take(s.related(c))...)
	}
	return list
}

func (p *promises) unit() string {
	return harness.KindOfChannel(p.slot.channel).Unit
}

// kind is what broken promises are evidence of: parts of the message are missing, or its sums do not hold.
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
