package har_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/har"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
)

const handshake = `{"method":"GET","url":"wss://lms.example/live?token=1","headers":[{"name":"Host","value":"lms.example"}]}`

func TestMessagesOfAWebSocketAreExchanges(t *testing.T) {
	source := strings.Replace(one(handshake, `{"status":101,"headers":[],"content":{}}`), `"startedDateTime"`,
		`"_webSocketMessages":[{"type":"receive","time":1772433001.5,"opcode":1,"data":"zwölf"},{"type":"send","time":1772433002.25,"opcode":2,"data":"AAH/"},{"type":"send","time":1,"opcode":9,"data":""}],"startedDateTime"`, 1)
	xs, notes := record(t, &archive.Importer{Format: har.Format, Path: write(t, "live.har", source)})
	if len(xs) != 3 || xs[0].Fault != nil || xs[0].Status() != 101 {
		t.Fatalf("have %+v", xs)
	}
	for i, want := range []struct {
		from, to, opcode, body string
		at                     time.Time
	}{
		{"lms.example", "client", "text", "zwölf", time.Date(2026, 3, 2, 6, 30, 1, 500e6, time.UTC)},
		{"client", "lms.example", "binary", "\x00\x01\xff", time.Date(2026, 3, 2, 6, 30, 2, 250e6, time.UTC)},
	} {
		x := xs[i+1]
		if x.Channel != harness.ChannelMessage || x.From != want.from || x.To != want.to || !x.At.Equal(want.at) || x.Session != xs[0].Session ||
			recordtest.Body(t, x.Request) != want.body || x.Request.Head.Get(":topic") != "/live" || x.Request.Head.Get(":opcode") != want.opcode {
			t.Errorf("message %d: %+v", i, x)
		}
	}
	if !strings.Contains(strings.Join(notes, "\n"), "1 web socket messages: neither text nor binary") {
		t.Errorf("notes %q", notes)
	}
}

func TestImportKeepsGoingBehindAnEntryThatCannotBeRead(t *testing.T) {
	entry := func(request string) string {
		return `{"startedDateTime":"2026-03-02T06:30:00Z","request":` + request + `,"response":` + found + `}`
	}
	source := `{"log":{"entries":[` + entry(getApplicant) + `,` + entry(`{"method":["GET"]}`) + `,` + entry(`{"method":"GET","url":"/relative"}`) + `,` + entry(getApplicant) + `]}}`
	im := &archive.Importer{Format: har.Format, Path: write(t, "x.har", source)}
	im.KeepOn()
	mem := harness.NewMemory(harness.Manifest{})
	if err := im.Record(t.Context(), mem); err != nil {
		t.Fatal(err)
	}
	c := mem.Manifest().Counts
	if c.Seen != 4 || c.Recorded != 2 || c.Dropped != 2 || c.Complete() {
		t.Errorf("counts %+v", c)
	}
	for i, want := range []string{"x.har: entry 1 (before byte", "x.har: entry 2 (before byte"} {
		if have := im.Unreadable(); len(have) != 2 || !strings.HasPrefix(have[i].Error(), want) {
			t.Errorf("unreadable %v", have)
		}
	}
}
