package pcap

import (
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
)

// quicPort is where QUIC is spoken.
const quicPort = 443

// end is one end of a connection.
type end struct {
	addr netip.Addr
	port uint16
}

// packet decodes a packet and hands the segment of TCP in it on.
func (w *wire) packet(data []byte, ci gopacket.CaptureInfo, link layers.LinkType) {
	p := gopacket.NewPacket(data, link, gopacket.DecodeOptions{Lazy: false, NoCopy: true})
	var from, to netip.Addr
	missing, fragment := 0, false
	for _, layer := range p.Layers() {
		switch l := layer.(type) {
		case *layers.IPv4:
			from, to = address(l.SrcIP), address(l.DstIP)
			missing = cut(int(l.Length), int(l.IHL)*4+len(l.Payload))
			fragment = l.FragOffset > 0 || l.Flags&layers.IPv4MoreFragments != 0
		case *layers.IPv6:
			from, to = address(l.SrcIP), address(l.DstIP)
			missing, fragment = cut(int(l.Length), len(l.Payload)), false
		case *layers.IPv6Fragment:
			fragment = true
		case *layers.UDP:
			if l.SrcPort == quicPort || l.DstPort == quicPort {
				w.file.Note(noteQUIC)
			}
		case *layers.TCP:
			w.segment(end{from, uint16(l.SrcPort)}, end{to, uint16(l.DstPort)}, &segment{
				seq: l.Seq, ackNo: l.Ack, data: l.Payload, missing: missing, at: ci.Timestamp.UTC(), syn: l.SYN, ack: l.ACK, fin: l.FIN, rst: l.RST,
			})
			return
		}
	}
	noteUnread(w.file, p, fragment)
}

// noteUnread counts a packet in which no segment was found, when it may have held one.
func noteUnread(f *archive.File, p gopacket.Packet, fragment bool) {
	switch {
	case fragment:
		f.Note(noteFragment)
	case p.ErrorLayer() != nil || p.Metadata().Truncated:
		f.Note(noteHeaders)
	}
}

func address(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a
}

// cut is how many bytes of a packet the capture does not hold. A length of 0 was to be filled in by the network card.
func cut(declared, held int) int {
	if declared == 0 {
		return 0
	}
	return max(declared-held, 0)
}
