package httptap

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
)

// Filter says which exchanges are recorded. The others pass all the same; they are counted as left out, not as lost. The
// zero value records all.
type Filter struct {
	Hosts    []string // that the client asked for, as in [Proxy.Hosts]; empty: all
	Methods  []string // empty: all
	Paths    []string // globs of paths without query: * stops at slashes, ** does not; empty: all
	NotPaths []string // globs of paths that are left out
	MaxSize  int64    // most bytes of both bodies together; 0: no limit

	// Sample is the share of sessions that are recorded, between 0 and 1; 0: all. A session is recorded whole or not at
	// all, and by the same name again the next time. What has no session is chosen by its connection.
	Sample float64
}

// filter is a Filter that is ready.
type filter struct {
	Filter
	paths, notPaths []*regexp.Regexp
}

func newFilter(f Filter) filter {
	return filter{f, globs(f.Paths), globs(f.NotPaths)}
}

// globs compiles patterns of paths.
func globs(patterns []string) []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, p := range patterns {
		quoted := regexp.QuoteMeta(p)
		quoted = strings.ReplaceAll(quoted, `\*\*`, `.*`)
		quoted = strings.ReplaceAll(quoted, `\*`, `[^/]*`)
		all = append(all, regexp.MustCompile(`^(?:`+quoted+`)$`))
	}
	return all
}

func matchesAny(globs []*regexp.Regexp, path string) bool {
	return slices.ContainsFunc(globs, func(g *regexp.Regexp) bool { return g.MatchString(path) })
}

// leavesOut says why a request is not recorded, or nothing.
func (f *filter) leavesOut(r *http.Request, host, session string) string {
	path := r.URL.EscapedPath()
	switch {
	case len(f.Hosts) > 0 && !slices.ContainsFunc(f.Hosts, func(p string) bool { return matchHost(p, host) }):
		return "other host"
	case len(f.Methods) > 0 && !slices.Contains(f.Methods, r.Method):
		return "other method"
	case len(f.paths) > 0 && !matchesAny(f.paths, path):
		return "other path"
	case matchesAny(f.notPaths, path):
		return "path that is left out"
	case f.Sample > 0 && f.Sample < 1 && !sampled(unitOf(r, session), f.Sample):
		return "session outside of the sample"
	}
	return ""
}

// tooLarge says why an exchange with bodies of that size is not recorded, or nothing.
func (f *filter) tooLarge(size int64) string {
	if f.MaxSize > 0 && size > f.MaxSize {
		return fmt.Sprintf("bodies of more than %d bytes", f.MaxSize)
	}
	return ""
}

// unitOf is what is sampled as one: the session, else the connection.
func unitOf(r *http.Request, session string) string {
	if session != "" {
		return session
	}
	if c := clientConnOf(r); c != nil {
		return fmt.Sprintf("conn-%d", c.number)
	}
	return r.RemoteAddr
}

// sampled reports whether a name falls into the share, evenly spread over all names.
func sampled(name string, share float64) bool {
	sum := sha256.Sum256([]byte(name))
	return float64(binary.BigEndian.Uint64(sum[:8])) < share*math.MaxUint64
}

// account counts what was passed on and not recorded, by reason.
type account struct {
	mu     sync.Mutex
	counts map[string]int
}

// maxReasons bounds the account, for hosts of tunnels are reasons, too.
const maxReasons = 1000

func (a *account) add(reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.counts == nil {
		a.counts = map[string]int{}
	}
	if _, known := a.counts[reason]; !known && len(a.counts) >= maxReasons {
		reason = "other reasons"
	}
	a.counts[reason]++
}

// leftOut is why something is not recorded that passed.
type leftOut struct {
	reason string
	host   string // that it was for, where the reason is about hosts; the recording does not name it
}

// LeftOut counts what passed and was not recorded because nobody wanted it, by reason, hosts named: exchanges that the
// filter leaves out, and tunnels of a proxy that were not opened.
func (t *Tap) LeftOut() map[string]int {
	t.left.mu.Lock()
	defer t.left.mu.Unlock()
	counts := make(map[string]int, len(t.left.counts))
	for reason, n := range t.left.counts {
		counts[reason] = n
	}
	return counts
}

func (t *Tap) leaveOut(sink harness.Sink, l leftOut) {
	sink.LeaveOut(l.reason)
	if l.host != "" {
		l.reason += ": " + l.host
	}
	t.left.add(l.reason)
}

// Notes say what passed and is not in the recording, what was sent more than once, and whom nobody verified.
func (t *Tap) Notes() []string {
	var notes []string
	for reason, n := range t.LeftOut() {
		notes = append(notes, fmt.Sprintf("left out, not lost: %s: %s", harness.Count(n, "crossing"), reason))
	}
	slices.Sort(notes)
	if n := t.again.Load(); n > 0 {
		notes = append(notes, fmt.Sprintf("%s went to %s a second time, because a kept connection was closed before an answer came: it may have got them twice",
			harness.Count(int(n), "request"), cmp.Or(t.To, "an upstream")))
	}
	if t.lane == nil {
		return notes
	}
	for _, host := range t.lane.unverifiedHosts() {
		notes = append(notes, fmt.Sprintf("%s was not verified: nobody checked that it is the upstream", host))
	}
	return notes
}
