package harness

import (
	"encoding/json"
	"fmt"
	"time"
)

// Scenario says what to rehearse: a recording is fed to a target, the rest of the world is answered by mocks or by
// live test instances, and the outcome is compared with the recording. Paths of files are relative to Root.
type Scenario struct {
	Name          string              `yaml:"scenario"`
	Extends       string              `yaml:"extends,omitempty"`   // scenario file that this one builds on: keys here replace those there; upstreams, preconditions, links, rules, expect and their files are added
	Integration   string              `yaml:"integration"`         // key in the catalogue: owner, contacts, guards
	Recording     string              `yaml:"recording"`           // folder of the baseline
	Candidate     string              `yaml:"candidate,omitempty"` // folder of exchanges that take the place of recorded ones when feeding
	Target        TargetSpec          `yaml:"target"`
	Upstreams     map[string]Upstream `yaml:"upstreams,omitempty"`     // live test instances, by system
	Mocks         []string            `yaml:"mocks,omitempty"`         // systems answered from the recording
	Preconditions []Precondition      `yaml:"preconditions,omitempty"` // what live systems must hold for the run to mean anything
	Rules         []Rule              `yaml:"rules,omitempty"`
	Expect        []Expectation       `yaml:"expect,omitempty"`
	RuleFiles     []string            `yaml:"rule-files,omitempty"`   // further lists of rules, merged into Rules
	ExpectFiles   []string            `yaml:"expect-files,omitempty"` // further lists of expectations, merged into Expect
	Correlate     Correlate           `yaml:"correlate,omitempty"`    // links between answers and later requests, where they are not found by themselves
	Egress        Egress              `yaml:"egress,omitempty"`
	Replay        Replay              `yaml:"replay,omitempty"`     // how the recording is fed: order, pace, polling
	Access        []Access            `yaml:"access,omitempty"`     // credentials of the instance that is fed
	Clock         time.Time           `yaml:"clock,omitempty"`      // the frozen now for targets that accept it; zero: the recording's first moment
	Change        string              `yaml:"change,omitempty"`     // what this run is about, such as "Atrium SIS 9.32"
	Severity      Severity            `yaml:"severity,omitempty"`   // goes before the integration's
	Invariants    []Invariant         `yaml:"invariants,omitempty"` // beside the integration's

	File string `yaml:"-"` // where the scenario was read
	Root string `yaml:"-"` // the workspace: the folder that paths are relative to
}

// Correlate corrects the links that are found between the values of answers and later requests.
type Correlate struct {
	Pin  []Pinned `yaml:"pin,omitempty"`  // links that are made whatever the values look like
	Deny []Pinned `yaml:"deny,omitempty"` // links that are not made
}

// Pinned is a link, or many: from a place of an answer to a place of a later request.
type Pinned struct {
	From   PinnedPlace `yaml:"from,omitempty"`
	To     PinnedPlace `yaml:"to,omitempty"` // in deny one of the two may be absent: it covers every place
	Reason string      `yaml:"reason"`
}

// PinnedPlace is places of exchanges.
type PinnedPlace struct {
	Operation string `yaml:"operation,omitempty"` // glob over [Exchange.Operation]; empty covers all
	At        Path   `yaml:"at,omitempty"`        // pattern; empty covers all
}

// Egress names what a run may reach beside loopback.
type Egress struct {
	Allow  []string `yaml:"allow,omitempty"`  // host or host:port
	Writes string   `yaml:"writes,omitempty"` // "allow" lets requests other than GET, HEAD and OPTIONS leave loopback

	// PersonalData is "none" when the live systems that are reached by url hold no personal data. What they answer is
	// kept and shown as it is, so a recording with stand-ins is not fed to them otherwise.
	PersonalData string `yaml:"personal-data,omitempty"`
}

