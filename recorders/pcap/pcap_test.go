package pcap_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket/layers"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
	"github.com/rehearse-dev/rehearse/recorders/pcap"
)

// lines say what matters of the exchanges; long bodies are shortened.
func lines(t *testing.T, xs []harness.Exchange) []string {
	var all []string
	for _, x := range xs {
		fault := "whole"
		if x.Fault != nil {
			fault = x.Fault.Kind
		}
		all = append(all, fmt.Sprintf("%s %s %s → %d %s %s", x.Session, x.Title(), short(recordtest.Body(t, x.Request)), x.Status(), short(recordtest.Body(t, x.Response)), fault))
	}
	return all
}

func short(s string) string {
	if len(s) > 20 {
		return fmt.Sprintf("%q+%d", s[:3], len(s)-3)
	}
	return fmt.Sprintf("%q", s)
}

func get(path string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: LMS.example:8080\r\nX-A: 1\r\nx-a: 2\r\n\r\n"
}

func ok(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: Text/CSV; charset=x\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

const big = 3500 // bytes: several segments

func TestConversationBecomesExchanges(t *testing.T) {
	c := newTalk(t, ethernet, 40000).client(get("/a?b")).server(ok("abc"))
	xs, notes, _ := recordtest.Import(t, pcap.Format, write(t, layers.LinkTypeEthernet, c.sent))
	if len(xs) != 1 || len(notes) != 0 {
		t.Fatalf("have %v, notes %q", lines(t, xs), notes)
	}
	x := xs[0]
	if body := recordtest.Body(t, x.Response); body != "abc" {
		t.Errorf("body %q", body)
	}
	x.Request.Body, x.Response.Body = harness.Body{}, harness.Body{}
	want := harness.Exchange{
		ID: "000001", Session: "lms.pcap/1", Channel: harness.ChannelHTTP, From: "client", To: "lms.example", At: c.sent[3].at, Took: c.sent[4].at.Sub(c.sent[3].at),
		Request: harness.Message{Head: harness.Head{
			{Name: ":method", Value: "GET"}, {Name: ":path", Value: "/a?b"}, {Name: ":proto", Value: "HTTP/1.1"},
			{Name: "Host", Value: "LMS.example:8080"}, {Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"},
		}},
		Response: harness.Message{Media: "text/csv", Head: harness.Head{
			{Name: ":status", Value: "200"}, {Name: ":proto", Value: "HTTP/1.1"}, {Name: "Content-Type", Value: "Text/CSV; charset=x"}, {Name: "Content-Length", Value: "3"},
		}},
	}
	if diff := cmp.Diff(want, x, cmp.AllowUnexported(harness.Body{})); diff != "" {
		t.Error(diff)
	}
}

func TestEveryKindOfLinkIsRead(t *testing.T) {
	for _, s := range []shape{
		ethernet, {"VLAN in VLAN", layers.LinkTypeEthernet, false, true}, {"IPv6", layers.LinkTypeEthernet, true, false},
		{"loopback of BSD", layers.LinkTypeNull, false, false}, {"Linux cooked", layers.LinkTypeLinuxSLL, false, false},
		{"Linux cooked 2, IPv6", layers.LinkTypeLinuxSLL2, true, false}, {"raw IPv4", layers.LinkTypeRaw, false, false}, {"raw IPv6", layers.LinkTypeRaw, true, false},
	} {
		c := newTalk(t, s, 40000).client(get("/a")).server(ok(strings.Repeat("x", big))).fin(0).fin(1)
		for form, file := range map[string]string{"pcap": write(t, s.link, c.sent), "pcapng": writeNg(t, s.link, c.sent)} {
			xs, notes, _ := recordtest.Import(t, pcap.Format, file)
			if diff := cmp.Diff([]string{`lms.pcap/1 GET /a "" → 200 "xxx"+3497 whole`}, lines(t, xs)); diff != "" {
				t.Errorf("%s as %s: %s\nnotes %q", s.name, form, diff, notes)
			}
			if dropped := strings.Contains(strings.Join(notes, "\n"), "the system dropped packets"); dropped != (form == "pcapng") {
				t.Errorf("%s as %s: notes %q", s.name, form, notes)
			}
		}
	}
}

// week is a conversation of three calls with bodies of several segments.
func week(t testing.TB) *talk {
	return newTalk(t, ethernet, 40000).
		client(get("/a")).server(ok(strings.Repeat("a", big))).
		client("POST /b HTTP/1.1\r\nHost: lms.example\r\nContent-Length: 3500\r\n\r\n" + strings.Repeat("b", big)).server("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n").
		client(get("/c")).server("HTTP/1.1 200 OK\r\n\r\nuntil the end").fin(1).fin(0)
}

var weekWhole = []string{
	`lms.pcap/1 GET /a "" → 200 "aaa"+3497 whole`, `lms.pcap/1 POST /b "bbb"+3497 → 201 "abc" whole`, `lms.pcap/1 GET /c "" → 200 "until the end" whole`,
}

func TestDisorderAndRepetitionChangeNothing(t *testing.T) {
	sent := week(t).sent
	for _, tt := range []struct {
		why    string
		change func(ps []captured) []captured
	}{
		{"as sent", func(ps []captured) []captured { return ps }},
		{"every packet twice", func(ps []captured) []captured {
			var twice []captured
			for _, p := range ps {
				twice = append(twice, p, p)
			}
			return twice
		}},
		{"the segments of a body backwards", func(ps []captured) []captured { slices.Reverse(ps[4:8]); return ps }},
		{"a segment sent again later", func(ps []captured) []captured { return slices.Insert(ps, 9, ps[5]) }},
		{"neighbours of one direction exchanged", func(ps []captured) []captured { ps[9], ps[10] = ps[10], ps[9]; return ps }},
	} {
		xs, notes, counts := recordtest.Import(t, pcap.Format, write(t, layers.LinkTypeEthernet, tt.change(slices.Clone(sent))))
		if diff := cmp.Diff(weekWhole, lines(t, xs)); diff != "" || len(notes) != 0 || !counts.Complete() {
			t.Errorf("%s: %s\nnotes %q", tt.why, diff, notes)
		}
	}
}

func TestSegmentsThatOverlapCountOnce(t *testing.T) {
	c := newTalk(t, ethernet, 40000).client(get("/a"))
	answer := ok("0123456789")
	c.server(answer[:60])
	c.seq[1] -= 20
	c.server(answer[40:])
	xs, _, _ := recordtest.Import(t, pcap.Format, write(t, layers.LinkTypeEthernet, c.sent))
	if diff := cmp.Diff([]string{`lms.pcap/1 GET /a "" → 200 "0123456789" whole`}, lines(t, xs)); diff != "" {
		t.Error(diff)
	}
}

// TestLossOfAnyPacketInventsNothing drops each packet, and each two, of a conversation: what comes out is what comes out of
// the whole one, or incomplete, or counted as dropped.
func TestLossOfAnyPacketInventsNothing(t *testing.T) {
	sent := week(t).sent
	carries := func(p captured) bool { return len(p.data) > 60 } // what carries nothing is padded to that
	for i := range sent {
		for j := i; j < len(sent); j++ {
			var kept []captured
			lost := 0
			for k, p := range sent {
				if k != i && k != j {
					kept = append(kept, p)
				} else if carries(p) {
					lost++
				}
			}
			xs, notes, counts := recordtest.Import(t, pcap.Format, write(t, layers.LinkTypeEthernet, kept))
			whole := 0
			for _, line := range lines(t, xs) {
				if strings.HasSuffix(line, "whole") {
					whole++
					if !slices.Contains(weekWhole, line) {
						t.Errorf("without packets %d and %d: %s was invented", i, j, line)
					}
				}
			}
			if lost > 0 && counts.Complete() && whole == 3 {
				t.Errorf("without packets %d and %d: nothing is said about the loss; notes %q", i, j, notes)
			}
			if lost > 0 && len(notes) == 0 {
				t.Errorf("without packets %d and %d: no note", i, j)
			}
		}
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	tls := newTalk(t, ethernet, 40000).client(clientHello("sis.example")).server("\x16\x03\x03\x00\x02ab")
	const proxied = "GET http://lms.example/a?b HTTP/1.1\r\nHost: lms.example\r\n\r\n"
	for _, tt := range []struct {
		why     string
		sent    []captured
		want    []string
		notes   string
		dropped int
	}{
		{"cut by the snap length", cutAll(newTalk(t, ethernet, 40000).client(get("/a")).server(ok(strings.Repeat("x", big))).sent, 200),
			[]string{`lms.pcap/1 GET /a "" → 200 "xxx"+505 truncated`}, "4 packets: cut by the snap length", 0},
		{"the answer did not come", newTalk(t, ethernet, 40000).client(get("/a")).sent, []string{`lms.pcap/1 GET /a "" → 0 "" truncated`}, "1 exchanges: the capture holds no whole answer", 0},
		{"the answer was cut off by a reset", newTalk(t, ethernet, 40000).client(get("/a")).server(ok("abc")[:60]).rst(1).sent, []string{`lms.pcap/1 GET /a "" → 0 "" reset`}, "no whole answer", 0},
		{"a reset after the answer is none of its business", newTalk(t, ethernet, 40000).client(get("/a")).server(ok("abc")).rst(0).sent, []string{`lms.pcap/1 GET /a "" → 200 "abc" whole`}, "", 0},
		{"the answer ends before its length", newTalk(t, ethernet, 40000).client(get("/a")).server("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").fin(1).fin(0).sent,
			[]string{`lms.pcap/1 GET /a "" → 200 "abc" reset`}, "", 0},
		{"a body until the end, and the end is not there", newTalk(t, ethernet, 40000).client(get("/a")).server("HTTP/1.0 200 OK\r\n\r\nabc").sent, []string{`lms.pcap/1 GET /a "" → 200 "abc" truncated`}, "", 0},
		{"TLS", tls.sent, nil, "1 connections: TLS to sis.example cannot be read", 0},
		{"TLS from its middle", newTalk(t, ethernet, 40000).client("\x17\x03\x03\x00\x02ab").sent[3:], nil, "1 connections: TLS to a host that is not named", 0},
		{"another protocol", newTalk(t, ethernet, 40000).server("220 mail.example ESMTP\r\n").client("EHLO lms\r\n").sent, nil, "1 connections: are not HTTP", 0},
		{"a web socket", newTalk(t, ethernet, 40000).client(get("/feed")).server("HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x01x").client("\x81\x01y").sent,
			[]string{`lms.pcap/1 GET /feed "" → 101 "" truncated`}, "switched to another protocol", 0},
		{"a tunnel", newTalk(t, ethernet, 40000).client("CONNECT sis.example:443 HTTP/1.1\r\n\r\n").server("HTTP/1.1 200 OK\r\n\r\n").client(clientHello("x")).sent,
			[]string{`lms.pcap/1 CONNECT sis.example:443 "" → 200 "" whole`}, "became tunnels", 0},
		{"to a proxy", newTalk(t, ethernet, 40000).client(proxied).server(ok("")).sent, []string{`lms.pcap/1 GET /a?b "" → 200 "" whole`}, "went to a proxy", 0},
		{"from the middle of an answer", newTalk(t, ethernet, 40000).client(get("/a")).server(ok(strings.Repeat("x", big))).client(get("/b")).server(ok("abc")).sent[6:],
			[]string{`lms.pcap/1 GET /b "" → 200 "abc" whole`}, "began before the capture", 0},
		{"from an answer on", newTalk(t, ethernet, 40000).client(get("/a")).server(ok("a")).client(get("/b")).server(ok("abc")).sent[4:],
			[]string{`lms.pcap/1 GET /b "" → 200 "abc" whole`}, "the capture does not hold the request", 1},
		{"two framings", newTalk(t, ethernet, 40000).client(get("/a")).server("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").sent,
			[]string{`lms.pcap/1 GET /a "" → 200 "" reset`}, "", 0},
	} {
		xs, notes, counts := recordtest.Import(t, pcap.Format, write(t, layers.LinkTypeEthernet, tt.sent))
		all := strings.Join(notes, "\n")
		if diff := cmp.Diff(tt.want, lines(t, xs)); diff != "" || counts.Dropped != tt.dropped || !strings.Contains(all, tt.notes) || tt.notes == "" && all != "" {
			t.Errorf("%s: %s\ndropped %d, notes %q", tt.why, diff, counts.Dropped, notes)
		}
	}
}

func cutAll(ps []captured, n int) []captured {
	var cut []captured
	for _, p := range ps {
		cut = append(cut, cutAt(p, n))
	}
	return cut
}

// clientHello is a ClientHello of TLS that asks for a name.
func clientHello(name string) string {
	vector := func(size int, s string) string {
		length := []byte{byte(len(s) >> 16), byte(len(s) >> 8), byte(len(s))}
		return string(length[3-size:]) + s
	}
	extension := "\x00\x00" + vector(2, vector(2, "\x00"+vector(2, name)))
	body := "\x03\x03" + strings.Repeat("r", 32) + vector(1, "") + vector(2, "\x13\x01") + vector(1, "\x00") + vector(2, extension)
	return "\x16\x03\x01" + vector(2, "\x01"+vector(3, body))
}

func TestPipelinedRequestsAreAnsweredInTheirOrder(t *testing.T) {
	c := newTalk(t, ethernet, 40000).client(get("/a") + get("/b") + "HEAD /c HTTP/1.1\r\nHost: lms.example\r\n\r\n")
	c.server(ok("a") + ok("b") + "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
	xs, notes, _ := recordtest.Import(t, pcap.Format, write(t, layers.LinkTypeEthernet, c.sent))
	want := []string{`lms.pcap/1 GET /a "" → 200 "a" whole`, `lms.pcap/1 GET /b "" → 200 "b" whole`, `lms.pcap/1 HEAD /c "" → 200 "" whole`}
	if diff := cmp.Diff(want, lines(t, xs)); diff != "" || len(notes) != 0 {
		t.Errorf("%s\nnotes %q", diff, notes)
	}
}

func TestConnectionsAreToldApart(t *testing.T) {
	a, b := newTalk(t, ethernet, 40000), newTalk(t, ethernet, 40001)
	a.client(get("/a"))
	b.client(get("/b")).server(ok("b"))
	a.server(ok("a")).fin(0).fin(1)
	again := newTalk(t, ethernet, 40000) // the port is used again
	again.sent = nil
	again.seq = [2]uint32{5000, 9000}
	again.packet(0, nil, func(tcp *layers.TCP) { tcp.SYN, tcp.ACK = true, false })
	again.seq[0]++
	again.packet(1, nil, func(tcp *layers.TCP) { tcp.SYN = true })
	again.seq[1]++
	again.client(get("/c")).server(ok("c"))
	all := slices.Concat(a.sent[:4], b.sent, a.sent[4:], again.sent)
	xs, notes, _ := recordtest.Import(t, pcap.Format, write(t, layers.LinkTypeEthernet, all))
	got := lines(t, xs)
	slices.Sort(got)
	want := []string{`lms.pcap/1 GET /a "" → 200 "a" whole`, `lms.pcap/2 GET /b "" → 200 "b" whole`, `lms.pcap/3 GET /c "" → 200 "c" whole`}
	if diff := cmp.Diff(want, got); diff != "" || len(notes) != 0 {
		t.Errorf("%s\nnotes %q", diff, notes)
	}
}

func TestPortThatIsUsedAgainWithoutAnOpeningIsNotPassedOver(t *testing.T) {
	first := newTalk(t, ethernet, 40000).client(get("/a")).server(ok("a")).fin(0).fin(1)
	again := newTalk(t, ethernet, 40000)
	again.sent, again.at = nil, first.at
	again.seq = [2]uint32{500000, 900000}
	again.client(get("/c")).server(ok("c"))
	xs, notes, _ := recordtest.Import(t, pcap.Format, write(t, layers.LinkTypeEthernet, append(first.sent, again.sent...)))
	want := []string{`lms.pcap/1 GET /a "" → 200 "a" whole`, `lms.pcap/2 GET /c "" → 200 "c" whole`}
	if diff := cmp.Diff(want, lines(t, xs)); diff != "" || !strings.Contains(strings.Join(notes, "\n"), "began before the capture") {
		t.Errorf("%s\nnotes %q", diff, notes)
	}
}

func TestCaptureCutAnywhereIsReadToItsEnd(t *testing.T) {
	whole, err := os.ReadFile(write(t, layers.LinkTypeEthernet, newTalk(t, ethernet, 40000).client(get("/a")).server(ok("abc")).sent))
	if err != nil {
		t.Fatal(err)
	}
	file := writeBytes(t, nil)
	const header = 24
	for n := range whole {
		if err := os.WriteFile(file, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		mem := harness.NewMemory(harness.Manifest{})
		im := &archive.Importer{Format: pcap.Format, Path: file}
		err := im.Record(t.Context(), mem)
		if (err != nil) != (n < header) {
			t.Fatalf("cut at %d of %d: error %v", n, len(whole), err)
		}
		if err != nil && harness.HintOf(err) == "" {
			t.Fatalf("cut at %d: %v has no hint", n, err)
		}
		if counts := mem.Manifest().Counts; counts.Recorded > 0 {
			t.Fatalf("cut at %d of %d: counts %+v", n, len(whole), counts)
		}
	}
}

func TestHostileCapturesAreSurvived(t *testing.T) {
	whole, err := os.ReadFile(writeNg(t, layers.LinkTypeEthernet, week(t).sent))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := os.ReadFile(write(t, layers.LinkTypeEthernet, week(t).sent))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(7, 11))
	file := writeBytes(t, nil)
	for i := range 1000 {
		damaged := slices.Clone(whole)
		if i%2 == 0 {
			damaged = slices.Clone(plain)
		}
		for range 1 + random.IntN(6) {
			damaged[random.IntN(len(damaged))] ^= byte(1 << random.IntN(8))
		}
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		mem := harness.NewMemory(harness.Manifest{})
		(&archive.Importer{Format: pcap.Format, Path: file}).Record(t.Context(), mem) //nolint:errcheck // it must return
		if c := mem.Manifest().Counts; c.Seen != c.Recorded+c.Incomplete+c.Dropped {
			t.Fatalf("variant %d: counts %+v", i, c)
		}
	}
}

func TestNotACapture(t *testing.T) {
	for _, content := range []string{"", "\x0a", "{\"log\":{}}", strings.Repeat("\x0a\x0d\x0d\x0a", 9), "\xd4\xc3\xb2\xa1\x09\x00\x00\x00"} {
		err := (&archive.Importer{Format: pcap.Format, Path: writeBytes(t, []byte(content))}).Record(t.Context(), harness.NewMemory(harness.Manifest{}))
		if err == nil || harness.HintOf(err) == "" || !strings.HasPrefix(err.Error(), "import lms.pcap: ") {
			t.Errorf("%q: error %v", content, err)
		}
	}
}

func FuzzHostileCapture(f *testing.F) {
	for _, file := range []string{write(f, layers.LinkTypeEthernet, week(f).sent), writeNg(f, layers.LinkTypeEthernet, week(f).sent)} {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	file := writeBytes(f, nil)
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		mem := harness.NewMemory(harness.Manifest{})
		(&archive.Importer{Format: pcap.Format, Path: file}).Record(t.Context(), mem) //nolint:errcheck // it must return
		if c := mem.Manifest().Counts; c.Seen != c.Recorded+c.Incomplete+c.Dropped {
			t.Errorf("counts %+v", c)
		}
	})
}
