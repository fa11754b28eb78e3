// Package departure makes messages that were kept in another form than they crossed agree with themselves again, and
// counts where they depart from the wire. Importers use it: what they read was often unpacked by the program that wrote
// it, while the head still tells how it was packed.
package departure

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
)

// Kind is a kind of departure, in words that follow a count.
type Kind string

// Kinds that every importer knows.
const (
	Unpacked Kind = "messages: the body was stored unpacked; content-encoding and transfer-encoding were dropped"
	Length   Kind = "messages: content-length differed from the stored body and was set to its size"
	Host     Kind = "requests: the Host field was added from the URL"
)

// Notes counts departures by kind. The zero value has none.
type Notes struct{ tallies map[Kind]*tally }

type tally struct {
	count int
	first string
}

// Add counts a departure; place says where it is, for people.
func (ns *Notes) Add(k Kind, place string) {
	if ns.tallies == nil {
		ns.tallies = map[Kind]*tally{}
	}
	if t := ns.tallies[k]; t != nil {
		t.count++
		return
	}
	ns.tallies[k] = &tally{1, place}
}

// Lines says for each kind how often it occurred, and where first, sorted by kind.
func (ns *Notes) Lines() []string {
	var lines []string
	for _, k := range slices.Sorted(maps.Keys(ns.tallies)) {
		lines = append(lines, fmt.Sprintf("%d %s (first: %s)", ns.tallies[k].count, k, ns.tallies[k].first))
	}
	return lines
}

// Unpack removes the content encodings that a Content-Encoding value lists; payload.Unpack does.
type Unpack func(encoding string, b []byte) ([]byte, error)

// Settle returns the head that is true for the body that is stored, and notes what it changed. An empty body keeps its
// head, as answers to HEAD and those with status 304 need it.
func Settle(head harness.Head, body []byte, unpack Unpack, note func(Kind)) harness.Head {
	if len(body) == 0 {
		return head
	}
	size := strconv.Itoa(len(body))
	if encoding := strings.Join(head.Values("Content-Encoding"), ","); encoding != "" && !IsPacked(encoding, body, unpack) {
		note(Unpacked)
		head = head.Without("Content-Encoding", "Transfer-Encoding").With("Content-Length", size)
	}
	if head.Has("Content-Length") && head.Get("Content-Length") != size {
		note(Length)
		head = head.With("Content-Length", size)
	}
	return head
}

// IsPacked reports whether the body is packed as the head says. Text is not, and what begins like gzip is, even when it
// was damaged on its way.
func IsPacked(encoding string, body []byte, unpack Unpack) bool {
	if strings.EqualFold(strings.TrimSpace(encoding), "identity") || bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return true
	}
	if utf8.Valid(body) {
		return false
	}
	_, err := unpack(encoding, body)
	return err == nil
}
