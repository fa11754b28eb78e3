package mock

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Fault is what goes wrong on purpose, and for which calls. Of the calls to an operation that come first, After get their
// answers; of those behind them a share fails, at most Times of them. Which ones is a matter of the seed and of how many
// came before, so the same calls in the same order fail in every run.
type Fault struct {
	Kind      string        // a row of FaultKinds, or a status such as 429
	Operation string        // glob over operations, such as "GET /orders/*"; empty: all
	Share     float64       // of the calls, 0 to 1
	After     int           // calls that are answered first
	Times     int           // most calls that fail; 0: no bound
	Retry     time.Duration // of a status: its Retry-After; 0: none
	Delay     time.Duration // of delay
	Rate      int           // of drip: bytes in a second

	seen, failed *atomic.Int64
}

// faultKind is a row of the table of faults.
type faultKind struct {
	Name    string
	Summary string
	early   bool // the call never reaches the recording: its answer is left for the next try
	act     func(f Fault, x *harness.Exchange, random *rand.Rand) (reply, error)
}

// FaultKinds is the table of what can go wrong; beside it stand the numbers of statuses.
var FaultKinds = []faultKind{
	{"reset", "the connection ends before the answer", true, func(Fault, *harness.Exchange, *rand.Rand) (reply, error) {
		return reply{x: &harness.Exchange{Fault: &harness.Fault{Kind: harness.FaultReset}}}, nil
	}},
	{"hang", "no answer comes until the client gives up", true, func(Fault, *harness.Exchange, *rand.Rand) (reply, error) {
		return reply{x: &harness.Exchange{Took: maxHold, Fault: &harness.Fault{Kind: harness.FaultTimeout}}}, nil
	}},
	{"truncate", "the connection ends in the middle of the body", false, truncated},
	{"garbage", "the body is bytes by chance, as many as recorded", false, garbled},
	{"drip", "the body comes slowly, rate=BYTES in a second", false, func(f Fault, x *harness.Exchange, _ *rand.Rand) (reply, error) {
		return reply{x: x, rate: f.Rate}, nil
	}},
	{"delay", "the answer comes late, by=TIME", false, func(f Fault, x *harness.Exchange, _ *rand.Rand) (reply, error) {
		return reply{x: x, delay: f.Delay}, nil
	}},
}

// refusal is the row of all statuses: the vendor refuses the call, with retry=TIME in Retry-After.
var refusal = faultKind{"STATUS", "", true, func(f Fault, _ *harness.Exchange, _ *rand.Rand) (reply, error) {
	status, _ := strconv.Atoi(f.Kind)
	head := harness.Head{{Name: harness.FieldStatus, Value: f.Kind}, {Name: "Content-Type", Value: "text/plain; charset=utf-8"}, {Name: InjectedField, Value: f.Kind}}
	if f.Retry > 0 {
		head = append(head, harness.Field{Name: "Retry-After", Value: strconv.Itoa(int((f.Retry + time.Second - 1) / time.Second))})
	}
	return reply{x: &harness.Exchange{Response: harness.Message{Head: head, Body: harness.BytesBody([]byte(http.StatusText(status) + "\n"))}}}, nil
}}

// InjectedField is the header field that says that a status was injected.
const InjectedField = "X-Rehearse-Fault"

func truncated(_ Fault, x *harness.Exchange, _ *rand.Rand) (reply, error) {
	body, err := x.Response.Body.Bytes()
	if err != nil {
		return reply{}, err
	}
	cut := *x
	if cut.Response.Head.Has("Content-Length") {
		cut.Response.Head = cut.Response.Head.With("Content-Length", strconv.Itoa(len(body)))
	}
	cut.Response.Body = harness.BytesBody(body[:len(body)/2])
	cut.Fault = &harness.Fault{Kind: harness.FaultReset}
	return reply{x: &cut}, nil
}

func garbled(_ Fault, x *harness.Exchange, random *rand.Rand) (reply, error) {
	junk := make([]byte, x.Response.Body.Size())
	for i := range junk {
		junk[i] = byte(random.Uint32())
	}
	bad := *x
	bad.Response.Body = harness.BytesBody(junk)
	return reply{x: &bad}, nil
}

func (f Fault) kind() (faultKind, bool) {
	for _, k := range FaultKinds {
		if k.Name == f.Kind {
			return k, true
		}
	}
	status, err := strconv.Atoi(f.Kind)
	return refusal, err == nil && status >= 400 && status <= 599
}

