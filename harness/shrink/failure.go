package shrink

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Failure says how the target failed, in a form in which two runs can be compared.
type Failure struct {
	Operation string // what was fed, or what the target was to hand on
	Status    int    // of the answer; 0 when the exchange broke off or the target gave up
	Error     string // what the answer or the fault says, without what changes from run to run or comes from the request
}

// String says it for people.
func (f Failure) String() string {
	what := fmt.Sprintf("%s is answered %d", f.Operation, f.Status)
	if f.Status == 0 {
		what = f.Operation + " fails"
	}
	if f.Error == "" {
		return what
	}
	return what + ": " + f.Error
}

// occurrence is a failure with the exchange that failed.
type occurrence struct {
	Failure
	of fedAs // what it was; zero for what the target hands on
}

// FailureOf returns the first failure of the system: an exchange with it that broke off or whose answer is 400 and above,
// or something that it was to hand on and gave up on. ok is false when there is none.
func FailureOf(rec harness.Recording, system string) (f Failure, ok bool, err error) {
	list, err := occurrences(rec, system)
	if err != nil || len(list) == 0 {
		return Failure{}, false, err
	}
	return list[0].Failure, true, nil
}

// Again finds the first failure of a recording in what crossed when it was replayed, and returns it as it happened then.
// Where the recording holds stand-ins its error may be one, so that operation and status decide. A recording that holds
// no failure holds only what is fed: then the first failure of the replay is the one.
func Again(recorded, replayed harness.Recording, system string) (f Failure, ok bool, err error) {
	o, ok, err := again(recorded, replayed, system)
	return o.Failure, ok, err
}

func again(recorded, replayed harness.Recording, system string) (o occurrence, ok bool, err error) {
	before, err := occurrences(recorded, system)
	if err != nil {
		return o, false, err
	}
	after, err := occurrences(replayed, system)
	if err != nil {
		return o, false, err
	}
	if len(before) == 0 {
		before = after
	}
	if len(before) == 0 {
		return o, false, nil
	}
	masked := recorded.Manifest().Scrub.Masked > 0
	at := slices.IndexFunc(after, func(o occurrence) bool { return o.Failure == before[0].Failure })
	if at < 0 && masked {
		at = slices.IndexFunc(after, func(o occurrence) bool {
			return o.Operation == before[0].Operation && o.Status == before[0].Status
		})
	}
	if at < 0 {
		return before[0], false, nil
	}
	return after[at], true, nil
}

func failures(rec harness.Recording, system string) ([]Failure, error) {
	all, err := occurrences(rec, system)
	list := make([]Failure, len(all))
	for i, o := range all {
		list[i] = o.Failure
	}
	return list, err
}

// occurrences are all failures of a recording, in its order.
func occurrences(rec harness.Recording, system string) ([]occurrence, error) {
	var list []occurrence
	for x, err := range rec.Exchanges() {
		if err != nil {
			return nil, err
		}
		answered := x.To == system && x.Status() >= 400
		if x.Fault == nil && !answered || x.To != system && x.From != system {
			continue
		}
		f := Failure{Operation: x.Operation(), Status: x.Status()}
		if x.Fault != nil {
			f.Status, f.Error = 0, faultOf(x.Fault)
		} else if f.Error, err = errorOf(&x); err != nil {
			return nil, err
		}
		o := occurrence{Failure: f}
		if x.To == system || x.Channel == harness.ChannelHTTP {
			o.of = asFed(&x)
		}
		list = append(list, o)
	}
	return list, nil
}

// varying is what differs from run to run in an error: identifiers and numbers.
var varying = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|0x[0-9a-fA-F]+|\b[0-9a-fA-F]{16,}\b|[0-9]+([.:,-][0-9]+)*`)

// Limits of what is compared of an error.
const (
	maxError  = 300 // characters
	leastEcho = 3   // characters of a value that an error may repeat
)

// wireFaults are those of connections: what is said beside the kind is that of one machine.
var wireFaults = []string{harness.FaultUnreachable, harness.FaultReset, harness.FaultTimeout, harness.FaultTruncated, harness.FaultClientGone}

// faultOf is what is compared of a fault: of a connection the kind, of what a target gave up on also what it says.
func faultOf(f *harness.Fault) string {
	if slices.Contains(wireFaults, f.Kind) {
		return f.Kind
	}
	return steady(f.Kind + ": " + f.Detail)
}

// errorOf is the text of an error answer. Values that it repeats from the request are left out, because they become
// other ones when the request shrinks.
func errorOf(x *harness.Exchange) (string, error) {
	text, err := said(x.Response)
	if err != nil {
		return "", fmt.Errorf("read answer of exchange %s: %w", x.ID, err)
	}
	echoes, err := textsOf(x.Request)
	if err != nil {
		return "", err
	}
	for _, echo := range echoes {
		text = strings.ReplaceAll(text, echo, "…")
	}
	return steady(text), nil
}

// steady is one line of the text without what differs from run to run.
func steady(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	text = varying.ReplaceAllString(text, "#")
	if runes := []rune(text); len(runes) > maxError {
		text = string(runes[:maxError]) + "…"
	}
	return text
}

// said is the values of a body, joined; of a body that is not of its format, the bytes.
func said(m harness.Message) (string, error) {
	doc, _, err := parse(m)
	if err != nil {
		b, err := m.Body.Bytes()
		return string(b), err
	}
	var values []string
	for _, leaf := range doc.Root().Leaves() {
		if text := leaf.Text(); text != "" {
			values = append(values, text)
		}
	}
	return strings.Join(values, "; "), nil
}

// textsOf is the texts of a message that are long enough to be recognised, the longest first.
func textsOf(m harness.Message) ([]string, error) {
	doc, err := payload.Of(m)
	if err != nil {
		return nil, nil //nolint:nilerr // a body that is not of its format has no texts
	}
	var list []string
	for _, leaf := range doc.Root().Leaves() {
		if text := leaf.Text(); leaf.Kind() == harness.KindString && len([]rune(text)) >= leastEcho {
			list = append(list, text)
		}
	}
	slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(list), nil
}
