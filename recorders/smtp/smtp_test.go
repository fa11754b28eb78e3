package smtp

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/authority"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
)

var _ harness.Recorder = (*Tap)(nil)

const patience = 60 * time.Second

// tapped is a Tap that runs.
type tapped struct {
	t    *testing.T
	addr string
	mem  *harness.Memory
	stop func() error
}

func start(t *testing.T, tap *Tap) *tapped {
	t.Helper()
	tap.From, tap.To = "sis", "mail"
	addr, err := tap.Listen("127.0.0.1:0")
	recordtest.Must(t, err)
	mem := harness.NewMemory(harness.Manifest{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tap.Record(ctx, mem) }()
	stop := sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return errors.New("Record does not end")
		}
	})
	t.Cleanup(func() { recordtest.Must(t, stop()) })
	return &tapped{t, addr.String(), mem, stop}
}

// told ends the recording and returns what it holds. The account must be right.
func (r *tapped) told() []string {
	r.t.Helper()
	recordtest.Must(r.t, r.stop())
	all, err := harness.Collect(r.mem)
	recordtest.Must(r.t, err)
	var lines []string
	for _, x := range all {
		var b strings.Builder
		for _, f := range x.Request.Head {
			fmt.Fprintf(&b, "%s=%s ", f.Name, f.Value)
		}
		body, _ := x.Request.Body.Bytes()
		fmt.Fprintf(&b, "[%s] %q", x.Request.Media, body)
		if x.Fault != nil {
			b.WriteString(" " + x.Fault.Kind)
		}
		lines = append(lines, b.String())
	}
	if c := r.mem.Manifest().Counts; c.Seen != c.Recorded+c.Incomplete+c.Dropped || c.Recorded+c.Incomplete != len(all) {
		r.t.Errorf("counts %+v with %d exchanges", c, len(all))
	}
	return lines
}

// send writes all bytes, says no more and returns the replies.
func (r *tapped) send(text string) string {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.addr)
	recordtest.Must(r.t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, text)
	recordtest.Must(r.t, err)
	recordtest.Must(r.t, conn.(*net.TCPConn).CloseWrite())
	answers, err := io.ReadAll(conn)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		r.t.Fatal(err)
	}
	return string(answers)
}

const (
	begin    = "EHLO sis\r\nMAIL FROM:<registrar@harrowlake.example> SIZE=10\r\nRCPT TO:<hana.park@harrowlake.example>\r\nDATA\r\n"
	envelope = ":sender=registrar@harrowlake.example :recipient=hana.park@harrowlake.example "
)

