package ldap

// Tags of the operations (RFC 4511 section 4, application class).
const (
	opBind         = 0x60
	opUnbind       = 0x42
	opSearch       = 0x63
	opModify       = 0x66
	opAdd          = 0x68
	opDelete       = 0x4a
	opModifyDN     = 0x6c
	opCompare      = 0x6e
	opAbandon      = 0x50
	opExtended     = 0x77
	opEntry        = 0x64 // SearchResultEntry
	opReference    = 0x73 // SearchResultReference
	opIntermediate = 0x79

	resultBind     = 0x61
	resultExtended = 0x78
)

// OIDs of extended operations that the tap knows.
const (
	oidStartTLS       = "1.3.6.1.4.1.1466.20037"
	oidPasswordModify = "1.3.6.1.4.1.4203.1.11.1"
)

// Result codes (RFC 4511 appendix A) that the tap itself says.
const (
	codeSuccess     = 0
	codeUnavailable = 52
)

// operation is one row of the table of operations that have a result.
type operation struct {
	tag, result byte
	method      string
	read        func(q *request, e element)
}

// operations is the table of operations.
var operations = []operation{
	{opBind, resultBind, "BIND", readBind},
	{opSearch, 0x65, "SEARCH", readSearch},
	{opModify, 0x67, "MODIFY", readModify},
	{opAdd, 0x69, "ADD", readAdd},
	{opDelete, 0x6b, "DELETE", readDelete},
	{opModifyDN, 0x6d, "MODIFYDN", readModifyDN},
	{opCompare, 0x6f, "COMPARE", readCompare},
	{opExtended, resultExtended, "EXTENDED", readExtended},
}

func operationOf(tag byte) *operation {
	for i := range operations {
		if operations[i].tag == tag {
			return &operations[i]
		}
	}
	return nil
}

// message is one LDAPMessage.
type message struct {
	id       int
	op       element
	controls []string // OID, followed by " critical" where it is
}

// tagControls is the tag of the controls of a message.
const tagControls = 0xa0

// parse reads an LDAPMessage from its whole bytes. Where only the controls are of no known form, the rest is returned, too.
func parse(frame []byte) (message, error) {
	all := elements{rest: frame}
	outer := all.want(tagSequence)
	in := outer.inside()
	m := message{id: in.number(tagInteger)}
	m.op = in.next()
	if all.err != nil {
		return m, all.err
	}
	if in.peek() == tagControls {
		for list := in.next().inside(); list.more(); {
			c := list.want(tagSequence).inside()
			oid := c.text()
			if c.peek() == tagBoolean && c.truth() {
				oid += " critical"
			}
			m.controls = append(m.controls, oid)
			if c.err != nil {
				return m, c.err
			}
			if list.err != nil {
				return m, list.err
			}
		}
	}
	return m, in.err
}
