package accesslog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/accesslog"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
)

func write(t testing.TB, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "lms.log")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func record(t testing.TB, content string) (lines, notes []string, counts harness.Counts, err error) {
	t.Helper()
	mem := harness.NewMemory(harness.Manifest{})
	im := &archive.Importer{Format: accesslog.Format, Path: write(t, content)}
	err = im.Record(t.Context(), mem)
	for x := range mem.Exchanges() {
		line := fmt.Sprintf("%s %s %s +%v %s → %d", x.Session, x.To, x.At.Format("2006-01-02T15:04:05.999"), x.Took, x.Title(), x.Status())
		for _, f := range append(x.Request.Head[2:], x.Response.Head...) {
			if !f.IsPseudo() {
				line += fmt.Sprintf(" %s=%s", f.Name, f.Value)
			}
		}
		if x.Fault == nil || x.Fault.Kind != harness.FaultTruncated {
			line += " WHOLE"
		}
		lines = append(lines, line)
	}
	return lines, im.Notes(), mem.Manifest().Counts, err
}

const (
	stamp = `[01/Sep/2026:08:00:02 +0200]`
	moved = "2026-09-01T06:00:02"
)

func TestEveryFormatTellsTheSame(t *testing.T) {
	for _, tt := range []struct{ why, log, want string }{
		{"Common", `10.0.0.1 - - ` + stamp + ` "GET /rosters/417?term=2026 HTTP/1.1" 200 2326`,
			`lms.log/1 server ` + moved + ` +0s GET /rosters/417?term=2026 → 200 Content-Length=2326`},
		{"Combined, an escaped quote", `fd00::1 - kim ` + stamp + ` "POST /a HTTP/1.0" 201 - "https://hub.example/" "agent \"7\" (x)"`,
			`lms.log/1 server ` + moved + ` +0s POST /a → 201 Referer=https://hub.example/ User-Agent=agent "7" (x)`},
		{"Combined with more behind", `10.0.0.1 - - ` + stamp + ` "GET /a HTTP/2.0" 304 0 "-" "-" "10.9.9.9" 17`, `lms.log/1 server ` + moved + ` +0s GET /a → 304`},
		{"Combined with the virtual host", `lms.example:443 10.0.0.1 - - ` + stamp + ` "GET /a HTTP/1.1" 200 5 "-" "x"`,
			`lms.log/1 lms.example ` + moved + ` +0s GET /a → 200 Host=lms.example User-Agent=x Content-Length=5`},
		{"a named format of Apache", `#LogFormat "%{Host}i %h [%D] %m %U%q… %>s %t %{X-Trace}i" timed` + "\n" + `lms.example 10.0.0.1 [1500] GET /a?b… 200 ` + stamp + ` t1`, ""},
		{"a named format of Apache, separated", `#LogFormat "%{Host}i %h [%D] %m %U %q %>s %t %{X-Trace}i" timed` + "\n" + `lms.example 10.0.0.1 [1500] GET /a ?b 200 ` + stamp + ` t1`,
			`lms.log/1 lms.example ` + moved + ` +1.5ms GET /a?b → 200 Host=lms.example X-Trace=t1`},
		{"a named format of nginx", `#log_format '$remote_addr [$time_local] "$request" $status ${body_bytes_sent} $request_time $http_user_agent';` + "\n" + `10.0.0.1 ` + stamp + ` "GET /a HTTP/1.1" 200 5 0.250 x`,
			`lms.log/1 server 2026-09-01T06:00:01.75 +250ms GET /a → 200 User-Agent=x Content-Length=5`},
		{"JSON of nginx", `{"time_iso8601":"2026-09-01T08:00:02+02:00","remote_addr":"10.0.0.1","request":"GET /a HTTP/1.1","status":"200","body_bytes_sent":5,"request_time":"0.25","http_host":"lms.example"}`,
			`lms.log/1 lms.example 2026-09-01T06:00:01.75 +250ms GET /a → 200 Host=lms.example Content-Length=5`},
		{"JSON of Caddy", `{"ts":1788242402.5,"request":{"remote_ip":"10.0.0.1","method":"GET","host":"lms.example","uri":"/a","proto":"HTTP/2.0"},"duration":0.5,"size":5,"status":200}`,
			`lms.log/1 lms.example ` + moved + ` +500ms GET /a → 200 Host=lms.example Content-Length=5`},
		{"IIS", "#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time cs-method cs-uri-stem cs-uri-query c-ip cs(User-Agent) cs(Host) sc-status sc-bytes time-taken\r\n" +
			"2026-09-01 06:00:02 GET /a b=c 10.0.0.1 agent+7 lms.example 200 5 15\r\n", `lms.log/1 lms.example ` + moved + ` +15ms GET /a?b=c → 200 Host=lms.example User-Agent=agent 7 Content-Length=5`},
	} {
		lines, notes, counts, err := record(t, tt.log)
		if tt.want == "" {
			if err == nil || !strings.Contains(err.Error(), "without anything between") {
				t.Errorf("%s: error %v", tt.why, err)
			}
			continue
		}
		if diff := cmp.Diff([]string{tt.want}, lines); diff != "" || err != nil || counts.Incomplete != 1 || len(notes) == 0 {
			t.Errorf("%s: %v, notes %q\n%s", tt.why, err, notes, diff)
		}
		if !accesslog.Format.Knows([]byte(tt.log + "\n")) {
			t.Errorf("%s: is not known by its content", tt.why)
		}
	}
}

