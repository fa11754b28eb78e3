package payload

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
	"strings"
)

// ParseBAI2 reads balance reports of the Bank Administration Institute, version 2: an array of files. A file has the
// fields of its records 01 and 99 and the list groups, a group those of 02 and 98 and the list accounts, an account
// those of 03 and 49, the list summaries, and the list transactions (16). Continuations (88) are part of the record
// that they continue; the text of a transaction is an array, because it may go on in them.
//
// A record ends with a slash or at a line end that a record code follows. Where continuations stand, counts and
// control totals that do not hold and line ends are facts.
//
// An edit turns line ends into blanks, and commas and slashes too where the text before had none.
func ParseBAI2(source []byte) (*Doc, error) {
	p := &bai2Parser{}
	p.format, p.s, p.levels = "bai2", source, bai2Levels
	if len(source) > MaxSize {
		return nil, syntaxError(p.format, source, MaxSize, "larger than %d bytes", MaxSize)
	}
	p.start()
	if err := p.parse(); err != nil {
		return nil, err
	}
	return &Doc{Format: p.format, Source: source, nodes: p.nodes, Facts: p.facts(), names: p.names, syntax: bai2Syntax{}}, nil
}

var bai2Levels = []level{
	{open: "01", close: "99"},
	{open: "02", close: "98", list: "groups"},
	{open: "03", close: "49", list: "accounts"},
}

// bai2Fields are the names of the fields of a record.
var bai2Fields = map[string][]string{
	"01": {"sender", "receiver", "date", "time", "file", "record_length", "block_size", "version"},
	"02": {"receiver", "originator", "status", "date", "time", "currency", "date_modifier"},
	"03": {"account", "currency"},
	"16": {"type", "amount"},
	"49": {"control_total", "record_count"},
	"98": {"control_total", "account_count", "record_count"},
	"99": {"control_total", "group_count", "record_count"},
}

func sniffBAI2(head []byte) bool {
	line, _ := cutLine(bytes.TrimLeft(bytes.TrimPrefix(head, []byte(utf8BOM)), " \t\r\n"))
	fields := bytes.SplitN(line, []byte(","), 7)
	return len(fields) == 7 && string(fields[0]) == "01" && len(fields[3]) == 6 && isDigits(fields[3]) && len(fields[4]) <= 4 && isDigits(fields[4])
}

// tally is what the records of a file, group or account amount to.
type tally struct {
	sum      int64
	records  int // number of the physical record that opens it, from 1
	children int
	spoiled  bool
}

type bai2Parser struct {
	envelopes
	i        int
	physical int
	areas    [][2]int // contents of the physical records of one record
	at       int      // of the next field
	done     bool

	tallies         [3]tally
	totals          []string
	continuations   []int // numbers of the physical records that are one
	bare, inside    int
	blanks, sharing int
}

func (p *bai2Parser) parse() error {
	if bytes.HasPrefix(p.s, []byte(utf8BOM)) {
		p.i = len(utf8BOM)
	}
	p.space()
	if !bytes.HasPrefix(p.s[p.i:], []byte("01,")) {
		return p.fail(p.i, "want a file header 01")
	}
	for p.i < len(p.s) {
		if err := p.record(); err != nil {
			return err
		}
	}
	return nil
}

func (p *bai2Parser) space() {
	for p.i < len(p.s) && bytes.IndexByte([]byte(" \t\r\n"), p.s[p.i]) >= 0 {
		p.i++
	}
}

// startsRecord reports whether a code of a record stands in front.
func startsRecord(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	if len(b) < 3 || b[2] != ',' && b[2] != '/' {
		return false
	}
	return bai2Fields[string(b[:2])] != nil || string(b[:2]) == "88"
}

// take reads one physical record: where its content ends; p.i is then at the next.
func (p *bai2Parser) take() (stop int) {
	p.physical++
	for at := p.i; ; at++ {
		next := bytes.IndexAny(p.s[at:], "/\r\n")
		if next < 0 {
			p.bare++
			p.i = len(p.s)
			return p.i
		}
		at += next
		after := at
		if p.s[at] == '/' {
			after++
		}
		behind := bytes.TrimLeft(p.s[after:], " \t")
		ended := len(behind) == 0 || behind[0] == '\r' || behind[0] == '\n'
		switch {
		case p.s[at] == '/' && !ended && (len(behind) == len(p.s)-after || !startsRecord(behind)):
			continue
		case p.s[at] != '/' && len(bytes.TrimLeft(behind, " \t\r\n")) > 0 && !startsRecord(behind):
			p.inside++
			continue
		case p.s[at] != '/':
			p.bare++
		case !ended:
			p.sharing++
		case len(behind) < len(p.s)-after:
			p.blanks++
		}
		p.i = after
		p.space()
		return at
	}
}

