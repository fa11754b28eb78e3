package harness

import "testing"

func TestEveryChannelNamesItsExchanges(t *testing.T) {
	for _, tt := range []struct {
		channel          string
		head             Head
		title, operation string
		answered         bool
	}{
		{ChannelHTTP, Head{{FieldMethod, "GET"}, {FieldPath, "/v2/students/H00417?full=1"}}, "GET /v2/students/H00417?full=1", "GET /v2/students/{}", true},
		{ChannelFile, Head{{FieldName, "reg/registrations-20261005.csv"}}, "reg/registrations-20261005.csv", "reg/registrations-{}.csv", false},
		{ChannelTable, Head{{FieldTable, "sis.registrations"}}, "sis.registrations", "sis.registrations", false},
		{ChannelMessage, Head{{FieldTopic, "students.000417117.updated"}}, "students.000417117.updated", "students.{}.updated", false},
		{ChannelMail, Head{{FieldName, "x"}, {"Subject", "Export 20261005 finished"}}, "Export 20261005 finished", "Export {} finished", false},
		{ChannelDirectory, Head{{FieldMethod, "MODIFY"}, {FieldPath, `cn=Park\, Hana,ou=people,dc=hlu`}}, `MODIFY cn=Park\, Hana,ou=people,dc=hlu`, "MODIFY cn={},ou=people,dc=hlu", true},
		{ChannelDirectory, Head{{FieldMethod, "SEARCH"}, {FieldPath, ""}}, "SEARCH ", "SEARCH ", true},
	} {
		x := Exchange{Channel: tt.channel, Request: Message{Head: tt.head}}
		if got := x.Title(); got != tt.title {
			t.Errorf("%s: title %q, want %q", tt.channel, got, tt.title)
		}
		if got := x.Operation(); got != tt.operation {
			t.Errorf("%s: operation %q, want %q", tt.channel, got, tt.operation)
		}
		if got := KindOfChannel(tt.channel).Answered; got != tt.answered {
			t.Errorf("%s: answered is %v, want %v", tt.channel, got, tt.answered)
		}
	}
}

func TestEveryChannelIsDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range ChannelKinds {
		if seen[k.Name] || k.Name == "" || k.Summary == "" || k.Unit == "" || k.Row == "" || k.title == nil || k.operation == nil {
			t.Errorf("row %q is not whole, or is there twice", k.Name)
		}
		seen[k.Name] = true
	}
	if got := KindOfChannel("pigeon").Name; got != ChannelHTTP {
		t.Errorf("an unknown channel counts as %s, want http", got)
	}
}