func TestClientsAreSessionsAndLinesWithoutARequestAreDropped(t *testing.T) {
	line := func(client, request string) string {
		return client + ` - - ` + stamp + ` "` + request + `" 400 0` + "\n"
	}
	lines, _, counts, err := record(t, line("10.0.0.1", "GET /a HTTP/1.1")+line("10.0.0.2", "GET /b HTTP/1.1")+line("10.0.0.1", "GET /c")+
		line("10.0.0.3", "-")+line("10.0.0.3", `\x16\x03\x01`)+line("10.0.0.3", "OPTIONS * HTTP/1.0")+line("10.0.0.3", "GET /\\x22 HTTP/1.1"))
	want := []string{
		"lms.log/1 server " + moved + " +0s GET /a → 400", "lms.log/2 server " + moved + " +0s GET /b → 400", "lms.log/1 server " + moved + " +0s GET /c → 400",
	}
	if diff := cmp.Diff(want, lines); diff != "" || err != nil || counts.Dropped != 4 {
		t.Errorf("%v, counts %+v\n%s", err, counts, diff)
	}
}

func TestBrokenLogIsNamedWithTheLine(t *testing.T) {
	const good = `10.0.0.1 - - ` + stamp + ` "GET /a HTTP/1.1" 200 5` + "\n"
	for _, tt := range []struct{ why, log, want string }{
		{"another text", "2026-09-01 INFO started\n", `lms.log: line 1: "2026-09-01 INFO started" has no format that is known`},
		{"a line that does not fit", good + "started\n", `lms.log: line 2: want " " before value 2`},
		{"a moment", strings.Replace(good, "Sep", "Sap", 1), `line 1: time "01/Sap/2026`},
		{"a status", good + strings.Replace(good, " 200 ", " 2 ", 1), `line 2: response status "2"`},
		{"JSON that is cut", `{"time":"x"`, "line 1: is not an object"},
		{"too few values", "#Fields: date time sc-status\n2026-09-01 06:00:00\n", "line 2: has 2 values, #Fields names 3"},
		{"an empty format", "#LogFormat \"x\"\n", "line 1: the format has no values"},
		{"a long line", good + strings.Repeat("x", 2<<20), "line 2: longer than"},
	} {
		_, _, _, err := record(t, tt.log)
		if err == nil || !strings.Contains(err.Error(), tt.want) || harness.HintOf(err) == "" {
			t.Errorf("%s: error %v, want %q", tt.why, err, tt.want)
		}
	}
}