// record reads a record with its continuations.
func (p *bai2Parser) record() error {
	start, first := p.i, p.physical+1
	stop := p.take()
	code := string(p.s[start:min(start+2, stop)])
	if stop-start < 2 || len(code) < 2 || !isDigits([]byte(code)) || start+2 < stop && p.s[start+2] != ',' {
		return p.fail(start, "%.20q is no record code", p.s[start:min(start+3, stop)])
	}
	p.areas, p.done = append(p.areas[:0], [2]int{min(start+3, stop), stop}), start+2 >= stop
	for bytes.HasPrefix(p.s[p.i:], []byte("88,")) || bytes.HasPrefix(p.s[p.i:], []byte("88/")) {
		from := p.i + 3
		to := p.take()
		p.continuations = append(p.continuations, p.physical)
		p.areas = append(p.areas, [2]int{min(from, to), to})
		stop = to
	}
	p.at = p.areas[0][0]
	if p.done {
		p.nextArea()
	}
	role := p.enterRecord(code, start)
	if role == openingSegment {
		level := p.top().level
		if level > 0 {
			p.tallies[level-1].children++
		}
		p.tallies[level] = tally{records: first}
	}
	if err := p.fields(code); err != nil {
		return err
	}
	if role == closingSegment {
		p.compare(p.top().level, code, start)
	}
	p.leave(role, stop, func(int) string { return "" })
	return nil
}

// enterRecord begins the object of a record; a transaction has a list of its own, and only unknown records show a tag.
func (p *bai2Parser) enterRecord(code string, start int) (role int) {
	if code == "16" {
		p.segments++
		p.into("transactions", start)
		p.begin(node{kind: object, start: uint32(start)})
		return plainSegment
	}
	role = p.enter(p.tagOf([]byte(code)), start)
	if role == plainSegment {
		p.add(member(node{kind: text, start: uint32(start), stop: uint32(start + 2)}, p.tagName))
	}
	return role
}

// next is the span of the next field; it goes on in the continuations.
func (p *bai2Parser) next() (from, to int, ok bool) {
	if p.done {
		return 0, 0, false
	}
	area := p.areas[0]
	from, to = p.at, area[1]
	if comma := bytes.IndexByte(p.s[from:to], ','); comma >= 0 {
		to = from + comma
		p.at = to + 1
	} else {
		p.nextArea()
	}
	return from, to, true
}

func (p *bai2Parser) nextArea() {
	if p.areas = p.areas[1:]; len(p.areas) == 0 {
		p.done = true
		return
	}
	p.done = false
	p.at = p.areas[0][0]
}

// field adds the next field under a name and returns its text.
func (p *bai2Parser) field(name string) (value string, ok bool) {
	from, to, ok := p.next()
	if !ok {
		return "", false
	}
	p.add(member(node{kind: text, start: uint32(from), stop: uint32(to)}, p.name(name)))
	p.last = to
	return string(p.s[from:to]), true
}

func (p *bai2Parser) fields(code string) error {
	for _, name := range bai2Fields[code] {
		value, ok := p.field(name)
		if ok && code == "16" && name == "amount" {
			p.sum(2, value)
		}
	}
	switch code {
	case "03":
		p.summaries()
		return nil
	case "16":
		p.transaction()
		return nil
	}
	for i := 1; !p.done; i++ {
		if i > mostElements {
			return p.fail(p.at, "more than %d fields", mostElements)
		}
		p.field(fmt.Sprintf("more_%d", i))
	}
	return nil
}

func (p *bai2Parser) summaries() {
	if p.done {
		return
	}
	p.begin(member(node{kind: array, start: uint32(p.at)}, p.name("summaries")))
	for !p.done {
		p.begin(node{kind: object, start: uint32(p.at)})
		p.field("type")
		if amount, ok := p.field("amount"); ok {
			p.sum(2, amount)
		}
		p.field("count")
		p.funds()
		p.finish(p.last)
	}
	p.finish(p.last)
}

func (p *bai2Parser) transaction() {
	p.funds()
	p.field("bank_reference")
	p.field("customer_reference")
	if p.done {
		return
	}
	p.begin(member(node{kind: array, start: uint32(p.at)}, p.name("text")))
	for !p.done {
		to := p.areas[0][1]
		p.add(node{kind: text, start: uint32(p.at), stop: uint32(to)})
		p.last = to
		p.nextArea()
	}
	p.finish(p.last)
}

