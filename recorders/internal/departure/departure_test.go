package departure_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
)

func pack(t *testing.T, encoding, s string) []byte {
	t.Helper()
	b, err := payload.Pack(encoding, []byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSettledHeadIsTrueForTheStoredBody(t *testing.T) {
	const table = "CRN,ID\n00417,H00000117\n"
	zipped, deflated := pack(t, "gzip", table), pack(t, "deflate", table)
	for _, tt := range []struct {
		why   string
		head  harness.Head
		body  []byte
		want  harness.Head
		notes []departure.Kind
	}{
		{"it agrees already", harness.Head{{Name: "content-length", Value: "23"}}, []byte(table), harness.Head{{Name: "content-length", Value: "23"}}, nil},
		{"no length is not a wrong one", harness.Head{{Name: "A", Value: "b"}}, []byte(table), harness.Head{{Name: "A", Value: "b"}}, nil},
		{"another program counted characters", harness.Head{{Name: "content-length", Value: "7"}, {Name: "A", Value: "b"}}, []byte(table),
			harness.Head{{Name: "content-length", Value: "23"}, {Name: "A", Value: "b"}}, []departure.Kind{departure.Length}},
		{"stored unpacked", harness.Head{{Name: "content-encoding", Value: "gzip"}, {Name: "Transfer-Encoding", Value: "chunked"}}, []byte(table),
			harness.Head{{Name: "Content-Length", Value: "23"}}, []departure.Kind{departure.Unpacked}},
		{"still packed", harness.Head{{Name: "Content-Encoding", Value: "deflate"}}, deflated, harness.Head{{Name: "Content-Encoding", Value: "deflate"}}, nil},
		{"damaged on its way is not unpacked", harness.Head{{Name: "Content-Encoding", Value: "gzip"}}, zipped[:12], harness.Head{{Name: "Content-Encoding", Value: "gzip"}}, nil},
		{"bytes that no deflate gives", harness.Head{{Name: "Content-Encoding", Value: "deflate"}}, bytes.Repeat([]byte{0xff}, 9),
			harness.Head{{Name: "Content-Length", Value: "9"}}, []departure.Kind{departure.Unpacked}},
		{"identity packs nothing", harness.Head{{Name: "Content-Encoding", Value: " Identity"}}, []byte(table), harness.Head{{Name: "Content-Encoding", Value: " Identity"}}, nil},
		{"an answer to HEAD", harness.Head{{Name: "Content-Encoding", Value: "gzip"}, {Name: "Content-Length", Value: "99"}}, nil,
			harness.Head{{Name: "Content-Encoding", Value: "gzip"}, {Name: "Content-Length", Value: "99"}}, nil},
	} {
		t.Run(tt.why, func(t *testing.T) {
			before := append(harness.Head(nil), tt.head...)
			var notes []departure.Kind
			got := departure.Settle(tt.head, tt.body, payload.Unpack, func(k departure.Kind) { notes = append(notes, k) })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("head (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.notes, notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, tt.head); diff != "" {
				t.Errorf("the head that was given changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestNotesCountEachKindWithItsFirstPlace(t *testing.T) {
	var notes departure.Notes
	if lines := notes.Lines(); len(lines) != 0 {
		t.Fatalf("got %q", lines)
	}
	notes.Add("b: two", "x entry 1")
	notes.Add("a: one", "x entry 2")
	notes.Add("b: two", "x entry 3")
	want := []string{"1 a: one (first: x entry 2)", "2 b: two (first: x entry 1)"}
	if diff := cmp.Diff(want, notes.Lines()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
