package mock

import (
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
)

// slot is the recorded answers to one call, in their order, and how far each session has come.
type slot struct {
	order     []int32
	bySession map[string][]int32 // nil while there is one answer only

	mu   sync.Mutex
	next map[string]int // by session; foreignSession is the cursor of all others
	once bool           // the only answer was given
}

// foreignSession is no name of a session, because it is not UTF-8.
const foreignSession = "\xff"

// add appends the exchange of that index, which is not in exchanges yet.
func (s *slot) add(index int32, exchanges []harness.Exchange, session string) {
	s.order = append(s.order, index)
	if len(s.order) < 2 {
		return
	}
	if s.bySession == nil {
		first := s.order[0]
		s.bySession = map[string][]int32{exchanges[first].Session: {first}}
	}
	s.bySession[session] = append(s.bySession[session], index)
}

// turn is the outcome of a call.
type turn struct {
	index    int32
	of       int  // answers in the sequence
	repeated bool // the sequence was at its end
	foreign  bool // the session never made this call
}

// take moves the cursor of the session.
func (s *slot) take(session string, exchanges []harness.Exchange) turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bySession == nil {
		index, repeated := s.order[0], s.once
		s.once = true
		return turn{index, 1, repeated, exchanges[index].Session != session}
	}
	list, own := s.bySession[session]
	if session == "" || !own {
		list, own, session = s.order, false, foreignSession
	}
	if s.next == nil {
		s.next = map[string]int{}
	}
	i := s.next[session]
	if i >= len(list) {
		return turn{list[len(list)-1], len(list), true, !own}
	}
	s.next[session] = i + 1
	return turn{list[i], len(list), false, !own}
}
