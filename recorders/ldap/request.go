package ldap

import (
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// request is what an operation asks for, in the form in which it is recorded.
type request struct {
	head harness.Head
	body []byte
	err  error
}

// readRequest gives a message of a client the form in which it is recorded.
func readRequest(op *operation, m message) (request, error) {
	q := request{head: harness.Head{{Name: harness.FieldMethod, Value: op.method}, {Name: harness.FieldPath}}}
	op.read(&q, m.op)
	for _, c := range m.controls {
		q.add("control", c)
	}
	return q, q.err
}

func (q *request) add(name, value string) {
	q.head = append(q.head, harness.Field{Name: name, Value: clean(value)})
}

func (q *request) path(name string) { q.head[1].Value = clean(name) }

// clean writes what has no place in a field of a head as a backslash and two digits, as RFC 4514 does.
func clean(text string) string {
	if !strings.ContainsFunc(text, isControl) && isText([]byte(text)) {
		return text
	}
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f {
			b.Write([]byte{'\\', digits[c>>4], digits[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

const tagSimple, tagSASL = 0x80, 0xa3

func readBind(q *request, e element) {
	s := e.inside()
	version := s.number(tagInteger)
	q.path(s.text())
	switch auth := s.next(); {
	case auth.tag == tagSimple && len(auth.content) == 0:
		q.add("auth", "anonymous")
	case auth.tag == tagSimple:
		q.add("auth", "simple")
	case auth.tag == tagSASL:
		q.add("auth", "sasl "+auth.inside().text())
	default:
		q.add("auth", "unknown")
	}
	if version != 3 {
		q.add("version", strconv.Itoa(version))
	}
	q.err = s.err
}

var (
	scopes  = []string{"base", "one", "sub", "subordinate"}
	derefs  = []string{"never", "searching", "finding", "always"}
	changes = []string{"add", "delete", "replace", "increment"}
)

// word is the name of a number, or the number.
func word(names []string, n int) string {
	if n >= 0 && n < len(names) {
		return names[n]
	}
	return strconv.Itoa(n)
}

func readSearch(q *request, e element) {
	s := e.inside()
	q.path(s.text())
	q.add("scope", word(scopes, s.number(tagEnumerated)))
	q.add("deref", word(derefs, s.number(tagEnumerated)))
	for _, name := range []string{"size-limit", "time-limit"} {
		if n := s.number(tagInteger); n != 0 {
			q.add(name, strconv.Itoa(n))
		}
	}
	if s.truth() {
		q.add("types-only", "true")
	}
	text, err := filterText(s.next())
	if s.err == nil {
		s.err = err
	}
	q.add("filter", text)
	for names := s.want(tagSequence).inside(); names.more(); {
		q.add("attribute", names.text())
		if names.err != nil {
			s.err = names.err
		}
	}
	q.err = s.err
}

func readAdd(q *request, e element) {
	s := e.inside()
	q.path(s.text())
	list := s.want(tagSequence).inside()
	q.body = append(writeAttributes([]byte("{"), list), '}')
	q.err = firstOf(s.err, list.err)
}

func readModify(q *request, e element) {
	s := e.inside()
	q.path(s.text())
	list := s.want(tagSequence).inside()
	q.body = []byte("[")
	for list.more() {
		c := list.want(tagSequence).inside()
		if len(q.body) > 1 {
			q.body = append(q.body, ',')
		}
		q.body = append(writeText(append(q.body, '{'), word(changes, c.number(tagEnumerated))), ":{"...)
		q.body = append(writeAttribute(q.body, c.want(tagSequence).inside(), &c.err), "}}"...)
		list.err = firstOf(list.err, c.err)
	}
	q.body = append(q.body, ']')
	q.err = firstOf(s.err, list.err)
}

func readDelete(q *request, e element) { q.path(string(e.content)) }

const tagNewSuperior = 0x80

func readModifyDN(q *request, e element) {
	s := e.inside()
	q.path(s.text())
	q.add("new-rdn", s.text())
	q.add("delete-old-rdn", strconv.FormatBool(s.truth()))
	if s.peek() == tagNewSuperior {
		q.add("new-superior", string(s.next().content))
	}
	q.err = s.err
}

func readCompare(q *request, e element) {
	s := e.inside()
	q.path(s.text())
	pair := s.want(tagSequence).inside()
	name := pair.text()
	q.body = append(writeText([]byte("{"), name), ":["...)
	q.body = append(writeValue(q.body, name, pair.want(tagOctets).content), "]}"...)
	q.err = firstOf(s.err, pair.err)
}

const tagRequestName, tagRequestValue = 0x80, 0x81

func readExtended(q *request, e element) {
	s := e.inside()
	oid := string(s.want(tagRequestName).content)
	q.path(oid)
	if s.peek() == tagRequestValue {
		q.body = writeExtended(oid, s.next().content)
	}
	q.err = s.err
}

// writeExtended writes the value of an extended operation, or of its result.
func writeExtended(oid string, value []byte) []byte {
	name := "value"
	if oid == oidPasswordModify {
		name = passwords[0]
	}
	return append(writeValue([]byte(`{"value":`), name, value), '}')
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
