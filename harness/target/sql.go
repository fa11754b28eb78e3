package target

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/harness/replay"
	"github.com/rehearse-dev/rehearse/recorders/database"
)

// Limits of SQL.
const (
	sqlTimeout = 5 * time.Minute // for one session
	maxScript  = 16 << 20        // bytes of a script
)

// sqlTarget is scripts that run in a database: what is fed is loaded into tables, what is left afterwards is handed over.
type sqlTarget struct {
	system string
	spec   harness.SQLSpec
}

func newSQL(spec harness.TargetSpec) (harness.Target, error) {
	s := *spec.SQL
	s.Source = cmp.Or(s.Source, database.Embedded)
	if s.Source != database.Embedded && !inContainer(s.Source) {
		if err := database.Check(s.Source); err != nil {
			return nil, err
		}
	}
	if len(s.Run) == 0 {
		return nil, harness.Usage(errors.New("run names no script"), "write run: [the SQL files below the workspace]")
	}
	if len(s.Dump) == 0 && len(s.Tables) == 0 {
		return nil, harness.Usage(errors.New("nothing is handed over"), "write dump: for files made of tables and queries, or tables: for the changes of tables")
	}
	for _, l := range s.Load {
		if err := checkFrom(l.From); err != nil {
			return nil, err
		}
	}
	for _, d := range s.Dump {
		if (d.Table == "") == (d.Query == "") {
			return nil, harness.Usage(fmt.Errorf("dump %q has no table or query, or both", d.Output), "write one of the two")
		}
		if d.Output == "" {
			return nil, harness.Usage(errors.New("dump has no output"), "write output: the name of the file")
		}
		if d.Lines {
			continue
		}
		if err := checkFormat(d.Output, []string{"those of the table"}); err != nil {
			return nil, harness.Usage(err, harness.HintOf(err)+"; lines: true writes any other file line by line")
		}
	}
	return sqlTarget{spec.System, s}, nil
}

// inContainer reports whether a source is a server in a container of the run, whose address is not known before.
func inContainer(source string) bool { return strings.Contains(source, "{container.") }

func describeSQL(spec harness.TargetSpec) string {
	kind, _, _ := strings.Cut(cmp.Or(spec.SQL.Source, database.Embedded), ":")
	return "SQL script" + inFolder(spec.SQL.Run) + " on " + kind
}

// sqlScript is a script as it was read.
type sqlScript struct{ name, text string }

// Start reads the scripts and the password. The database is made for each session.
func (t sqlTarget) Start(ctx context.Context, env harness.StageEnv) (harness.Stage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if env.Dir == "" {
		return nil, harness.CannotRun(errors.New("start SQL scripts: the run has no scratch folder"), "")
	}
	s := &sqlStage{sqlTarget: t, env: env}
	if inContainer(s.spec.Source) {
		var err error
		if s.spec.Source, err = Placed(s.spec.Source, env); err != nil {
			return nil, err
		}
		if err := database.Check(s.spec.Source); err != nil {
			return nil, err
		}
	}
	for _, part := range []struct {
		names []string
		into  *[]sqlScript
	}{{t.spec.Setup, &s.setup}, {t.spec.Run, &s.run}} {
		for _, name := range part.names {
			text, err := readBelow(env.Root, name, maxScript)
			if err != nil {
				return nil, harness.Usage(fmt.Errorf("read SQL script: %w", err), "paths are relative to the workspace and stay below it")
			}
			*part.into = append(*part.into, sqlScript{name, string(text)})
		}
	}
	if t.spec.Password != "" {
		password, err := harness.ReadSecret(t.spec.Password, os.Getenv, "write password: env:NAME, or a file that only you can read")
		if err != nil {
			return nil, err
		}
		s.password = strings.TrimRight(string(password), "\r\n")
	}
	return s, nil
}

// sqlStage works in a new database for each session, which is removed at its end.
type sqlStage struct {
	sqlTarget
	env        harness.StageEnv
	setup, run []sqlScript
	password   string
}

