package replay

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

// file is a file exchange to the target; its body is its ID, so that a replacement shows.
func file(id, session, name string) harness.Exchange {
	return harness.Exchange{ID: id, Session: session, Channel: harness.ChannelFile, From: "sis", To: "hubline", Request: harness.Message{
		Head: harness.Head{{Name: harness.FieldName, Value: name}}, Body: harness.BytesBody([]byte(id)),
	}}
}

// outline is session, name and body of each exchange in order.
func outline(t *testing.T, sessions Sessions) []string {
	var lines []string
	for _, s := range sessions {
		for _, x := range s.Exchanges {
			b, err := x.Request.Body.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if x.Session != s.Name {
				t.Errorf("exchange of session %q lies in %q", x.Session, s.Name)
			}
			lines = append(lines, s.Name+" "+x.Request.Head.Get(harness.FieldName)+" "+string(b))
		}
	}
	return lines
}

func TestGroupKeepsTheOrderOfFirstAppearance(t *testing.T) {
	away := file("5", "tue", "users.csv")
	away.To = "lms"
	rec := harness.NewMemory(harness.Manifest{}, file("1", "tue", "a"), file("2", "mon", "a"), file("3", "", "x"), file("4", "tue", "b"), away, file("6", "", "y"))
	sessions, err := Group(rec, "hubline")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"tue a 1", "tue b 4", "mon a 2", " x 3", " y 6"}
	if diff := cmp.Diff(want, outline(t, sessions)); diff != "" {
		t.Error(diff)
	}
	if sessions.Count() != 5 {
		t.Errorf("count %d", sessions.Count())
	}
}

func TestSubstitute(t *testing.T) {
	baseline := []harness.Exchange{file("1", "mon", "persons.csv"), file("2", "mon", "registrations.csv"), file("3", "tue", "persons.csv"), file("4", "tue", "registrations.csv")}
	tests := []struct {
		why       string
		candidate []harness.Exchange
		want      []string // nil: error
	}{
		{"nothing to put in", nil, []string{"mon persons.csv 1", "mon registrations.csv 2", "tue persons.csv 3", "tue registrations.csv 4"}},
		{"same session and operation", []harness.Exchange{file("c", "tue", "persons.csv")}, []string{"mon persons.csv 1", "mon registrations.csv 2", "tue persons.csv c", "tue registrations.csv 4"}},
		{"no session: the first like it", []harness.Exchange{file("c", "", "registrations.csv")}, []string{"mon persons.csv 1", "mon registrations.csv c", "tue persons.csv 3", "tue registrations.csv 4"}},
		{"unknown session: each the next like it", []harness.Exchange{file("c", "x", "persons.csv"), file("d", "x", "persons.csv")}, []string{"mon persons.csv c", "mon registrations.csv 2", "tue persons.csv d", "tue registrations.csv 4"}},
		{"more than recorded: appended to its session", []harness.Exchange{file("c", "mon", "persons.csv"), file("d", "mon", "persons.csv")}, []string{"mon persons.csv c", "mon registrations.csv 2", "mon persons.csv d", "tue persons.csv 3", "tue registrations.csv 4"}},
		{"new operation in a known session", []harness.Exchange{file("c", "mon", "sections.csv")}, []string{"mon persons.csv 1", "mon registrations.csv 2", "mon sections.csv c", "tue persons.csv 3", "tue registrations.csv 4"}},
		{"no session and nothing like it", []harness.Exchange{file("c", "", "sections.csv")}, nil},
		{"unknown session and nothing like it", []harness.Exchange{file("c", "wed", "sections.csv")}, nil},
		{"more than recorded without a session", []harness.Exchange{file("c", "", "persons.csv"), file("d", "", "persons.csv"), file("e", "", "persons.csv")}, nil},
	}
	for _, test := range tests {
		base, _ := Group(harness.NewMemory(harness.Manifest{}, baseline...), "hubline")
		candidate, _ := Group(harness.NewMemory(harness.Manifest{}, test.candidate...), "hubline")
		before := outline(t, base)
		got, err := Substitute(base, candidate)
		if (err != nil) != (test.want == nil) {
			t.Errorf("%s: err %v", test.why, err)
			continue
		}
		if err == nil {
			if diff := cmp.Diff(test.want, outline(t, got)); diff != "" {
				t.Errorf("%s: %s", test.why, diff)
			}
		} else if harness.HintOf(err) == "" {
			t.Errorf("%s: no hint in %v", test.why, err)
		}
		if diff := cmp.Diff(before, outline(t, base)); diff != "" {
			t.Errorf("%s: the baseline changed: %s", test.why, diff)
		}
	}
}

