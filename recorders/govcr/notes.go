package govcr

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
	noteUnpacked note = "messages: the body was stored unpacked; content-encoding and transfer-encoding were dropped"
	noteLength   note = "messages: content-length differed from the stored body and was set to its size"
	noteForm     note = "requests: the body was rebuilt from the form; its spelling and order may differ from the wire"
	noteHost     note = "requests: the Host field was added from the URL"
	noteTime     note = "exchanges: the file holds no time; that of the exchange before was taken"
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
