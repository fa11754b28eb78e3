package pcap_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// shape is how packets are wrapped.
type shape struct {
	name string
	link layers.LinkType
	v6   bool
	vlan bool
}

var ethernet = shape{name: "ethernet", link: layers.LinkTypeEthernet}

// captured is one packet of a capture.
type captured struct {
	at   time.Time
	data []byte
	full int // length before it was cut; 0: not cut
}

// talk writes a conversation over TCP as packets.
type talk struct {
	t      testing.TB
	shape  shape
	port   uint16 // of the client
	seq    [2]uint32
	at     time.Time
	mss    int
	sent   []captured
	closed [2]bool
}

// newTalk begins a connection; sequence numbers wrap soon.
func newTalk(t testing.TB, s shape, port uint16) *talk {
	c := &talk{t: t, shape: s, port: port, seq: [2]uint32{0xffffff00, 0xfffffff0}, at: time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC), mss: 1000}
	c.packet(0, nil, func(tcp *layers.TCP) { tcp.SYN = true; tcp.ACK = false })
	c.seq[0]++
	c.packet(1, nil, func(tcp *layers.TCP) { tcp.SYN = true })
	c.seq[1]++
	c.packet(0, nil, nil)
	return c
}

func (c *talk) client(data string) *talk { c.send(0, data); return c }
func (c *talk) server(data string) *talk { c.send(1, data); return c }

func (c *talk) send(side int, data string) {
	for len(data) > 0 {
		n := min(len(data), c.mss)
		c.packet(side, []byte(data[:n]), nil)
		c.seq[side] += uint32(n)
		data = data[n:]
	}
}

// fin ends a direction.
func (c *talk) fin(side int) *talk {
	c.packet(side, nil, func(tcp *layers.TCP) { tcp.FIN = true })
	c.seq[side]++
	c.packet(1-side, nil, nil)
	return c
}

func (c *talk) rst(side int) *talk {
	c.packet(side, nil, func(tcp *layers.TCP) { tcp.RST = true })
	return c
}

func (c *talk) packet(side int, data []byte, change func(*layers.TCP)) {
	c.at = c.at.Add(time.Millisecond)
	tcp := &layers.TCP{SrcPort: layers.TCPPort(c.port), DstPort: 8080, Seq: c.seq[side], Ack: c.seq[1-side], ACK: true, PSH: len(data) > 0, Window: 65535}
	if side == 1 {
		tcp.SrcPort, tcp.DstPort = tcp.DstPort, tcp.SrcPort
	}
	if change != nil {
		change(tcp)
	}
	if !tcp.ACK {
		tcp.Ack = 0
	}
	ips := [2]net.IP{{10, 0, 0, 1}, {10, 0, 0, 2}}
	if c.shape.v6 {
		ips = [2]net.IP{net.ParseIP("fd00::1"), net.ParseIP("fd00::2")}
	}
	var network gopacket.SerializableLayer
	kind := layers.EthernetTypeIPv4
	if c.shape.v6 {
		ip := &layers.IPv6{Version: 6, NextHeader: layers.IPProtocolTCP, HopLimit: 64, SrcIP: ips[side], DstIP: ips[1-side]}
		network, kind = ip, layers.EthernetTypeIPv6
		tcp.SetNetworkLayerForChecksum(ip)
	} else {
		ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: ips[side], DstIP: ips[1-side]}
		network = ip
		tcp.SetNetworkLayerForChecksum(ip)
	}
	all := append(c.link(kind), network, tcp, gopacket.Payload(data))
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, all...); err != nil {
		c.t.Fatal(err)
	}
	c.sent = append(c.sent, captured{at: c.at, data: bytes.Clone(buf.Bytes())})
}

// link is what stands before the network layer.
func (c *talk) link(kind layers.EthernetType) []gopacket.SerializableLayer {
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	switch c.shape.link {
	case layers.LinkTypeEthernet:
		if !c.shape.vlan {
			return []gopacket.SerializableLayer{&layers.Ethernet{SrcMAC: mac, DstMAC: mac, EthernetType: kind}}
		}
		return []gopacket.SerializableLayer{
			&layers.Ethernet{SrcMAC: mac, DstMAC: mac, EthernetType: layers.EthernetTypeQinQ},
			&layers.Dot1Q{VLANIdentifier: 7, Type: layers.EthernetTypeDot1Q}, &layers.Dot1Q{VLANIdentifier: 8, Type: kind},
		}
	case layers.LinkTypeNull:
		family := uint32(2)
		if c.shape.v6 {
			family = 24
		}
		return []gopacket.SerializableLayer{gopacket.Payload(binary.LittleEndian.AppendUint32(nil, family))}
	case layers.LinkTypeLinuxSLL:
		header := []byte{0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0}
		return []gopacket.SerializableLayer{gopacket.Payload(binary.BigEndian.AppendUint16(header, uint16(kind)))}
	case layers.LinkTypeLinuxSLL2:
		header := binary.BigEndian.AppendUint16(nil, uint16(kind))
		return []gopacket.SerializableLayer{gopacket.Payload(append(header, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0))}
	}
	return nil
}

// cutAt cuts a packet as a snap length does.
func cutAt(p captured, n int) captured {
	if len(p.data) <= n {
		return p
	}
	return captured{p.at, p.data[:n], len(p.data)}
}

func info(p captured) gopacket.CaptureInfo {
	return gopacket.CaptureInfo{Timestamp: p.at, CaptureLength: len(p.data), Length: max(p.full, len(p.data))}
}

func write(t testing.TB, link layers.LinkType, packets []captured) string {
	t.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriterNanos(&b)
	if err := w.WriteFileHeader(262144, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := w.WritePacket(info(p), p.data); err != nil {
			t.Fatal(err)
		}
	}
	return writeBytes(t, b.Bytes())
}

func writeNg(t testing.TB, link layers.LinkType, packets []captured) string {
	t.Helper()
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriter(&b, link)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := w.WritePacket(info(p), p.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteInterfaceStats(0, pcapgo.NgInterfaceStatistics{LastUpdate: packets[0].at, PacketsReceived: 9, PacketsDropped: 2}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return writeBytes(t, b.Bytes())
}

func writeBytes(t testing.TB, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "lms.pcap")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
