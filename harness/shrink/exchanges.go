package shrink

import (
	"context"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// exchanges takes away whole exchanges: what came after the failure, then everything that neither stands in its session
// nor gives it values, then the beginning by halves, then sessions, then exchanges with those that need them, then single
// ones whatever seems to need them.
func (s *search) exchanges(ctx context.Context) error {
	for _, step := range []func(context.Context) error{s.behind, s.related, s.before, s.sessions, s.linked, s.single} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	s.tell(s.left(), true)
	return nil
}

// failing is the index of the exchange that fails; the last one when the failure is one of what the target hands on.
func (s *search) failing() int {
	at := len(s.best) - 1
	for i := range s.best {
		if s.best[i].ID == s.failingID {
			at = i
		}
	}
	return at
}

// behind leaves out what came after the failure.
func (s *search) behind(ctx context.Context) error {
	list := s.best[:s.failing()+1]
	if len(list) == len(s.best) {
		return nil
	}
	_, err := s.first(ctx, 1, func(int) (candidate, error) { return slices.Clone(list), nil })
	return err
}

// related keeps the failing exchange with what gives it values, else its session with what gives that values.
func (s *search) related(ctx context.Context) error {
	links, err := s.links()
	if err != nil {
		return err
	}
	list, at := s.best, s.failing()
	_, err = s.first(ctx, 2, func(i int) (candidate, error) {
		want := map[int]bool{at: true}
		for n := range list {
			if i == 1 && list[n].Session != "" && list[n].Session == list[at].Session {
				want[n] = true
			}
		}
		kept := closed(want, links)
		if len(kept) == len(list) {
			return nil, nil
		}
		return pick(list, kept), nil
	})
	return err
}

// closed is the wanted exchanges with all that they need, in order.
func closed(want map[int]bool, links [][]int) []int {
	var list, open []int
	for n := range want {
		open = append(open, n)
	}
	for len(open) > 0 {
		n := open[len(open)-1]
		open, list = open[:len(open)-1], append(list, n)
		if n >= len(links) {
			continue
		}
		for _, producer := range links[n] {
			if !want[producer] {
				want[producer] = true
				open = append(open, producer)
			}
		}
	}
	slices.Sort(list)
	return list
}

// links are, for each exchange of the best so far, the indexes of those that give it values.
func (s *search) links() ([][]int, error) {
	if s.Links == nil {
		return nil, nil
	}
	return s.Links(s.best)
}

// before looks for the last exchange with which the recording can begin, by halves.
func (s *search) before(ctx context.Context) error {
	list := s.best
	least, most := 0, len(list)-1 // beginning at least fails
	for least < most {
		middle := (least + most + 1) / 2
		at, err := s.first(ctx, 1, func(int) (candidate, error) { return slices.Clone(list[middle:]), nil })
		if err != nil {
			return err
		}
		if at == 0 {
			least = middle
		} else {
			most = middle - 1
		}
	}
	return nil
}

// sessions leaves out whole sessions. Exchanges without one are one each.
func (s *search) sessions(ctx context.Context) error {
	list := s.best
	var units [][]int
	unitOf := map[string]int{}
	for i := range list {
		name := list[i].Session
		at, known := unitOf[name]
		if !known || name == "" {
			at = len(units)
			unitOf[name] = at
			units = append(units, nil)
		}
		units[at] = append(units[at], i)
	}
	if len(units) < 2 {
		return nil
	}
	_, err := ddmin(len(units), func(candidates [][]int) (int, error) {
		return s.first(ctx, len(candidates), func(c int) (candidate, error) {
			var kept []int
			for _, u := range candidates[c] {
				kept = append(kept, units[u]...)
			}
			slices.Sort(kept)
			return pick(list, kept), nil
		})
	})
	return err
}

// linked leaves out exchanges together with those that need values of them, so that what is fed stays a whole.
func (s *search) linked(ctx context.Context) error {
	links, err := s.links()
	if err != nil || links == nil {
		return err
	}
	list := s.best
	_, err = ddmin(len(list), func(candidates [][]int) (int, error) {
		return s.first(ctx, len(candidates), func(c int) (candidate, error) {
			return pick(list, complete(candidates[c], links)), nil
		})
	})
	return err
}

// complete is the exchanges of the list whose producers are all in it. Producers come before those that need them.
func complete(list []int, links [][]int) []int {
	in := map[int]bool{}
	var whole []int
	for _, n := range list {
		if !slices.ContainsFunc(links[n], func(p int) bool { return !in[p] }) {
			in[n] = true
			whole = append(whole, n)
		}
	}
	return whole
}

// single leaves out exchanges one by one, whatever seems to need them: a link may be there and not matter.
func (s *search) single(ctx context.Context) error {
	list := s.best
	_, err := ddmin(len(list), func(candidates [][]int) (int, error) {
		return s.first(ctx, len(candidates), func(c int) (candidate, error) { return pick(list, candidates[c]), nil })
	})
	return err
}

func pick(list []harness.Exchange, kept []int) candidate {
	out := make(candidate, len(kept))
	for n, i := range kept {
		out[n] = list[i]
	}
	return out
}
