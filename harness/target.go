package harness

import (
	"context"
	"io"
	"net"
	"slices"
	"time"
)

// TargetSpec says what is under test. Exactly one of the kinds is set. In the texts of Run and Env, {listen} stands
// for the loopback address that the stage chose, {container.NAME} for that of a container of the run, {url.SYSTEM} for the base URL under which a watched system is
// reached, {file.SYSTEM} for the file that its tables lie in, {now} for the frozen clock and {root} for the workspace.
type TargetSpec struct {
	System    string          `yaml:"system"` // exchanges to it are fed, exchanges from it are watched
	URL       *URLSpec        `yaml:"url,omitempty"`
	Process   *ProcessSpec    `yaml:"process,omitempty"`
	Command   *CommandSpec    `yaml:"command,omitempty"`
	JQ        []MappingSpec   `yaml:"jq,omitempty"`
	Starlark  []MappingSpec   `yaml:"starlark,omitempty"`
	Template  []MappingSpec   `yaml:"template,omitempty"`
	Crosswalk []CrosswalkSpec `yaml:"crosswalk,omitempty"`
	Files     *FilesSpec      `yaml:"files,omitempty"`
	SQL       *SQLSpec        `yaml:"sql,omitempty"`
	Remote    *RemoteSpec     `yaml:"remote,omitempty"`
	Func      Func            `yaml:"-" json:"-"` // for tests in Go

	// Watch is what the target changes beside answering; it goes into the recording of the run.
	Watch []WatchSpec `yaml:"watch,omitempty"`

	Container *ContainerSpec `yaml:"container,omitempty"`

	// Containers are servers that a target needs which is none in a container itself, such as the database of SQL scripts.
	// They are started before it in this order.
	Containers []ContainerSpec `yaml:"containers,omitempty"`

	// Crosswalks are the code tables that a program reads by itself: name → CSV file, for the explanation. A jq mapping
	// names its own.
	Crosswalks map[string]string `yaml:"crosswalks,omitempty"`
}

// Upstream is a live test instance that answers the target's calls.
type Upstream struct {
	URL     *URLSpec     `yaml:"url,omitempty"`
	Process *ProcessSpec `yaml:"process,omitempty"`

	Container *ContainerSpec `yaml:"container,omitempty"` // a server; it reaches no other system
}

// URLSpec is a server that runs already.
type URLSpec struct {
	Base string `yaml:"base"` // scheme, host and optional path prefix
}

// ProcessSpec is a server that is started on loopback and stopped at the end. The program "rehearse" is the running
// binary itself.
type ProcessSpec struct {
	Run   []string          `yaml:"run"`
	Env   map[string]string `yaml:"env,omitempty"`
	Ready string            `yaml:"ready,omitempty"` // path that answers below 500 when the server is up; empty: the port accepts
	Wait  Duration          `yaml:"wait,omitempty"`  // how long to wait for it; default 10s
}

// CommandSpec is a program that maps a payload on standard input to a payload on standard output.
type CommandSpec struct {
	Run     []string          `yaml:"run"`
	Env     map[string]string `yaml:"env,omitempty"`
	Mode    string            `yaml:"mode,omitempty"`    // "once" (default): one start a payload; "jsonl": one line a payload
	To      string            `yaml:"to,omitempty"`      // system that receives the output; empty: the output answers the request
	Output  string            `yaml:"output,omitempty"`  // name of the file that the output is, when To is set
	Timeout Duration          `yaml:"timeout,omitempty"` // for each payload; default 30s
}

// Mappings is all mappings of the specification, whatever they are written in.
func (s TargetSpec) Mappings() []MappingSpec { return slices.Concat(s.JQ, s.Starlark, s.Template) }

