// Package curl reads files of curl commands, as people write them in tickets and as browsers copy them: quoted for a POSIX
// shell ("copy as cURL (bash)") or for cmd of Windows. Nothing is run.
//
// A command tells a request and no answer, so every exchange is incomplete: it is a seed for scenarios, not a baseline.
// What curl itself would send is added where it is known: Host, Accept, Content-Type and Content-Length of a body, and
// credentials of --user. Variables and substitutions of the shell are kept as text. A body that lies in another file, and
// forms of several parts, are not taken over.
//
// Memory: one file of at most 64 MiB.
package curl

import (
	"fmt"
	"regexp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
)

// Format reads files of commands.
var Format = archive.Format{
	Extensions: []string{".curl", ".sh", ".cmd", ".bat", ".txt"}, Wrote: "a file of curl commands", Knows: knows, Read: read,
}

// Departures from the wire that only this format has.
const (
	noteUnanswered departure.Kind = "exchanges: a command has no answer; they are incomplete"
	noteBody       departure.Kind = "requests: the body lies in another file, or is a form of several parts; it was not taken over"
	noteAdded      departure.Kind = "requests: fields that curl adds by itself were added; its version is not known"
	noteOther      departure.Kind = "commands: are not curl and were left out"
	noteVariable   departure.Kind = "commands: hold variables or substitutions of the shell, which were kept as text"
)

// begin is a line that begins a command.
var begin = regexp.MustCompile(`(?m)\A(?:\s*(?:#[^\n]*|@echo off|::[^\n]*|rem [^\n]*)?\r?\n)*[ \t]*(?:\$ )?curl(?:\.exe)?[ \t]`)

func knows(head []byte) bool { return begin.Match(head) }

func read(f *archive.File) error {
	source, err := f.Source()
	if err != nil {
		return err
	}
	found := false
	for c, err := range commands(string(source)) {
		if err == nil && c.program() != "curl" {
			f.At(fmt.Sprintf("line %d", c.line))
			f.Note(noteOther)
			continue
		}
		if err == nil {
			f.At(fmt.Sprintf("line %d", c.line))
			found = true
			err = add(f, c)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", c.line, err)
		}
		if err := f.Err(); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("line 1: no curl command")
	}
	return nil
}

// add makes exchanges of a command: one for each URL.
func add(f *archive.File, c command) error {
	if c.variables {
		f.Note(noteVariable)
	}
	q, err := parse(c.words[1:])
	if err != nil {
		return err
	}
	if q.elsewhere {
		f.Note(noteBody)
	}
	fields, added := q.head()
	if added {
		f.Note(noteAdded)
	}
	for _, url := range q.urls {
		f.Note(noteUnanswered)
		err := f.Add(archive.Call{
			Method: q.method(), URL: q.target(url), Request: archive.Half{Proto: q.proto, Fields: fields, Body: q.payload()},
			Fault: &harness.Fault{Kind: harness.FaultTruncated, Detail: "a command has no answer"},
		})
		if err != nil {
			return err
		}
	}
	return nil
}
