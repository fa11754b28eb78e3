package container

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// relayDial is how long a relay waits for the other side to accept.
const relayDial = 10 * time.Second

// relay accepts connections and hands each on to another address. It ends with close, and with it every connection.
type relay struct {
	listener net.Listener
	choose   func(net.Conn) (net.Conn, string, error)
	ctx      context.Context
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

// listenRelay listens and hands each connection, as choose returns it, to the address that choose returns.
func listenRelay(address string, choose func(net.Conn) (net.Conn, string, error)) (*relay, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	r := &relay{listener: l, choose: choose}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.running.Go(r.accept)
	return r, nil
}

func (r *relay) port() int { return r.listener.Addr().(*net.TCPAddr).Port }

func (r *relay) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.running.Go(func() { r.serve(conn) })
	}
}

// serve passes bytes both ways until both sides have said all, or the relay ends.
func (r *relay) serve(conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(r.ctx, func() { conn.Close() })()
	client, to, err := r.choose(conn)
	if err != nil {
		return
	}
	dialer := net.Dialer{Timeout: relayDial}
	server, err := dialer.DialContext(r.ctx, "tcp", to)
	if err != nil {
		reset(conn)
		return
	}
	defer server.Close()
	defer context.AfterFunc(r.ctx, func() { server.Close() })()
	var answering sync.WaitGroup
	answering.Go(func() { pass(client, server) })
	pass(server, client)
	answering.Wait()
}

// pass copies until the source ends, and tells the other side how: an end as an end, a break as a break.
func pass(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		reset(to)
		reset(from)
		return
	}
	closeWrite(to) //nolint:errcheck // the other direction notices
}

// reset closes a connection so that the other side sees that it broke.
func reset(conn net.Conn) {
	if c, ok := conn.(*net.TCPConn); ok {
		c.SetLinger(0) //nolint:errcheck // it is closed anyway
	}
	conn.Close()
}

func closeWrite(conn net.Conn) error {
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// close ends the relay and waits for the end of every connection.
func (r *relay) close() {
	r.listener.Close()
	r.cancel()
	r.running.Wait()
}
