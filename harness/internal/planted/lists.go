package planted

import (
	"bufio"
	"io"
	"math/rand/v2"
	"strconv"
)

// record is one entry of a list.
type record struct {
	i       int
	added   bool
	changed bool
	stamped bool // it has the later time stamp
}

// records calls use with each record of the first list, or of the second one, in order.
func (w Workload) records(second bool, use func(record)) {
	const block = 1_000_000
	for from := 0; from < w.Records; from += block {
		list := w.block(second, from, min(from+block, w.Records))
		if second && w.Shuffled {
			r := rand.New(rand.NewPCG(uint64(from), 1))
			r.Shuffle(len(list), func(a, b int) { list[a], list[b] = list[b], list[a] })
		}
		for _, entry := range list {
			use(w.record(second, entry))
		}
	}
}

// block is the entries of a stretch: the number of a record, or -1 minus the number before which a new one stands.
func (w Workload) block(second bool, from, to int) []int32 {
	list := make([]int32, 0, to-from)
	for i := from; i < to; i++ {
		if second && w.isAdded(i) {
			list = append(list, int32(-1-i))
		}
		if !second || !w.isRemoved(i) {
			list = append(list, int32(i))
		}
	}
	return list
}

func (w Workload) record(second bool, entry int32) record {
	r := record{i: int(entry), stamped: second && w.Volatile}
	if entry < 0 {
		r.i, r.added = int(-1-entry), true
	}
	r.changed = second && !r.added && w.isChanged(r.i)
	return r
}

// JSON writes one of the lists as an array of records of about 470 bytes, with ids above 2^53.
func (w Workload) JSON(to io.Writer, second bool) error {
	out := bufio.NewWriterSize(to, 256<<10)
	out.WriteByte('[') //nolint:errcheck // Flush returns it
	var room []byte
	first := true
	w.records(second, func(r record) {
		room = room[:0]
		if !first {
			room = append(room, ',')
		}
		first = false
		room = r.json(room)
		out.Write(room) //nolint:errcheck // Flush returns it
	})
	out.WriteByte(']') //nolint:errcheck // Flush returns it
	return out.Flush()
}

// Header of the table.
const header = "user_id,pidm,term,crn,role,status,credits,start_date,end_date,campus,title,updated_at\n"

// CSV writes one of the lists as a table of 12 columns, about 120 bytes a row.
func (w Workload) CSV(to io.Writer, second bool) error {
	out := bufio.NewWriterSize(to, 256<<10)
	out.WriteString(header) //nolint:errcheck // Flush returns it
	var room []byte
	w.records(second, func(r record) {
		room = r.csv(room[:0])
		out.Write(room) //nolint:errcheck // Flush returns it
	})
	return out.Flush()
}

// pick is a word for the record; a changed record has the next one at the place where it changed.
func (r record) pick(words []string, place int) string {
	n := r.i / (place + 1)
	if r.changed && r.i%places == place {
		n++
	}
	return words[n%len(words)]
}

// places is at how many members a record may have changed.
const places = 5

var (
	plans    = []string{"BIOL-BS", "CHEM-BS", "HIST-BA", "MATH-BS", "NURS-BSN", "MUSC-BM"}
	statuses = []string{"active", "inactive", "deleted"}
	cities   = []string{"Harrow Lake", "Lakemoor", "Stonebridge"}
	grades   = []string{`null`, `"A-"`, `"B+"`, `"IP"`}
	families = []string{"Achebe", "Nasser", "Okafor", "Lindqvist", "Ferreira", "Castellan", "Zoë Núñez"}
)

// digits appends a number with leading zeros.
func digits(b []byte, n, width int) []byte {
	for limit := pow10(width - 1); limit > max(n, 1); limit /= 10 {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, int64(n), 10)
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}