// funds reads the type of funds and what it brings along.
func (p *bai2Parser) funds() {
	kind, _ := p.field("funds")
	switch strings.TrimSpace(kind) {
	case "S":
		for _, name := range []string{"immediate", "one_day", "two_day"} {
			p.field(name)
		}
	case "V":
		p.field("value_date")
		p.field("value_time")
	case "D":
		count, _ := p.field("distribution_count")
		n, _ := strconv.Atoi(count)
		if n < 1 || p.done {
			return
		}
		p.begin(member(node{kind: array, start: uint32(p.at)}, p.name("distributions")))
		for i := 0; i < n && !p.done; i++ {
			p.begin(node{kind: object, start: uint32(p.at)})
			p.field("days")
			p.field("amount")
			p.finish(p.last)
		}
		p.finish(p.last)
	}
}

func (p *bai2Parser) sum(level int, amount string) {
	t := &p.tallies[level]
	if amount == "" {
		return
	}
	n, err := strconv.ParseInt(strings.TrimSpace(amount), 10, 64)
	if err != nil || n > math.MaxInt64/4 || n < -math.MaxInt64/4 || t.sum > math.MaxInt64/2 || t.sum < -math.MaxInt64/2 {
		t.spoiled = true
		return
	}
	t.sum += n
}

// compare holds a closing record against what it closes.
func (p *bai2Parser) compare(level int, code string, start int) {
	t := &p.tallies[level]
	fields := strings.Split(string(p.s[min(start+3, p.last):p.last]), ",")
	value := func(i int) string {
		if i < len(fields) {
			return strings.TrimSpace(fields[i])
		}
		return ""
	}
	if level > 0 {
		p.sum(level-1, value(0))
	}
	if n, err := strconv.ParseInt(value(0), 10, 64); !t.spoiled && (err != nil || n != t.sum) {
		p.totals = complain(p.totals, "%s in record %d says %q, the records give %d", code, p.physical, value(0), t.sum)
	}
	there := []int{t.children, p.physical - t.records + 1}
	if level == 2 {
		there = there[1:] // an account counts its records only
	}
	for i, n := range there {
		if says, err := strconv.Atoi(value(i + 1)); err != nil || says != n {
			p.counts = complain(p.counts, "%s in record %d says %q, %d are there", bai2Fields[code][i+1], p.physical, value(i+1), n)
		}
	}
}

func (p *bai2Parser) facts() []Fact {
	facts := p.end()
	facts = append(facts, lineFacts(p.s)...)
	if len(p.totals) > 0 {
		facts = append(facts, Fact{"totals", strings.Join(p.totals, "; ")})
	}
	if len(p.continuations) > 0 {
		facts = append(facts, Fact{"continuations", places(p.continuations)})
	}
	for _, count := range []struct {
		name string
		n    int
	}{{"records without a slash", p.bare}, {"line ends inside records", p.inside}, {"blanks after records", p.blanks}, {"records that share a line", p.sharing}} {
		if count.n > 0 {
			facts = append(facts, Fact{count.name, strconv.Itoa(count.n)})
		}
	}
	return facts
}

// places lists numbers; many end in a digest, so that two lists are equal only when all of their numbers are.
func places(numbers []int) string {
	const most = 12
	var parts []string
	digest := fnv.New64a()
	for i, n := range numbers {
		if i < most {
			parts = append(parts, strconv.Itoa(n))
		}
		fmt.Fprintf(digest, "%d,", n)
	}
	list := fmt.Sprintf("%d, at records %s", len(numbers), strings.Join(parts, ", "))
	if len(numbers) > most {
		list += fmt.Sprintf(" … (%x)", digest.Sum64())
	}
	return list
}

// bai2Syntax spells fields, which have no escapes.
type bai2Syntax struct{}

func (bai2Syntax) decode(raw []byte, _ *node) string { return string(raw) }

func (bai2Syntax) encode(out []byte, value string, was []byte, _ *node) []byte {
	from := len(out)
	out = append(out, value...)
	if value == string(was) {
		return out
	}
	for i, c := range out[from:] {
		i += from
		ends := i+1 == len(out) || isMark(out[i+1]) || out[i+1] == ' '
		switch {
		case c == '\r' || c == '\n',
			c == ',' && bytes.IndexByte(was, ',') < 0,
			c == '/' && (ends || bytes.IndexByte(was, '/') < 0):
			out[i] = ' '
		}
	}
	return out
}

func (bai2Syntax) encodeName(out []byte, value string, _ []byte) []byte { return append(out, value...) }
