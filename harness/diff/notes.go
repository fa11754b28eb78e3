package diff

import (
	"fmt"
	"strings"
)

// noteCounter counts notes of the same form.
type noteCounter struct {
	order  []string
	counts map[string]int
}

// add counts one more occurrence of a note; a %d in it is the number of occurrences.
func (n *noteCounter) add(note string) {
	if n.counts == nil {
		n.counts = map[string]int{}
	}
	if n.counts[note] == 0 {
		n.order = append(n.order, note)
	}
	n.counts[note]++
}

// lines returns the notes in the order of their first occurrence.
func (n *noteCounter) lines() []string {
	var lines []string
	for _, note := range n.order {
		if strings.Contains(note, "%d") {
			note = fmt.Sprintf(note, n.counts[note])
		}
		lines = append(lines, note)
	}
	return lines
}
