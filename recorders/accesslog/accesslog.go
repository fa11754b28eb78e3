// Package accesslog reads the logs of web servers: Common and Combined, formats of Apache and nginx that a first line names
// (#LogFormat "%h %l …" or #log_format '$remote_addr …'), JSON lines, and the W3C format of IIS.
//
// A log tells who asked for what, when, and with which status; it holds no heads and no bodies. Every exchange is
// incomplete: it is good for scenarios and rates, not as a baseline. What is made of a line:
//
//   - Host, Referer, User-Agent and other fields that the format names are the head of the request.
//   - The size of the answer becomes its Content-Length.
//   - The moment is that of the line, less the time that the answer took where the server logs at its end (nginx, JSON).
//   - Each client, by its address, is a session; the address is not kept.
//   - A line without a request in it (a connection that was closed, bytes that are not HTTP) is dropped and counted.
//
// Memory: one line of at most 1 MiB, the sessions of a million clients, and exchanges that wait to be sorted.
package accesslog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
)

// Format reads access logs.
var Format = archive.Format{
	Extensions: []string{".log", ".log.gz", ".jsonl", ".ndjson"}, Wrote: "an access log: Common, Combined, JSON lines, W3C, or with its format in a first line #LogFormat or #log_format",
	Knows: knows, Streams: true, Read: read,
}

// Departures from the wire that only this format has.
const (
	noteBodies departure.Kind = "exchanges: a log holds no heads and bodies; they are incomplete"
	noteNone   departure.Kind = "lines: hold no request of HTTP; they were dropped"
	noteMore   departure.Kind = "lines: hold more than the format; the rest was left out"
)

const (
	maxLine    = 1 << 20 // bytes
	maxClients = 1 << 20
)

func knows(head []byte) bool {
	r := &reader{}
	for line := range bytes.Lines(head) {
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			continue
		}
		e, err := r.line(text)
		switch {
		case err != nil:
			return false
		case e != nil:
			return e["request"] != "" || e["method"] != "" && e["target"] != "" && e["status"] != ""
		}
	}
	return false
}

// event is what a line tells, by the names of this package: client, time, epoch, date, clock, request, method, target,
// query, proto, status, size, host, took-s, took-ms, took-us, and "field NAME" for fields of the request.
type event map[string]string

func read(f *archive.File) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	unpacked, err := archive.Unzipped(bufio.NewReaderSize(in, 64<<10))
	if err != nil {
		return fmt.Errorf("byte 0: %w", err)
	}
	lines := bufio.NewReaderSize(unpacked, maxLine)
	r := &reader{file: f, clients: map[string]string{}}
	for i := 1; ; i++ {
		if err := f.Err(); err != nil {
			return err
		}
		f.At("line " + strconv.Itoa(i))
		line, err := lines.ReadSlice('\n')
		end := errors.Is(err, io.EOF)
		if err == nil || end {
			err = r.take(strings.TrimRight(strings.TrimPrefix(string(line), "\ufeff"), "\r\n"))
		} else if errors.Is(err, bufio.ErrBufferFull) {
			err = fmt.Errorf("longer than %d bytes", maxLine)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", i, err)
		}
		if end {
			return nil
		}
	}
}

// reader reads the lines of one file.
type reader struct {
	file    *archive.File
	clients map[string]string // sessions by address
	parse   func(line string) (e event, more bool, err error)
}

// line reads a line; nil: it tells about the log and not about a request.
func (r *reader) line(line string) (event, error) {
	if strings.HasPrefix(line, "#") {
		parse, err := directive(line)
		if parse != nil {
			r.parse = parse
		}
		return nil, err
	}
	if r.parse == nil {
		if r.parse = guess(line); r.parse == nil {
			return nil, fmt.Errorf("%.60q has no format that is known; name it in a first line, such as #LogFormat \"%%h %%l %%u %%t \\\"%%r\\\" %%>s %%b\"", line)
		}
	}
	e, more, err := r.parse(line)
	if more && r.file != nil {
		r.file.Note(noteMore)
	}
	return e, err
}

func (r *reader) take(line string) error {
	if line == "" {
		return nil
	}
	e, err := r.line(line)
	if err != nil || e == nil {
		return err
	}
	return r.add(e)
}

// add makes an exchange of an event.
func (r *reader) add(e event) error {
	method, target, proto, ok := e.request()
	if !ok {
		r.file.Note(noteNone)
		r.file.Drop("line without a request")
		return nil
	}
	at, took, err := e.moment()
	if err != nil {
		return err
	}
	status, err := archive.Status(e["status"])
	if err != nil {
		return err
	}
	r.file.Note(noteBodies)
	c := archive.Call{
		Method: method, URL: target, Status: status, At: at, Took: took, Session: r.session(e["client"]),
		Request: archive.Half{Proto: proto, Fields: e.fields()}, Response: archive.Half{Proto: proto},
		Fault: &harness.Fault{Kind: harness.FaultTruncated, Detail: "the log holds no heads and bodies"},
	}
	if n, err := strconv.ParseUint(e["size"], 10, 63); err == nil && n > 0 {
		c.Response.Fields = harness.Head{{Name: "Content-Length", Value: strconv.FormatUint(n, 10)}}
	}
	return r.file.Add(c)
}

// session names a client without its address.
func (r *reader) session(client string) string {
	if client == "" || client == "-" {
		return ""
	}
	name, known := r.clients[client]
	if !known {
		name = r.file.Session + "/" + strconv.Itoa(len(r.clients)+1)
		if len(r.clients) < maxClients {
			r.clients[client] = name
		}
	}
	return name
}