// Close has nothing to end: a database is removed within Feed.
func (*sqlStage) Close() error { return nil }

// source is where databases are made. A server is reached through the egress guard, for writing.
func (s *sqlStage) source() database.Source {
	dial := s.env.Dial
	if dial == nil {
		dial = replay.NewGuard(replay.GuardOptions{}).DialContext
	}
	return database.Source{URL: s.spec.Source, Password: s.password, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		return dial(replay.ForWriting(ctx), network, address)
	}}
}

// Feed loads the session, runs the scripts and puts what they leave. A script that fails is an outcome: everything that
// should have been handed over has a fault with its place. A database that cannot be used, and tables that cannot be
// loaded, end the run.
func (s *sqlStage) Feed(ctx context.Context, session []harness.Exchange, sink harness.Sink) (err error) {
	if err := ctx.Err(); err != nil || len(session) == 0 {
		return err
	}
	timed, cancel := context.WithTimeout(ctx, s.spec.Timeout.Or(sqlTimeout))
	defer cancel()
	var nonce [8]byte
	rand.Read(nonce[:]) //nolint:errcheck // never fails
	db, err := database.OpenTemporary(timed, s.source(), "rehearse_"+hex.EncodeToString(nonce[:]), s.env.Dir)
	if err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	defer func() { err = errors.Join(err, db.Remove(ctx)) }()
	work := sqlWork{sqlStage: s, db: db, first: &session[0]}
	if err := work.prepare(timed, session, sink); err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	return cmp.Or(ctx.Err(), work.perform(timed, sink))
}

// sqlWork is the work on one session.
type sqlWork struct {
	*sqlStage
	db    *database.Temporary
	first *harness.Exchange
}

// prepare makes the tables and loads what is fed.
func (w *sqlWork) prepare(ctx context.Context, session []harness.Exchange, sink harness.Sink) error {
	if err := w.scripts(ctx, w.setup); err != nil {
		return harness.Usage(fmt.Errorf("set up the database: %w", err), "setup scripts run before anything is loaded")
	}
	for _, x := range session {
		if x.Channel == harness.ChannelHTTP {
			return harness.Usage(fmt.Errorf("feed exchange %s (%s) to SQL scripts: nothing would answer it", x.ID, x.Operation()), "use a url, process or command target for requests")
		}
		if err := sink.Put(asFed(x, clock(w.env, &x))); err != nil {
			return err
		}
		for _, l := range w.spec.Load {
			if match, _ := path.Match(l.From, x.Operation()); match || l.From == x.Operation() {
				if err := w.load(ctx, &x, l); err != nil {
					return harness.Usage(fmt.Errorf("load exchange %s into %s: %w", x.ID, l.Table, err), "make the table in a setup script, or correct load")
				}
			}
		}
	}
	return nil
}

// load inserts the records of a payload. A table that no setup script made gets a column of texts for each field.
func (w *sqlWork) load(ctx context.Context, x *harness.Exchange, l harness.SQLLoad) error {
	body, err := plainInput(x)
	if err != nil {
		return err
	}
	if l.Encoding != "" {
		if body, err = payload.ToUTF8(l.Encoding, body); err != nil {
			return fmt.Errorf("read input: %w", err)
		}
	}
	value, err := any(nil), error(nil)
	if l.Lines {
		value = linesOf(body)
	} else if value, err = readValue(x.Request.Media, x.Request.Head.Get(harness.FieldName), body); err != nil {
		return err
	}
	columns, rows, err := records(value, l.Null, x.Channel == harness.ChannelTable)
	if err != nil || len(columns) == 0 {
		return err
	}
	if err := w.db.Create(ctx, l.Table, columns); err != nil {
		return err
	}
	return w.db.Insert(ctx, l.Table, columns, rows)
}

