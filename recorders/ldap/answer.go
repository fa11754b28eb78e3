package ldap

import (
	"strconv"

	"github.com/rehearse-dev/rehearse/harness"
)

// result is an LDAPResult (RFC 4511 section 4.1.9), and what an extended operation adds.
type result struct {
	code                int
	matched, diagnostic string
	referrals           []string
	name                string // OID of an extended operation
	value               []byte // of an extended operation; nil: none
	controls            []string
}

const (
	tagReferral          = 0xa3
	tagResponseName      = 0x8a
	tagResponseValue     = 0x8b
	tagIntermediateName  = 0x80
	tagIntermediateValue = 0x81
)

// readResult reads the result that ends an operation.
func readResult(m message) (result, error) {
	s := m.op.inside()
	r := result{code: s.number(tagEnumerated), matched: s.text(), diagnostic: s.text(), controls: m.controls}
	for s.more() {
		switch e := s.next(); e.tag {
		case tagReferral:
			for list := e.inside(); list.more(); {
				r.referrals = append(r.referrals, list.text())
				s.err = firstOf(s.err, list.err)
			}
		case tagResponseName:
			r.name = string(e.content)
		case tagResponseValue:
			if m.op.tag == resultExtended {
				r.value = e.content
			}
		}
	}
	return r, s.err
}

// head is the result in the form in which it is recorded.
func (r result) head() harness.Head {
	q := request{head: harness.Head{{Name: harness.FieldStatus, Value: strconv.Itoa(r.code)}}}
	for _, f := range []harness.Field{{Name: "matched-dn", Value: r.matched}, {Name: "diagnostic", Value: r.diagnostic}, {Name: "name", Value: r.name}} {
		if f.Value != "" {
			q.add(f.Name, f.Value)
		}
	}
	for _, u := range r.referrals {
		q.add("referral", u)
	}
	for _, c := range r.controls {
		q.add("control", c)
	}
	return q.head
}

// writeEntry writes what comes before the result of an operation: an entry, a reference or an intermediate response.
func writeEntry(op element) ([]byte, error) {
	s := op.inside()
	switch op.tag {
	case opEntry:
		out := writeText([]byte(`{"dn":`), s.text())
		list := s.want(tagSequence).inside()
		return append(writeAttributes(out, list), '}'), firstOf(s.err, list.err)
	case opReference:
		out := []byte(`{"reference":[`)
		for first := true; s.more(); first = false {
			if !first {
				out = append(out, ',')
			}
			out = writeText(out, s.text())
		}
		return append(out, "]}"...), s.err
	}
	out := []byte(`{"intermediate":`)
	name, value := "", []byte(nil)
	for s.more() {
		switch e := s.next(); e.tag {
		case tagIntermediateName:
			name = string(e.content)
		case tagIntermediateValue:
			value = e.content
		}
	}
	return append(writeValue(append(writeText(out, name), `,"value":`...), "", value), '}'), s.err
}