func TestMailIsRecordedByteForByte(t *testing.T) {
	for _, tt := range []struct{ why, mail, want string }{
		{"fields and body", "Subject: Grades\r\nTo: Hana Park\r\n <hana.park@harrowlake.example>\r\nsubject:\tagain\r\nContent-Type: Text/HTML; charset=utf-8\r\n\r\n a\r\n\r\n..b\r\n\xe9\x00\r\n.\r\n",
			"Subject=Grades To=Hana Park <hana.park@harrowlake.example> subject=again Content-Type=Text/HTML; charset=utf-8 [text/html] " + `" a\r\n\r\n.b\r\n\xe9\x00\r\n"`},
		{"no fields", "\r\nx\r\n.\r\n", `[text/plain] "x\r\n"`},
		{"nothing", ".\r\n", `[text/plain] ""`},
		{"a line that is no field", "A: b\r\nno field\r\n\r\nx\r\n.\r\n", `A=b [text/plain] "no field\r\n\r\nx\r\n"`},
		{"a field that no head can hold", "A: b\x01\r\n\r\n.\r\n", `[text/plain] "A: b\x01\r\n\r\n"`},
		{"long lines", "\r\n" + strings.Repeat("x", 4095) + "\r\n." + strings.Repeat("y", 9000) + "\r\n.\r\n", fmt.Sprintf("[text/plain] %q", strings.Repeat("x", 4095)+"\r\n"+strings.Repeat("y", 9000)+"\r\n")},
	} {
		t.Run(tt.why, func(t *testing.T) {
			r := start(t, &Tap{})
			if answers := r.send(begin + tt.mail + "QUIT\r\n"); !strings.Contains(answers, "250 recorded\r\n221 bye\r\n") {
				t.Errorf("answers %q", answers)
			}
			if diff := cmp.Diff([]string{envelope + tt.want}, r.told()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What some servers take for the end of a mail is none, whatever comes behind it.
func TestSmuggledMailIsNone(t *testing.T) {
	for _, end := range []string{"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n", "\n.\r", "\r\n\x00.\r\n", "\r\r\n.\r\r\n"} {
		for _, relayed := range []bool{false, true} {
			got := &inbox{}
			tap := &Tap{}
			if relayed {
				tap.Relay = &Relay{Address: got.serve(t)}
			}
			r := start(t, tap)
			answers := r.send(begin + "Subject: a\r\n\r\nx" + end + "MAIL FROM:<admin@harrowlake.example>\r\nRCPT TO:<b@harrowlake.example>\r\nDATA\r\nsmuggled\r\n.\r\nQUIT\r\n")
			lines := r.told()
			isForm := r.mem.Manifest().Counts.Reasons[DropForm] == 1
			isOne := len(lines) == 1 && strings.HasPrefix(lines[0], envelope) && strings.Contains(lines[0], "smuggled")
			if !isForm && !isOne || isForm && len(lines) > 0 {
				t.Errorf("%q: recorded %q, answers %q", end, lines, answers)
			}
			if relayed && isForm && len(got.mails()) > 0 {
				t.Errorf("%q: the server got %q", end, got.mails())
			}
		}
	}
}

func TestMailThatEndsEarlyIsNeverWhole(t *testing.T) {
	whole := begin + "Subject: a\r\n\r\n..x\r\n.\r\n"
	want := envelope + `Subject=a [text/plain] ".x\r\n"`
	for n := range len(whole) {
		r := start(t, &Tap{})
		r.send(whole[:n])
		for _, line := range r.told() {
			if line == want || !strings.HasSuffix(line, harness.FaultClientGone) {
				t.Errorf("cut at byte %d: %s", n, line)
			}
		}
	}
}

func TestCommandsOutOfOrderAndForm(t *testing.T) {
	for _, tt := range []struct{ why, said, want string }{
		{"no mail", "RCPT TO:<a@b>\r\n", "503 MAIL first"},
		{"no recipient", "MAIL FROM:<>\r\nDATA\r\n", "503 MAIL and RCPT first"},
		{"two mails", "MAIL FROM:<>\r\nMAIL FROM:<>\r\n", "503 a mail has begun"},
		{"no address", "MAIL FROM: a\r\n", "501 write it as MAIL FROM"},
		{"no recipient's address", "MAIL FROM:<>\r\nRCPT TO:<>\r\n", "501 write it as RCPT TO"},
		{"unknown", "TURN\r\n", "502 "},
		{"pieces", "BDAT 5 LAST\r\nhello", "502 "},
		{"a line within a line", "NOOP\nMAIL FROM:<a@b>\r\n", "500 "},
		{"a long line", "NOOP " + strings.Repeat("x", longestLine) + "\r\n", "500 the line is too long"},
		{"an unknown login", "AUTH CRAM-MD5\r\n", "504 "},
		{"no TLS", "STARTTLS\r\n", "454 "},
		{"HELO", "HELO sis\r\n", "250 rehearse"},
	} {
		r := start(t, &Tap{})
		if answers := r.send(tt.said); !strings.Contains(answers, "\r\n"+tt.want) {
			t.Errorf("%s: %q", tt.why, answers)
		}
		if lines := r.told(); len(lines) > 0 {
			t.Errorf("%s: recorded %q", tt.why, lines)
		}
	}
}

func TestNothingOfALoginIsKept(t *testing.T) {
	r := start(t, &Tap{})
	answers := r.send("EHLO a\r\nAUTH PLAIN AGEAaHVyb25z\r\nAUTH PLAIN\r\nAGEAaHVyb25z\r\nAUTH LOGIN\r\nYQ==\r\naHVyb25z\r\nAUTH LOGIN\r\n*\r\n" + begin + "\r\nx\r\n.\r\n")
	if strings.Count(answers, "235 ") != 3 || strings.Count(answers, "501 ") != 1 {
		t.Errorf("answers %q", answers)
	}
	if lines := r.told(); len(lines) != 1 || strings.Contains(lines[0], "aHVyb25z") {
		t.Errorf("recorded %q", lines)
	}
}

func TestMailThatIsTooLargeIsAFault(t *testing.T) {
	r := start(t, &Tap{MaxBody: 100})
	if answers := r.send(begin + "A: b\r\n\r\n" + strings.Repeat("x", 1<<20) + "\r\n.\r\nQUIT\r\n"); !strings.Contains(answers, "\r\n552 ") {
		t.Errorf("answers %q", answers)
	}
	if lines := r.told(); len(lines) != 1 || !strings.HasSuffix(lines[0], harness.FaultTruncated) || len(lines[0]) > 400 {
		t.Errorf("recorded %q", lines)
	}
}

// inbox is a real server, as far as a test needs one. Its answer to a mail is its last word.
type inbox struct {
	lastWord string // "": 250 kept; "hang up": none
	mu       sync.Mutex
	got      []string
}

func (in *inbox) mails() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.got
}

func (in *inbox) serve(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	recordtest.Must(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				in.talk(conn)
			})
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return l.Addr().String()
}

func (in *inbox) talk(conn net.Conn) {
	say := func(text string) { io.WriteString(conn, text+"\r\n") } //nolint:errcheck // the test sees it
	say("220 inbox")
	read := bufio.NewReader(conn)
	for {
		line, err := read.ReadString('\n')
		if err != nil {
			return
		}
		switch word := strings.ToUpper(strings.Fields(line + " x")[0]); {
		case word == "EHLO":
			say("250-inbox\r\n250-CHUNKING\r\n250-STARTTLS\r\n250 8BITMIME")
		case strings.Contains(line, "nobody"):
			say("550 nobody of that name")
		case word == "AUTH":
			say("334 go")
			read.ReadString('\n') //nolint:errcheck // the test sees it
			say("535 no")
		case word == "DATA":
			say("354 go")
			var mail []byte
			for !bytes.HasSuffix(mail, []byte("\r\n.\r\n")) {
				b, err := read.ReadByte()
				if err != nil {
					return
				}
				mail = append(mail, b)
			}
			if in.lastWord == "hang up" {
				return
			}
			in.mu.Lock()
			in.got = append(in.got, string(mail))
			in.mu.Unlock()
			if in.lastWord != "" {
				say(in.lastWord)
			} else {
				say("250 kept")
			}
		case word == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func TestRealServerDecides(t *testing.T) {
	const mail = "A: b\r\n\r\n..x\r\n.\r\n"
	for _, tt := range []struct {
		lastWord, answer string
		want             []string
		reason           string
	}{
		{"", "250 kept", []string{envelope + `A=b [text/plain] ".x\r\n"`}, ""},
		{"554 looks bad", "554 looks bad", nil, DropRefused},
		{"hang up", "451 ", []string{envelope + `A=b [text/plain] ".x\r\n" reset`}, ""},
	} {
		in := &inbox{lastWord: tt.lastWord}
		r := start(t, &Tap{Relay: &Relay{Address: in.serve(t)}})
		answers := r.send("EHLO a\r\nAUTH PLAIN\r\nAGEAaHVyb25z\r\n" + strings.Replace(begin, "DATA", "RCPT TO:<nobody@harrowlake.example>\r\nDATA", 1) + mail)
		for _, want := range []string{tt.answer, "550 nobody of that name", "535 no"} {
			if !strings.Contains(answers, "\r\n"+want) {
				t.Errorf("answers %q lack %q", answers, want)
			}
		}
		if strings.Contains(answers, "CHUNKING") || strings.Contains(answers, "STARTTLS") {
			t.Errorf("answers %q offer what the tap cannot do", answers)
		}
		if diff := cmp.Diff(tt.want, r.told()); diff != "" {
			t.Error(diff)
		}
		if got := in.mails(); len(got) > 0 && got[0] != mail {
			t.Errorf("the server got %q", got)
		}
		if tt.reason != "" && r.mem.Manifest().Counts.Reasons[tt.reason] != 1 {
			t.Errorf("dropped %v", r.mem.Manifest().Counts.Reasons)
		}
	}
	if _, err := (&Tap{Relay: &Relay{Address: "127.0.0.1:1"}}).Listen("127.0.0.1:0"); harness.ClassOf(err) != harness.ClassCannotRun {
		t.Errorf("no server: error %v", err)
	}
}

// Curl sends a mail over TLS to a tap, that passes it on over TLS to another.
func TestRealClientSendsThroughBoth(t *testing.T) {
	curl, err := exec.LookPath("curl")
	recordtest.Must(t, err)
	dir := t.TempDir()
	auth, _, err := authority.Open(filepath.Join(dir, "authority"), []string{"127.0.0.1", "localhost"}, time.Now)
	recordtest.Must(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(auth.Certificate())
	sink := start(t, &Tap{Secure: auth.Config()})
	front := start(t, &Tap{Secure: auth.Config(), Relay: &Relay{Address: sink.addr, StartTLS: true, TLS: &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}}})
	file := filepath.Join(dir, "mail")
	recordtest.Must(t, os.WriteFile(file, []byte("From: Registrar <registrar@harrowlake.example>\r\nSubject: Grades\r\n\r\n.one\r\ntwo\r\n"), 0o600))
	out, err := exec.Command(curl, "-sS", "--ssl-reqd", "--cacert", auth.File, "--url", "smtp://"+front.addr+"/sis", "--user", "loader:hurons",
		"--mail-from", "registrar@harrowlake.example", "--mail-rcpt", "hana.park@harrowlake.example", "--mail-rcpt", "b@harrowlake.example", "--upload-file", file).CombinedOutput()
	if err != nil {
		t.Fatalf("curl: %v\n%s", err, out)
	}
	want := []string{envelope + `:recipient=b@harrowlake.example From=Registrar <registrar@harrowlake.example> Subject=Grades [text/plain] ".one\r\ntwo\r\n"`}
	for name, r := range map[string]*tapped{"front": front, "sink": sink} {
		if diff := cmp.Diff(want, r.told()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTapLeavesNothingBehind(t *testing.T) {
	record := func(t *testing.T) {
		r := start(t, &Tap{Relay: &Relay{Address: (&inbox{}).serve(t)}})
		r.send(begin + "\r\nx\r\n.\r\n")
		r.told()
	}
	t.Run("", record)
	base := runtime.NumGoroutine()
	for range 20 {
		t.Run("", record)
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > base; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), base)
		}
	}
}
