package replay

// shelf holds back what was sent until everything before it in its session is there, so that the order within a session
// is the recorded one although requests overlap. Its caller locks.
type shelf struct {
	keep  func(Sent) error
	slots []slot
	next  []int // of each session: the number that is waited for
	held  map[slot][]Sent
}

// slot is the place of a step in its session.
type slot struct{ rank, number int }

func newShelf(steps []*step, keep func(Sent) error) *shelf {
	s := &shelf{keep: keep, slots: make([]slot, len(steps)), held: map[slot][]Sent{}}
	numbers := map[int]int{}
	for i, step := range steps {
		s.slots[i] = slot{step.rank, numbers[step.rank]}
		numbers[step.rank]++
	}
	s.next = make([]int, len(numbers))
	return s
}

// put keeps what a step sent and what waited for it.
func (s *shelf) put(step int, sent []Sent) error {
	at := s.slots[step]
	s.held[at] = sent
	for {
		at.number = s.next[at.rank]
		list, here := s.held[at]
		if !here {
			return nil
		}
		delete(s.held, at)
		s.next[at.rank]++
		for _, x := range list {
			if err := s.keep(x); err != nil {
				return err
			}
		}
	}
}
