package shift

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

var (
	recorded = time.Date(2024, 2, 28, 23, 30, 0, 0, time.UTC)
	now      = time.Date(2026, 10, 5, 1, 0, 0, 0, time.UTC) // 950 days later
)

var every = []string{"http", "iso", "compact", "us", "european", "epoch"}

func TestDatesNearTheRecordingAreMoved(t *testing.T) {
	tests := []struct{ why, text, want string }{
		{"a day", `{"due":"2024-02-29"}`, `{"due":"2026-10-06"}`},
		{"a moment keeps its time and zone", `2024-02-28T23:30:00.125-06:00`, `2026-10-05T23:30:00.125-06:00`},
		{"a field of the head", `Wed, 28 Feb 2024 23:30:00 GMT`, `Mon, 05 Oct 2026 23:30:00 GMT`},
		{"a date of birth is far away", `{"birth":"2004-05-17"}`, `{"birth":"2004-05-17"}`},
		{"so is the end of time", `{"until":"9999-12-31","end":"2099-12-31"}`, `{"until":"9999-12-31","end":"2099-12-31"}`},
		{"no day of the calendar", `2024-02-30 2023-13-01`, `2024-02-30 2023-13-01`},
		{"part of a longer number", `12024-02-28 2024-02-281`, `12024-02-28 2024-02-281`},
		{"a name of a file", `gl_20240228.dat`, `gl_20261005.dat`},
		{"digits with a time", `20240228T233000Z 20240228233000`, `20261005T233000Z 20261005233000`},
		{"an id is a compact date only near the recording", `20051234 20041231`, `20051234 20041231`},
		{"slashes", `02/28/2024`, `10/05/2026`},
		{"dots", `28.02.2024`, `05.10.2026`},
		{"seconds", `{"exp":1709163000}`, `{"exp":1791243000}`},
		{"milliseconds", `1709163000123`, `1791243000123`},
	}
	d := New(recorded, now, 0, every)
	if d.By() != 950 {
		t.Fatalf("%d days, want 950", d.By())
	}
	for _, test := range tests {
		got := d.Text(test.text)
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.why, got, test.want)
		}
		if back := d.Back().Text(got); back != test.text {
			t.Errorf("%s: back again %q, want %q", test.why, back, test.text)
		}
	}
}

func TestPlainNumbersAreLeftAloneUnlessAskedFor(t *testing.T) {
	const text = `20240228 02/28/2024 1709163000`
	if got := New(recorded, now, 0, nil).Text(text); got != text {
		t.Errorf("%q was moved to %q", text, got)
	}
}

func TestTheWindowIsTheScenarios(t *testing.T) {
	d := New(recorded, now, 48*time.Hour, nil)
	if got := d.Text("2024-03-01 2024-03-05"); got != "2026-10-07 2024-03-05" {
		t.Errorf("%q", got)
	}
}

func TestMessageKeepsWhatIsNoDate(t *testing.T) {
	plain := []byte(`{"from":"2024-02-28","n":1.0}`)
	packed, err := payload.Pack("gzip", plain)
	if err != nil {
		t.Fatal(err)
	}
	m := harness.Message{Head: harness.Head{
		{Name: ":path", Value: "/days/2024-02-28?to=2024-03-01"}, {Name: "Date", Value: "Wed, 28 Feb 2024 23:30:00 GMT"},
		{Name: "Authorization", Value: "Bearer 2024-02-28"}, {Name: "Content-Encoding", Value: "gzip"},
	}, Body: harness.BytesBody(packed)}
	got, err := New(recorded, now, 0, nil).Message(m)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{":path": "/days/2026-10-05?to=2026-10-07", "Date": "Mon, 05 Oct 2026 23:30:00 GMT", "Authorization": "Bearer 2024-02-28"} {
		if is := got.Head.Get(name); is != want {
			t.Errorf("%s: %q, want %q", name, is, want)
		}
	}
	body, _ := got.Body.Bytes()
	if plain, err = payload.Unpack("gzip", body); err != nil || string(plain) != `{"from":"2026-10-05","n":1.0}` {
		t.Errorf("body %s, %v", plain, err)
	}
	if m.Head.Get("Date") != "Wed, 28 Feb 2024 23:30:00 GMT" {
		t.Error("the message that was given is changed")
	}
	m.Head = m.Head.Without("Content-Encoding")
	if got, err = New(recorded, now, 0, nil).Message(m); err != nil {
		t.Fatal(err)
	}
	if body, _ = got.Body.Bytes(); !bytes.Equal(body, packed) {
		t.Error("bytes that are no text were changed")
	}
}

// Whatever the text: its length stays, and moving back gives it again.
func TestMovingBackGivesTheTextAgain(t *testing.T) {
	piece := rapid.OneOf(
		rapid.Custom(func(t *rapid.T) string {
			at := recorded.AddDate(0, 0, rapid.IntRange(-300, 300).Draw(t, "days"))
			return at.Format(rapid.SampledFrom([]string{"2006-01-02", time.RFC3339, "20060102", "01/02/2006", "02.01.2006", "Mon, 02 Jan 2006 15:04:05 GMT"}).Draw(t, "layout"))
		}),
		rapid.StringMatching(`[a-z"{}:, 0-9-]{0,20}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := ""
		for range rapid.IntRange(1, 6).Draw(t, "pieces") {
			text += piece.Draw(t, "piece") + rapid.SampledFrom([]string{" ", ",", "\n"}).Draw(t, "between")
		}
		d := New(recorded, now, 0, []string{"http", "iso", "us", "european"})
		moved := d.Text(text)
		if len(moved) != len(text) {
			t.Fatalf("%q became %q", text, moved)
		}
		if back := d.Back().Text(moved); back != text {
			t.Fatalf("%q became %q and %q", text, moved, back)
		}
	})
}