func TestSubstituteKeepsIdentityOfWhatIsReplaced(t *testing.T) {
	base := Sessions{{"mon", []harness.Exchange{file("1", "mon", "a")}}}
	got, err := Substitute(base, Sessions{{"", []harness.Exchange{file("9", "", "a"), file("10", "", "b")}}})
	if err != nil {
		t.Fatal(err)
	}
	if xs := got[0].Exchanges; xs[0].ID != "1" || xs[0].Session != "mon" || xs[1].ID != "" || xs[1].Session != "mon" {
		t.Errorf("%+v", xs)
	}
}

// Whatever the candidate is: no candidate is lost, and nothing of the baseline is lost beside what was replaced.
func TestSubstituteLosesNothing(t *testing.T) {
	exchanges := func(prefix string) *rapid.Generator[[]harness.Exchange] {
		return rapid.Custom(func(t *rapid.T) []harness.Exchange {
			xs := make([]harness.Exchange, rapid.IntRange(0, 8).Draw(t, "n"))
			for i := range xs {
				xs[i] = file(prefix+harness.SequenceID(i+1), rapid.SampledFrom([]string{"", "mon", "tue"}).Draw(t, "session"), rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name"))
			}
			return xs
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		base, _ := Group(harness.NewMemory(harness.Manifest{}, exchanges("b").Draw(t, "baseline")...), "hubline")
		candidate, _ := Group(harness.NewMemory(harness.Manifest{}, exchanges("c").Draw(t, "candidate")...), "hubline")
		got, err := Substitute(base, candidate)
		if err != nil {
			return
		}
		seen := map[string]int{}
		for _, s := range got {
			for _, x := range s.Exchanges {
				b, _ := x.Request.Body.Bytes()
				seen[string(b)[:1]]++
			}
		}
		if seen["c"] != candidate.Count() || got.Count() < base.Count() || got.Count() > base.Count()+candidate.Count() {
			t.Fatalf("baseline %d, candidate %d: %v", base.Count(), candidate.Count(), seen)
		}
	})
}

// stage notes what it is fed.
type stage struct {
	fed []string
	err error
}

func (s *stage) Feed(_ context.Context, session []harness.Exchange, sink harness.Sink) error {
	for _, x := range session {
		s.fed = append(s.fed, x.ID)
		if err := sink.Put(x); err != nil {
			return err
		}
	}
	return s.err
}

func (*stage) Close() error { return nil }

func TestFeedGoesSessionBySession(t *testing.T) {
	sessions := Sessions{{"tue", []harness.Exchange{file("1", "tue", "a"), file("2", "tue", "b")}}, {"mon", []harness.Exchange{file("3", "mon", "a")}}}
	s := &stage{}
	_, err := Feed(t.Context(), s, sessions, harness.NewMemory(harness.Manifest{}), Options{Before: func(name string) {
		s.fed = append(s.fed, name)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"tue", "1", "2", "mon", "3"}, s.fed); diff != "" {
		t.Error(diff)
	}
}

func TestFeedStops(t *testing.T) {
	sessions := Sessions{{"tue", []harness.Exchange{file("1", "tue", "a")}}, {"mon", []harness.Exchange{file("3", "mon", "a")}}}
	broken := harness.CannotRun(errors.New("broken"), "mend it")
	s := &stage{err: broken}
	_, err := Feed(t.Context(), s, sessions, harness.NewMemory(harness.Manifest{}), Options{})
	if !errors.Is(err, broken) || harness.ClassOf(err) != harness.ClassCannotRun || len(s.fed) != 1 {
		t.Errorf("err %v after %v", err, s.fed)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s = &stage{}
	_, err = Feed(ctx, s, sessions, harness.NewMemory(harness.Manifest{}), Options{Before: func(string) { cancel() }})
	if !errors.Is(err, context.Canceled) || len(s.fed) != 1 {
		t.Errorf("err %v after %v; want the session that runs and no other", err, s.fed)
	}
}