// linesOf is the lines of a file as records. Their numbers sort as texts, too. The last line may do without its end.
func linesOf(body []byte) any {
	lines := []any{}
	for line := range bytes.Lines(body) {
		lines = append(lines, map[string]any{"number": fmt.Sprintf("%09d", len(lines)+1), "line": string(bytes.TrimSuffix(line, []byte("\n")))})
	}
	return lines
}

// records are the rows of a payload as texts: nil is NULL, which is what null and missing members are, and cells with the text
// that stands for it. Changes of tables give the rows that they leave.
func records(value any, null *string, changes bool) (columns []string, rows [][]*string, err error) {
	list, many := value.([]any)
	if !many {
		list = []any{value}
	}
	objects := make([]map[string]any, 0, len(list))
	for i, element := range list {
		object, ok := element.(map[string]any)
		if changes && ok {
			if object, ok = object["row"].(map[string]any); !ok {
				continue // deleted
			}
		}
		if !ok {
			return nil, nil, fmt.Errorf("record %d is not an object", i+1)
		}
		for name := range object {
			if !slices.Contains(columns, name) {
				columns = append(columns, name)
			}
		}
		objects = append(objects, object)
	}
	slices.Sort(columns)
	for i, object := range objects {
		row := make([]*string, len(columns))
		for c, name := range columns {
			if object[name] == nil {
				continue
			}
			text, err := cellText(object[name])
			if _, scalar := object[name].(string); err != nil && !scalar {
				var b []byte
				b, err = json.Marshal(object[name])
				text = string(b)
			}
			if err != nil {
				return nil, nil, fmt.Errorf("record %d field %s: %w", i+1, name, err)
			}
			if null == nil || text != *null {
				row[c] = &text
			}
		}
		rows = append(rows, row)
	}
	return columns, rows, nil
}

// perform runs the scripts and hands over.
func (w *sqlWork) perform(ctx context.Context, sink harness.Sink) error {
	changes, err := w.watch(ctx)
	if err != nil {
		return err
	}
	failure := w.scripts(ctx, w.run)
	if failure != nil && ctx.Err() == nil && w.env.Log != nil {
		fmt.Fprintln(w.env.Log, started.Printable(failure.Error())) //nolint:errcheck // a log
	}
	fault := w.fault(ctx, failure)
	for i, d := range w.spec.Dump {
		x := fileOutput(w.first, w.system, cmp.Or(d.To, w.spec.To), d.Output, clock(w.env, w.first), harness.BytesBody(nil))
		x.Fault = fault
		if fault == nil {
			body, err := w.dump(ctx, d, i)
			if err != nil {
				x.Fault = w.fault(ctx, fmt.Errorf("dump %s: %w", d.Output, err))
			}
			x.Request.Body = harness.BytesBody(body)
		}
		if err := sink.Put(x); err != nil {
			return err
		}
	}
	return w.tell(ctx, changes, fault, sink)
}

// fault is what a script that failed makes of the outputs; nil when none did.
func (w *sqlWork) fault(ctx context.Context, err error) *harness.Fault {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &harness.Fault{Kind: harness.FaultTimeout, Detail: fmt.Sprintf("the scripts did not end within %s", w.spec.Timeout.Or(sqlTimeout))}
	}
	var sources strings.Builder
	for _, s := range w.run {
		sources.WriteString(s.text)
	}
	return failed("%s", withoutValues(err, sources.String(), quotedBySQL))
}

// quotedBySQL is how messages of databases show values, and names.
var quotedBySQL = regexp.MustCompile(`("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')`)

// scripts runs scripts; the error begins with file, line and column.
func (w *sqlWork) scripts(ctx context.Context, list []sqlScript) error {
	for _, s := range list {
		err := w.db.Run(ctx, s.text)
		if refused, ok := errors.AsType[*database.ScriptError](err); ok {
			return fmt.Errorf("%s%s: %w", s.name, position([]byte(s.text), refused.Offset), err)
		}
		if err != nil {
			return fmt.Errorf("run %s: %w", s.name, err)
		}
	}
	return nil
}