// MappingSpec maps one fed file or request body to one output by a program that runs inside the harness.
type MappingSpec struct {
	From       string            `yaml:"from"`                 // glob over [Exchange.Operation] of what is fed
	Program    string            `yaml:"program"`              // file
	Encoding   string            `yaml:"encoding,omitempty"`   // of what is fed, when it is not UTF-8: windows-1252, iso-8859-1, utf-16le, utf-16be
	Crosswalks map[string]string `yaml:"crosswalks,omitempty"` // variable → CSV file, an array of row objects
	Output     string            `yaml:"output,omitempty"`     // name of the output file; its extension is the format; empty: answers the request
	Columns    []string          `yaml:"columns,omitempty"`    // order of the columns of a CSV output
	To         string            `yaml:"to,omitempty"`         // system that receives the output
}

// CrosswalkSpec is a code table that is tested by itself: the codes in what is fed give their translations. A row with *
// in a key column is the default; the columns valid_from and valid_to say on which days a row holds.
type CrosswalkSpec struct {
	From     string         `yaml:"from,omitempty"`     // glob over [Exchange.Operation] of what is fed; empty: everything
	Table    string         `yaml:"table"`              // CSV file
	Keys     []CrosswalkKey `yaml:"keys,omitempty"`     // columns that hold the codes; none: the first one
	Values   []string       `yaml:"values,omitempty"`   // columns that hold the translations; none: all others
	Missing  string         `yaml:"missing,omitempty"`  // codes without a row: "fail" (default), "empty" or "keep"
	Distinct bool           `yaml:"distinct,omitempty"` // each code once, in the order of what is fed
	Zone     string         `yaml:"zone,omitempty"`     // where the days begin; default UTC
	Encoding string         `yaml:"encoding,omitempty"` // of what is fed, when it is not UTF-8
	Output   string         `yaml:"output,omitempty"`   // name of the output file: .csv, .json or .ndjson; empty: answers the request
	To       string         `yaml:"to,omitempty"`       // system that receives the output
}

// CrosswalkKey is a column of a code table, and the field of what is fed that is looked up in it.
type CrosswalkKey struct {
	Column string `yaml:"column"`
	Field  string `yaml:"field,omitempty"` // default: named like the column
}

// FilesSpec is a batch job: fed files lie in a folder, a command runs, files are collected from a folder.
type FilesSpec struct {
	Run     []string          `yaml:"run"`
	Env     map[string]string `yaml:"env,omitempty"`
	In      string            `yaml:"in,omitempty"`      // folder for the fed files below the scratch folder; default "in"
	Out     string            `yaml:"out,omitempty"`     // folder of the outputs; default "out"
	To      string            `yaml:"to"`                // system that receives the outputs
	Timeout Duration          `yaml:"timeout,omitempty"` // default 5m
}

// SQLSpec is scripts that run in a database of their own, which is made for each session and removed afterwards: what is fed is
// loaded into tables, what the scripts leave is handed over.
type SQLSpec struct {
	Source   string              `yaml:"source,omitempty"`   // "sqlite" (default), or a server to make databases on: postgres://USER@HOST/DATABASE, mysql://USER@HOST/DATABASE; HOST may be {container.NAME}
	Password string              `yaml:"password,omitempty"` // env:NAME, or a file that only you can read
	Setup    []string            `yaml:"setup,omitempty"`    // scripts that make the tables before anything is loaded
	Load     []SQLLoad           `yaml:"load,omitempty"`
	Run      []string            `yaml:"run"`               // scripts under test
	Dump     []SQLDump           `yaml:"dump,omitempty"`    // tables and queries that become files
	Tables   []string            `yaml:"tables,omitempty"`  // tables whose changes are handed over as such
	Keys     map[string][]string `yaml:"keys,omitempty"`    // columns that tell the rows of Tables apart; default: the primary key
	To       string              `yaml:"to"`                // system that receives what is left
	Timeout  Duration            `yaml:"timeout,omitempty"` // for each session; default 5m
}

// SQLLoad says which table what is fed is loaded into. A table that no setup script made gets a column of texts for each field.
type SQLLoad struct {
	From     string  `yaml:"from"` // glob over [Exchange.Operation] of what is fed
	Table    string  `yaml:"table"`
	Encoding string  `yaml:"encoding,omitempty"` // of what is fed, when it is not UTF-8
	Lines    bool    `yaml:"lines,omitempty"`    // it is no table: each line is a row of number, of nine digits from 000000001, and line
	Null     *string `yaml:"null,omitempty"`     // text that stands for NULL in a table, such as ""; absent: none does
}

