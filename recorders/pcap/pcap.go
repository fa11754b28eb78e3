// Package pcap reads captures of networks (pcap and pcapng, also compressed by gzip, as tcpdump and Wireshark write them)
// and puts the HTTP in them together again: HTTP/1, and HTTP/2 that begins with its preface in the clear.
//
// Heads are kept byte for byte, bodies after the transfer coding. Segments of TCP are put in order; what came twice counts
// once. Ethernet, VLAN, loopback, Linux cooked and raw captures are read, IPv4 and IPv6, and tunnels that are not encrypted.
// What a capture does not hold:
//
//   - Bytes that are missing (packets that the capture lost, or cut by its snap length) make the message incomplete. A
//     request whose answer may be among them is incomplete, and an answer without its request is dropped and counted:
//     never is an answer given to a request that it may not belong to.
//   - What was open when the capture began or ended is incomplete or dropped.
//   - TLS and QUIC cannot be read; connections are counted by the name that the client asked for.
//   - What follows a switch of protocols (web sockets, tunnels) is not taken over.
//   - The Host field of HTTP/2 comes from the authority of the request.
//   - The target of a request to a proxy becomes the path that the origin sees.
//
// Each connection is a session. Memory: at most [maxConnections] connections, 64 MiB of segments that wait for missing
// ones, and 256 MiB of bodies; what goes beyond makes messages incomplete.
package pcap

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
)

// Format reads captures.
var Format = archive.Format{
	Extensions: []string{".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz"}, Wrote: "a capture in pcap or pcapng", Knows: knows, Streams: true, Read: read,
}

// Departures from the wire that only this format has.
const (
	noteEnds     departure.Kind = "captures: end within a packet"
	noteKernel   departure.Kind = "captures: the system dropped packets while it captured; what is missing is incomplete"
	noteCut      departure.Kind = "packets: cut by the snap length; what is missing is incomplete (tcpdump --snapshot-length=0 keeps all)"
	noteHeaders  departure.Kind = "packets: cut or damaged within their headers; they were left out"
	noteFragment departure.Kind = "packets: fragments of IP; they were left out"
	noteQUIC     departure.Kind = "packets: QUIC cannot be read"
	noteMissing  departure.Kind = "connections: bytes are missing"
	noteMiddle   departure.Kind = "connections: began before the capture; what came first may be missing"
	noteOther    departure.Kind = "connections: are not HTTP and were left out"
	noteOpen     departure.Kind = "exchanges: the capture holds no whole answer; the exchange is incomplete"
	noteOrphan   departure.Kind = "answers: the capture does not hold the request; they were dropped"
	noteBroken   departure.Kind = "messages: are malformed or ambiguous; they were dropped"
	noteSwitched departure.Kind = "connections: switched to another protocol; what crossed afterwards is not taken over, and the exchange is incomplete"
	noteTunnel   departure.Kind = "connections: became tunnels; what crossed in them is not taken over"
	noteProxy    departure.Kind = "requests: went to a proxy; the path that the origin sees was taken"
	noteTrouble  departure.Kind = "connections: HTTP/2 could not be followed to their end"
	notePushed   departure.Kind = "answers: were pushed by the server without a request; they were left out"
)

// magics are how captures begin: pcap in both orders and resolutions, and the section header of pcapng.
var magics = []uint32{0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, sectionHeader}

const sectionHeader = 0x0a0d0d0a

func knows(head []byte) bool {
	if len(head) < 24 {
		return false
	}
	magic := binary.LittleEndian.Uint32(head)
	for _, m := range magics {
		if m == magic {
			return true
		}
	}
	return false
}

// source is a capture of either form.
type source interface {
	ZeroCopyReadPacketData() (data []byte, ci gopacket.CaptureInfo, err error)
}

// open reads the header of a capture. The link type of a packet is that of its interface.
func open(r *bufio.Reader) (source, func(gopacket.CaptureInfo) layers.LinkType, error) {
	head, err := r.Peek(4)
	if err != nil {
		return nil, nil, errors.New("byte 0: not a capture: too short")
	}
	if binary.LittleEndian.Uint32(head) == sectionHeader {
		ng, err := pcapgo.NewNgReader(r, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
		if err != nil {
			return nil, nil, fmt.Errorf("byte 0: read the section header: %w", err)
		}
		return ng, func(ci gopacket.CaptureInfo) layers.LinkType {
			in, err := ng.Interface(ci.InterfaceIndex)
			if err != nil {
				return layers.LinkTypeNull
			}
			return in.LinkType
		}, nil
	}
	plain, err := pcapgo.NewReader(r)
	if err != nil {
		return nil, nil, fmt.Errorf("byte 0: read the header of the capture: %w", err)
	}
	return plain, func(gopacket.CaptureInfo) layers.LinkType { return plain.LinkType() }, nil
}

func read(f *archive.File) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	unpacked, err := archive.Unzipped(bufio.NewReaderSize(in, 64<<10))
	if err != nil {
		return err
	}
	packets, linkOf, err := open(unpacked)
	if err != nil {
		return err
	}
	w := newWire(f)
	for i := 1; ; i++ {
		if err := f.Err(); err != nil {
			return err
		}
		f.At("packet " + strconv.Itoa(i))
		data, ci, err := packets.ZeroCopyReadPacketData()
		switch {
		case errors.Is(err, io.EOF):
		case errors.Is(err, io.ErrUnexpectedEOF):
			f.Note(noteEnds)
		case err != nil:
			return fmt.Errorf("packet %d: %w", i, err)
		default:
			w.packet(data, ci, linkOf(ci))
			continue
		}
		break
	}
	f.At("end")
	noteDrops(f, packets)
	w.finish()
	return f.Err()
}

// noteDrops takes over what the capture says about itself.
func noteDrops(f *archive.File, packets source) {
	ng, ok := packets.(*pcapgo.NgReader)
	if !ok {
		return
	}
	for i := range ng.NInterfaces() {
		in, err := ng.Interface(i)
		if err == nil && in.Statistics.PacketsDropped != pcapgo.NgNoValue64 && in.Statistics.PacketsDropped > 0 {
			f.Note(noteKernel)
		}
	}
}
