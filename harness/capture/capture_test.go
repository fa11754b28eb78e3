package capture

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// stream is a source that can be read again; each call makes its exchanges anew, so that nothing of it is held.
type stream struct {
	n  int
	at func(i int) harness.Exchange
}

func (s stream) Record(ctx context.Context, sink harness.Sink) error {
	for i := range s.n {
		if err := sink.Put(s.at(i)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func listed(list ...harness.Exchange) stream {
	return stream{len(list), func(i int) harness.Exchange { return list[i] }}
}

var morning = time.Date(2026, 10, 7, 14, 10, 0, 0, time.UTC)

func exchange(id, session, method, path, body, status, answer string, fields ...harness.Field) harness.Exchange {
	n := 0
	fmt.Sscan(strings.TrimLeft(id, "0"), &n) //nolint:errcheck // 0 will do
	return harness.Exchange{ID: id, Session: session, Channel: harness.ChannelHTTP, From: "hub", To: "sis", At: morning.Add(time.Duration(n) * time.Second),
		Request:  harness.Message{Head: append(harness.Head{{Name: ":method", Value: method}, {Name: ":path", Value: path}}, fields...), Media: "application/json", Body: harness.BytesBody([]byte(body))},
		Response: harness.Message{Head: harness.Head{{Name: ":status", Value: status}}, Media: "application/json", Body: harness.BytesBody([]byte(answer))}}
}

func file(id, name, body string) harness.Exchange {
	return harness.Exchange{ID: id, Channel: harness.ChannelFile, From: "sis", To: "hub", At: morning,
		Request: harness.Message{Head: harness.Head{{Name: ":name", Value: name}}, Media: "text/csv", Body: harness.BytesBody([]byte(body))}}
}

// day is a morning in which the student that is registered last was made by somebody else, and its residency changed.
func day() []harness.Exchange {
	bearer := harness.Field{Name: "Authorization", Value: "Bearer tok-8f3a99c2d41e77b0"}
	return []harness.Exchange{
		exchange("000001", "a", "POST", "/login", `{"user":"night"}`, "200", `{"token":"tok-8f3a99c2d41e77b0"}`),
		exchange("000002", "a", "GET", "/terms", "", "200", `[{"term":"202710"}]`, bearer),
		exchange("000003", "b", "POST", "/students", `{"last":"Adeyemi"}`, "201", `{"studentId":"H00000977"}`),
		exchange("000004", "b", "PUT", "/students/H00000977", `{"residency":"IS"}`, "200", `{}`),
		exchange("000005", "c", "PUT", "/students/H00000977", `{"residency":"IN"}`, "200", `{}`),
		exchange("000006", "d", "GET", "/students/H00000555", "", "200", `{}`),
		exchange("000007", "e", "GET", "/students/H00000977", "", "200", `{"residency":"IN"}`, bearer),
		exchange("000008", "e", "POST", "/registrations", `{"externalId":"A-20481","student":"H00000977"}`, "500", `{"error":"no"}`, bearer, harness.Field{Name: "X-Request-ID", Value: "req-7"}),
		exchange("000009", "f", "POST", "/audit", `{"what":"failed"}`, "200", `{}`, harness.Field{Name: "X-Request-ID", Value: "req-7"}),
		exchange("000010", "g", "GET", "/terms", "", "200", `[]`),
	}
}

func ids(s *Slice) (list []string) {
	for _, t := range s.Taken {
		list = append(list, strings.TrimLeft(t.Exchange.ID, "0"))
	}
	return list
}

func TestCutTakesWhatTheFailureNeedsAndSaysWhy(t *testing.T) {
	s, err := Cut(t.Context(), listed(day()...), Query{Texts: []string{"A-20481"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(ids(s), " "), "1 3 5 7 8 9"; got != want {
		t.Errorf("taken %s, want %s", got, want)
	}
	why := map[string]string{}
	for _, taken := range s.Taken {
		why[strings.TrimLeft(taken.Exchange.ID, "0")] = strings.Join(taken.Why, "; ")
	}
	for id, want := range map[string]string{
		"1": "its answer gives request.head.Authorization",
		"3": "its answer gives request.",
		"5": "changes what is asked for later",
		"7": "same session",
		"8": `FAILS; holds "A-20481" in request.body.externalId`,
		"9": "same X-Request-ID",
	} {
		if !strings.Contains(why[id], want) {
			t.Errorf("exchange %s: %q, want %q", id, why[id], want)
		}
	}
	if s.Read != 10 || s.Taken[s.Anchor].Exchange.ID != "000008" {
		t.Errorf("read %d, anchor %s", s.Read, s.Taken[s.Anchor].Exchange.ID)
	}
}

func TestAnIdentifierIsFoundWhereverItStands(t *testing.T) {
	in := func(x harness.Exchange, change func(x *harness.Exchange)) harness.Exchange { change(&x); return x }
	plain := exchange("000002", "s", "POST", "/x", `{"a":1}`, "200", `{}`)
	text := file("000002", "app.log", "start\n14:10 A-20481 refused\nend\n")
	text.Request.Media = "text/plain"
	for _, tc := range []struct {
		name string
		x    harness.Exchange
		want string
		q    Query
	}{
		{"a header", in(plain, func(x *harness.Exchange) {
			x.Request.Head = append(x.Request.Head, harness.Field{Name: "X-Correlation-ID", Value: "A-20481"})
		}), "request.head.X-Correlation-ID", Query{}},
		{"traceparent", in(plain, func(x *harness.Exchange) {
			x.Request.Head = append(x.Request.Head, harness.Field{Name: "traceparent", Value: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
		}), "request.head.traceparent", Query{Texts: []string{"4bf92f3577b34da6a3ce929d0e0e4736"}}},
		{"the path", exchange("000002", "s", "GET", "/applications/A-20481/", "", "200", ""), "request.head.:path", Query{}},
		{"a query with escapes", exchange("000002", "s", "GET", "/x?q=%22A%2D20481%22", "", "200", ""), "request.head.:path", Query{}},
		{"a member", exchange("000002", "s", "POST", "/x", `{"a":[{"id":"A-20481"}]}`, "200", ""), "request.body.a[0].id", Query{}},
		{"a member with escapes", exchange("000002", "s", "POST", "/x", `{"id":"A\u002d20481"}`, "200", ""), "request.body.id", Query{}},
		{"an answer", exchange("000002", "s", "POST", "/x", `{}`, "200", `{"error":"A-20481: no"}`), "response.body.error", Query{}},
		{"a row", file("000002", "r.csv", "ID,S\nA-1,x\n\"A-20481\",y\n"), "request.body[1].ID (line 3)", Query{}},
		{"a line of a log", text, "request.body[1] (line 2)", Query{}},
		{"a session", exchange("000002", "A-20481", "POST", "/x", `{}`, "200", ""), "the name of its session", Query{}},
		{"a field", exchange("000002", "s", "POST", "/x", `{"no":"A-20481","id":7}`, "200", ""), "request.body.id", Query{Field: "ID", Value: "7"}},
		{"a parameter", exchange("000002", "s", "GET", "/x?id=7", ``, "200", ""), "request.head.:path", Query{Field: "id", Value: "7"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q := tc.q
			if q.Field == "" && q.Texts == nil {
				q.Texts = []string{"A-20481"}
			}
			other := exchange("000001", "o", "POST", "/x", `{"id":"A-204810","no":"BA-20481"}`, "200", "")
			s, err := Cut(t.Context(), listed(other, tc.x), q)
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Taken) != 1 || s.Taken[0].Exchange.ID != "000002" || !strings.Contains(s.Taken[0].Why[0], tc.want) {
				t.Errorf("taken %v: %v, want %s", ids(s), s.Taken[0].Why, tc.want)
			}
		})
	}
}

func TestAMessageCanBeNamedByNumberAndMoment(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		q          Query
	}{
		{"ID", "000006", Query{Exchange: "000006"}},
		{"number", "000006", Query{Exchange: "6"}},
		{"the failure near a moment", "000008", Query{At: morning.Add(30 * time.Second)}},
		{"what went well, far from the failure", "000010", Query{At: morning.Add(time.Hour)}},
	} {
		s, err := Cut(t.Context(), listed(day()...), tc.q)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Taken[s.Anchor].Exchange.ID; got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestFilesOfTheBatchComeAlong(t *testing.T) {
	later := file("000004", "persons.csv", "ID\nH1\n")
	later.At = morning.Add(24 * time.Hour)
	s, err := Cut(t.Context(), listed(file("000001", "persons.csv", "ID\nH1\n"), file("000002", "registrations.csv", "ID,RSTS\nH00000142,RE\n"), exchange("000003", "", "GET", "/x", "", "200", ""), later),
		Query{Texts: []string{"H00000142"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(s); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("taken %v", got)
	}
}

func TestCutRefusesWhatIsNowhereOrEverywhere(t *testing.T) {
	many := stream{3000, func(i int) harness.Exchange {
		return exchange(harness.SequenceID(i+1), fmt.Sprint("s", i/3), "POST", "/x", `{"term":"202710"}`, "200", `{}`)
	}}
	for _, tc := range []struct {
		name        string
		source      stream
		q           Query
		error, hint string
	}{
		{"nowhere", listed(day()...), Query{Texts: []string{"A-20841"}}, `"A-20841" is in none of 10 exchanges`, `the closest are "A-20481"`},
		{"nothing like it", listed(day()...), Query{Texts: []string{"completely-other-thing"}}, "is in none of", "--at TIME"},
		{"no such number", listed(day()...), Query{Exchange: "77"}, "exchange 77 is in none of 10 exchanges", "--at"},
		{"everywhere", many, Query{Texts: []string{"202710"}}, `stands in 3000 of 3000 exchanges and in 1000 sessions, so it names no message; most often in request.body.term (3000)`, "--exchange"},
		{"nothing at all", listed(), Query{Texts: []string{"x"}}, "holds no exchange", "name a recording"},
	} {
		_, err := Cut(t.Context(), tc.source, tc.q)
		if err == nil || harness.ClassOf(err) != harness.ClassInconclusive || !strings.Contains(err.Error(), tc.error) || !strings.Contains(harness.HintOf(err), tc.hint) {
			t.Errorf("%s: %v, hint %q", tc.name, err, harness.HintOf(err))
		}
	}
}

func TestALongSessionIsCutAroundTheMessage(t *testing.T) {
	long := stream{5000, func(i int) harness.Exchange {
		status := "200"
		if i == 3000 {
			status = "500"
		}
		return exchange(harness.SequenceID(i+1), "one", "POST", "/x", fmt.Sprintf(`{"n":"N-%05d"}`, i), status, `{}`)
	}}
	s, err := Cut(t.Context(), long, Query{Texts: []string{"N-03000"}, Most: 60})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Taken) != 61 || s.Left != 4999-60 || s.Taken[s.Anchor].At != 3000 || s.Taken[0].At != 2960 {
		t.Errorf("%d taken from %d on, %d left, anchor at %d", len(s.Taken), s.Taken[0].At, s.Left, s.Taken[s.Anchor].At)
	}
}

// zeros is an endless body, of which the last line holds the text.
type zeros struct {
	left int64
	tail *strings.Reader
}

func (z *zeros) Read(p []byte) (int, error) {
	if z.left <= 0 {
		return z.tail.Read(p)
	}
	n := int(min(int64(len(p)), z.left))
	for i := range p[:n] {
		p[i] = '0'
		if i%100 == 99 {
			p[i] = '\n'
		}
	}
	z.left -= int64(n)
	return n, nil
}

func (z *zeros) Close() error { return nil }

func TestABodyLargerThanMemoryAllowsIsSearchedAsAStream(t *testing.T) {
	const large = harness.MaxBodyInMemory + 1<<20
	x := file("000001", "feed.dat", "")
	x.Request.Body = harness.StoredBody(large, "sha256:0", func() (io.ReadCloser, error) {
		return &zeros{large, strings.NewReader("\nlast A-20481\n")}, nil
	})
	s, err := Cut(t.Context(), listed(x), Query{Texts: []string{"A-20481"}})
	if err != nil || len(s.Taken) != 1 || !strings.Contains(s.Taken[0].Why[0], "request.body (line ") {
		t.Fatalf("%+v, %v", s, err)
	}
}

// A recording of some hundred megabytes is read several times, and what is held of it is the slice.
func TestMemoryDoesNotGrowWithTheSource(t *testing.T) {
	filler := strings.Repeat(`{"id":"X-0000","name":"somebody else"},`, 200)
	const n = 40_000
	source := stream{n, func(i int) harness.Exchange {
		text, status := filler, "200"
		if i == n-10 {
			text, status = `{"id":"A-20481"}`, "500"
		}
		body := "[" + text + `{"n":` + fmt.Sprint(i) + `}]`
		return exchange(harness.SequenceID(i+1), fmt.Sprint("s", i/5), "POST", "/x", body, status, `{}`)
	}}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	highest := uint64(0)
	watched := stream{n, func(i int) harness.Exchange {
		if i%10_000 == 0 {
			runtime.ReadMemStats(&after)
			highest = max(highest, after.HeapAlloc)
		}
		return source.at(i)
	}}
	began := time.Now()
	s, err := Cut(t.Context(), watched, Query{Texts: []string{"A-20481"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d exchanges, %d MiB of bodies, in %s, at most %d MiB held", len(s.Taken), s.Read, n*len(filler)>>20, time.Since(began).Round(time.Millisecond), (highest-before.HeapAlloc)>>20)
	if len(s.Taken) != 5 {
		t.Errorf("taken %v", ids(s))
	}
	if highest > before.HeapAlloc+48<<20 {
		t.Errorf("%d MiB are held", (highest-before.HeapAlloc)>>20)
	}
}
