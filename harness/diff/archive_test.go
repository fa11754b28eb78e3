package diff

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// entry is a member of an archive that a test writes.
type entry struct {
	name, text string
	modified   time.Time
	link       string
	kind       byte // of tar; 0: a file
	encrypted  bool
}

func zipped(t testing.TB, entries ...entry) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: e.modified}
		create := w.CreateHeader
		if e.encrypted {
			h.Flags, h.Method, h.CRC32 = 1, zip.Store, crc32.ChecksumIEEE([]byte(e.text))
			h.CompressedSize64, h.UncompressedSize64 = uint64(len(e.text)), uint64(len(e.text))
			create = w.CreateRaw
		}
		out, err := create(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func tarred(t testing.TB, entries ...entry) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		if err := w.WriteHeader(&tar.Header{Name: e.name, Size: int64(len(e.text)), Mode: 0o644, ModTime: e.modified, Typeflag: e.kind, Linkname: e.link}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func packed(body string) *harness.Memory {
	return harness.NewMemory(harness.Manifest{}, harness.Exchange{
		Session: "night", Channel: harness.ChannelFile, From: "sis", To: "hubline",
		Request: harness.Message{Head: harness.Head{{Name: harness.FieldName, Value: "roster.csv.gz"}}, Body: harness.BytesBody([]byte(body))},
	})
}

func TestArchivesAreComparedMemberByMember(t *testing.T) {
	users := entry{name: "users.csv", text: "id,role\nH1,student\nH2,student\n"}
	changed := entry{name: "users.csv", text: "id,role\nH1,student\nH2,observer\n"}
	meta := entry{name: "meta/manifest.json", text: `{"version": 1}`}
	for _, tc := range []struct {
		why, was, is string
		want         []string
	}{
		{"a value of a member", zipped(t, users, meta), zipped(t, changed, meta), []string{`changed request.body["users.csv"][id=H2].role student → observer`}},
		{"the same in tar", tarred(t, users, meta), tarred(t, changed, meta), []string{`changed request.body["users.csv"][id=H2].role student → observer`}},
		{"the same in tar.gz", gzipped(t, tarred(t, users)), gzipped(t, tarred(t, changed)), []string{`changed request.body["users.csv"][id=H2].role student → observer`}},
		{"one file in gzip", gzipped(t, users.text), gzipped(t, changed.text), []string{`changed request.body["roster.csv"][id=H2].role student → observer`}},
		{"a member more, another gone", zipped(t, users, meta), zipped(t, users, entry{name: "groups.csv", text: "id\nG1\n"}),
			[]string{`removed request.body["meta/manifest.json"] 14 bytes of json → ∅`, `added request.body["groups.csv"] ∅ → 6 bytes of csv`}},
		{"order", zipped(t, users, meta), zipped(t, meta, users), []string{`form request.form["member order"] users.csv, meta/manifest.json → meta/manifest.json, users.csv`}},
		{"the form of a member", zipped(t, users), zipped(t, entry{name: "users.csv", text: strings.ReplaceAll(users.text, "\n", "\r\n")}),
			[]string{`form request.form["users.csv"]["line ends"] LF → CRLF`}},
		{"another archive with the same members", zipped(t, users), tarred(t, users), []string{`form request.form.format zip → tar`}},
		{"a link that leads elsewhere", tarred(t, entry{name: "now", kind: tar.TypeSymlink, link: "a"}), tarred(t, entry{name: "now", kind: tar.TypeSymlink, link: "/etc/passwd"}),
			[]string{`changed request.body.now symbolic link a → symbolic link /etc/passwd`}},
		{"a file that became a device", tarred(t, entry{name: "x", text: "1"}), tarred(t, entry{name: "x", kind: tar.TypeChar}), []string{`changed request.body.x 1 byte of text → character device`}},
		{"names that lead out of the folder are names", zipped(t, entry{name: "../../evil", text: "1"}), zipped(t, entry{name: "../../evil", text: "2"}), []string{`changed request.body["../../evil"][0] 1 → 2`}},
		{"two members of one name", zipped(t, users, users), zipped(t, users, changed), []string{`changed request.body["users.csv (2)"][id=H2].role student → observer`}},
		{"names that differ in case", zipped(t, users, entry{name: "USERS.csv", text: "id\n1\n"}), zipped(t, users), []string{`removed request.body["USERS.csv"] 5 bytes of csv → ∅`}},
		{"an encrypted member", zipped(t, entry{name: "pay.csv", text: "\x01\x02", encrypted: true}), zipped(t, entry{name: "pay.csv", text: "\x03\x04", encrypted: true}),
			[]string{`changed request.body["pay.csv"] encrypted, 2 bytes, ` + harness.Digest([]byte("\x01\x02")) + ` → encrypted, 2 bytes, ` + harness.Digest([]byte("\x03\x04"))}},
		{"an archive in an archive stays closed", zipped(t, entry{name: "in.zip", text: zipped(t, users)}), zipped(t, entry{name: "in.zip", text: zipped(t, meta)}), nil},
	} {
		t.Run(tc.why, func(t *testing.T) {
			got := lines(compare(t, packed(tc.was), packed(tc.is)))
			if tc.want == nil {
				if len(got) != 1 || !strings.HasPrefix(got[0], `changed request.body["in.zip"] `) {
					t.Errorf("got %q", got)
				}
				return
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

func TestRulesReachIntoArchivesAndTimesOfMembersAreNoise(t *testing.T) {
	was, is := zipped(t, entry{name: "a.json", text: `{"at":"1","n":1}`}), zipped(t, entry{name: "a.json", text: `{"at":"2","n":1}`, modified: time.Unix(1e9, 0)})
	c := compare(t, packed(was), packed(is), mustRule(t, `request.body["a.json"].at`, "ignore"))
	taken := map[string]int{}
	for _, u := range c.Suppressed {
		taken[u.Rule.At.String()] += u.Count
	}
	want := map[string]int{`request.body["a.json"].at`: 1, `*.form["member times"]`: 1}
	if d := cmp.Diff(want, taken); d != "" || len(c.Differences) != 0 {
		t.Errorf("differences %q, taken away -want +got\n%s", lines(c), d)
	}
}

// TestHostileArchivesAreComparedAsBytes opens nothing that is too much or damaged, and says so.
func TestHostileArchivesAreComparedAsBytes(t *testing.T) {
	many := make([]entry, 10_001)
	for i := range many {
		many[i] = entry{name: fmt.Sprint(i)}
	}
	sparse := []byte(tarred(t, entry{name: "x", text: "1"}))
	copy(sparse[124:136], "77777777777\x00") // a size of 8 GiB
	copy(sparse[148:156], sumOfTar(sparse[:512]))
	whole := zipped(t, entry{name: "a", text: "1"})
	for _, tc := range []struct{ why, body, want string }{
		{"many members", zipped(t, many...), "more than 10000 members"},
		{"a bomb", zipped(t, entry{name: "a", text: strings.Repeat("0", 64<<20)}), "more comes out"},
		{"a bomb in gzip", gzipped(t, strings.Repeat("0", 64<<20)), "more comes out"},
		{"a member that is longer than the archive", string(sparse), "unexpected EOF"},
		{"cut off", whole[:len(whole)-8], "not a valid zip file"},
		{"cut off in gzip", gzipped(t, "abc")[:12], "unexpected EOF"},
	} {
		c := compare(t, packed(whole), packed(tc.body))
		if notes := strings.Join(c.Notes, "\n"); len(c.Differences) == 0 || !strings.Contains(notes, tc.want) {
			t.Errorf("%s: differences %q, notes %q", tc.why, lines(c), notes)
		}
	}
}

// sumOfTar is the checksum of a header, as it stands in it.
func sumOfTar(head []byte) string {
	sum := 0
	for i, b := range head {
		if i >= 148 && i < 156 {
			b = ' '
		}
		sum += int(b)
	}
	return fmt.Sprintf("%06o\x00 ", sum)
}
