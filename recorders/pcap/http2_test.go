package pcap_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket/layers"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
	"github.com/rehearse-dev/rehearse/recorders/pcap"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// side writes the frames of one direction of HTTP/2.
type side struct {
	*http2.Framer
	out   bytes.Buffer
	block bytes.Buffer
	enc   *hpack.Encoder
}

func newSide() *side {
	s := &side{}
	s.Framer = http2.NewFramer(&s.out, nil)
	s.enc = hpack.NewEncoder(&s.block)
	return s
}

// fields encodes names and values that take turns.
func (s *side) fields(pairs ...string) []byte {
	s.block.Reset()
	for i := 0; i < len(pairs); i += 2 {
		s.enc.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}) //nolint:errcheck // a buffer takes everything
	}
	return bytes.Clone(s.block.Bytes())
}

// taken is what was written since it was asked last.
func (s *side) taken() string {
	defer s.out.Reset()
	return s.out.String()
}

func (s *side) head(stream uint32, end bool, pairs ...string) {
	s.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: s.fields(pairs...), EndHeaders: true, EndStream: end, PadLength: 3, Priority: http2.PriorityParam{Weight: 7}}) //nolint:errcheck // a buffer takes everything
}

// streams is a conversation of HTTP/2: two streams beside one another, one that is reset, and one without an answer.
func streams(t testing.TB) *talk {
	client, server := newSide(), newSide()
	c := newTalk(t, ethernet, 40000)
	client.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 64})
	client.head(1, false, ":method", "POST", ":scheme", "http", ":path", "/a", ":authority", "lms.example", "cookie", "x=1", "cookie", "y=2")
	client.head(3, true, ":method", "GET", ":scheme", "http", ":path", "/b", ":authority", "lms.example")
	client.WriteDataPadded(1, false, []byte("CRN"), []byte{0, 0})
	client.WriteData(1, true, []byte(",ID"))
	c.client(http2.ClientPreface + client.taken())
	server.WriteSettings()
	block := server.fields(":status", "200", "content-type", "text/csv")
	server.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: block[:2]})
	server.WriteContinuation(3, true, block[2:])
	server.head(1, false, ":status", "103", "link", "x")
	server.head(1, true, ":status", "204")
	server.WriteData(3, false, []byte(strings.Repeat("b", 2500)))
	server.head(3, true, "x-sum", "9")
	c.server(server.taken())
	client.head(5, true, ":method", "GET", ":scheme", "http", ":path", "/c", ":authority", "lms.example")
	c.client(client.taken())
	server.head(5, false, ":status", "200")
	server.WriteRSTStream(5, http2.ErrCodeInternal)
	c.server(server.taken())
	client.head(7, true, ":method", "GET", ":scheme", "http", ":path", "/d", ":authority", "lms.example")
	return c.client(client.taken())
}

var streamsWhole = []string{
	`lms.pcap/1 POST /a "CRN,ID" → 204 "" whole`, `lms.pcap/1 GET /b "" → 200 "bbb"+2497 whole`,
	`lms.pcap/1 GET /c "" → 200 "" reset`, `lms.pcap/1 GET /d "" → 0 "" truncated`,
}

func TestStreamsOfHTTP2BecomeExchanges(t *testing.T) {
	xs, _, _ := recordtest.Import(t, pcap.Format, write(t, layers.LinkTypeEthernet, streams(t).sent))
	if diff := cmp.Diff(streamsWhole, lines(t, xs)); diff != "" {
		t.Fatal(diff)
	}
	if got := xs[0].Request.Head.Values("cookie"); len(got) != 2 || xs[0].Request.Head.Get("Host") != "lms.example" {
		t.Errorf("head %v", xs[0].Request.Head)
	}
	if got := xs[1].Response.Head; got.Get(":trailer") != "" || !got.Has(":trailer") || got.Get("x-sum") != "9" {
		t.Errorf("head %v", got)
	}
}

func TestLossInHTTP2InventsNothing(t *testing.T) {
	sent := streams(t).sent
	for i := range len(sent) - 1 { // nothing tells that there was another one after the last
		xs, notes, _ := recordtest.Import(t, pcap.Format, write(t, layers.LinkTypeEthernet, slices.Delete(slices.Clone(sent), i, i+1)))
		for _, line := range lines(t, xs) {
			if strings.HasSuffix(line, "whole") && !slices.Contains(streamsWhole, line) {
				t.Errorf("without packet %d: %s was invented", i, line)
			}
		}
		if len(notes) == 0 {
			t.Errorf("without packet %d: no note", i)
		}
	}
}
