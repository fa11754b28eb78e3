package payload

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/payload/layout"
)

// runningTotal compares one promise of a layout with the records of a file while they are read.
type runningTotal struct {
	l        *layout.Layout
	t        *layout.Total
	promise  *layout.Field
	by       int // record type of the promise
	since    int // record type at which counting begins anew, or -1
	counted  []bool
	summed   [][]*layout.Field // by record type
	where    []*layout.Field   // by record type
	total    int64
	promised int // how often the promise was made
	any      bool
	spoiled  string // why the sum is not known
	broken   []string
	keeps    bool // what is promised is wanted
	made     []madePromise
}

// mostBroken bounds the promises that a fact lists.
const mostBroken = 5

func newTotals(l *layout.Layout) []*runningTotal {
	index := func(name string) int {
		return slices.IndexFunc(l.Records, func(r layout.Record) bool { return r.Type == name })
	}
	var all []*runningTotal
	for i := range l.Totals {
		t := &l.Totals[i]
		r := &runningTotal{l: l, t: t, promise: l.Field(t.Record, t.Field), by: index(t.Record), since: index(t.Since)}
		r.counted = make([]bool, len(l.Records))
		r.summed = make([][]*layout.Field, len(l.Records))
		r.where = make([]*layout.Field, len(l.Records))
		for _, name := range t.Counts {
			r.counted[index(name)] = true
		}
		for _, sum := range t.Sums {
			record, field, _ := strings.Cut(sum, ".")
			r.summed[index(record)] = append(r.summed[index(record)], l.Field(record, field))
		}
		for k := range l.Records {
			if t.Where != nil {
				r.where[k] = l.Field(l.Records[k].Type, t.Where.Field)
			}
		}
		all = append(all, r)
	}
	return all
}

// record takes a record of a type into account; number is its place in the file, from 1.
func (r *runningTotal) record(kind int, line []byte, number int) {
	if kind == r.since {
		r.total, r.spoiled = 0, ""
	}
	if (r.counted[kind] || len(r.summed[kind]) > 0) && r.applies(kind, line) {
		r.any = true
		if r.counted[kind] {
			r.total++
		}
		for _, f := range r.summed[kind] {
			value, ok := digitsOf(r.l, f, line)
			if !ok || value > 0 && r.total > math.MaxInt64-value || value < 0 && r.total < math.MinInt64-value {
				r.spoiled = fmt.Sprintf("%s of record %d cannot be added", f.Name, number)
				continue
			}
			r.total += value
		}
	}
	if kind == r.by {
		r.compare(line, number)
	}
}

func (r *runningTotal) applies(kind int, line []byte) bool {
	f := r.where[kind]
	if r.t.Where == nil || f == nil {
		return r.t.Where == nil
	}
	return len(line) >= f.End() && slices.Contains(r.t.Where.Is, strings.TrimRight(string(r.l.Plain(line[f.At-1:f.End()])), " "))
}

func (r *runningTotal) compare(line []byte, number int) {
	r.promised++
	total := r.total
	if r.t.Digits > 0 && r.t.Digits < 18 {
		total %= int64(math.Pow10(r.t.Digits))
	}
	says, ok := digitsOf(r.l, r.promise, line)
	r.keep(number, says, total, ok && r.spoiled == "")
	switch {
	case r.spoiled != "":
		r.add("%s %s in record %d: %s", r.t.Record, r.t.Field, number, r.spoiled)
	case !ok:
		r.add("%s %s in record %d is no number", r.t.Record, r.t.Field, number)
	case says != total:
		r.add("%s %s in record %d says %s, the records give %s", r.t.Record, r.t.Field, number, r.number(says), r.number(total))
	}
}

func (r *runningTotal) add(what string, args ...any) {
	if len(r.broken) < mostBroken {
		r.broken = append(r.broken, fmt.Sprintf(what, args...))
	}
}

// number writes a total with the decimals of its promise.
func (r *runningTotal) number(n int64) string {
	return numberOf(&layout.Field{Decimals: r.promise.Decimals, Pad: "0"}, strconv.AppendInt(nil, n, 10))
}

// digitsOf is the value of a field without its decimal point.
func digitsOf(l *layout.Layout, f *layout.Field, line []byte) (int64, bool) {
	if len(line) < f.End() {
		return 0, false
	}
	cell := line[f.At-1 : f.End()]
	text := ""
	if f.IsMachine() {
		text = strings.Replace(machineText(l, f, cell), ".", "", 1)
	} else {
		text = strings.Trim(string(l.Plain(cell)), " ")
	}
	if text == "" {
		return 0, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// brokenTotals lists the promises that do not hold, and the records that should make one and are not there.
func brokenTotals(totals []*runningTotal) string {
	var all []string
	for _, r := range totals {
		all = append(all, r.broken...)
		if missing := fmt.Sprintf("record %s is missing", r.t.Record); r.any && r.promised == 0 && !slices.Contains(all, missing) {
			all = append(all, missing)
		}
	}
	return strings.Join(all, "; ")
}
