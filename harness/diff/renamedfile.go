package diff

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// Limits for taking a file for another one under a new name.
const (
	maxRenamedFiles = 200      // that have no partner, on one side
	maxRenamedBytes = 16 << 20 // of one file
	minSameLines    = 3        // different ones that both have
	minSameShare    = 0.5      // of the lines of the larger file
)

// joinRenamedFiles pairs files that have no partner of their name with files of other names in the same session and
// direction when at least half of their lines are the same, the most alike first. How a file is read does not matter.
func (m *matcher) joinRenamedFiles() {
	was, is := m.files(m.was, func(x *harness.Exchange) bool { return m.partner[x] == nil }), m.files(m.is, func(x *harness.Exchange) bool { return !m.taken[x] })
	if len(was) == 0 || len(is) == 0 || len(was) > maxRenamedFiles || len(is) > maxRenamedFiles {
		return
	}
	seed := maphash.MakeSeed()
	type alike struct {
		a, b  *harness.Exchange
		share float64
	}
	var all []alike
	lines := map[*harness.Exchange]map[uint64]int{}
	for _, x := range slices.Concat(was, is) {
		lines[x] = linesOf(x, seed)
	}
	for _, a := range was {
		for _, b := range is {
			if a.From == b.From && a.To == b.To && a.Session == m.rename[b.Session] {
				if share := sameLines(lines[a], lines[b]); share >= minSameShare {
					all = append(all, alike{a, b, share})
				}
			}
		}
	}
	slices.SortStableFunc(all, func(x, y alike) int { return cmp.Compare(y.share, x.share) })
	for _, p := range all {
		if m.partner[p.a] == nil && !m.taken[p.b] {
			m.partner[p.a], m.taken[p.b] = p.b, true
		}
	}
}

func (m *matcher) files(all []harness.Exchange, keep func(*harness.Exchange) bool) []*harness.Exchange {
	var list []*harness.Exchange
	for i := range all {
		if x := &all[i]; x.Channel == harness.ChannelFile && keep(x) {
			list = append(list, x)
		}
	}
	return list
}

// linesOf counts the lines of a file by hash; nothing for a file that is too large. A file that cannot be read has no
// lines here: its comparison says so.
func linesOf(x *harness.Exchange, seed maphash.Seed) map[uint64]int {
	if x.Request.Body.Size() > maxRenamedBytes {
		return nil
	}
	body, err := x.Request.Body.Bytes()
	if err != nil {
		return nil
	}
	lines := map[uint64]int{}
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			lines[maphash.Bytes(seed, line)]++
		}
	}
	return lines
}

// sameLines is the share of the larger file that both have in common; nothing when they have hardly any line in common.
func sameLines(a, b map[uint64]int) float64 {
	common, distinct, was, is := 0, 0, 0, 0
	for line, n := range a {
		was += n
		if m := min(n, b[line]); m > 0 {
			common += m
			distinct++
		}
	}
	for _, n := range b {
		is += n
	}
	if distinct < minSameLines {
		return 0
	}
	return float64(common) / float64(max(was, is))
}
