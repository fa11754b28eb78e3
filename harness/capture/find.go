package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Limits of what a query may find before it names no single message.
const (
	mostHits     = 5000 // exchanges
	mostSessions = 25
	mostAlone    = 200 // exchanges without a session
)

// hit is an exchange that holds what is looked for.
type hit struct {
	at     int
	x      harness.Exchange
	places []string
}

// finding is the first pass over a source.
type finding struct {
	query    Query
	hits     []hit
	all      int            // hits, those that are not held among them
	sessions map[string]int // hits in each
	where    map[string]int // hits by place, of those that are held
	read     int
	nearest  time.Duration // of the hit of a moment
}

// each feeds a sink function with all exchanges of a source.
func each(ctx context.Context, source harness.Recorder, put func(at int, x harness.Exchange) error) error {
	return source.Record(ctx, &counting{put: put})
}

// counting is a sink that numbers what comes.
type counting struct {
	at  int
	put func(at int, x harness.Exchange) error
}

// Put hands the exchange on with its number, which is its ID where it has none.
func (c *counting) Put(x harness.Exchange) error {
	c.at++
	if x.ID == "" {
		x.ID = harness.SequenceID(c.at)
	}
	return c.put(c.at-1, x)
}

// Drop counts nothing: what is not there cannot be taken.
func (c *counting) Drop(string) {}

// LeaveOut counts nothing, as Drop.
func (c *counting) LeaveOut(string) {}

// find reads the source once.
func find(ctx context.Context, source harness.Recorder, q Query) (*finding, error) {
	f := &finding{query: q, sessions: map[string]int{}, where: map[string]int{}}
	if err := each(ctx, source, f.put); err != nil {
		return nil, err
	}
	if f.read == 0 {
		return nil, harness.Inconclusive(errors.New("capture: the source holds no exchange"), "name a recording, or a file of a known format")
	}
	return f, nil
}

func (f *finding) put(at int, x harness.Exchange) error {
	f.read = at + 1
	switch q := f.query; {
	case q.Exchange != "":
		if x.ID == q.Exchange || fmt.Sprint(at+1) == strings.TrimLeft(q.Exchange, "0") {
			f.hits = []hit{{at, x, nil}}
		}
	case !q.At.IsZero():
		f.moment(at, x)
	default:
		places, err := placesOf(&x, q)
		if err != nil || len(places) == 0 {
			return err
		}
		f.add(hit{at, x, places})
	}
	return nil
}

// add keeps a hit, as long as there is room.
func (f *finding) add(h hit) {
	f.all++
	f.sessions[h.x.Session]++
	if len(f.hits) >= mostHits {
		return
	}
	f.hits = append(f.hits, h)
	for _, place := range h.places {
		f.where[general(place)]++
	}
}

// farthest is how far from the moment that was named a failure may lie and still go before messages that are nearer.
const farthest = 2 * time.Minute

// moment keeps the message nearest to the moment; a failure counts as nearer than what went well.
func (f *finding) moment(at int, x harness.Exchange) {
	away := x.At.Sub(f.query.At).Abs()
	if !Fails(&x) || away > farthest {
		away += 24 * 365 * time.Hour
	}
	if len(f.hits) == 0 || away < f.nearest {
		f.nearest, f.hits = away, []hit{{at, x, nil}}
	}
}

// anchor is the hit that is meant: the first that fails, else the first. Of hits in many sessions none is.
func (f *finding) anchor() (int, error) {
	if err := f.everywhere(); err != nil {
		return 0, err
	}
	if at := slices.IndexFunc(f.hits, func(h hit) bool { return Fails(&h.x) }); at >= 0 {
		return at, nil
	}
	return 0, nil
}

// everywhere refuses what stands in so many places that it names no message.
func (f *finding) everywhere() error {
	alone := f.sessions[""]
	if len(f.sessions) <= mostSessions && alone <= mostAlone && f.all <= mostHits {
		return nil
	}
	const shown = 3
	var places []string
	for _, place := range byCount(f.where) {
		if len(places) < shown {
			places = append(places, fmt.Sprintf("%s (%d)", place, f.where[place]))
		}
	}
	return harness.Inconclusive(fmt.Errorf("capture: %s stands in %d of %d exchanges and in %s, so it names no message; most often in %s",
		f.query.what(), f.all, f.read, harness.Count(len(f.sessions), "session"), strings.Join(places, ", ")),
		"name the message by an identifier of its own, or with --exchange, --match or --at")
}

// byCount is the names, the most frequent first.
func byCount(counts map[string]int) []string {
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	return names
}

// what is the query in words.
func (q Query) what() string {
	switch {
	case len(q.Texts) > 0:
		return fmt.Sprintf("%q", q.Texts[0])
	case q.Exchange != "":
		return "exchange " + q.Exchange
	case q.Field != "":
		return fmt.Sprintf("%s=%q", q.Field, q.Value)
	}
	return q.At.Format(time.RFC3339)
}
