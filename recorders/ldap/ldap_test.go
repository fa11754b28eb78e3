package ldap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
)

var _ harness.Recorder = (*Tap)(nil)

const patience = 60 * time.Second

// tapped is a Tap that runs.
type tapped struct {
	t    *testing.T
	addr string
	mem  *harness.Memory
	stop func() error
}

func start(t *testing.T, tap *Tap) *tapped {
	t.Helper()
	tap.From, tap.To = "sis", "directory"
	addr, err := tap.Listen("127.0.0.1:0")
	recordtest.Must(t, err)
	mem := harness.NewMemory(harness.Manifest{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tap.Record(ctx, mem) }()
	stop := sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return errors.New("Record does not end")
		}
	})
	t.Cleanup(func() { recordtest.Must(t, stop()) })
	return &tapped{t, addr.String(), mem, stop}
}

// await waits until so many exchanges were seen.
func (r *tapped) await(n int) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); r.mem.Manifest().Counts.Seen < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("%d exchanges seen, want %d", r.mem.Manifest().Counts.Seen, n)
		}
	}
}

// said is one exchange in lines: the head of the request, its body, the head of the response, its body, the fault.
func said(x harness.Exchange) string {
	var b strings.Builder
	for _, m := range []harness.Message{x.Request, x.Response} {
		for i, f := range m.Head {
			if i > 0 {
				b.WriteByte(' ')
			}
			switch f.Name {
			case harness.FieldMethod, harness.FieldPath, harness.FieldStatus:
				b.WriteString(f.Value)
			default:
				b.WriteString(f.Name + "=" + f.Value)
			}
		}
		if body, _ := m.Body.Bytes(); len(body) > 0 {
			b.WriteString(" " + string(body))
		}
		b.WriteString(" | ")
	}
	if x.Fault != nil {
		b.WriteString(x.Fault.Kind + ": " + x.Fault.Detail)
	}
	return strings.TrimRight(b.String(), "| ")
}

// told ends the recording and returns what it holds. The account must be right.
func (r *tapped) told() []string {
	r.t.Helper()
	recordtest.Must(r.t, r.stop())
	all, err := harness.Collect(r.mem)
	recordtest.Must(r.t, err)
	var lines []string
	faults := 0
	for _, x := range all {
		lines = append(lines, said(x))
		if x.Fault != nil {
			faults++
		}
	}
	if c := r.mem.Manifest().Counts; c.Seen != c.Recorded+c.Incomplete+c.Dropped || c.Incomplete != faults || c.Recorded+faults != len(all) {
		r.t.Errorf("counts %+v with %d exchanges, %d of them with a fault", c, len(all), faults)
	}
	return lines
}

// directory is one that answers by a function, which gets the whole of what has come so far.
func directory(t *testing.T, answer func(conn net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	recordtest.Must(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				answer(conn)
			})
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return l.Addr().String()
}

func octets(text string) []byte { return pack(tagOctets, []byte(text)) }

func envelope(id int, op []byte) []byte { return pack(tagSequence, packNumber(tagInteger, id), op) }

func bindRequest(id int, dn, password string) []byte {
	return envelope(id, pack(opBind, packNumber(tagInteger, 3), octets(dn), pack(tagSimple, []byte(password))))
}

func deleteRequest(id int, dn string) []byte { return envelope(id, pack(opDelete, []byte(dn))) }

func searchRequest(id int, base string) []byte {
	return envelope(id, pack(opSearch, octets(base), packNumber(tagEnumerated, 2), packNumber(tagEnumerated, 0),
		packNumber(tagInteger, 0), packNumber(tagInteger, 0), pack(tagBoolean, []byte{0}), pack(filterPresent, []byte("objectClass")), pack(tagSequence)))
}

func entryOf(id int, dn string) []byte {
	return envelope(id, pack(opEntry, octets(dn), pack(tagSequence, pack(tagSequence, octets("cn"), pack(tagSet, octets("Hana Park"))))))
}

func resultOf(id int, tag byte, code int) []byte {
	return envelope(id, pack(tag, packNumber(tagEnumerated, code), octets(""), octets("")))
}

const resultSearch, resultDelete = 0x65, 0x6b

