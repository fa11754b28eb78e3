package replay

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// step is one recorded request that is to be sent.
type step struct {
	harness.Exchange
	rank  int           // of its session
	due   time.Duration // after the beginning, not before; 0: at once
	wait  *wait         // the poll that it belongs to; nil: it is sent once
	round int           // its number within the poll
}

// stepsOf is all requests in the order of the recording, see [harness.Timeline].
func stepsOf(sessions Sessions) []*step {
	list, ranks := make([]harness.Exchange, 0, sessions.Count()), make([]int, 0, sessions.Count())
	for rank, session := range sessions {
		for _, x := range session.Exchanges {
			list, ranks = append(list, x), append(ranks, rank)
		}
	}
	steps := make([]*step, 0, len(list))
	for _, i := range harness.Timeline(list) {
		steps = append(steps, &step{Exchange: list[i], rank: ranks[i]})
	}
	return steps
}

// graph says what must be answered before each step. Its nodes are the steps, then those that only gather others. All
// edges lead from an earlier node to a later one or through a node that gathers, so there is no circle.
type graph struct {
	before []int   // of each node: how many others must have ended
	next   [][]int // of each node: whom its end concerns
	serial []int   // the steps in the order in which they are sent; nil: several at the same time
}

func newGraph(n int) *graph { return &graph{before: make([]int, n), next: make([][]int, n)} }

func (g *graph) edge(from, to int) {
	g.next[from] = append(g.next[from], to)
	g.before[to]++
}

// gather adds a node that ends when the other two have ended.
func (g *graph) gather(a, b int) int {
	g.before, g.next = append(g.before, 0), append(g.next, nil)
	n := len(g.before) - 1
	g.edge(a, n)
	g.edge(b, n)
	return n
}

// arrange orders the steps as the options say and gives each the moment at which it is due.
func arrange(steps []*step, o Options) (*graph, error) {
	g := newGraph(len(steps))
	if err := g.producers(steps, o.Links); err != nil {
		return nil, err
	}
	oneAtATime := o.Concurrency <= 1 || o.Order == harness.OrderGlobal
	g.sessions(steps, o.Order == harness.OrderOverlap && !oneAtATime)
	timeline := identity(len(steps))
	if oneAtATime {
		if o.Order != harness.OrderGlobal && o.Order != "" {
			timeline = g.oneByOne(steps)
		}
		g = newGraph(len(steps))
		for i := range len(timeline) - 1 {
			g.edge(timeline[i], timeline[i+1])
		}
		g.serial = timeline
	}
	setDue(steps, timeline, o.Replay)
	return g, nil
}

func identity(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// producers lets steps wait for those whose answers they need.
func (g *graph) producers(steps []*step, links Links) error {
	if links == nil {
		return nil
	}
	at := make(map[string]int, len(steps))
	for i, s := range steps {
		at[s.ID] = i
	}
	for i, s := range steps {
		if s.ID == "" {
			continue // appended by a candidate: nothing was mined of it
		}
		for _, id := range links.Producers(s.ID) {
			from, fed := at[id]
			if fed && from > i {
				return fmt.Errorf("order exchange %s: it needs a value of exchange %s, which was recorded after it", s.ID, id)
			}
			if fed && from < i {
				g.edge(from, i)
			}
		}
	}
	return nil
}

// sessions lets the steps of each session follow one another; with overlap those that overlapped in the recording need
// not.
func (g *graph) sessions(steps []*step, overlap bool) {
	of := map[int][]int{}
	for i, s := range steps {
		of[s.rank] = append(of[s.rank], i)
	}
	for _, rank := range sortedKeys(of) {
		list := of[rank]
		if overlap {
			g.overlapping(steps, list)
			continue
		}
		for i := range len(list) - 1 {
			g.edge(list[i], list[i+1])
		}
	}
}

func sortedKeys(m map[int][]int) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// overlapping lets each step follow all that had ended when it began. In order of their ends these are a beginning of
// the list, so one node for each length gathers them.
func (g *graph) overlapping(steps []*step, list []int) {
	end := func(i int) time.Time { return steps[i].At.Add(steps[i].Took) }
	ends := slices.Clone(list)
	slices.SortStableFunc(ends, func(a, b int) int { return end(a).Compare(end(b)) })
	place := make(map[int]int, len(list)) // of each step among the ends
	for p, i := range ends {
		place[i] = p
	}
	gathered := make([]int, len(ends)) // node that ends when the first so many have
	for p, i := range ends {
		if gathered[p] = i; p > 0 {
			gathered[p] = g.gather(gathered[p-1], i)
		}
	}
	for _, i := range list {
		ended := sort.Search(len(ends), func(p int) bool { return end(ends[p]).After(steps[i].At) })
		if ended = min(ended, place[i]); ended > 0 { // one that took no time ended when it began, and does not wait for itself
			g.edge(gathered[ended-1], i)
		}
	}
}

// oneByOne is the order in which the steps go when the earliest session that can go on always does: session by session,
// unless one needs a value of a later one.
func (g *graph) oneByOne(steps []*step) []int {
	waiting := slices.Clone(g.before)
	q := &queue{}
	for i := range steps {
		if waiting[i] == 0 {
			heap.Push(q, item{rank: steps[i].rank, step: i})
		}
	}
	order := make([]int, 0, len(steps))
	for q.Len() > 0 {
		i := heap.Pop(q).(item).step
		order = append(order, i)
		for _, n := range g.next[i] {
			if waiting[n]--; waiting[n] == 0 {
				heap.Push(q, item{rank: steps[n].rank, step: n})
			}
		}
	}
	return order
}

// setDue gives the steps their moments along the timeline, pauses cut to the longest allowed one.
func setDue(steps []*step, timeline []int, r harness.Replay) {
	if !r.Pace.Recorded() {
		return
	}
	var due time.Duration
	for n, i := range timeline {
		if n > 0 {
			gap := max(0, steps[i].At.Sub(steps[timeline[n-1]].At))
			gap = time.Duration(float64(gap) / r.Pace.Factor)
			if longest := time.Duration(r.MaxGap); longest > 0 {
				gap = min(gap, longest)
			}
			due += gap
		}
		steps[i].due = due
	}
}

// item is a step that may be sent.
type item struct {
	due        time.Duration
	rank, step int
}

// queue is what may be sent: what is due first, then the earliest session, then the order of the recording.
type queue []item

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.rank, b.rank), cmp.Compare(a.step, b.step)) < 0
}

func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push appends; package heap calls it.
func (q *queue) Push(x any) { *q = append(*q, x.(item)) }

// Pop takes the last one; package heap calls it.
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
