package httptap

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// said is a message as the recording has it.
type said struct{ From, To, Topic, Opcode, Coding, Body, Fault string }

// messages ends the recording and returns the messages that crossed in each direction, and the handshake.
func (r recording) messages(t *testing.T) (shake harness.Exchange, up, down []said) {
	t.Helper()
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	for x, err := range r.sink.Exchanges() {
		if err != nil {
			t.Fatal(err)
		}
		if x.Channel != harness.ChannelMessage {
			shake = x
			continue
		}
		head := x.Request.Head
		m := said{x.From, x.To, head.Get(harness.FieldTopic), head.Get(fieldOpcode), head.Get(fieldCoding), bodyOf(t, x.Request), ""}
		if x.Fault != nil {
			m.Fault = x.Fault.Kind
		}
		if x.At.IsZero() || x.Session != "s" {
			t.Errorf("at %v in session %q", x.At, x.Session)
		}
		if x.From == "crm" {
			up = append(up, m)
		} else {
			down = append(down, m)
		}
	}
	return shake, up, down
}

func TestMessagesOfAWebSocketAreRecordedBothWays(t *testing.T) {
	for _, mode := range []websocket.CompressionMode{websocket.CompressionDisabled, websocket.CompressionNoContextTakeover, websocket.CompressionContextTakeover} {
		t.Run(fmt.Sprintf("compression %d", mode), func(t *testing.T) {
			up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
				c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: mode, CompressionThreshold: 1})
				if err != nil {
					t.Error(err)
					return
				}
				c.SetReadLimit(1 << 20)
				for {
					kind, b, err := c.Read(r.Context())
					if err != nil {
						return
					}
					if err := c.Write(r.Context(), kind, append([]byte("echo "), b...)); err != nil {
						t.Error(err)
						return
					}
				}
			})
			rec := record(t, up, func(tap *Tap) { tap.Session = func(*http.Request) string { return "s" } })
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			c, _, err := websocket.Dial(ctx, rec.url+"/live/7?token=x", &websocket.DialOptions{CompressionMode: mode, CompressionThreshold: 1})
			if err != nil {
				t.Fatal(err)
			}
			c.SetReadLimit(1 << 20)
			long := strings.Repeat(`{"student":"H00000117","plan":"3.50"}`, 2000) // longer than a frame and than the window
			coding := ""
			if mode != websocket.CompressionDisabled {
				coding = "permessage-deflate"
			}
			var wantUp, wantDown []said
			for i, body := range []string{`{"id":1}`, `{"id":1}`, long, "\x00\xff", long} {
				kind, opcode := websocket.MessageText, "text"
				if i == 3 {
					kind, opcode = websocket.MessageBinary, "binary"
				}
				if err := c.Write(ctx, kind, []byte(body)); err != nil {
					t.Fatal(err)
				}
				if _, b, err := c.Read(ctx); err != nil || string(b) != "echo "+body {
					t.Fatalf("message %d came back as %d bytes, %v", i, len(b), err)
				}
				wantUp = append(wantUp, said{"crm", "sis", "/live/7", opcode, coding, body, ""})
				wantDown = append(wantDown, said{"sis", "crm", "/live/7", opcode, coding, "echo " + body, ""})
			}
			c.Close(websocket.StatusNormalClosure, "done")
			wantUp = append(wantUp, said{"crm", "sis", "/live/7", "close", "", "\x03\xe8done", ""})
			shake, gotUp, gotDown := rec.messages(t)
			if shake.Status() != 101 || shake.Fault != nil {
				t.Errorf("handshake: %d, %v", shake.Status(), shake.Fault)
			}
			if d := cmp.Diff(wantUp, gotUp); d != "" {
				t.Errorf("to the upstream: %s", d)
			}
			if len(gotDown) > len(wantDown) { // its answer to the close
				gotDown = gotDown[:len(wantDown)]
			}
			if d := cmp.Diff(wantDown, gotDown); d != "" {
				t.Errorf("to the client: %s", d)
			}
		})
	}
}

