package database

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// dialect is how scripts are written for a database, as far as it matters for finding where statements end.
type dialect struct {
	backslashes bool // a backslash in a text makes the next character part of it
	hashes      bool // # begins a comment
	dollars     bool // $tag$ … $tag$ is a text
	delimiters  bool // a line DELIMITER // changes what ends statements
	triggers    bool // CREATE TRIGGER ends with END;
}

// Statement is one statement of a script.
type Statement struct {
	Text   string
	Offset int // in the script, in bytes
}

// ScriptError is a statement that the database refused.
type ScriptError struct {
	Offset  int    // in the script, in bytes: where the database says, else where the statement begins
	Message string // of the database
	Err     error
}

// Error is the message of the database.
func (e *ScriptError) Error() string { return e.Message }

// Unwrap returns the error of the driver.
func (e *ScriptError) Unwrap() error { return e.Err }

// Run runs the statements of a script one after the other. What a statement yields is read and forgotten. The error is a
// *ScriptError, or that of the context.
func (d *DB) Run(ctx context.Context, script string) error {
	for _, s := range d.engine.dialect.statements(script) {
		if _, err := d.ExecContext(ctx, s.Text); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			characters, message := d.engine.place(err)
			return &ScriptError{s.Offset + bytesOf(s.Text, characters), message, err}
		}
	}
	return nil
}

// bytesOf is the length of so many characters of a text.
func bytesOf(text string, characters int) int {
	for i := range text {
		if characters == 0 {
			return i
		}
		characters--
	}
	return 0
}

var (
	dollarTag   = regexp.MustCompile(`^\$(?:[A-Za-z_][A-Za-z0-9_]*)?\$`)
	delimiter   = regexp.MustCompile(`(?i)^DELIMITER[ \t]+(\S+)[ \t]*(?:\r?\n|$)`)
	trigger     = regexp.MustCompile(`(?i)^CREATE\s+(?:TEMP(?:ORARY)?\s+)?TRIGGER\b`)
	triggerDone = regexp.MustCompile(`(?i)\bEND\s*$`)
)

// statements finds the statements of a script; comments and blanks alone are none.
func (d dialect) statements(script string) []Statement {
	var list []Statement
	end, begin, content := ";", 0, false
	take := func(to int) {
		if content {
			list = append(list, Statement{script[begin:to], begin})
		}
		content = false
	}
	for i := 0; i < len(script); {
		if !content {
			begin = i
		}
		rest := script[i:]
		if found := delimiter.FindStringSubmatch(rest); d.delimiters && !content && found != nil {
			end = found[1]
			i += len(found[0])
			continue
		}
		if n := d.comment(rest); n > 0 {
			i += n
			continue
		}
		if strings.HasPrefix(rest, end) && !d.open(script[begin:i]) {
			take(i)
			i += len(end)
			continue
		}
		n := d.quoted(rest)
		if n == 0 {
			n = 1
		}
		content = content || strings.TrimSpace(rest[:n]) != ""
		i += n
	}
	take(len(script))
	return list
}

// open reports whether an end within the text does not end it: a trigger goes on until END.
func (d dialect) open(text string) bool {
	return d.triggers && trigger.MatchString(text) && !triggerDone.MatchString(text)
}

// comment is the length of the comment at the beginning of the text, 0 when there is none.
func (d dialect) comment(text string) int {
	switch {
	case strings.HasPrefix(text, "--") || d.hashes && strings.HasPrefix(text, "#"):
		if i := strings.IndexByte(text, '\n'); i >= 0 {
			return i + 1
		}
		return len(text)
	case strings.HasPrefix(text, "/*") && !strings.HasPrefix(text, "/*!"): // MySQL runs what stands in /*! */
		if i := strings.Index(text, "*/"); i >= 0 {
			return i + 2
		}
		return len(text)
	}
	return 0
}

// quoted is the length of the text or name in quotes at the beginning, 0 when there is none.
func (d dialect) quoted(text string) int {
	quote := text[0]
	switch {
	case quote == '$' && d.dollars:
		tag := dollarTag.FindString(text)
		if tag == "" {
			return 0
		}
		if i := strings.Index(text[len(tag):], tag); i >= 0 {
			return i + 2*len(tag)
		}
		return len(text)
	case quote != '\'' && quote != '"' && quote != '`':
		return 0
	}
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && d.backslashes && quote != '`':
			i++
		case text[i] == quote: // two of them are one within: the second begins the next piece
			return i + 1
		}
	}
	return len(text)
}

// Create makes a table whose columns hold any text, when there is none of that name.
func (d *DB) Create(ctx context.Context, table string, columns []string) error {
	defined := make([]string, len(columns))
	for i, name := range columns {
		defined[i] = d.engine.column(name) + " " + d.engine.text
	}
	_, err := d.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+d.Quoted(table)+" ("+strings.Join(defined, ", ")+")")
	return err
}

// Insert adds rows to a table in one transaction; a nil value is NULL. The database makes what its columns hold of the texts.
// The error names the row, from 1.
func (d *DB) Insert(ctx context.Context, table string, columns []string, rows [][]*string) error {
	names, places := make([]string, len(columns)), make([]string, len(columns))
	for i, name := range columns {
		names[i], places[i] = d.engine.column(name), d.engine.placeholder(i+1)
	}
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	insert, err := tx.PrepareContext(ctx, "INSERT INTO "+d.Quoted(table)+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(places, ", ")+")")
	if err != nil {
		return err
	}
	defer insert.Close()
	values := make([]any, len(columns))
	for n, row := range rows {
		for i, value := range row {
			values[i] = nil
			if value != nil {
				values[i] = *value
			}
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			_, message := d.engine.place(err)
			return &ScriptError{Message: fmt.Sprintf("row %d: %s", n+1, message), Err: err}
		}
	}
	return errors.Join(insert.Close(), tx.Commit())
}

// View makes a view of a query, so that it can be read like a table.
func (d *DB) View(ctx context.Context, name, query string) error {
	_, err := d.ExecContext(ctx, "CREATE VIEW "+d.Quoted(name)+" AS "+strings.TrimRight(strings.TrimSpace(query), ";"))
	if err == nil || ctx.Err() != nil {
		return err
	}
	_, message := d.engine.place(err)
	return &ScriptError{Message: message, Err: err}
}
