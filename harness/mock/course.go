package mock

import "sync"

// lead is what the last answer of a caller says about the next one of a caller who names no recorded session.
type lead struct {
	session   string // of the last answer
	next      int32  // the exchange that happened after it
	following string // the session of that one
	keeps     bool   // the caller keeps to the order in which the exchanges happened, from session to session
}

// course is how far those callers have come in a sequence of answers of many sessions. Within a session answers are given
// in their order; whose turn it is, the leads say.
type course struct {
	all    []int32            // answers that are not given, from the first such on
	begins []int32            // of them: those that begin a session
	own    map[string][]int32 // and those of a session, by session
	ahead  map[int32]bool     // answers that were given before their turn in all
}

func newCourse(all, begins []int32) *course {
	return &course{all: all, begins: begins, own: map[string][]int32{}, ahead: map[int32]bool{}}
}

// choose names the answer that is due; not ok when all were given. A caller who keeps to the recording goes on in it,
// another one in the session of the last answer, and who leaves that begins a session if one begins with this call. The
// lead is nil when nothing is known.
func (c *course) choose(from *lead, session func(string) []int32) (int32, bool) {
	if from != nil {
		if i, ok := c.due(from.following, session); ok && i == from.next && from.keeps {
			return i, true
		}
		if i, ok := c.due(from.session, session); ok {
			return i, true
		}
	}
	if c.begins = c.rest(c.begins); len(c.begins) > 0 {
		return c.begins[0], true
	}
	if len(c.all) > 0 {
		return c.all[0], true
	}
	return 0, false
}

// due is the first answer of the session that was not given.
func (c *course) due(name string, session func(string) []int32) (int32, bool) {
	left, known := c.own[name]
	if !known {
		if left = session(name); left == nil {
			return 0, false
		}
	}
	left = c.rest(left)
	c.own[name] = left
	if len(left) == 0 {
		return 0, false
	}
	return left[0], true
}

// rest is the list from the first answer on that was not given.
func (c *course) rest(list []int32) []int32 {
	for len(list) > 0 && c.given(list[0]) {
		list = list[1:]
	}
	return list
}

func (c *course) given(i int32) bool { return len(c.all) == 0 || i < c.all[0] || c.ahead[i] }

// give marks an answer.
func (c *course) give(i int32) {
	c.ahead[i] = true
	for len(c.all) > 0 && c.ahead[c.all[0]] {
		delete(c.ahead, c.all[0])
		c.all = c.all[1:]
	}
}

// trail tells callers apart who name no recorded session: by the name that they give, or else by their connection.
type trail struct{ session, connection string }

// step is the answer that a caller got last.
type step struct {
	index int32
	keeps bool // as in a lead
}

// trails remembers the last step of each caller. A connection that is new goes on where the last call of any went.
type trails struct {
	mu           sync.Mutex
	newer, older map[trail]step
	latest       *step // of all that name no session
}

// trailsKept is how many callers are remembered at least, and half of how many at most.
const trailsKept = 4096

// last is not ok when the caller got no answer yet.
func (t *trails) last(of trail) (s step, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s, ok = t.newer[of]; ok {
		return s, true
	}
	if s, ok = t.older[of]; ok {
		return s, true
	}
	if t.latest == nil || of.session != "" {
		return step{}, false
	}
	return *t.latest, true
}

func (t *trails) put(of trail, s step) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.newer == nil || len(t.newer) >= trailsKept {
		t.older, t.newer = t.newer, map[trail]step{}
	}
	t.newer[of] = s
	if of.session == "" {
		t.latest = &s
	}
}