func TestNumbersComeBack(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 255, 256, 32767, 32768, 1<<23 - 1, 1 << 23, 1<<31 - 1} {
		s := elements{rest: packNumber(tagInteger, n)}
		if got := s.number(tagInteger); got != n || s.err != nil {
			t.Errorf("%d became %d, %v", n, got, s.err)
		}
	}
	for _, n := range []int{0, 127, 128, 70_000} {
		s := elements{rest: pack(tagOctets, make([]byte, n))}
		if got := len(s.want(tagOctets).content); got != n || s.err != nil {
			t.Errorf("%d bytes became %d, %v", n, got, s.err)
		}
	}
}

// Operations are in flight at the same time, and their results come in another order.
func TestResultsFindTheirOperations(t *testing.T) {
	addr := directory(t, func(conn net.Conn) {
		asked := len(searchRequest(1, "ou=people")) + len(deleteRequest(2, "uid=a")) + len(deleteRequest(3, "uid=b"))
		if _, err := io.ReadFull(conn, make([]byte, asked)); err != nil {
			return
		}
		for _, m := range [][]byte{entryOf(1, "uid=a"), resultOf(3, resultDelete, 32), entryOf(1, "uid=b"), resultOf(2, resultDelete, 0), resultOf(9, resultDelete, 0), resultOf(1, resultSearch, 0)} {
			conn.Write(m) //nolint:errcheck // the test sees it
		}
		io.Copy(io.Discard, conn) //nolint:errcheck // until the client ends
	})
	r := start(t, &Tap{Upstream: Upstream{Address: addr}})
	conn, err := net.Dial("tcp", r.addr)
	recordtest.Must(t, err)
	defer conn.Close()
	_, err = conn.Write(bytes.Join([][]byte{searchRequest(1, "ou=people"), deleteRequest(2, "uid=a"), deleteRequest(3, "uid=b")}, nil))
	recordtest.Must(t, err)
	r.await(3)
	want := []string{
		"DELETE uid=b | 32",
		"DELETE uid=a | 0",
		"SEARCH ou=people scope=sub deref=never filter=(objectClass=*) | 0 [{\"dn\":\"uid=a\",\"cn\":[\"Hana Park\"]},\n{\"dn\":\"uid=b\",\"cn\":[\"Hana Park\"]}]",
	}
	if diff := cmp.Diff(want, r.told()); diff != "" {
		t.Error(diff)
	}
}

