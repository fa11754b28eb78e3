package harness

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"
)

// Recording is exchanges in order, and where they come from. It is read as a stream; bodies are opened on demand, so
// memory is bounded by what the reader keeps.
type Recording interface {
	Manifest() Manifest
	// Exchanges yields each exchange in recorded order. An error ends the sequence.
	Exchanges() iter.Seq2[Exchange, error]
}

// Manifest says where a recording comes from and how whole it is.
type Manifest struct {
	Origin   string    // how it was made, such as "httptap" or "import har"
	Tool     string    // name and version of the program that wrote it
	Hosts    []string  // where the traffic was recorded, host or host:port, when the recorder knows more than its exchanges tell
	Systems  []string  // names of the systems that occur, sorted
	From, To time.Time // first and last moment, UTC; zero when there are no exchanges
	Scrub    ScrubSeal // what was done for privacy
	Proof    *Proof    // that nothing of what was replaced is left; nil: nobody looked
	Counts   Counts
}

// ScrubSeal says under which policy and key a recording was scrubbed. The zero value means: not scrubbed.
type ScrubSeal struct {
	Policy string // digest of the policy text
	Key    string // identity of the key, never the key
	Masked int    // values that were replaced
}

// Proof certifies that every stored byte was searched for the values that were replaced, and what was found. It holds
// counts, digests and the words of the policy, and no value of the recording.
type Proof struct {
	Method     int            // of the search; grows when it learns to find more
	Input      string         // HMAC under the scrub key over what came in
	Output     string         // digest over what was searched: exchanges and bodies, without the manifest
	Originals  map[string]int // distinct values that were replaced, by class
	Tiers      Tiers
	Searched   int64          // bytes, those inside of encodings included
	Depth      int            // most encodings in one another
	Unpacked   int64          // most bytes that came out of the compressed data of one file
	Encodings  map[string]int // texts that were opened, by encoding
	Canaries   int            // planted values of all classes, each in every encoding: all were found
	Restored   int            // originals put back in a random encoding: all were found
	Explained  int            // places that hold the stand-in of another value
	Suspicions map[string]int // places that a person should look at, by what they look like
	StandIns   []string       // salted digests of stand-ins that look like real ones to a rule, sorted
	Leaves     Leaves
	Account    []ProofLine
}

// Leaves counts the leaves of bodies that were compared with what was made of them, place by place. In = Out = Changed +
// Kept.
type Leaves struct {
	Exchanges int // that were scrubbed
	Compared  int // of them; fewer when there is much to compare
	In, Out   int
	Changed   int // hold another text
	Kept      int // hold the text that came in, as their rules say, or because they stand for no value
}

// Tiers counts originals by how they were searched for.
type Tiers struct {
	Certain  int // wherever they stand
	Probable int // where they are a whole leaf
	Weak     int // not at all: too short, or the same by chance
}

// ProofLine counts the leaves that one rule decided alike.
type ProofLine struct {
	Rule    string // of the policy, or built-in
	Class   string // empty when kept
	Outcome string // kept, replaced, masked, dropped
	Reason  string // why it is kept
	Count   int
}

// Counts is the account of a recording: Seen = Recorded + Incomplete + Dropped.
type Counts struct {
	Seen       int // exchanges that began while recording
	Recorded   int // kept whole
	Incomplete int // kept, with a Fault
	Dropped    int // not kept
	Bytes      int64
	Reasons    map[string]int // why exchanges were dropped
	LeftOut    map[string]int // what passed and nobody wanted, by reason; not in Seen
}

// Complete reports whether nothing was lost, so that the recording can be a baseline.
func (c Counts) Complete() bool { return c.Incomplete == 0 && c.Dropped == 0 }

// Sealed reports whether the recording was scrubbed.
func (m Manifest) Sealed() bool { return m.Scrub.Policy != "" }

// Recorder watches one crossing and puts every exchange into the sink until the context ends or the source is
// exhausted. Record returns nil for both, after everything that was seen is in the sink.
type Recorder interface {
	Record(ctx context.Context, sink Sink) error
}

// Sink takes exchanges. It is safe for concurrent use.
type Sink interface {
	// Put keeps the exchange; when it returns nil the exchange would survive a crash of the process, as far as the
	// sink stores at all. An empty ID is assigned in order of arrival.
	Put(Exchange) error
	// Drop counts an exchange that was seen and could not be kept.
	Drop(reason string)
	// LeaveOut counts an exchange that passed and that nobody wanted: a filter or a sample said so. It is no loss.
	LeaveOut(reason string)
}

