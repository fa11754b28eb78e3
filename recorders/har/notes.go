package har

import (
	"fmt"
	"maps"
	"slices"
)

// notes counts departures from the wire by kind.
type notes map[note]*tally

// note is a kind of departure, in words that follow a count.
type note string

const (
	noteUnpacked   note = "messages: the body was stored unpacked; content-encoding and transfer-encoding were dropped"
	noteLength     note = "messages: content-length differed from the stored body and was set to its size"
	noteNotBase64  note = "bodies: marked as base64 and stored as text; the text was taken"
	noteLatin1     note = "bodies: written as Latin-1, one byte for each character"
	noteSurrogate  note = "bodies: half a surrogate pair became U+FFFD"
	noteForm       note = "requests: the form was rebuilt from its parameters; its spelling may differ from the wire"
	noteMissing    note = "messages: the archive does not hold the body; the exchange is incomplete"
	noteCached     note = "answers: the body came from a cache and was left out, because such an answer has none"
	noteNoNetwork  note = "entries: never crossed a network and were left out"
	noteHost       note = "requests: the Host field was added from the URL"
	noteWebSocket  note = "exchanges: the messages of the web socket were not taken over; the exchange is incomplete"
	noteUnanswered note = "exchanges: the archive holds no answer; the exchange is incomplete"
)

type tally struct {
	count int
	first string
}

func (ns *notes) add(n note, place string) {
	if *ns == nil {
		*ns = notes{}
	}
	if t := (*ns)[n]; t != nil {
		t.count++
		return
	}
	(*ns)[n] = &tally{1, place}
}

func (ns notes) lines() []string {
	var lines []string
	for _, n := range slices.Sorted(maps.Keys(ns)) {
		lines = append(lines, fmt.Sprintf("%d %s (first: %s)", ns[n].count, n, ns[n].first))
	}
	return lines
}