func TestWhatEndsWithoutAResultIsAFault(t *testing.T) {
	abandon := func(id int) []byte { return envelope(9, pack(opAbandon, []byte{byte(id)})) }
	for _, tt := range []struct {
		why     string
		asks    [][]byte
		answers [][]byte
		hangUp  bool // the directory ends the connection when it has answered
		want    []string
	}{
		{"the client goes away", [][]byte{deleteRequest(1, "uid=a")}, nil, false, []string{"DELETE uid=a |  | client-gone: the client went away"}},
		{"the directory goes away", [][]byte{deleteRequest(1, "uid=a")}, nil, true, []string{"DELETE uid=a |  | reset: the directory ended the connection"}},
		{"abandoned", [][]byte{searchRequest(1, "dc=a"), abandon(1)}, [][]byte{entryOf(1, "uid=a"), resultOf(1, resultSearch, 0)}, true,
			[]string{"SEARCH dc=a scope=sub deref=never filter=(objectClass=*) |  | client-gone: the client abandoned the operation"}},
		{"a number that is used twice", [][]byte{deleteRequest(1, "uid=a"), deleteRequest(1, "uid=b")}, [][]byte{resultOf(1, resultDelete, 0)}, true,
			[]string{"DELETE uid=a |  | client-gone: the client used its number for another operation", "DELETE uid=b | 0"}},
		{"the result of another operation", [][]byte{deleteRequest(1, "uid=a")}, [][]byte{resultOf(1, resultBind, 0)}, true,
			[]string{"DELETE uid=a |  | reset: an answer is not in the form of RFC 4511"}},
		{"a result without its parts", [][]byte{deleteRequest(1, "uid=a")}, [][]byte{envelope(1, pack(resultDelete))}, true,
			[]string{"DELETE uid=a |  | reset: an answer is not in the form of RFC 4511"}},
		{"entries that are too much", [][]byte{searchRequest(1, "dc=a")}, [][]byte{entryOf(1, "uid="+strings.Repeat("a", 3000)), resultOf(1, resultSearch, 0)}, true,
			[]string{"SEARCH dc=a scope=sub deref=never filter=(objectClass=*) |  | truncated: the entries are larger than what is kept"}},
		{"an answer that is too large", [][]byte{searchRequest(1, "dc=a")}, [][]byte{entryOf(1, "uid="+strings.Repeat("a", 100_000)), resultOf(1, resultSearch, 0)}, true,
			[]string{"SEARCH dc=a scope=sub deref=never filter=(objectClass=*) |  | truncated: an answer is larger than what is kept"}},
		{"an operation that is too large", [][]byte{deleteRequest(1, strings.Repeat("a", 100_000))}, [][]byte{resultOf(1, resultDelete, 0)}, true,
			[]string{"DELETE  |  | truncated: the operation is larger than what is kept"}},
	} {
		t.Run(tt.why, func(t *testing.T) {
			asks, answers := bytes.Join(tt.asks, nil), bytes.Join(tt.answers, nil)
			addr := directory(t, func(conn net.Conn) {
				if _, err := io.ReadFull(conn, make([]byte, len(asks))); err != nil {
					return
				}
				conn.Write(answers) //nolint:errcheck // the test sees it
				if !tt.hangUp {
					io.Copy(io.Discard, conn) //nolint:errcheck // until the client ends
				}
			})
			r := start(t, &Tap{Upstream: Upstream{Address: addr}, MaxBody: 2000})
			conn, err := net.Dial("tcp", r.addr)
			recordtest.Must(t, err)
			defer conn.Close()
			_, err = conn.Write(asks)
			recordtest.Must(t, err)
			if tt.hangUp {
				got, err := io.ReadAll(conn)
				recordtest.Must(t, err)
				if !bytes.Equal(got, answers) {
					t.Errorf("the client got %d bytes, want %d", len(got), len(answers))
				}
			}
			conn.Close()
			r.await(len(tt.want))
			if diff := cmp.Diff(tt.want, r.told()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// talkOf is a conversation of well-formed messages.
func talkOf() (asks, answers []byte) {
	return bytes.Join([][]byte{bindRequest(1, "uid=hpark,ou=people", "hurons"), searchRequest(2, "ou=people"), deleteRequest(300, "uid=a")}, nil),
		bytes.Join([][]byte{resultOf(1, resultBind, 0), entryOf(2, "uid=hpark"), resultOf(2, resultSearch, 0), resultOf(300, resultDelete, 0)}, nil)
}

// hostile sends bytes through a tap from both sides, and wants them to come through as they are.
func hostile(t *testing.T, tap *Tap, asks, answers []byte) []string {
	t.Helper()
	got := make(chan []byte, 1)
	tap.Upstream.Address = directory(t, func(conn net.Conn) {
		b, _ := io.ReadAll(conn) //nolint:errcheck // the test compares
		if len(b) > 0 {
			conn.Write(answers) //nolint:errcheck // the test sees it
			got <- b
		}
	})
	r := start(t, tap)
	conn, err := net.Dial("tcp", r.addr)
	recordtest.Must(t, err)
	defer conn.Close()
	_, err = conn.Write(asks)
	recordtest.Must(t, err)
	recordtest.Must(t, conn.(*net.TCPConn).CloseWrite())
	back, err := io.ReadAll(conn)
	recordtest.Must(t, err)
	if len(asks) > 0 {
		if b := <-got; !bytes.Equal(b, asks) || !bytes.Equal(back, answers) {
			t.Fatalf("the directory got %d bytes of %d, the client %d of %d", len(b), len(asks), len(back), len(answers))
		}
	}
	return r.told()
}

func TestEveryCutPassesAndIsNeverAWholeOperation(t *testing.T) {
	asks, answers := talkOf()
	whole := hostile(t, &Tap{}, asks, answers)
	if len(whole) != 3 || strings.Contains(strings.Join(whole, ""), "hurons") {
		t.Fatalf("recorded %q", whole)
	}
	isWhole := map[string]bool{}
	for _, line := range whole {
		isWhole[line] = true
	}
	for _, side := range []struct {
		name string
		n    int
		cut  func(n int) (a, b []byte)
	}{
		{"asks", len(asks), func(n int) ([]byte, []byte) { return asks[:n], answers }},
		{"answers", len(answers), func(n int) ([]byte, []byte) { return asks, answers[:n] }},
	} {
		for n := range side.n {
			a, b := side.cut(n)
			for _, line := range hostile(t, &Tap{}, a, b) {
				if !isWhole[line] && !strings.Contains(line, "client-gone: ") && !strings.Contains(line, "reset: ") {
					t.Errorf("%s cut at byte %d: %s", side.name, n, line)
				}
			}
		}
	}
}

func TestEveryOtherBytePasses(t *testing.T) {
	asks, answers := talkOf()
	for n := range len(asks) {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			b := bytes.Clone(asks)
			b[n] ^= flip
			hostile(t, &Tap{}, b, answers)
		}
	}
	for n := range len(answers) {
		b := bytes.Clone(answers)
		b[n] ^= 0x80
		hostile(t, &Tap{}, asks, b)
	}
}

func TestLengthsThatLieTakeNoMemory(t *testing.T) {
	for _, head := range []string{"\x30\x84\x7f\xff\xff\xff", "\x30\x84\xff\xff\xff\xff", "\x30\x80", "\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff", "\x3f\x85", "\x00\x00\x10\x00"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		lines := hostile(t, &Tap{}, []byte(head+strings.Repeat("x", 1000)), nil)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; len(lines) > 0 || grown > 8<<20 {
			t.Errorf("%x: recorded %q, allocated %d bytes", head, lines, grown)
		}
	}
}

func TestFiltersThatAreTooDeepAreRefused(t *testing.T) {
	e := pack(filterPresent, []byte("cn"))
	for range 100_000 / 4 {
		e = pack(filterNot, e)
		if len(e) > 20_000 {
			break
		}
	}
	s := elements{rest: e}
	if _, err := filterText(s.next()); !errors.Is(err, errForm) {
		t.Errorf("error %v", err)
	}
}

func TestTapLeavesNothingBehind(t *testing.T) {
	asks, answers := talkOf()
	t.Run("", func(t *testing.T) { hostile(t, &Tap{}, asks, answers) })
	base := runtime.NumGoroutine()
	for range 20 {
		t.Run("", func(t *testing.T) { hostile(t, &Tap{}, asks, answers) })
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > base; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), base)
		}
	}
}

func TestWhatCannotWorkIsToldAtOnce(t *testing.T) {
	_, err := (&Tap{Upstream: Upstream{Address: "127.0.0.1:1"}}).Listen("127.0.0.1:0")
	if harness.ClassOf(err) != harness.ClassCannotRun || harness.HintOf(err) == "" {
		t.Errorf("no directory: error %v", err)
	}
	addr := directory(t, func(net.Conn) {})
	if _, err = (&Tap{Upstream: Upstream{Address: addr}}).Listen("127.0.0.1:99999"); harness.HintOf(err) == "" {
		t.Errorf("no address: error %v", err)
	}
}

func TestDirectoryThatIsGoneIsAFault(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	recordtest.Must(t, err)
	r := start(t, &Tap{Upstream: Upstream{Address: l.Addr().String()}})
	l.Close()
	conn, err := net.Dial("tcp", r.addr)
	recordtest.Must(t, err)
	defer conn.Close()
	_, err = conn.Write(deleteRequest(1, "uid=a"))
	recordtest.Must(t, err)
	if _, err := io.ReadAll(conn); err != nil && !strings.Contains(fmt.Sprint(err), "reset") {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"DELETE uid=a |  | unreachable: the directory cannot be reached"}, r.told()); diff != "" {
		t.Error(diff)
	}
}

