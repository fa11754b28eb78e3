package shrink

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/payload"
)

// count is a field of an envelope that says how much is in it.
type count struct {
	format, field string
	of            func(envelope payload.Node) (int, bool)
}

// counts is the table of such fields. Only those that were right are made right again: a wrong one may be the failure.
var counts = []count{
	{"x12", "SE01", segmentsAnd(2)},
	{"x12", "GE01", lengthOf("transactions")},
	{"x12", "IEA01", lengthOf("groups")},
	{"edifact", "UNT01", segmentsAnd(2)},
	{"edifact", "UNE01", lengthOf("messages")},
	{"edifact", "UNZ01", lengthOf("messages", "groups")},
	{"hl7v2", "BTS-1", lengthOf("messages")},
	{"hl7v2", "FTS-1", lengthOf("batches")},
	{"bai2", "account_count", lengthOf("accounts")},
	{"bai2", "group_count", lengthOf("groups")},
	{"bai2", "record_count", func(n payload.Node) (int, bool) { return bytes.Count(n.Raw(), []byte{'\n'}) + 1, true }},
}

// lengthOf counts the elements of the lists of those names; false when there is none.
func lengthOf(names ...string) func(payload.Node) (int, bool) {
	return func(n payload.Node) (total int, ok bool) {
		for _, name := range names {
			if l := n.Member(name); !l.IsZero() {
				total, ok = total+l.Len(), true
			}
		}
		return total, ok
	}
}

// segmentsAnd counts the segments of a message with those of its envelope.
func segmentsAnd(envelope int) func(payload.Node) (int, bool) {
	return func(n payload.Node) (int, bool) { return segmentsOf(n) + envelope, true }
}

// segmentsOf counts segments, those of loops among them, each with the one that begins it.
func segmentsOf(n payload.Node) int {
	total := n.Member("segments").Len()
	for loop := range n.Member("loops").Children() {
		total += 1 + segmentsOf(loop)
	}
	return total
}

// mend makes true again in a shrunk body what was true of the body before: counts of envelopes, and the promises of the
// trailer of a file of fixed width. What was wrong stays wrong.
func mend(format string, was *payload.Doc, plain []byte) []byte {
	if was.Layout() != nil {
		return mendFixed(was, plain)
	}
	if !slices.ContainsFunc(counts, func(c count) bool { return c.format == format }) {
		return plain
	}
	now := payload.Parse("", "", plain)
	if now.Format != was.Format {
		return plain
	}
	var edits []payload.Edit
	for _, c := range counts {
		if c.format == format && len(c.wrong(was.Root())) == 0 {
			edits = append(edits, c.wrong(now.Root())...)
		}
	}
	return rewritten(now, edits, plain)
}

// wrong lists the edits that would make a count right wherever it stands.
func (c count) wrong(n payload.Node) []payload.Edit {
	var edits []payload.Edit
	if field := n.Member(c.field); !field.IsZero() {
		said, err := strconv.Atoi(field.Text())
		if is, ok := c.of(n); ok && (err != nil || said != is) {
			edits = append(edits, payload.Edit{Node: field, Text: strconv.Itoa(is)})
		}
	}
	for child := range n.Children() {
		if !child.IsScalar() {
			edits = append(edits, c.wrong(child)...)
		}
	}
	return edits
}

// mendFixed mends a file all of whose promises held. Records went, so that which promise is which cannot be told.
func mendFixed(was *payload.Doc, plain []byte) []byte {
	if slices.ContainsFunc(was.Promises(), func(p payload.Promise) bool { return !p.Holds }) {
		return plain
	}
	out, _ := payload.Mend(was.Layout(), plain, nil, nil) // what cannot be mended is tried as it is
	return out
}

// rewritten is the document with the edits, or what there was when they cannot be spelled.
func rewritten(doc *payload.Doc, edits []payload.Edit, plain []byte) []byte {
	if len(edits) == 0 {
		return plain
	}
	out, err := doc.Rewrite(edits)
	if err != nil {
		return plain
	}
	return out
}
