package started

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// held is a connection to a server that does what serve does, at an address that is never opened.
func held(t *testing.T, hold time.Duration, serve func(net.Conn)) Probe {
	return Probe{Address: "hub.example:80", Hold: hold, Dial: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		t.Cleanup(func() { there.Close() })
		go serve(there)
		return here, nil
	}}
}

func TestProbe(t *testing.T) {
	const (
		short = time.Millisecond
		long  = time.Hour // what the server does ends it
	)
	answer := func(status string) func(net.Conn) {
		return func(c net.Conn) {
			c.Read(make([]byte, 1024))
			io.WriteString(c, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n")
		}
	}
	silent := func(net.Conn) {}
	hangsUp := func(c net.Conn) { c.Close() }
	hears := func(c net.Conn) { c.Read(make([]byte, 1024)); c.Close() }
	for _, tt := range []struct {
		why, path string
		hold      time.Duration
		serve     func(net.Conn)
		want      string // in the error; empty: it is up
	}{
		{"it accepts, and that is enough", "", 0, hangsUp, ""},
		{"it accepts and waits", "", short, silent, ""},
		{"it greets", "", long, func(c net.Conn) { io.WriteString(c, "220") }, ""},
		{"it hangs up at once", "", long, hangsUp, "hangs up at once: "},
		{"it answers the path", "/up", 0, answer("404 Not Found"), ""},
		{"it is not ready", "/up", 0, answer("503 Service Unavailable"), "get /up: status 503"},
		{"it hangs up on the request", "/up", 0, hears, "EOF"},
	} {
		p := held(t, tt.hold, tt.serve)
		p.Path = tt.path
		if err := p.Try(t.Context()); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: err %v, want %q", tt.why, err, tt.want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := held(t, long, silent).Try(ended); err == nil {
		t.Error("a connection that was cut short by the context counts as up")
	}
	refused := errors.New("connection refused")
	if err := (Probe{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, refused }}).Try(t.Context()); !errors.Is(err, refused) {
		t.Errorf("err %v", err)
	}
}
