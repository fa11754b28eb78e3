// Package mitmproxy reads flow dumps, as mitmproxy, mitmdump and mitmweb write them: tagged netstrings, one flow after the
// other, of versions [OldestVersion] to [NewestVersion] and of newer ones as far as they are alike.
//
// A dump holds what crossed almost as it was: fields in order, case and duplicates kept, bodies after the transfer coding
// and before the content coding is undone. What it does not hold:
//
//   - A body that was passed on as a stream makes the exchange incomplete: it has a Fault, as has a flow with an error or
//     without an answer.
//   - The Host field of HTTP/2 comes from the authority of the request.
//   - A flow that was changed by hand or by a script is taken as it went on.
//   - Messages of a web socket are exchanges of the channel message, each under the path of its handshake as topic and in
//     its session. Control frames and compression are not in the dump.
//   - Flows of tcp, udp and dns are no calls and are left out.
//
// Each connection of a client is a session. Memory: one flow of at most 256 MiB, and exchanges that wait to be sorted.
package mitmproxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
)

// Versions of flows that are known.
const (
	OldestVersion = 5
	NewestVersion = 21
)

// Format reads dumps.
var Format = archive.Format{
	Extensions: []string{".mitm", ".mitmproxy", ".flow", ".flows"}, Wrote: "a flow dump of mitmproxy 4 or newer", Knows: knows, Streams: true, Read: read,
}

// begin is how a dump begins: the lengths of a flow and of the first key in it.
var begin = regexp.MustCompile(`^[1-9][0-9]{0,9}:[1-9][0-9]?:[a-z_]+[;,]`)

func knows(head []byte) bool { return begin.Match(head) }

// Departures from the wire that only this format has.
const (
	noteStreamed   departure.Kind = "messages: the body was passed on as a stream and is not in the dump; the exchange is incomplete"
	noteUnanswered departure.Kind = "exchanges: the dump holds no whole answer; the exchange is incomplete"
	noteChanged    departure.Kind = "flows: were changed on their way; what went on was taken"
	noteReplayed   departure.Kind = "flows: were sent again by mitmproxy"
	noteNewer      departure.Kind = "flows: of a newer version than is known"
	noteSocket     departure.Kind = "messages of web sockets: without control frames and compression, which the dump does not hold"
	noteLone       departure.Kind = "web sockets: the handshake is not in the dump; their messages have no topic"
)

// noteOther counts the flows of another kind than http.
func noteOther(kind string) departure.Kind {
	return departure.Kind("flows: of " + kind + " are no calls and were left out")
}

func read(f *archive.File) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	c := converter{file: f, sessions: map[string]string{}, handshakes: map[string]handshake{}}
	r := bufio.NewReaderSize(in, 64<<10)
	var offset int64
	for i := 0; ; i++ {
		if err := f.Err(); err != nil {
			return err
		}
		f.At("flow " + strconv.Itoa(i))
		raw, size, err := readFlow(r)
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			f.At("")
			return nil
		}
		if err == nil {
			err = c.flow(raw)
		}
		if err != nil {
			return fmt.Errorf("flow %d (from byte %d): %w", i, offset, err)
		}
		offset += size
	}
}
