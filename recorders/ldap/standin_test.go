package ldap

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
)

// standIn is a stand-in for what a tap recorded, and the bytes that the real directory answered.
func standIn(t *testing.T, xs ...harness.Exchange) (*StandIn, net.Conn) {
	t.Helper()
	s, err := NewStandIn(harness.NewMemory(harness.Manifest{}, xs...), "directory")
	recordtest.Must(t, err)
	addr, err := s.Listen("127.0.0.1:0")
	recordtest.Must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	conn, err := net.Dial("tcp", addr.String())
	recordtest.Must(t, err)
	t.Cleanup(func() {
		conn.Close()
		cancel()
		recordtest.Must(t, <-ended)
	})
	return s, conn
}

// recordedTalk is a talk with a directory as a tap records it.
func recordedTalk(t *testing.T) ([]harness.Exchange, [][2][]byte) {
	t.Helper()
	attributes := pack(tagSequence, pack(tagSequence, octets("cn"), pack(tagSet, octets("Hana Park"))), pack(tagSequence, octets("jpegPhoto"), pack(tagSet, octets("\xff\x00"), octets("b"))))
	talk := [][2][]byte{
		{bindRequest(1, "cn=loader", "canary"), resultOf(1, resultBind, 0)},
		{searchRequest(2, "ou=people"), append(envelope(2, pack(opEntry, octets("uid=hpark,ou=people"), attributes)), resultOf(2, resultSearch, 0)...)},
		{searchRequest(3, "ou=none"), resultOf(3, resultSearch, 32)},
		{deleteRequest(4, "uid=x"), resultOf(4, resultDelete, 50)},
		{deleteRequest(5, "uid=x"), resultOf(5, resultDelete, 0)},
	}
	next := make(chan []byte, 1)
	up := directory(t, func(conn net.Conn) {
		r := &relay{from: conn, to: io.Discard, most: DefaultMaxBody}
		for r.next(func([]byte, int) bool { return false }) == nil {
			conn.Write(<-next) //nolint:errcheck // the test reads it
		}
	})
	tap := start(t, &Tap{Upstream: Upstream{Address: up}})
	conn, err := net.Dial("tcp", tap.addr)
	recordtest.Must(t, err)
	defer conn.Close()
	for i, turn := range talk {
		next <- turn[1]
		_, err := conn.Write(turn[0])
		recordtest.Must(t, err)
		tap.await(i + 1)
	}
	recordtest.Must(t, tap.stop())
	xs, err := harness.Collect(tap.mem)
	recordtest.Must(t, err)
	return xs, talk
}

func TestStandInAnswersWithTheBytesOfTheDirectory(t *testing.T) {
	xs, talk := recordedTalk(t)
	s, conn := standIn(t, xs...)
	for _, turn := range talk {
		_, err := conn.Write(turn[0])
		recordtest.Must(t, err)
		have := make([]byte, len(turn[1]))
		_, err = io.ReadFull(conn, have)
		recordtest.Must(t, err)
		if diff := cmp.Diff(turn[1], have); diff != "" {
			t.Error(diff)
		}
	}
	served, misses, unused := s.Account()
	if served != len(talk) || len(misses)+len(unused) != 0 {
		t.Errorf("%d served, misses %v, unused %v", served, misses, unused)
	}
}

func TestStandInExplainsWhatWasNeverRecorded(t *testing.T) {
	xs, _ := recordedTalk(t)
	s, conn := standIn(t, xs...)
	_, err := conn.Write(searchRequest(9, "ou=people,dc=other"))
	recordtest.Must(t, err)
	r := &relay{from: conn, to: io.Discard, most: DefaultMaxBody}
	var got result
	recordtest.Must(t, r.next(func(frame []byte, _ int) bool {
		m, err := parse(frame)
		recordtest.Must(t, err)
		got, err = readResult(m)
		recordtest.Must(t, err)
		return false
	}))
	if got.code != codeOther || !strings.Contains(got.diagnostic, `the closest, exchange 000002; recorded ":path ou=people"; asked ":path ou=people,dc=other"`) {
		t.Errorf("result %+v", got)
	}
	_, misses, unused := s.Account()
	if len(misses) != 1 || len(unused) != 5 {
		t.Errorf("misses %v, unused %v", misses, unused)
	}
}

func TestStandInSurvivesBytesThatAreNotLDAP(t *testing.T) {
	s, conn := standIn(t)
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("it was answered")
	}
	s.Scrub = func(harness.Exchange) (harness.Exchange, error) {
		return harness.Exchange{}, errors.New("unknown field")
	}
	if answer, err := s.answer(deleteRequest(1, "uid=x")); err != nil || !strings.Contains(string(answer), "unknown field") {
		t.Errorf("%q %v", answer, err)
	}
}