// SQLDump is a file made of a table or of a query, sorted by its key.
type SQLDump struct {
	Table  string   `yaml:"table,omitempty"`
	Query  string   `yaml:"query,omitempty"`
	Key    []string `yaml:"key,omitempty"`   // columns that sort the rows; default: the primary key, else all columns
	Output string   `yaml:"output"`          // name of the file: .csv, .json or .ndjson
	Lines  bool     `yaml:"lines,omitempty"` // the file is no table, whatever its name: each line is the text of the column line
	To     string   `yaml:"to,omitempty"`    // system that receives it; default: that of the scripts
}

// RemoteSpec is a job on the test runtime of another system. Words in braces stand for values in paths, heads and bodies: {id} of the
// job, {name} and {session} of what is fed, {now}, {each} value of a fetch, and {secret.NAME}.
type RemoteSpec struct {
	Base    string            `yaml:"base"`              // scheme, host and optional path prefix
	Secrets map[string]string `yaml:"secrets,omitempty"` // env:NAME, or a file that only you can read, by name
	Head    map[string]string `yaml:"head,omitempty"`    // header fields of every request, such as Authorization: Bearer {secret.token}
	Send    *RemoteRequest    `yaml:"send,omitempty"`    // sends each fed exchange before one job for the session; without it each is the body of a trigger
	Trigger RemoteTrigger     `yaml:"trigger"`
	Poll    RemotePoll        `yaml:"poll,omitempty"` // absent: the job is done when its trigger is answered
	Fetch   []RemoteFetch     `yaml:"fetch"`
	To      string            `yaml:"to"`                // system that receives the outputs
	Timeout Duration          `yaml:"timeout,omitempty"` // for each job; default 10m
}

// RemoteRequest is one request of a recipe.
type RemoteRequest struct {
	Method string            `yaml:"method,omitempty"` // default: PUT to send, POST to trigger, else GET
	Path   string            `yaml:"path"`             // below the base
	Head   map[string]string `yaml:"head,omitempty"`
	Body   string            `yaml:"body,omitempty"`
}

// RemoteTrigger starts the job.
type RemoteTrigger struct {
	Method string            `yaml:"method,omitempty"`
	Path   string            `yaml:"path"`
	Head   map[string]string `yaml:"head,omitempty"`
	Body   string            `yaml:"body,omitempty"`
	ID     Path              `yaml:"id,omitempty"` // where the answer says {id}: response.body.id, response.head.Location
}

// RemotePoll asks for the state of the job until it is done.
type RemotePoll struct {
	Method string            `yaml:"method,omitempty"`
	Path   string            `yaml:"path,omitempty"`
	Head   map[string]string `yaml:"head,omitempty"`
	At     Path              `yaml:"at,omitempty"`     // where the answer says the state, such as response.body.status
	Done   []string          `yaml:"done,omitempty"`   // states of a job that is done
	Failed []string          `yaml:"failed,omitempty"` // states of a job that failed
	Reason Path              `yaml:"reason,omitempty"` // where the answer says why it failed
	Every  Duration          `yaml:"every,omitempty"`  // default 2s
}

// RemoteFetch gets one output, or one for each value in the last answer.
type RemoteFetch struct {
	Method string            `yaml:"method,omitempty"`
	Path   string            `yaml:"path"`
	Head   map[string]string `yaml:"head,omitempty"`
	Each   Path              `yaml:"each,omitempty"`   // places in the last answer whose values are {each}
	Output string            `yaml:"output,omitempty"` // name of the file; default: the last part of {each}
	To     string            `yaml:"to,omitempty"`     // system that receives it; default: that of the job
}

// Func is a mapping written in Go: it returns the payload that answers a request, or the files that are handed over. An error is a
// Fault of the exchange.
type Func func(ctx context.Context, x Exchange) (Handed, error)

