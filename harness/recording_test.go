package harness

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var monday = time.Date(2026, 8, 17, 2, 15, 0, 0, time.UTC)

func TestMemoryAccountsForEveryExchange(t *testing.T) {
	m := NewMemory(Manifest{Origin: "test", Counts: Counts{Seen: 99}, Systems: []string{"old"}, From: monday.AddDate(-1, 0, 0)},
		Exchange{From: "sis", To: "hubline", At: monday, Took: time.Second, Request: Message{Body: BytesBody([]byte("12345"))}},
		Exchange{From: "crm", To: "sis", At: monday.Add(time.Minute), Took: time.Hour, Fault: &Fault{Kind: FaultReset}},
		Exchange{From: "crm", At: monday.Add(-time.Minute), Response: Message{Body: BytesBody([]byte("678"))}},
	)
	m.Drop("too many open files")
	m.Drop("too many open files")
	m.Drop("shutdown")
	want := Manifest{Origin: "test", Systems: []string{"crm", "hubline", "sis"}, From: monday.Add(-time.Minute), To: monday.Add(time.Minute + time.Hour),
		Counts: Counts{Seen: 6, Recorded: 2, Incomplete: 1, Dropped: 3, Bytes: 8, Reasons: map[string]int{"too many open files": 2, "shutdown": 1}}}
	got := m.Manifest()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Counts.Complete() || !(Counts{Seen: 2, Recorded: 2}).Complete() || (Counts{Incomplete: 1}).Complete() {
		t.Error("complete means that nothing was cut or dropped")
	}
	got.Systems[0], got.Counts.Reasons["shutdown"] = "changed", 99
	if diff := cmp.Diff(want, m.Manifest()); diff != "" {
		t.Errorf("a manifest that was handed out is a copy:\n%s", diff)
	}
	if got.Sealed() || !(Manifest{Scrub: ScrubSeal{Policy: "sha256:1"}}).Sealed() {
		t.Error("sealed means scrubbed under a policy")
	}
}

func TestMemoryNumbersExchangesInOrder(t *testing.T) {
	m := NewMemory(Manifest{}, Exchange{Session: "a"}, Exchange{ID: "own", Session: "b"}, Exchange{Session: "c"})
	xs, err := Collect(m)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range xs {
		got = append(got, x.ID+" "+x.Session)
	}
	if diff := cmp.Diff([]string{"000001 a", "own b", "000003 c"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestMemoryGivesNoIDTwice(t *testing.T) {
	m := NewMemory(Manifest{}, Exchange{ID: "000001"}, Exchange{}, Exchange{ID: "000002"}, Exchange{ID: "000005"}, Exchange{})
	xs, err := Collect(m)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range xs {
		got = append(got, x.ID)
	}
	if diff := cmp.Diff([]string{"000001", "000006", "000002", "000005", "000007"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestMemoryReadsWhatIsThereWhenItIsAsked(t *testing.T) {
	m := NewMemory(Manifest{}, Exchange{}, Exchange{})
	held := m.Exchanges()
	n := 0
	for _, err := range held {
		if err != nil {
			t.Fatal(err)
		}
		m.Put(Exchange{})
		n++
	}
	if n != 2 {
		t.Errorf("read %d exchanges, want the 2 that were there", n)
	}
	for range held {
		break // a reader may stop
	}
	if xs, _ := Collect(m); len(xs) != 4 {
		t.Errorf("holds %d exchanges, want 4", len(xs))
	}
}

func TestMemoryTakesManyAtOnce(t *testing.T) {
	const writers, each = 8, 50
	m := NewMemory(Manifest{})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				x := Exchange{From: fmt.Sprint("system", w), At: monday}
				if i%5 == 0 {
					x.Fault = &Fault{Kind: FaultTimeout}
				}
				if err := m.Put(x); err != nil {
					t.Error(err)
				}
				m.Drop("busy")
				if c := m.Manifest().Counts; c.Seen != c.Recorded+c.Incomplete+c.Dropped || c.Reasons["busy"] != c.Dropped {
					t.Errorf("account does not add up: %+v", c)
				}
			}
		})
	}
	wg.Wait()
	want := Counts{Seen: 2 * writers * each, Recorded: writers * each * 4 / 5, Incomplete: writers * each / 5, Dropped: writers * each, Reasons: map[string]int{"busy": writers * each}}
	if diff := cmp.Diff(want, m.Manifest().Counts); diff != "" {
		t.Error(diff)
	}
	seen := map[string]bool{}
	for x := range m.Exchanges() {
		seen[x.ID] = true
	}
	if len(seen) != writers*each {
		t.Errorf("%d different IDs, want %d", len(seen), writers*each)
	}
	if !slices.IsSorted(m.Manifest().Systems) || len(m.Manifest().Systems) != writers {
		t.Errorf("systems %v", m.Manifest().Systems)
	}
}

type broken struct{ err error }

func (broken) Manifest() Manifest { return Manifest{} }
func (b broken) Exchanges() iter.Seq2[Exchange, error] {
	return func(yield func(Exchange, error) bool) { _ = yield(Exchange{}, nil) && yield(Exchange{}, b.err) }
}

func TestCollectEndsAtTheFirstError(t *testing.T) {
	want := errors.New("line 2: not JSON")
	if xs, err := Collect(broken{want}); !errors.Is(err, want) || xs != nil {
		t.Errorf("%v, %v", xs, err)
	}
}

func TestSequenceIDsSortInOrder(t *testing.T) {
	for n, want := range map[int]string{0: "000000", 1: "000001", 999999: "999999", 1000000: "1000000", 1<<63 - 1: "9223372036854775807"} {
		if got := SequenceID(n); got != want {
			t.Errorf("SequenceID(%d) = %s, want %s", n, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 1<<62).Draw(t, "n")
		if got, want := SequenceID(n), fmt.Sprintf("%06d", n); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}
