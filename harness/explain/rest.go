package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// leftover is one row of the table of what nobody claimed: which differences, and how to say it.
type leftover struct {
	fits     func(s *state, d *harness.Difference) bool
	sentence func(s *state, d *harness.Difference, list []int) string
	next     string
}

const lookAt = "Look at the samples. Declare the change in expect, cover it with a rule and a reason, or mend it."

// leftovers is the table; the first row that fits speaks. Lost data is never noise.
var leftovers = []leftover{
	{isNewFault, sayFault, "Repeat the run; when it breaks off again, look into the log of the system that was called."},
	{isLostDelivery, sayMissingCall, "Find out why the target does not deliver any more; the receiver works with old data until then."},
	{hasClass(harness.MissingCall), sayMissingCall, lookAt},
	{hasClass(harness.ExtraCall), sayExtraCall, lookAt},
	{isLostRecord, sayLostRecords, "Find the record in the input and follow it through the mapping."},
	{isWholeRecord, sayNewRecords, lookAt},
	{isMessage, sayMessage, lookAt},
	{hasClass(harness.Reformed), sayForm, lookAt},
	{isAny, sayField, lookAt},
}

// detectRest shows what nobody claimed, one finding for each field and class, or for places that changed together.
func detectRest(s *state) {
	var left []int
	for i, open := range s.open {
		if open {
			left = append(left, i)
		}
	}
	for _, b := range s.oneEachField(s.bundled(s.grouped(left))) {
		g := b.groups[0]
		f := s.sized(g.list)
		f.Hit, f.NextStep = s.hits(g.list), b.row.next
		if f.Sentence = b.row.sentence(s, s.at(g.list[0]), g.list); len(b.groups) > 1 {
			f.Sentence, f.Effects = s.sayTogether(b)
		}
		f.Effects = append(f.Effects, s.alsoIn(b.also)...)
		s.claim(f, b.list())
	}
}

func hasClass(class harness.ChangeClass) func(*state, *harness.Difference) bool {
	return func(_ *state, d *harness.Difference) bool { return d.Class == class }
}

func isAny(*state, *harness.Difference) bool { return true }

func isNewFault(_ *state, d *harness.Difference) bool {
	return len(d.Path) == 1 && d.Path[0].Name == "fault" && !d.Is.IsAbsent()
}

func isWholeRecord(_ *state, d *harness.Difference) bool { return isRecord(d) }

func isLostRecord(s *state, d *harness.Difference) bool {
	return isRecord(d) && d.Class == harness.Removed && s.downstream(d)
}

// isLostDelivery reports whether the target does not hand on a file, or does not write to another system, any more.
func isLostDelivery(s *state, d *harness.Difference) bool {
	if d.Class != harness.MissingCall || !s.downstream(d) {
		return false
	}
	x := s.before.byID[d.Exchange]
	switch x.Request.Head.Get(harness.FieldMethod) {
	case "GET", "HEAD", "OPTIONS":
		return false
	}
	return true
}

func isMessage(_ *state, d *harness.Difference) bool {
	return len(d.Path) == 1 || len(d.Path) == 2 && d.Path[1].Name == "body"
}

func sayFault(s *state, d *harness.Difference, list []int) string {
	return fmt.Sprintf("%s to %s breaks off: %s (%s); no cause was found.", d.Operation, s.side(d.To), d.Is.Text, s.share(list))
}

func sayMissingCall(s *state, d *harness.Difference, list []int) string {
	if !isAnswered(d) {
		return fmt.Sprintf("%s is not delivered to %s any more (%s); no cause was found.", d.Operation, s.side(d.To), s.share(list))
	}
	return fmt.Sprintf("%s to %s is not called any more (%s missing); no cause was found.", d.Operation, s.side(d.To), s.share(list))
}

func sayExtraCall(s *state, d *harness.Difference, list []int) string {
	if !isAnswered(d) {
		return fmt.Sprintf("%s is delivered to %s %s more than before; no cause was found.", d.Operation, s.side(d.To), count(len(list), "time"))
	}
	return fmt.Sprintf("%s to %s is called %s more than before; no cause was found.", d.Operation, s.side(d.To), count(len(list), "time"))
}

func sayLostRecords(s *state, d *harness.Difference, list []int) string {
	return fmt.Sprintf("%s missing from %s to %s%s; no cause was found.", count(len(list), unitOf(d)), d.Operation, s.side(receiver(d)), s.volume(list))
}

func sayNewRecords(s *state, d *harness.Difference, list []int) string {
	return fmt.Sprintf("%s new in %s to %s; no cause was found.", count(len(list), unitOf(d)), d.Operation, s.side(receiver(d)))
}

func sayMessage(s *state, d *harness.Difference, list []int) string {
	what := fieldName(d)
	if !isAnswered(d) {
		what = "content"
	}
	return fmt.Sprintf("The %s of %s from %s %s (%s); no cause was found.", what, d.Operation, s.side(answerer(d)), verbOf(d), s.share(list))
}

func sayForm(s *state, d *harness.Difference, list []int) string {
	return fmt.Sprintf("The form of %s in %s from %s changed, not the value: %s → %s (%s).",
		fieldName(d), d.Operation, s.side(answerer(d)), textOf(d.Was), textOf(d.Is), count(s.places(list), "place"))
}

func sayField(s *state, d *harness.Difference, list []int) string {
	where := count(s.places(list), "place")
	if s.whole(list) > 1 {
		where = s.share(list)
	}
	return fmt.Sprintf("%q in %s from %s %s in %s; no cause was found.", fieldName(d), d.Operation, s.side(answerer(d)), verbOf(d), where)
}
