//go:build linux

package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestEachSenderKeepsEveryAnswer(t *testing.T) {
	in, stop := io.Pipe()
	out, says := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- serve(in, says) }()
	base := make([]byte, len("http://127.0.0.1:65535\n"))
	n, err := out.Read(base)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range senders {
		run, err := s.prepare(strings.TrimSpace(string(base[:n])))
		if err != nil {
			t.Fatal(err)
		}
		if answers, bytes, err := run(); answers != senderRequests || bytes != senderRequests*answerSize || err != nil {
			t.Errorf("%s: %d answers, %d bytes, %v", s.name, answers, bytes, err)
		}
	}
	stop.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTableOfSendersHoldsMediansOfRatiosOfEachRound(t *testing.T) {
	each := func(seconds ...time.Duration) (round []sending) {
		for _, s := range seconds {
			round = append(round, sending{Took: s * time.Second, CPU: 2 * s * time.Second})
		}
		return round
	}
	var out strings.Builder
	if err := writeSenders(&out, [][]sending{each(1, 2, 4), each(10, 30, 15), each(2, 2, 2)}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"| rehearse | 5000 (1000–10000) | 400 µs | 2.00 (1.00–3.00) | 0.50 |",
		"| vegeta | 5000 (333–5000) | 400 µs | 1.00 (1.00–1.00) | 1.00 |",
		"| net/http | 2500 (667–5000) | 800 µs | 1.00 (0.50–2.00) | 1.00 |",
	}
	if got := strings.Split(strings.TrimSpace(out.String()), "\n")[2:]; strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("\n%s", strings.Join(got, "\n"))
	}
}
