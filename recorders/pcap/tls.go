package pcap

import (
	"encoding/binary"
	"strings"

	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
)

// noteTLS counts connections by the name that the client asked for.
func noteTLS(host string) departure.Kind {
	if host == "" {
		host = "a host that is not named"
	}
	return departure.Kind("connections: TLS to " + host + " cannot be read; capture where it ends, or record with a tap")
}

// isTLS reports whether a direction begins with a record of TLS.
func isTLS(p []byte) bool {
	const first, last, version = 0x14, 0x17, 3
	return len(p) > 1 && p[0] >= first && p[0] <= last && p[1] == version
}

// cursor reads big-endian fields; ok turns false where there are too few bytes.
type cursor struct {
	b  []byte
	ok bool
}

func (c *cursor) take(n int) []byte {
	if n > len(c.b) {
		c.ok = false
		c.b = nil
		return nil
	}
	taken := c.b[:n]
	c.b = c.b[n:]
	return taken
}

// uint reads a number of 1 to 3 bytes.
func (c *cursor) uint(size int) int {
	var wide [4]byte
	copy(wide[4-size:], c.take(size))
	return int(binary.BigEndian.Uint32(wide[:]))
}

// vector reads bytes behind their length.
func (c *cursor) vector(size int) cursor { return cursor{c.take(c.uint(size)), c.ok} }

// serverName is the host that a ClientHello asks for (RFC 8446 section 4.1.2, RFC 6066 section 3); whole is false when more
// bytes may tell.
func serverName(p []byte) (host string, whole bool) {
	const handshake, clientHello, headerSize = 0x16, 1, 5
	var hello []byte
	for len(p) > 0 && p[0] == handshake {
		if len(p) < headerSize {
			return "", false
		}
		n := int(binary.BigEndian.Uint16(p[3:]))
		if len(p) < headerSize+n {
			return "", false
		}
		hello = append(hello, p[headerSize:headerSize+n]...)
		p = p[headerSize+n:]
	}
	c := cursor{hello, true}
	if c.uint(1) != clientHello {
		return "", true
	}
	body := c.vector(3)
	if !c.ok {
		return "", len(p) > 0
	}
	const versionAndRandom = 2 + 32
	body.take(versionAndRandom)
	body.vector(1) // session
	body.vector(2) // cipher suites
	body.vector(1) // compressions
	extensions := body.vector(2)
	for len(extensions.b) > 0 {
		kind, data := extensions.uint(2), extensions.vector(2)
		if kind == 0 {
			names := data.vector(2)
			names.uint(1) // a host name
			name := names.vector(2)
			return hostName(string(name.b)), true
		}
	}
	return "", true
}

// hostName is the text when it is a host name, and nothing that could be shown as something else.
func hostName(s string) string {
	const longest = 253
	if len(s) > longest || strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
		return ""
	}
	return strings.ToLower(s)
}
