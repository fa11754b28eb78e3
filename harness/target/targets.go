package target

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// FaultFailed is the kind of a Fault of an exchange on which the program or mapping under test gave up.
const FaultFailed = "failed"

// maxOutput bounds one answer or output, in bytes.
const maxOutput = 64 << 20

// Kind is one row of the table of target kinds.
type Kind struct {
	Name    string // as in the scenario
	Summary string
	// Chosen reports whether the specification is of this kind.
	Chosen func(harness.TargetSpec) bool
	// Make checks the specification, without touching anything outside. The error says what is wrong with it.
	Make func(harness.TargetSpec) (harness.Target, error)
	// Describe says in words what is tested.
	Describe func(harness.TargetSpec) string
}

// Kinds is the table of target kinds, in the order of the documentation.
var Kinds = []Kind{
	{"url", "a server that runs already", func(s harness.TargetSpec) bool { return s.URL != nil }, newURL, describeURL},
	{"process", "a server that is started on loopback and stopped at the end", func(s harness.TargetSpec) bool { return s.Process != nil }, newProcess, describeProcess},
	{"command", "a program that maps standard input to standard output", func(s harness.TargetSpec) bool { return s.Command != nil }, newCommand, describeCommand},
	{"jq", "mappings in jq, run inside with exact numbers", jq.chosen, jq.newTarget, jq.describe},
	{"starlark", "mappings in Starlark, run inside with exact numbers", starlarkLanguage.chosen, starlarkLanguage.newTarget, starlarkLanguage.describe},
	{"template", "mappings as text templates, for flat files", templateLanguage.chosen, templateLanguage.newTarget, templateLanguage.describe},
	{"crosswalk", "code tables by themselves: codes in, translations out", func(s harness.TargetSpec) bool { return len(s.Crosswalk) > 0 }, newCrosswalk, describeCrosswalk},
	{"sql", "SQL scripts in a database of their own", func(s harness.TargetSpec) bool { return s.SQL != nil }, newSQL, describeSQL},
	{"remote", "a job on another system's test runtime, triggered over HTTP", func(s harness.TargetSpec) bool { return s.Remote != nil }, newRemote, describeRemote},
	{"files", "a batch job: files in a folder, a command, files out", func(s harness.TargetSpec) bool { return s.Files != nil }, newFiles, describeFiles},
	{"func", "a function of a test in Go", func(s harness.TargetSpec) bool { return s.Func != nil }, newFunc, func(harness.TargetSpec) string { return "a function in Go" }},
	{"container", "a server or a mapping in a container, in a network without a way out", func(s harness.TargetSpec) bool { return s.Container != nil }, newContainer, describeContainer},
}

// New returns the target that the specification names. Exactly one kind must be set; everything that can be wrong with
// a specification by itself is an error of ClassUsage here, before anything starts.
func New(spec harness.TargetSpec) (harness.Target, error) {
	k, err := kindOf(spec)
	if err != nil {
		return nil, err
	}
	t, err := k.Make(spec)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("check target %s: %w", k.Name, err), harness.HintOf(err))
	}
	return t, nil
}

// Describe says in one line what is tested, such as "jq mapping scenarios/enrollments.jq".
func Describe(spec harness.TargetSpec) string {
	k, err := kindOf(spec)
	if err != nil {
		return "nothing"
	}
	return k.Describe(spec)
}

func kindOf(spec harness.TargetSpec) (Kind, error) {
	var chosen, names []string
	var kind Kind
	for _, k := range Kinds {
		names = append(names, k.Name)
		if k.Chosen(spec) {
			kind = k
			chosen = append(chosen, k.Name)
		}
	}
	switch len(chosen) {
	case 1:
		return kind, nil
	case 0:
		return kind, harness.Usage(errors.New("check target: no kind is set"), "set one of "+strings.Join(names, ", "))
	}
	return kind, harness.Usage(fmt.Errorf("check target: %s are set", strings.Join(chosen, " and ")), "set exactly one kind")
}
