package broker

import (
	"bufio"
	"net"
	"sync"
	"time"
)

// peer is one connection of a client. One goroutine reads; any may write.
type peer struct {
	*bufio.Reader
	conn net.Conn
	mu   sync.Mutex
}

// maxMessage is the largest message that a stand-in takes, in bytes.
const maxMessage = 64 << 20

func newPeer(conn net.Conn) *peer { return &peer{Reader: bufio.NewReader(conn), conn: conn} }

// send writes bytes that belong together. A client that takes nothing for long loses its connection.
func (c *peer) send(b []byte) error {
	const patience = 30 * time.Second
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := c.conn.Write(b)
	if err != nil {
		c.conn.Close() //nolint:errcheck // the reader ends, too
	}
	return err
}
