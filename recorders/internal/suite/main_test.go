package main

import "testing"

// line of a recording, with the fault and the answer that are given.
func line(path, answer, fault string) string {
	return `{"id":"1","request":{"head":[[":method","GET"],[":path","` + path + `"]]},"response":{"head":[` + answer + `]}` + fault + "}\n"
}

func TestOnlyTheClientsOwnHasteIsAccepted(t *testing.T) {
	const gone, status = `,"fault":{"kind":"client-gone","detail":"the client went away before the answer ended"}`, `[":status","401"]`
	for _, tt := range []struct {
		why, lines string
		count      int
		accepted   bool
	}{
		{"whole", line("/", status, "") + line("/v1/charges", status, ""), 0, true},
		{"two first questions", line("/", status, gone) + line("/v1/charges", status, "") + line("/", status, gone), 2, true},
		{"another question", line("/v1/charges", status, gone), 0, false},
		{"no answer came", line("/", "", gone), 0, false},
		{"the upstream broke", line("/", status, `,"fault":{"kind":"reset"}`), 0, false},
		{"no line of a recording", "{", 0, false},
	} {
		n, err := unread([]byte(tt.lines))
		if (err == nil) != tt.accepted || tt.accepted && n != tt.count {
			t.Errorf("%s: %d, %v", tt.why, n, err)
		}
	}
}
