package harness

import "strings"

// Channels are the ways in which an exchange can cross.
const (
	ChannelHTTP      = "http"      // a request and its response
	ChannelFile      = "file"      // a file that one system leaves for another
	ChannelTable     = "table"     // what changed in the rows of a table that one system writes and another reads
	ChannelMessage   = "message"   // a message to a topic, a queue or a subject of a broker
	ChannelMail      = "mail"      // an e-mail
	ChannelDirectory = "directory" // an operation on a directory, such as LDAP, and its result
)

// ChannelKind is what Rehearse knows of a channel.
type ChannelKind struct {
	Name     string
	Summary  string
	Answered bool   // the other side answers; else the payload is in the request, and what one side makes is handed on
	Volumes  bool   // the number of records in a body is of interest even when it did not change
	Unit     string // noun of one exchange, for people
	Row      string // noun of one record in a body, for people

	title     func(Head) string // names one exchange as it stands
	operation func(Head) string // names what it asks for, so that two recordings can be paired
}

// ChannelKinds is the table of channels.
var ChannelKinds = []ChannelKind{
	{ChannelHTTP, "calls of an interface", true, false, "call", "record", callOf(byTarget), callOf(byKindOfTarget)},
	{ChannelFile, "files that are delivered", false, true, "file", "row", fieldOf(FieldName), generalised(FieldName)},
	{ChannelTable, "changes in tables", false, true, "table", "row", fieldOf(FieldTable), fieldOf(FieldTable)},
	{ChannelMessage, "messages of a broker", false, false, "message", "record", fieldOf(FieldTopic), generalised(FieldTopic)},
	{ChannelMail, "e-mail", false, false, "mail", "record", fieldOf("Subject"), generalised("Subject")},
	{ChannelDirectory, "operations on a directory", true, false, "operation", "entry", callOf(byTarget), callOf(byKindOfEntry)},
}

// KindOfChannel returns the row of a channel. A channel that is not in the table counts as calls.
func KindOfChannel(name string) ChannelKind {
	for _, k := range ChannelKinds {
		if k.Name == name {
			return k
		}
	}
	return ChannelKinds[0]
}

// Title names the exchange as it stands, for people: the method and target of a call, the name of a file, the topic of a
// message.
func (x *Exchange) Title() string { return KindOfChannel(x.Channel).title(x.Request.Head) }

// Operation names what the exchange asks for, so that two recordings can be paired: for a call the method and the path
// without query, identifiers generalised to {}; for what is handed on its name, digits of a date or sequence generalised;
// for a directory the method and the entry, its value generalised.
func (x *Exchange) Operation() string { return KindOfChannel(x.Channel).operation(x.Request.Head) }

func fieldOf(name string) func(Head) string {
	return func(h Head) string { return h.Get(name) }
}

func generalised(name string) func(Head) string {
	return func(h Head) string { return generaliseName(h.Get(name)) }
}

func callOf(target func(string) string) func(Head) string {
	return func(h Head) string { return h.Get(FieldMethod) + " " + target(h.Get(FieldPath)) }
}

func byTarget(target string) string { return target }

func byKindOfTarget(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return generalisePath(path)
}

// byKindOfEntry generalises the first value of a distinguished name: uid=hpark,ou=people becomes uid={},ou=people. An
// escaped comma does not end a value (RFC 4514).
func byKindOfEntry(name string) string {
	attribute, rest, ok := strings.Cut(name, "=")
	if !ok {
		return name
	}
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case ',':
			return attribute + "={}" + rest[i:]
		}
	}
	return attribute + "={}"
}