// speaksRaw answers a handshake and hands over the connection.
func speaksRaw(t *testing.T, extensions string, speak func(c net.Conn)) string {
	t.Helper()
	return rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		skipHead(r)
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+extensions+"\r\n")
		speak(c)
	})
}

func TestMessageThatIsNotWholeIsRecordedAsBroken(t *testing.T) {
	for _, c := range []struct {
		why, extensions, frames string
		want                    []said
	}{
		{"it breaks off", "", "\x81\x02ok\x01\x03abc\x80\x05de", []said{{Opcode: "text", Body: "ok"}, {Opcode: "text", Body: "abcde", Fault: harness.FaultReset}}},
		{"it is cut in frames", "", "\x01\x02ab\x89\x01!\x00\x00\x80\x01c", []said{{Opcode: "text", Body: "abc"}}},
		{"it is longer than what is kept", "", "\x82\x7e\x01\x00" + strings.Repeat("x", 256), []said{{Opcode: "binary", Body: strings.Repeat("x", 100), Fault: harness.FaultTruncated}}},
		{"a continuation of nothing", "", "\x80\x01c\x81\x02no", []said{{Opcode: "binary", Fault: harness.FaultTruncated}}},
		{"compression that nobody agreed to", "", "\xc1\x01c", []said{{Opcode: "binary", Fault: harness.FaultTruncated}}},
		{"compression that is none", "Sec-WebSocket-Extensions: permessage-deflate\r\n", "\xc1\x03\xff\xff\xff\x81\x02no", []said{{Opcode: "text", Coding: "permessage-deflate", Body: "\xff\xff\xff", Fault: harness.FaultTruncated}}},
	} {
		t.Run(c.why, func(t *testing.T) {
			up := speaksRaw(t, c.extensions, func(conn net.Conn) { io.WriteString(conn, c.frames) })
			rec := record(t, up, func(tap *Tap) {
				tap.MaxBody, tap.Session = 100, func(*http.Request) string { return "s" }
			})
			conn := dialTap(t, rec)
			io.WriteString(conn, "GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
			br := bufio.NewReader(conn)
			skipHead(br)
			if b, err := io.ReadAll(br); err != nil || string(b) != c.frames {
				t.Errorf("the client got %q, %v", b, err)
			}
			_, up2, down := rec.messages(t)
			if len(up2) > 0 {
				t.Errorf("from the client: %v", up2)
			}
			for i := range c.want {
				c.want[i].From, c.want[i].To, c.want[i].Topic = "sis", "crm", "/live"
			}
			if d := cmp.Diff(c.want, down); d != "" {
				t.Error(d)
			}
		})
	}
}

// FuzzMessageScanner: whatever comes, cut anywhere, is read alike, without a panic and in bounded memory.
func FuzzMessageScanner(f *testing.F) {
	f.Add([]byte("\x81\x02ok\x01\x03abc\x80\x85mask\x01\x02\x03\x04\x05"), 1)
	f.Add([]byte("\xc1\x07\xcaH\xcd\xc9\xc9\x07\x00\x88\x02\x03\xe8"), 2)
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		const limit = 64
		read := func(step int) (all []string) {
			s := messageScanner{limit: limit, deflated: true, now: time.Now, found: func(m socketMessage) {
				all = append(all, fmt.Sprintf("%s %v %q %v", m.opcode, m.compressed, m.body, m.fault))
				if len(m.body) > 2*limit {
					t.Errorf("%d bytes are held", len(m.body))
				}
			}}
			for rest := b; len(rest) > 0; rest = rest[min(step, len(rest)):] {
				s.feed(rest[:min(step, len(rest))])
			}
			s.end()
			return all
		}
		if d := cmp.Diff(read(max(len(b), 1)), read(max(at%7, 1))); d != "" {
			t.Errorf("cut differently, read differently: %s", d)
		}
	})
}
