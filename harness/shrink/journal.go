package shrink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Journal is Outcomes in a file, which survive the end of the process, also a violent one. A line is a JSON object: the
// first names the case, each other one an outcome. What was being written when the process ended is not read.
type Journal struct {
	file  *os.File
	known map[string]Outcome
}

// journalLine is a line of a journal.
type journalLine struct {
	Case  string `json:"case,omitempty"`
	Key   string `json:"key,omitempty"`
	Same  bool   `json:"same,omitempty"`
	Other string `json:"other,omitempty"`
}

// OpenJournal opens the journal of a case, and makes it when there is none. One of another case is begun anew. The case
// is a digest of everything that the outcomes depend on: recording, scenario, target. Its folder is made.
func OpenJournal(name, digest string) (*Journal, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{known: map[string]Outcome{}}
	whole := j.read(text, digest)
	if j.file, err = os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	err = j.file.Truncate(whole)
	if err == nil {
		_, err = j.file.Seek(whole, 0)
	}
	if err == nil && whole == 0 {
		err = j.write(journalLine{Case: digest})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open journal %s: %w", name, err), j.file.Close())
	}
	return j, nil
}

// read takes the outcomes of the case, and returns how many bytes of the text are whole lines of it.
func (j *Journal) read(text []byte, digest string) (whole int64) {
	for n := 0; ; n++ {
		line, _, ended := bytes.Cut(text[whole:], []byte("\n"))
		var l journalLine
		if !ended || json.Unmarshal(line, &l) != nil || n == 0 && l.Case != digest {
			return whole
		}
		if n > 0 {
			j.known[l.Key] = Outcome{l.Same, l.Other}
		}
		whole += int64(len(line)) + 1
	}
}

func (j *Journal) write(l journalLine) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = j.file.Write(append(text, '\n'))
	return err
}

// Len is the number of outcomes.
func (j *Journal) Len() int { return len(j.known) }

// Known looks up an outcome.
func (j *Journal) Known(key string) (Outcome, bool) {
	o, ok := j.known[key]
	return o, ok
}

// Keep appends an outcome.
func (j *Journal) Keep(key string, o Outcome) error {
	j.known[key] = o
	if err := j.write(journalLine{Key: key, Same: o.Same, Other: o.Other}); err != nil {
		return fmt.Errorf("keep outcome: %w", err)
	}
	return nil
}

// Close closes the file, which stays.
func (j *Journal) Close() error { return j.file.Close() }
