package rehearsal

import (
	"fmt"
	"iter"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay"
)

// comparable leaves out of both sides the answers that only said "not yet": how often a request had to be repeated is a
// matter of time. An answer of this run that said it in another way than those of the recording stays, and so does a
// recorded one for it.
func (f *feeding) comparable(before, after harness.Recording) (harness.Recording, harness.Recording) {
	if len(f.account.Polls) == 0 {
		return before, after
	}
	recorded, live := map[string]harness.Exchange{}, map[string][]harness.Exchange{}
	for _, session := range f.sessions {
		for _, x := range session.Exchanges {
			recorded[x.ID] = x
		}
	}
	of := map[string]string{}
	for _, c := range f.crossed {
		of[c.ID] = c.of
	}
	for x := range after.Exchanges() { // from memory: no errors
		live[of[x.ID]] = append(live[of[x.ID]], x)
	}
	left := [2]without{{before, map[string]bool{}}, {after, map[string]bool{}}}
	for _, p := range f.account.Polls {
		f.pairRounds(p, recorded, live, left)
	}
	return left[0], left[1]
}

// pairRounds notes which rounds of a poll are left out on each side.
func (f *feeding) pairRounds(p replay.Poll, recorded map[string]harness.Exchange, live map[string][]harness.Exchange, left [2]without) {
	var was, is []harness.Exchange
	for _, id := range p.Rounds {
		was = append(was, recorded[id])
		is = append(is, live[id]...)
	}
	others := 0
	for i := range max(0, len(is)-1) {
		if !replay.SaysTheSame(was, is[i]) && others < len(was)-1 {
			others++
			continue
		}
		left[1].ids[is[i].ID] = true
	}
	for _, x := range was[others : len(was)-1] {
		left[0].ids[x.ID] = true
	}
}

// feedNotes says what there is to say about the feeding: how often requests were repeated, what was late, what could not
// be done as the scenario says.
func (f *feeding) feedNotes() []string {
	notes := slices.Concat(f.notes, f.account.Notes, f.notesOfDress())
	if f.carried != nil {
		notes = append(notes, f.carried.notes()...)
	}
	for _, p := range f.account.Polls {
		outcome := "until "
		switch {
		case p.Missed:
			outcome = "without reaching "
		case p.Other:
			outcome = "up to an answer of another kind, short of "
		}
		notes = append(notes, fmt.Sprintf("%s was repeated %s%s: %s, %d in the recording", p.Title, outcome, p.Until, harness.Count(p.Attempts, "request"), len(p.Rounds)))
	}
	if late := f.account.Late; late.Requests > 0 {
		notes = append(notes, fmt.Sprintf("%s went out later than the pace says, by %s at most: what came before took longer than in the recording, or concurrency is too low",
			harness.Count(late.Requests, "request"), late.Most.Round(1e6)))
	}
	if f.untold > 0 {
		notes = append(notes, fmt.Sprintf("%s of the target had no %s that tells the session; they are kept without a session",
			harness.Count(f.untold, "call"), f.options.SessionHeader))
	}
	return notes
}

// without is a recording that lacks some exchanges.
type without struct {
	harness.Recording
	ids map[string]bool
}

func (w without) Exchanges() iter.Seq2[harness.Exchange, error] {
	return func(yield func(harness.Exchange, error) bool) {
		for x, err := range w.Recording.Exchanges() {
			if err == nil && w.ids[x.ID] {
				continue
			}
			if !yield(x, err) {
				return
			}
		}
	}
}