// Memory is a Recording held in memory, and a Sink. It is safe for concurrent use.
type Memory struct {
	mu        sync.Mutex
	manifest  Manifest
	exchanges []Exchange
}

// NewMemory returns a recording of the exchanges; counts, systems and times of the manifest are computed from them. An
// exchange without an ID gets that of its place, or, when another one has it, one behind all places.
func NewMemory(m Manifest, exchanges ...Exchange) *Memory {
	mem := &Memory{manifest: Manifest{Origin: m.Origin, Tool: m.Tool, Hosts: m.Hosts, Scrub: m.Scrub}}
	taken := map[string]bool{}
	for i := range exchanges {
		if id := exchanges[i].ID; id != "" {
			taken[id] = true
		}
	}
	behind := len(exchanges)
	for i, x := range exchanges {
		if x.ID == "" {
			x.ID = SequenceID(i + 1)
			for taken[x.ID] {
				behind++
				x.ID = SequenceID(behind)
			}
			taken[x.ID] = true
		}
		mem.Put(x) //nolint:errcheck // memory keeps everything
	}
	return mem
}

// Put appends the exchange; it never fails.
func (m *Memory) Put(x Exchange) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if x.ID == "" {
		x.ID = SequenceID(len(m.exchanges) + 1)
	}
	m.manifest.Add(x)
	m.exchanges = append(m.exchanges, x)
	return nil
}

// Drop counts a lost exchange.
func (m *Memory) Drop(reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.manifest.Counts.Drop(reason)
}

// LeaveOut counts an exchange that nobody wanted.
func (m *Memory) LeaveOut(reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.manifest.Counts.LeaveOut(reason)
}

// Manifest returns a copy of the manifest as it is now.
func (m *Memory) Manifest() Manifest {
	m.mu.Lock()
	defer m.mu.Unlock()
	man := m.manifest
	man.Systems = slices.Clone(man.Systems)
	man.Counts.Reasons, man.Counts.LeftOut = maps.Clone(man.Counts.Reasons), maps.Clone(man.Counts.LeftOut)
	return man
}

// Exchanges yields the exchanges that are held when it is called.
func (m *Memory) Exchanges() iter.Seq2[Exchange, error] {
	m.mu.Lock()
	held := m.exchanges[:len(m.exchanges):len(m.exchanges)]
	m.mu.Unlock()
	return func(yield func(Exchange, error) bool) {
		for _, x := range held {
			if !yield(x, nil) {
				return
			}
		}
	}
}

// Add counts an exchange that is kept: systems, times, bytes.
func (m *Manifest) Add(x Exchange) {
	c := &m.Counts
	c.Seen++
	if x.Fault != nil {
		c.Incomplete++
	} else {
		c.Recorded++
	}
	c.Bytes += x.Request.Body.Size() + x.Response.Body.Size()
	for _, s := range []string{x.From, x.To} {
		if i, found := slices.BinarySearch(m.Systems, s); !found && s != "" {
			m.Systems = slices.Insert(m.Systems, i, s)
		}
	}
	if m.From.IsZero() || x.At.Before(m.From) {
		m.From = x.At
	}
	if end := x.At.Add(x.Took); end.After(m.To) {
		m.To = end
	}
}

// Drop counts a lost exchange and why.
func (c *Counts) Drop(reason string) {
	c.Seen++
	c.Dropped++
	if c.Reasons == nil {
		c.Reasons = map[string]int{}
	}
	c.Reasons[reason]++
}

// Unwanted is how many exchanges passed that nobody wanted.
func (c Counts) Unwanted() (n int) {
	for _, count := range c.LeftOut {
		n += count
	}
	return n
}

// LeaveOut counts an exchange that nobody wanted and why.
func (c *Counts) LeaveOut(reason string) {
	if c.LeftOut == nil {
		c.LeftOut = map[string]int{}
	}
	c.LeftOut[reason]++
}

// Collect reads all exchanges of the recording. Bodies stay where they are.
func Collect(r Recording) ([]Exchange, error) {
	var xs []Exchange
	for x, err := range r.Exchanges() {
		if err != nil {
			return nil, err
		}
		xs = append(xs, x)
	}
	return xs, nil
}

// SequenceID is the ID of the n-th exchange of a recording, counted from 1: at least six digits.
func SequenceID(n int) string {
	const width = 6
	var digits [20]byte
	i := len(digits)
	for ; n > 0; n /= 10 {
		i--
		digits[i] = byte('0' + n%10)
	}
	for len(digits)-i < width {
		i--
		digits[i] = '0'
	}
	return string(digits[i:])
}
