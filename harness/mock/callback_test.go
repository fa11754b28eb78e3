package mock_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/harness/sign"
)

// shipping is a recording in which the vendor calls back after each of two orders, the second callback first.
func shipping() []harness.Exchange {
	begin := time.Date(2026, 3, 2, 6, 30, 0, 0, time.UTC)
	at := func(ms int, x harness.Exchange) harness.Exchange {
		x.At, x.Took = begin.Add(time.Duration(ms)*time.Millisecond), 10*time.Millisecond
		return x
	}
	hook := func(body string) harness.Exchange {
		x := exchange("", "POST", "/hooks/orders", body, "", jsonType, "X-Event: shipped", "Host: shop.example")
		x.From, x.To = "sis", "hubline"
		return x
	}
	return []harness.Exchange{
		at(0, exchange("", "POST", "/orders", `{"item":"desk"}`, `{"id":"ord-000417","item":"desk"}`, jsonType)),
		at(100, exchange("", "POST", "/orders", `{"item":"lamp"}`, `{"id":"ord-000418","item":"lamp"}`, jsonType)),
		at(150, exchange("", "GET", "/orders/ord-000417", "", `{"id":"ord-000417","item":"desk"}`)),
		at(400, hook(`{"order":"ord-000418","state":"shipped"}`)),
		at(610, hook(`{"order":"ord-000417","state":"shipped"}`)),
	}
}

func TestCallbacksFollowTheirAnswers(t *testing.T) {
	got := make(chan string, 10)
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- r.Method + " " + r.RequestURI + " " + r.Header.Get("X-Event") + " " + string(b)
	}))
	defer shop.Close()
	var w waits
	m := newMock(t, mock.Options{Systems: []string{"sis"}, Synthetic: true, Callbacks: map[string]string{"hubline": shop.URL + "/app/"}, Transport: http.DefaultTransport, Wait: w.wait}, shipping()...)
	server, err := m.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ body, want string }{
		{`{"item":"lamp"}`, `POST /app/hooks/orders shipped {"order":"ord-000418","state":"shipped"}`},
		{`{"item":"chair"}`, `POST /app/hooks/orders shipped {"order":"ord-000419","state":"shipped"}`},
	} {
		if _, body, err := ask(client(t), server.URL, "", "POST", "/orders", test.body, jsonType); err != nil || !strings.Contains(body, "ord-") {
			t.Fatal(body, err)
		}
		if have := <-got; have != test.want {
			t.Errorf("called back with %s, want %s", have, test.want)
		}
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if counts := m.Counts(); counts.Callbacks != 2 || len(m.FailedCallbacks()) != 0 {
		t.Errorf("counts %+v, failed %v", counts, m.FailedCallbacks())
	}
	if !slices.Contains(w.all, 290*time.Millisecond) {
		t.Errorf("waited %v, recorded are 290 ms after the answer", w.all)
	}
	for _, x := range m.Unused() {
		if x.To == "hubline" {
			t.Errorf("%s is no answer of this mock", x.ID)
		}
	}
}

func TestCallbacksEndWithTheServer(t *testing.T) {
	begun := make(chan bool)
	m := newMock(t, mock.Options{Systems: []string{"sis"}, Callbacks: map[string]string{"hubline": "http://127.0.0.1:1"}, Transport: http.DefaultTransport,
		Wait: func(ctx context.Context, _ time.Duration) {
			close(begun)
			<-ctx.Done()
		}}, shipping()...)
	server, err := m.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := ask(client(t), server.URL, "", "POST", "/orders", `{"item":"lamp"}`, jsonType); err != nil {
		t.Fatal(err)
	}
	<-begun
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{"POST /hooks/orders to hubline, exchange 000004: the mock was stopped before its time"}
	if diff := cmp.Diff(want, m.FailedCallbacks()); diff != "" {
		t.Error(diff)
	}
}

// A call back is signed over what it says now, at the moment at which it is sent; without a secret that is told.
func TestCallbacksAreSignedAnew(t *testing.T) {
	xs := shipping()
	for i := range xs[3:] {
		xs[3+i].Request.Head = append(xs[3+i].Request.Head, harness.Field{Name: "Stripe-Signature", Value: "t=1772438400,v1=00ff"})
	}
	now := time.Date(2026, 10, 5, 9, 0, 0, 0, time.UTC)
	usual, _ := sign.UsualOf("stripe-signature")
	for _, signer := range []sign.Signer{usual.Signer("test-secret"), nil} {
		got := make(chan [2]string, 1)
		shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			got <- [2]string{r.Header.Get("Stripe-Signature"), string(b)}
		}))
		var w waits
		m := newMock(t, mock.Options{Systems: []string{"sis"}, Synthetic: true, Callbacks: map[string]string{"hubline": shop.URL}, Transport: http.DefaultTransport, Wait: w.wait,
			Now: func() time.Time { return now }, Sign: signer}, xs...)
		server, err := m.Listen("")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ask(client(t), server.URL, "", "POST", "/orders", `{"item":"chair"}`, jsonType); err != nil {
			t.Fatal(err)
		}
		have := <-got
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		shop.Close()
		if have[1] != `{"order":"ord-000419","state":"shipped"}` {
			t.Errorf("called back with %s", have[1])
		}
		want, stale := "t=1772438400,v1=00ff", map[string]int{"Stripe-Signature": 1}
		if signer != nil {
			want, _ = usual.Value("test-secret", fmt.Sprintf("t=%d,v1=00", now.Unix()), harness.Message{}, []byte(have[1]))
			stale = map[string]int{}
		}
		if diff := cmp.Diff(stale, m.StaleSignatures()); have[0] != want || diff != "" {
			t.Errorf("signature %s, want %s; stale %s", have[0], want, diff)
		}
	}
}

func TestMissesAreForwardedWhereThatIsAskedFor(t *testing.T) {
	live := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		io.WriteString(w, "live "+r.Method+" "+string(b)) //nolint:errcheck // a test
	})
	m := newMock(t, mock.Options{OnMiss: map[string]http.Handler{"crm": live}, Hosts: map[string]string{"crm.example": "crm", "sis.example": "sis"}},
		to("crm", "crm.example", "GET", "/a", "recorded"), to("sis", "sis.example", "GET", "/a", "recorded"))
	base := listen(t, m)
	for _, test := range []struct {
		host, method, path, body, want string
		status                         int
	}{
		{"crm.example", "GET", "/a", "", "recorded", 200},
		{"crm.example", "POST", "/b", "x=1", "live POST x=1", 200},
		{"sis.example", "POST", "/b", "x=1", "", 501},
	} {
		r, err := http.NewRequest(test.method, base+test.path, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = test.host
		resp, err := client(t).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		isLive := strings.HasPrefix(test.want, "live")
		if err != nil || resp.StatusCode != test.status || test.want != "" && string(b) != test.want || (resp.Header.Get(mock.LiveField) == "crm") != isLive {
			t.Errorf("%v: %v %s (%v)", test, resp, b, err)
		}
	}
	if counts := m.Counts(); counts.Forwarded != 1 || counts.Missed != 1 || len(m.Forwarded()) != 1 {
		t.Errorf("counts %+v", counts)
	}
}
