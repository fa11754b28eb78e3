package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectFileRenamed claims files whose content was found under another name.
func detectFileRenamed(s *state) {
	for _, g := range s.groups(func(d *harness.Difference) bool {
		return d.Channel == harness.ChannelFile && d.Class == harness.Changed && len(d.Path) == 3 && d.Path[2].Name == harness.FieldName
	}) {
		d := s.at(g.list[0])
		now := s.now(d)
		if now.Operation() == d.Operation {
			continue // a day or number within the name
		}
		f := s.sized(g.list)
		f.Verdict = harness.Review
		f.Sentence = fmt.Sprintf("%s from %s is called %s now (%s, mostly the same lines).", d.Operation, s.side(answerer(d)), now.Operation(), s.share(g.list))
		f.NextStep = fmt.Sprintf("Let whoever picks up %s look for %s, or ask %s for the old name.", d.Operation, now.Operation(), s.side(answerer(d)))
		s.missesFile(&f, d)
		s.claim(f, s.take(g.list))
	}
}

// missesFile says what a file that is not there under its name does to the receiver.
func (s *state) missesFile(f *harness.Finding, d *harness.Difference) {
	if s.downstream(d) {
		f.Verdict = harness.Breaking
		f.Effects = append(f.Effects, fmt.Sprintf("%s waits for %s and goes on with old data, or fails.", s.side(receiver(d)), d.Operation))
	}
}

// recast is files that are not delivered any more, and files that came in their place with the same data in another
// layout.
type recast struct {
	was, is []int // missing and extra calls
	parts   []layoutMatch
}

// detectFilesRecast claims files that are gone together with those that carry their records now: one file for another,
// several that became one, or one that was split.
func detectFilesRecast(s *state) {
	missing := s.fileTables(harness.MissingCall)
	extra := s.fileTables(harness.ExtraCall)
	var all []*recast
	of := map[int]*recast{}
	for _, a := range missing {
		for _, b := range extra {
			if a.exchange.From != b.exchange.From || a.exchange.To != b.exchange.To || a.exchange.Session != b.exchange.Session {
				continue
			}
			m, ok := matchLayouts(a, b)
			if !ok {
				continue
			}
			r := of[a.call]
			if r == nil {
				r = of[b.call]
			}
			if r == nil {
				r = &recast{}
				all = append(all, r)
			}
			if other := of[b.call]; other != nil && other != r {
				continue // both belong to another cause already
			}
			of[a.call], of[b.call] = r, r
			r.add(m)
		}
	}
	for _, r := range all {
		for _, a := range missing {
			if of[a.call] == nil {
				r.addSmall(a)
			}
		}
		s.claimRecast(r)
	}
}

// addSmall adds a file that is too small to be evidence by itself, when its records are found by the very columns of
// another file: three teachers beside a hundred students.
func (r *recast) addSmall(a *fileTable) {
	for _, proven := range r.parts {
		b := proven.b
		if a.exchange.From != b.exchange.From || a.exchange.To != b.exchange.To || a.exchange.Session != b.exchange.Session {
			continue
		}
		if m, ok := proven.again(a); ok {
			r.add(m)
			return
		}
	}
}

func (r *recast) add(m layoutMatch) {
	if !slices.Contains(r.was, m.a.call) {
		r.was = append(r.was, m.a.call)
	}
	if !slices.Contains(r.is, m.b.call) {
		r.is = append(r.is, m.b.call)
	}
	r.parts = append(r.parts, m)
}

func (s *state) claimRecast(r *recast) {
	list := s.take(slices.Concat(r.was, r.is))
	if len(list) < 2 {
		return
	}
	d := s.at(r.was[0])
	was, is := s.operations(r.was), s.operations(r.is)
	f := harness.Finding{Verdict: harness.Review, Count: len(r.was), Unit: "files", Source: s.place(answerer(d), d)}
	verb := "comes"
	if len(was) > 1 {
		verb = "come"
	}
	f.Sentence = fmt.Sprintf("%s from %s %s as %s now, in another layout.", listSome(was, 6), s.side(answerer(d)), verb, listSome(is, 6))
	for _, m := range r.parts {
		f.Effects = append(f.Effects, m.sentences()...)
		f.Target = append(f.Target, d.To+": "+m.b.exchange.Operation())
	}
	f.NextStep = fmt.Sprintf("Agree on the new layout with %s before it goes live, or write the old files again.", s.side(receiver(d)))
	s.missesFile(&f, d)
	s.claim(f, list)
}

// operations names the calls, each once.
func (s *state) operations(calls []int) []string {
	var names []string
	for _, i := range calls {
		if name := s.at(i).Operation; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// manyFiles is how many files that come or stay away are one finding instead of one each.
const manyFiles = 3

// detectFileSet claims files that stay away, or are new, where they are many: one finding for each direction.
func detectFileSet(s *state) {
	for _, class := range []harness.ChangeClass{harness.MissingCall, harness.ExtraCall} {
		type route struct{ from, to string }
		lists := map[route][]int{}
		var order []route
		for _, i := range s.unclaimed(func(d *harness.Difference) bool { return d.Channel == harness.ChannelFile && d.Class == class }) {
			r := route{s.at(i).From, s.at(i).To}
			if lists[r] == nil {
				order = append(order, r)
			}
			lists[r] = append(lists[r], i)
		}
		for _, r := range order {
			names := s.operations(lists[r])
			if len(names) < manyFiles {
				continue
			}
			d := s.at(lists[r][0])
			f := harness.Finding{Count: len(names), Unit: "files", Source: s.side(r.from), NextStep: lookAt}
			f.Sentence = fmt.Sprintf("%d files are new from %s to %s: %s; no cause was found.", len(names), s.side(r.from), s.side(r.to), listSome(names, 6))
			if class == harness.MissingCall {
				f.Sentence = fmt.Sprintf("%d files are not delivered from %s to %s any more: %s; no cause was found.", len(names), s.side(r.from), s.side(r.to), listSome(names, 6))
				if s.downstream(d) {
					f.NextStep = "Find out why the target does not deliver any more; the receiver works with old data until then."
				}
			}
			s.claim(f, lists[r])
		}
	}
}
