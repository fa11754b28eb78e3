// Package goreplay reads the files that GoReplay writes with --output-file: *.gor, also compressed as *.gor.gz.
//
// A record is a line "type id timestamp latency", the raw message, and a line of three emoji. Type 1 is a request, 2 its
// answer, and 3 the answer that another system gave when GoReplay sent the request there. Heads are kept byte for byte,
// bodies after the transfer coding. What the files do not hold:
//
//   - A record that ends before its message does makes the exchange incomplete, as does a request without an answer.
//     The last record may lack its separator.
//   - Answers of type 3 are left out where the original answer is there; else they are taken.
//   - An answer without its request, and a record that is not HTTP/1, is counted as dropped.
//   - The target of a request to a proxy becomes the path that the origin sees.
//
// The file does not tell connections, so each file is a session. Memory: requests that wait for their answer, at most
// [maxWaiting] and 256 MiB of bodies, and exchanges that wait to be sorted.
package goreplay

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"

	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
)

// Format reads files of GoReplay.
var Format = archive.Format{
	Extensions: []string{".gor", ".gor.gz"}, Wrote: "a file that GoReplay wrote with --output-file", Knows: knows, Streams: true, Read: read,
}

// Departures from the wire that only this format has.
const (
	noteUnanswered departure.Kind = "exchanges: the file holds no answer; the exchange is incomplete"
	noteCut        departure.Kind = "messages: the record ends before the message does; the exchange is incomplete"
	noteReplayed   departure.Kind = "answers: of the system to which the request was sent again; they were taken, because the original is not there"
	noteLeftOut    departure.Kind = "answers: of the system to which the request was sent again; they were left out, because the original is there"
	noteTwice      departure.Kind = "requests: have the id of another one; answers were given to them in their order"
	noteOrphan     departure.Kind = "answers: the file does not hold the request; they were dropped"
	noteBroken     departure.Kind = "records: hold something else than one message of HTTP/1; they were dropped"
	noteProxy      departure.Kind = "requests: went to a proxy; the path that the origin sees was taken"
)

// separator is the line between records: see no evil, hear no evil, speak no evil.
const separator = "\U0001F435\U0001F648\U0001F649"

// Types of records.
const (
	typeRequest  = '1'
	typeAnswer   = '2'
	typeReplayed = '3'
)

// header is the first line of a record.
type header struct {
	kind byte
	id   string
	at   time.Time     // when the message began
	took time.Duration // to its end
}

// headerLine is a first line: the latency may be missing or -1 in old files.
var headerLine = regexp.MustCompile(`^([123]) ([0-9A-Za-z._:-]{1,128}) ([0-9]{1,19})(?: (-?[0-9]{1,19}))?\r?\n?$`)

func parseHeader(line []byte) (h header, ok bool) {
	m := headerLine.FindSubmatch(line)
	if m == nil {
		return h, false
	}
	nanos, err := strconv.ParseInt(string(m[3]), 10, 64)
	latency, _ := strconv.ParseInt(string(m[4]), 10, 64) // -1 and none are unknown
	return header{m[1][0], string(m[2]), time.Unix(0, nanos).UTC(), time.Duration(max(latency, 0))}, err == nil
}

// firstRecord is how a file begins.
var firstRecord = regexp.MustCompile(`^[123] [0-9A-Za-z._:-]{1,128} [0-9]{1,19}( -?[0-9]{1,19})?\r?\n`)

func knows(head []byte) bool {
	if unzip, err := gzip.NewReader(bytes.NewReader(head)); err == nil {
		head = make([]byte, 512)
		n, _ := io.ReadFull(unzip, head) //nolint:errcheck // the head of a file may end anywhere
		head = head[:n]
	}
	return firstRecord.Match(head)
}

// maxHeader is the longest first line of a record, in bytes.
const maxHeader = 256

func read(f *archive.File) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	r, err := archive.Unzipped(bufio.NewReaderSize(in, 64<<10))
	if err != nil {
		return err
	}
	return newReader(f, r).all()
}

// reader reads the records of one file.
type reader struct {
	file    *archive.File
	in      *bufio.Reader
	offset  int64 // of what is read next, unpacked
	pairing *pairing
}

func newReader(f *archive.File, in *bufio.Reader) *reader {
	return &reader{file: f, in: in, pairing: newPairing(f)}
}

func (r *reader) all() error {
	for i := 0; ; i++ {
		if err := r.file.Err(); err != nil {
			return err
		}
		r.file.At("record " + strconv.Itoa(i))
		start := r.offset
		more, err := r.record()
		if err != nil {
			return fmt.Errorf("record %d (from byte %d): %w", i, start, err)
		}
		if !more {
			break
		}
	}
	r.file.At("end")
	r.pairing.finish()
	return r.file.Err()
}

// piece reads up to the end of a line, or as much of a longer one as there is room for. It is empty at the end.
func (r *reader) piece() ([]byte, error) {
	p, err := r.in.ReadSlice('\n')
	r.offset += int64(len(p))
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	return p, nil
}

// record reads one record; more is false when there is none left.
func (r *reader) record() (more bool, err error) {
	line, err := r.piece()
	if err != nil || len(line) == 0 {
		return false, err
	}
	h, ok := parseHeader(line)
	if !ok || len(line) > maxHeader {
		return false, fmt.Errorf("%.60q is not the first line of a record: type id timestamp latency", line)
	}
	m := r.pairing.begin(h)
	held := false // a line end that may belong to the separator
	for {
		p, err := r.piece()
		if err != nil {
			return false, err
		}
		if held && string(bytes.TrimRight(p, "\r\n")) == separator && r.endsRecord(m) {
			r.pairing.end(m)
			return true, nil
		}
		if held {
			m.feed([]byte("\n"))
		}
		if len(p) == 0 {
			r.pairing.end(m)
			return true, nil
		}
		held = p[len(p)-1] == '\n'
		m.feed(bytes.TrimSuffix(p, []byte("\n")))
	}
}

// endsRecord tells a separator from a line of a body that looks like one: a record follows, or nothing.
func (r *reader) endsRecord(m *message) bool {
	if !m.scan.Open() {
		return true
	}
	next, err := r.in.Peek(maxHeader)
	line, _, ended := bytes.Cut(next, []byte("\n"))
	if !ended && err == nil {
		return false
	}
	_, ok := parseHeader(line)
	return len(next) == 0 || ok
}