func TestSinkThatRefusesEndsInAnError(t *testing.T) {
	asks, answers := talkOf()
	addr := directory(t, func(conn net.Conn) {
		io.ReadFull(conn, make([]byte, len(asks))) //nolint:errcheck // the test sees it
		conn.Write(answers)                        //nolint:errcheck // the test sees it
	})
	tap := &Tap{Upstream: Upstream{Address: addr}}
	l, err := tap.Listen("127.0.0.1:0")
	recordtest.Must(t, err)
	sink := &refusing{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tap.Record(ctx, sink) }()
	conn, err := net.Dial("tcp", l.String())
	recordtest.Must(t, err)
	conn.Write(asks) //nolint:errcheck // the test sees it
	if got, _ := io.ReadAll(conn); !bytes.Equal(got, answers) {
		t.Errorf("the client got %d bytes, want %d", len(got), len(answers))
	}
	conn.Close()
	cancel()
	if err := <-ended; !errors.Is(err, errFull) || sink.dropped != 3 {
		t.Errorf("error %v, %d dropped", err, sink.dropped)
	}
}

var errFull = errors.New("the disk is full")

type refusing struct {
	mu      sync.Mutex
	dropped int
}

func (*refusing) Put(harness.Exchange) error { return errFull }

func (*refusing) LeaveOut(string) {}

func (r *refusing) Drop(string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped++
}