// Handed is what a Func makes of an exchange.
type Handed struct {
	Answer  []byte // of the exchange; nil: none
	Outputs []Output

	// Of an answer over HTTP. With the recorded status, and without one where the recorded one was a success, the answer has
	// the recorded head with this content type; else its head is the status, 200 by default, and the content type.
	Status      int
	ContentType string
}

// Output is a file that is handed over.
type Output struct {
	Name string
	To   string // system that receives it
	Body []byte
}

// WatchSpec is a place where the target leaves things for another system: the recorder that watches it in production watches it
// while the target is fed. Exactly one of the kinds is set.
type WatchSpec struct {
	System string      `yaml:"system"` // that receives what is left there
	Table  *WatchTable `yaml:"table,omitempty"`
	Files  *WatchFiles `yaml:"files,omitempty"`
	Wait   Duration    `yaml:"wait,omitempty"` // how long what was fed last may take to get there; default: it is there when it is answered
}

// WatchTable is tables of a database: what is different when everything was fed is recorded.
type WatchTable struct {
	Source   string              `yaml:"source"`             // postgres://USER@HOST/DATABASE, mysql://USER@HOST/DATABASE or sqlite:FILE; HOST may be {container.NAME}
	Password string              `yaml:"password,omitempty"` // env:NAME, or a file that only you can read
	Tables   []string            `yaml:"tables"`
	Keys     map[string][]string `yaml:"keys,omitempty"` // columns that tell rows apart, by table; default: the primary key
}

// WatchFiles is a folder, and those below it.
type WatchFiles struct {
	Dir    string   `yaml:"dir"`
	Settle Duration `yaml:"settle,omitempty"` // for which a file must not change before it is finished; default 2s
}

// Live reports whether the target is a system that runs by itself, or leaves things where others do, too: nobody knows whether what
// it says is as clean as the recording.
func (s TargetSpec) Live() bool { return s.URL != nil || s.Remote != nil || len(s.Watch) > 0 }

// Duration is a time.Duration that is written as "5s" in files.
type Duration time.Duration

// MarshalText writes the duration as time.Duration does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// Or returns the duration, or other when it is zero.
func (d Duration) Or(other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return time.Duration(d)
}

// Target is the system under test: test instance, process, command or mapping.
type Target interface {
	// Start brings the target up. The error is a Problem of ClassCannotRun when it does not come up.
	Start(ctx context.Context, env StageEnv) (Stage, error)
}

// Stage is a started target. It is fed one session at a time, by one goroutine.
type Stage interface {
	// Feed delivers the exchanges of one session in order and puts everything that crosses into the sink: each fed
	// exchange with the answer of now, and what the target hands over to other systems by itself. Calls that the
	// target makes over the network are seen by the taps around it, not by Feed.
	Feed(ctx context.Context, session []Exchange, sink Sink) error
	// Close stops the target and waits for its end.
	Close() error
}

// Answerer is a Stage that answers exchange by exchange. It is safe for concurrent use; the other stages get a session at
// a time.
type Answerer interface {
	Stage
	// Answer sends the request of x now and returns it as it was sent, with the answer of now, or with a Fault when
	// there was none. The error is for what makes the run pointless: a refusal of the guard, the end of the context, a
	// target that is not there at all.
	Answer(ctx context.Context, x Exchange) (Exchange, error)
}

// StageEnv is what surrounds a stage.
type StageEnv struct {
	Root   string                                                               // workspace: relative files are below it
	Dir    string                                                               // scratch folder of this run
	URLs   map[string]string                                                    // base URL under which the target reaches each watched system; of stand-ins also by SYSTEM.KIND
	Files  map[string]string                                                    // file of each system whose stand-in is a database in one
	Posted bool                                                                 // brokers hand the target everything that it is fed: it need not serve
	Now    time.Time                                                            // frozen clock
	Log    io.Writer                                                            // what the target says on standard error
	Wait   time.Duration                                                        // how long one answer may take; 0: 30 s
	Dial   func(ctx context.Context, network, address string) (net.Conn, error) // the egress guard
	At     func(container string) (address string, known bool)                  // loopback address of a container of this run; may be nil
	Proxy  map[string]string                                                    // variables that lead programs to a proxy behind the guard; may be nil
}
