package started

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// probeWait is how long a probe takes at most.
const probeWait = time.Second

// Probe asks whether a server is up. It goes past every proxy of the environment.
type Probe struct {
	Address string // host:port
	Path    string // answered below status 500; empty: a connection that is accepted is enough

	// Hold is how long an accepted connection must stay open, when there is no Path. What forwards a port accepts before it
	// knows whether a server listens behind it, and hangs up when none does. 0: it need not stay.
	Hold time.Duration

	Dial func(ctx context.Context, network, address string) (net.Conn, error) // nil: the network
}

// Try is nil when the server answers now, else why it does not. It takes at most a second.
func (p Probe) Try(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	if p.Dial == nil {
		p.Dial = new(net.Dialer).DialContext
	}
	if p.Path == "" {
		return p.connect(ctx)
	}
	return p.get(ctx)
}

func (p Probe) connect(ctx context.Context) error {
	conn, err := p.Dial(ctx, "tcp", p.Address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if p.Hold == 0 {
		return nil
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err = conn.SetReadDeadline(time.Now().Add(p.Hold)); err == nil {
		_, err = conn.Read(make([]byte, 1))
	}
	var timeout net.Error
	switch {
	case err == nil: // it greets
		return nil
	case ctx.Err() == nil && errors.As(err, &timeout) && timeout.Timeout(): // it waits for a request
		return nil
	}
	return fmt.Errorf("connect to %s: it hangs up at once: %w", p.Address, err)
}

func (p Probe) get(ctx context.Context) error {
	transport := &http.Transport{DialContext: p.Dial, DisableKeepAlives: true}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Address+p.Path, nil)
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	io.CopyN(io.Discard, response.Body, 64<<10) //nolint:errcheck // the status decides
	if response.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("get %s: status %d", p.Path, response.StatusCode)
	}
	return nil
}
