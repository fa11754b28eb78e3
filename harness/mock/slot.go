package mock

import "sync"

// who makes a call, as far as answers depend on it. An empty system or session is an unknown one; the entity is empty
// unless there are state keys.
type who struct{ system, session, entity string }

// anyone stands for all systems, sessions or entities of a slot. It is no name of one, because it is not UTF-8.
const anyone = "\xff"

// slot is the recorded answers to one call, in their order, and how far each caller has come.
type slot struct {
	first  entry
	groups map[who][]int32  // answers by who was given them; nil while there is one answer only
	keyed  map[int32]string // entity of each answer, when there are state keys

	mu   sync.Mutex
	next map[who]int // by caller; anyone is the cursor of all who have none of their own
	once bool        // the only answer was given
}

// entry is one recorded answer.
type entry struct {
	index int32
	who   who
}

// add appends an answer. With state keys each entity has a cursor, also where there is one answer only.
func (s *slot) add(e entry, empty, stateful bool) {
	if empty {
		s.first = e
		if !stateful {
			return
		}
	}
	if s.groups == nil {
		s.groups = map[who][]int32{}
		if !empty {
			s.file(s.first, stateful)
		}
	}
	s.file(e, stateful)
}

// file puts an answer into every group that a caller may belong to.
func (s *slot) file(e entry, stateful bool) {
	entities := []string{e.who.entity}
	if stateful {
		entities = append(entities, anyone)
		if s.keyed == nil {
			s.keyed = map[int32]string{}
		}
		s.keyed[e.index] = e.who.entity
	}
	for _, system := range []string{e.who.system, anyone} {
		for _, session := range []string{e.who.session, anyone} {
			for _, entity := range entities {
				g := who{system, session, entity}
				s.groups[g] = append(s.groups[g], e.index)
			}
		}
	}
}

// turn is the outcome of a call.
type turn struct {
	index    int32
	of       int  // answers in the sequence
	repeated bool // the sequence was at its end
	foreign  bool // the session never made this call
}

// take moves the cursor of the caller; not ok when the system never answered this call.
func (s *slot) take(caller who, stateful bool) (turn, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups == nil {
		if caller.system != "" && caller.system != s.first.who.system {
			return turn{}, false
		}
		repeated := s.once
		s.once = true
		return turn{s.first.index, 1, repeated, s.first.who.session != caller.session}, true
	}
	list, cursor := s.sequence(caller, stateful)
	if list == nil {
		return turn{}, false
	}
	if s.next == nil {
		s.next = map[who]int{}
	}
	foreign, i := cursor.session == anyone, s.next[cursor]
	if i >= len(list) {
		return turn{list[len(list)-1], len(list), true, foreign}, true
	}
	s.next[cursor] = i + 1
	return turn{list[i], len(list), false, foreign}, true
}

// sequence is the answers that a caller gets one after the other, and whose cursor counts them. A session that was not
// recorded gets the answers of all; an entity that was not recorded gets those of the entity that was recorded first, from
// their beginning.
func (s *slot) sequence(caller who, stateful bool) ([]int32, who) {
	g := caller
	if g.system == "" {
		g.system = anyone
	}
	whole := func() who {
		if stateful {
			return who{g.system, g.session, anyone}
		}
		return g
	}
	if g.session == "" || s.groups[whole()] == nil {
		g.session = anyone
	}
	all := s.groups[whole()]
	if len(all) == 0 {
		return nil, g
	}
	if list := s.groups[g]; list != nil || !stateful {
		return list, g
	}
	return s.groups[who{g.system, g.session, s.keyed[all[0]]}], g
}