// Precondition is a question to a live system before the run. When the answer is another one, the test data moved and
// the run is inconclusive: what it would show says nothing about the release or the mapping.
type Precondition struct {
	System string            `yaml:"system"`           // one of the upstreams
	Get    string            `yaml:"get"`              // path and query
	Head   map[string]string `yaml:"head,omitempty"`   // header fields to send, such as Authorization: ${TOKEN}
	Status int               `yaml:"status,omitempty"` // that the answer must have; 0: 200
	Holds  string            `yaml:"holds,omitempty"`  // text that the answer must hold
	Reason string            `yaml:"reason"`
}

// Rule compares the places that it covers by type instead of by bytes. Every rule says why.
type Rule struct {
	At        Path     `yaml:"at"`                  // pattern
	Operation string   `yaml:"operation,omitempty"` // glob over [Exchange.Operation]; empty covers all
	Compare   string   `yaml:"compare"`             // name of a row in the table of package diff
	Tolerance string   `yaml:"tolerance,omitempty"` // instant: a duration; number: 0.01 or 1%
	Zone      string   `yaml:"zone,omitempty"`      // instant: time zone of values that name none, such as America/Chicago
	Decimals  *int     `yaml:"decimals,omitempty"`  // number: places after the point that count; both values are rounded to them
	Key       []string `yaml:"key,omitempty"`       // keyed: names of the members that identify an element
	Pattern   string   `yaml:"pattern,omitempty"`   // pattern, correlated: regular expression that both texts match as a whole
	Within    string   `yaml:"within,omitempty"`    // correlated: what values keep to their pairs in: run (default) or session
	Values    []string `yaml:"values,omitempty"`    // one-of: texts that are allowed
	Reason    string   `yaml:"reason"`
	Ticket    string   `yaml:"ticket,omitempty"`
	Until     Date     `yaml:"until,omitempty"` // last day on which the rule holds; zero: for ever
	BuiltIn   bool     `yaml:"-"`               // comes with Rehearse, not from the scenario
}

// Expectation is a declared change: the differences that it covers are expected, up to the declared count.
type Expectation struct {
	Change    string  `yaml:"change"` // name of the change, shown in reports
	At        Path    `yaml:"at"`
	Operation string  `yaml:"operation,omitempty"`
	Class     string  `yaml:"class,omitempty"` // a [ChangeClass]; empty covers all
	From      *string `yaml:"from,omitempty"`  // text before; absent covers all
	To        *string `yaml:"to,omitempty"`    // text after; absent covers all
	Count     int     `yaml:"count,omitempty"` // exact number of places; 0: any

	Rule  *CauseRule `yaml:"rule,omitempty"`  // what makes the new values of the old ones, in place of from, to and count
	Also  []Scope    `yaml:"also,omitempty"`  // further places that the rule was accepted for
	Proof string     `yaml:"proof,omitempty"` // digest of the rule and its places as they were when they were proven

	Reason string `yaml:"reason"`
	Ticket string `yaml:"ticket,omitempty"`
	By     string `yaml:"by,omitempty"` // who accepted it
	Until  Date   `yaml:"until,omitempty"`
}

// Scope is the places that the rule of the expectation was accepted for.
func (e Expectation) Scope() []Scope {
	return append([]Scope{{Operation: e.Operation, At: e.At}}, e.Also...)
}

// Date is a calendar day without time; the zero Date means no day.
type Date struct{ time.Time }

// String writes the day as 2006-01-02, or nothing for the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.DateOnly)
}

// MarshalText writes the day as String does.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads 2006-01-02, or nothing as the zero Date.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("%q is not a day such as 2026-12-31", text)
	}
	d.Time = t
	return nil
}

// MarshalJSON writes the day as text; without it the embedded time would add hours and a zone.
func (d Date) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Date) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("%s is not a day such as \"2026-12-31\"", b)
	}
	return d.UnmarshalText([]byte(text))
}

