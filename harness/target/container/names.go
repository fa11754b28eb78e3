package container

import (
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
)

// maxNames bounds the names that are remembered.
const maxNames = 100

// resolver says of every name that it does not exist. The names of the run are in the hosts file of each container, and
// the daemon knows those of the containers themselves, so what gets here is a name of the world.
type resolver struct {
	conn *net.UDPConn
	done chan struct{}

	mu    sync.Mutex
	names map[string]bool
}

// listenResolver answers on the address; a user that may not open the port of DNS gets none, and programs in containers
// wait longer for names that do not exist.
func listenResolver(ip net.IP) *resolver {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip, Port: 53})
	if err != nil {
		return nil
	}
	r := &resolver{conn: conn, done: make(chan struct{}), names: map[string]bool{}}
	go r.serve()
	return r
}

// serve answers until the connection is closed.
func (r *resolver) serve() {
	defer close(r.done)
	packet := make([]byte, 512) // the most of a question over UDP
	for {
		n, client, err := r.conn.ReadFromUDP(packet)
		if err != nil {
			return
		}
		question := packet[:n]
		name, end, ok := questioned(question)
		if !ok {
			continue
		}
		r.remember(name)
		answer := append([]byte{}, question[:end]...)
		answer[2] = answer[2]&0x79 | 0x80                       // an answer, of the same kind as the question
		answer[3] = 0x80 | 3                                    // to whoever may recurse: the name does not exist
		answer[6], answer[7], answer[8], answer[9] = 0, 0, 0, 0 // no answers, no authorities
		answer[10], answer[11] = 0, 0                           // nothing further
		r.conn.WriteToUDP(answer, client)                       //nolint:errcheck // it asks again
	}
}

// questioned reads the name of the only question of a packet, by RFC 1035, and where the question ends.
func questioned(packet []byte) (name string, end int, ok bool) {
	const head, tail = 12, 4
	if len(packet) < head || packet[2]&0x80 != 0 || packet[4] != 0 || packet[5] != 1 {
		return "", 0, false
	}
	var labels []string
	for at := head; at < len(packet); {
		length := int(packet[at])
		at++
		switch {
		case length == 0:
			return strings.ToLower(strings.Join(labels, ".")), at + tail, at+tail <= len(packet)
		case length > 63 || at+length > len(packet):
			return "", 0, false
		}
		labels = append(labels, string(packet[at:at+length]))
		at += length
	}
	return "", 0, false
}

func (r *resolver) remember(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.names) < maxNames {
		r.names[name] = true
	}
}

func (r *resolver) close() {
	if r == nil {
		return
	}
	r.conn.Close()
	<-r.done
}

// Sought is the names of the world that containers looked for, sorted. None of them was resolved.
func (n *Network) Sought() []string {
	if n.resolver == nil {
		return nil
	}
	n.resolver.mu.Lock()
	defer n.resolver.mu.Unlock()
	return slices.Sorted(maps.Keys(n.resolver.names))
}
