package scenarios

import (
	"reflect"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// The Go types say which keys there are, and a key without omitempty is required. These tables say what the types
// cannot; the reader and the schema generator both go by them.

// enums are the words that a key accepts, by type and key.
var enums = map[string][]string{
	"CommandSpec.mode":       {"once", "jsonl"},
	"ContainerSpec.mode":     {harness.ContainerServer, harness.ContainerOnce, harness.ContainerLines},
	"ContainerSpec.network":  {harness.NetworkMocks, harness.NetworkNone},
	"ContainerSpec.pull":     {harness.PullMissing, harness.PullAlways, harness.PullNever},
	"CrosswalkSpec.encoding": encodings,
	"CrosswalkSpec.missing":  {"fail", "empty", "keep"},
	"MappingSpec.encoding":   encodings,
	"Egress.writes":          {"allow"},

	"Rule.within":  {"run", "session"},
	"Replay.order": {harness.OrderSession, harness.OrderOverlap, harness.OrderGlobal},

	"Egress.personal-data": {"none"},
	"Integration.reads":    {"name", "position"},
	"Severity.profile":     {harness.ProfileBytes, harness.ProfileLexical, harness.ProfileTyped, harness.ProfileTolerant},
	"Invariant.half":       {"request", "response"},
	"Invariant.kind":       {"F27", "F30", "F40"},
	"Invariant.verdict":    {string(harness.Benign), string(harness.Review), string(harness.Breaking)},

	"SeverityOverride.verdict": {string(harness.Same), string(harness.Benign), string(harness.Review), string(harness.Breaking)},
	"Deadline.kind":            {"certificate", "secret", "review", "release"},
	"Expectation.class": {
		string(harness.Changed), string(harness.Added), string(harness.Removed), string(harness.Moved),
		string(harness.Retyped), string(harness.Reformed), string(harness.MissingCall), string(harness.ExtraCall),
	},
	"CodePair.was-type": valueKinds,
	"CodePair.is-type":  valueKinds,
}

// encodings are the ways in which a text that is not UTF-8 can be written.
var encodings = []string{"utf-8", "windows-1252", "iso-8859-1", "utf-16le", "utf-16be"}

// valueKinds are the types of a side of a code table.
var valueKinds = []string{
	string(harness.KindAbsent), string(harness.KindNull), string(harness.KindBool), string(harness.KindNumber), string(harness.KindString),
	string(harness.KindArray), string(harness.KindObject), string(harness.KindBytes),
}

// kinds are the keys of which exactly one stands in a mapping, by type.
var kinds = map[string][]string{
	"TargetSpec":    {"url", "process", "command", "jq", "starlark", "template", "crosswalk", "sql", "remote", "files", "container"},
	"WatchSpec":     {"table", "files"},
	"Upstream":      {"url", "process", "container"},
	"ContainerSpec": {"image", "build", "compose"},
	"Invariant":     {"check", "use"},
}

// reasons say why a required key is required, where that is not plain.
var reasons = map[string]string{
	"Rule.reason":         "every rule says why",
	"Expectation.reason":  "every declared change says why",
	"Invariant.reason":    "every invariant says why",
	"Pinned.reason":       "every link that is pinned or denied says why",
	"Precondition.reason": "it says what is missing when the answer is another one",

	"SeverityOverride.reason": "every override says why",
	"SeverityOverride.owner":  "every override has a person who answers for it",
	"SeverityOverride.until":  "no override holds for ever",
	"Integration.owner":       "every integration has an assigned owner",
	"TargetSpec.system":       "exchanges to that system are fed",
	"Schedule.zone":           "a time of day means nothing without its zone",
}

// unless are required keys that may be missing when another key is there.
var unless = map[string]string{"Scenario.integration": "extends", "Scenario.recording": "extends", "Scenario.target": "extends", "Guard.lost": "mass"}

// maySayNothing are required keys whose empty value means something: the empty path is the whole exchange, and an
// expect file may wait for its first entry.
var maySayNothing = map[string]bool{"Expectation.at": true, "Rule.at": true, "Scope.at": true, "expectFile.expect": true, "ruleFile.rules": true}

// key is one key of a mapping that is read into a struct.
type key struct {
	name     string // as in the file
	id       string // in the tables: type and name
	field    int    // of the struct
	required bool
}

// keysOf lists the keys of a struct type in the order of its fields.
func keysOf(t reflect.Type) []key {
	var keys []key
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		keys = append(keys, key{name, t.Name() + "." + name, i, options != "omitempty"})
	}
	return keys
}

func names(keys []key) []string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = k.name
	}
	return list
}