// Before reports whether the day d lies wholly before the moment t, in t's zone; never for the zero Date.
func (d Date) Before(t time.Time) bool {
	return !d.IsZero() && d.Format(time.DateOnly) < t.Format(time.DateOnly)
}

// Integration is the catalogue's entry for one integration.
type Integration struct {
	Name     string            `yaml:"integration"`
	Title    string            `yaml:"title"`
	Purpose  string            `yaml:"purpose,omitempty"`
	Owner    string            `yaml:"owner"`              // key of a person
	Backup   string            `yaml:"backup,omitempty"`   // key of a person
	Steward  string            `yaml:"steward,omitempty"`  // key of a person: who knows what the data means
	Schedule string            `yaml:"schedule,omitempty"` // in words, for people
	Runs     []Schedule        `yaml:"runs,omitempty"`     // the same for programs: what starts by the clock
	Systems  []string          `yaml:"systems"`
	Reads    string            `yaml:"reads,omitempty"`    // how tables are read: "name" or "position"
	Receives map[string]string `yaml:"receives,omitempty"` // operation glob → system that receives it, for people
	Guards   []Guard           `yaml:"guards,omitempty"`
	Runbook  string            `yaml:"runbook,omitempty"`

	Severity   Severity    `yaml:"severity,omitempty"`
	Invariants []Invariant `yaml:"invariants,omitempty"`
}

// Guard is a limit that a receiving system applies to the records it gets.
type Guard struct {
	System    string `yaml:"system"`
	Operation string `yaml:"operation"`       // glob over [Exchange.Operation]
	Lost      string `yaml:"lost"`            // share of records that may go missing, such as 5%
	Mass      string `yaml:"mass,omitempty"`  // share of records that may go, come or change their state at once before it is a mass change; default 5%
	Floor     int    `yaml:"floor,omitempty"` // so many records are never a mass change; default 20
	By        string `yaml:"by,omitempty"`    // column such as the term: each of its values is counted by itself
	State     string `yaml:"state,omitempty"` // column that holds the state of a record
	Note      string `yaml:"note,omitempty"`
}

// System is the catalogue's entry for one system.
type System struct {
	Name       string   `yaml:"system"`
	Title      string   `yaml:"title"`
	Vendor     string   `yaml:"vendor,omitempty"`
	Version    string   `yaml:"version,omitempty"`
	Support    string   `yaml:"support,omitempty"`
	Production bool     `yaml:"production,omitempty"` // never receives a replayed write
	Hosts      []string `yaml:"hosts,omitempty"`
	TestHosts  []string `yaml:"test-hosts,omitempty"` // host or host:port of test instances, which a run may change
}

// Person is the catalogue's entry for one person.
type Person struct {
	Key   string `yaml:"person"`
	Name  string `yaml:"name"`
	Role  string `yaml:"role,omitempty"`
	Email string `yaml:"email,omitempty"`
	Phone string `yaml:"phone,omitempty"`
}

// Catalogue is what is known about systems, integrations and people, by name.
type Catalogue struct {
	Systems      map[string]System
	Integrations map[string]Integration
	People       map[string]Person
	Calendar     Calendar
}

// PersonName returns the name of the person with that key, or the key itself when the catalogue has no entry.
func (c Catalogue) PersonName(key string) string {
	if p, ok := c.People[key]; ok && p.Name != "" {
		return p.Name
	}
	return key
}

// SystemTitle returns the title of the system, or its name when the catalogue has no entry.
func (c Catalogue) SystemTitle(name string) string {
	if s, ok := c.Systems[name]; ok && s.Title != "" {
		return s.Title
	}
	return name
}

// Crosswalk is a code table as the explanation sees it: which codes it knows.
type Crosswalk struct {
	Name    string         // how the mapping calls it
	File    string         // relative to the workspace
	Column  string         // the column that holds the codes
	Codes   map[string]int // code → line in File, from 1
	Default bool           // a row * catches every other code
}