// ParseFault reads a fault: its kind and settings, separated by commas, such as
//
//	reset,share=5%,on=GET /orders/*
//	429,after=100,times=3,retry=30s
//	drip,rate=64
//
// On is the operation; share, after, times, retry, rate and by are the fields of the same names, by being the Delay.
func ParseFault(text string) (Fault, error) {
	kind, rest, _ := strings.Cut(text, ",")
	f := Fault{Kind: kind, Share: 1}
	bad := func(what string) (Fault, error) {
		return Fault{}, harness.Usage(fmt.Errorf("fault %q: %s", text, what),
			"write a kind ("+faultNames()+"), then settings: reset,share=5%,on=GET /orders/* or 429,after=100,retry=30s")
	}
	row, known := f.kind()
	if !known {
		return bad(fmt.Sprintf("kind %q is not known", kind))
	}
	for setting := range strings.SplitSeq(rest, ",") {
		if setting == "" {
			continue
		}
		name, value, _ := strings.Cut(setting, "=")
		if err := f.set(strings.TrimSpace(name), strings.TrimSpace(value)); err != nil {
			return bad(err.Error())
		}
	}
	for _, own := range ownSettings {
		switch given := own.given(f); {
		case row.Name == own.kind && own.needed && !given:
			return bad(own.name + " is missing")
		case row.Name != own.kind && given:
			return bad(fmt.Sprintf("%s does nothing to %s", own.name, kind))
		}
	}
	return f, nil
}

// ownSettings is the table of settings that only one kind has.
var ownSettings = []struct {
	name, kind string
	needed     bool
	given      func(Fault) bool
}{
	{"rate", "drip", true, func(f Fault) bool { return f.Rate > 0 }},
	{"by", "delay", true, func(f Fault) bool { return f.Delay > 0 }},
	{"retry", refusal.Name, false, func(f Fault) bool { return f.Retry > 0 }},
}

// set reads one setting of a fault.
func (f *Fault) set(name, value string) (err error) {
	wrong := func(want string) error { return fmt.Errorf("%s=%s is not %s", name, value, want) }
	whole := func(into *int) {
		if *into, err = strconv.Atoi(value); err != nil || *into < 0 {
			err = wrong("a whole number such as 100")
		}
	}
	duration := func(into *time.Duration) {
		if *into, err = time.ParseDuration(value); err != nil || *into < 0 {
			err = wrong("a time such as 30s")
		}
	}
	switch name {
	case "on":
		f.Operation = value
		if _, err = path.Match(value, ""); err != nil {
			err = wrong("a glob such as GET /orders/*")
		}
	case "share":
		number, percent := strings.CutSuffix(value, "%")
		if f.Share, err = strconv.ParseFloat(number, 64); percent {
			f.Share /= 100
		}
		if err != nil || !(f.Share >= 0 && f.Share <= 1) {
			err = wrong("a share such as 5% or 0.05")
		}
	case "after":
		whole(&f.After)
	case "times":
		whole(&f.Times)
	case "rate":
		whole(&f.Rate)
	case "retry":
		duration(&f.Retry)
	case "by":
		duration(&f.Delay)
	default:
		err = fmt.Errorf("setting %q is not known", name)
	}
	return err
}

func faultNames() string {
	names := make([]string, 0, len(FaultKinds)+1)
	for _, k := range FaultKinds {
		names = append(names, k.Name)
	}
	return strings.Join(append(names, "or a status such as 503"), ", ")
}

// due says whether the next call to an operation fails, and hands out what chance there is in it.
func (f Fault) due(operation string, seed uint64) (*rand.Rand, bool) {
	if !harness.MatchOperation(f.Operation, operation) {
		return nil, false
	}
	n := f.seen.Add(1)
	if n <= int64(f.After) {
		return nil, false
	}
	random := rand.New(rand.NewPCG(seed, chanceOf(f, n)))
	if random.Float64() >= f.Share {
		return nil, false
	}
	if failed := f.failed.Add(1); f.Times > 0 && failed > int64(f.Times) {
		return nil, false
	}
	return random, true
}

// chanceOf tells faults and calls apart.
func chanceOf(f Fault, n int64) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\n%s\n", f.Kind, f.Operation)
	binary.Write(h, binary.BigEndian, n) //nolint:errcheck // a hash takes everything
	return h.Sum64()
}

// prepared gives each fault its counters.
func prepared(faults []Fault) []Fault {
	out := make([]Fault, len(faults))
	for i, f := range faults {
		f.seen, f.failed = new(atomic.Int64), new(atomic.Int64)
		out[i] = f
	}
	return out
}

// early is the reply of a fault that keeps a call from the recording; ok is false when there is none.
func (m *Mock) early(r *http.Request) (a reply, late *dueFault, ok bool) {
	if len(m.faults) == 0 {
		return reply{}, nil, false
	}
	operation := liveOperation(r)
	for _, f := range m.faults {
		random, due := f.due(operation, m.options.Seed)
		if !due {
			continue
		}
		m.injected.Add(1)
		row, _ := f.kind()
		if !row.early {
			return reply{}, &dueFault{f, row, random}, false
		}
		a, _ := row.act(f, nil, random) // of an early fault it never fails
		return a, nil, true
	}
	return reply{}, nil, false
}

// dueFault is a fault that changes the answer of one call.
type dueFault struct {
	fault  Fault
	row    faultKind
	random *rand.Rand
}

func liveOperation(r *http.Request) string {
	x := harness.Exchange{Channel: harness.ChannelHTTP, Request: harness.Message{Head: harness.Head{
		{Name: harness.FieldMethod, Value: r.Method}, {Name: harness.FieldPath, Value: requestTarget(r)},
	}}}
	return x.Operation()
}
