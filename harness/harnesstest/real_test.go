package harnesstest_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/diff"
	"github.com/rehearse-dev/rehearse/harness/harnesstest"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders"
)

// traffic is the folder of recordings that other tools made of real systems.
func traffic(t *testing.T, folder string) string {
	t.Helper()
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set: it names the folder of real traffic")
	}
	return filepath.Join(root, "traffic", folder)
}

// worlds are the folders that are rehearsed whole.
var worlds = []struct {
	folder, importer string
	exchanges        int
	count            func(file []byte) (int, error) // without the importer
}{
	{"linodego", "govcr", 486, func(file []byte) (int, error) {
		var v struct{ Interactions []any }
		err := yaml.Unmarshal(file, &v)
		return len(v.Interactions), err
	}},
	{"easypost-node-har", "har", 250, func(file []byte) (int, error) {
		var v struct{ Log struct{ Entries []any } }
		err := json.Unmarshal(file, &v)
		return len(v.Log.Entries), err
	}},
}

// files calls visit with each file below dir that the importer reads.
func files(t *testing.T, dir string, im recorders.Importer, visit func(file string)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			for _, extension := range im.Extensions {
				if filepath.Ext(file) == extension {
					visit(file)
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func importer(t *testing.T, name string) recorders.Importer {
	t.Helper()
	im, err := recorders.ImporterFor(name, "")
	if err != nil {
		t.Fatal(err)
	}
	return im
}

// imported reads the folder as recorded by "client" at "vendor", and checks the count against the raw files.
func imported(t *testing.T, folder, format string, want int, count func([]byte) (int, error)) *harness.Memory {
	t.Helper()
	dir, im := traffic(t, folder), importer(t, format)
	rec := harness.NewMemory(harness.Manifest{Origin: "import " + format})
	if err := im.Open(dir, "client", "vendor").Record(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	raw := 0
	files(t, dir, im, func(file string) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n, err := count(content)
		if err != nil {
			t.Fatal(err)
		}
		raw += n
	})
	if have := rec.Manifest().Counts; have.Recorded != raw || have.Seen != raw || raw != want {
		t.Fatalf("imported %+v, the files hold %d, and %d are known", have, raw, want)
	}
	return rec
}

// scrubber makes one under a fresh key.
func scrubber(t *testing.T, policyFile string) *scrub.Scrubber {
	t.Helper()
	policy, err := scrub.LoadPolicy(policyFile)
	if err != nil {
		t.Fatal(err)
	}
	key, err := scrub.CreateKey(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	return scrub.New(policy, key)
}

// keepEverything is a policy under which only credentials change.
func keepEverything(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "policy.yaml")
	text := "policy: open\nrules:\n  - at: \"**\"\n    keep: true\n    reason: public sandbox traffic\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// stored scrubs the recording on its way to the disk and opens what is there.
func stored(t *testing.T, rec harness.Recording, s *scrub.Scrubber) *fixtures.Recording {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "recording")
	w, err := fixtures.Create(dir, harness.Manifest{Origin: rec.Manifest().Origin, Tool: "rehearse"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort() //nolint:errcheck // after Close it does nothing
	if err := s.ScrubAll(w, func(sink harness.Sink) error { return put(sink, rec) }); err != nil {
		t.Fatal(err)
	}
	if err := w.Seal(s.Seal()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return harnesstest.Open(t, dir)
}

// put puts what a recording holds into a sink.
func put(sink harness.Sink, rec harness.Recording) error {
	for x, err := range rec.Exchanges() {
		if err != nil {
			return err
		}
		if err := sink.Put(x); err != nil {
			return fmt.Errorf("put %s: %w", x.ID, err)
		}
	}
	return nil
}

func collect(t *testing.T, rec harness.Recording) []harness.Exchange {
	t.Helper()
	xs, err := harness.Collect(rec)
	if err != nil {
		t.Fatal(err)
	}
	return xs
}

// answeredAll fails the test when the mock missed a call or has answers left.
func answeredAll(t *testing.T, m *mock.Mock, n int) {
	t.Helper()
	for i, miss := range m.Misses() {
		if i == 3 {
			break
		}
		t.Errorf("no answer: %s", miss)
	}
	if c := m.Counts(); c != (mock.Counts{Served: n}) || len(m.Unused()) > 0 {
		t.Errorf("the mock's account is %+v with %d answers left, want %d served", c, len(m.Unused()), n)
	}
}

func TestRealTrafficCrossesTheWholePipeUnchanged(t *testing.T) {
	for _, world := range worlds {
		t.Run(world.folder, func(t *testing.T) {
			rec := stored(t, imported(t, world.folder, world.importer, world.exchanges, world.count), scrubber(t, keepEverything(t)))
			again, m := replayed(t, collect(t, rec), rec, mock.Options{})
			answeredAll(t, m, world.exchanges)
			harnesstest.Same(t, rec, again)
		})
	}
}

func TestOneChangedFieldIsExactlyOneDifference(t *testing.T) {
	for _, world := range worlds {
		t.Run(world.folder, func(t *testing.T) {
			rec := stored(t, imported(t, world.folder, world.importer, world.exchanges, world.count), scrubber(t, keepEverything(t)))
			requests := collect(t, rec)
			other, want := changeOne(t, requests)
			again, m := replayed(t, requests, other, mock.Options{})
			answeredAll(t, m, world.exchanges)
			c, err := diff.Recordings(rec, again, diff.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Differences) != 1 {
				t.Fatalf("%d differences, want 1", len(c.Differences))
			}
			d := c.Differences[0]
			if d.Exchange != want.Exchange || d.Class != want.Class || d.Path.String() != want.Path.String() ||
				d.Was.Text != want.Was.Text || d.Is.Text != want.Is.Text || d.Count != 1 {
				t.Errorf("the difference lies at %s %s (%s) and is not the one that was made at %s %s", d.Exchange, d.Path, d.Class, want.Exchange, want.Path)
			}
		})
	}
}

// changeOne changes a text in a JSON answer in the middle of the recording, and says which difference that makes. The
// text is not an element, so that its path does not depend on how elements are named.
func changeOne(t *testing.T, xs []harness.Exchange) (*harness.Memory, harness.Difference) {
	t.Helper()
	for i := len(xs) / 2; i < len(xs); i++ {
		doc, err := payload.Of(xs[i].Response)
		if err != nil || doc.Format != "json" {
			continue
		}
		for at, leaf := range doc.Root().Leaves() {
			if leaf.Kind() != harness.KindString || leaf.Text() == "" || strings.ContainsAny(at.String(), "[") || len(at) < 2 {
				continue
			}
			want := harness.Difference{
				Exchange: xs[i].ID, Path: harnesstest.Place("response.body." + at.String()), Class: harness.Changed,
				Was: harness.Value{Kind: harness.KindString, Text: leaf.Text()}, Is: harness.Value{Kind: harness.KindString, Text: leaf.Text() + "é"},
			}
			plain, err := doc.Rewrite([]payload.Edit{{Node: leaf, Text: want.Is.Text}})
			if err != nil {
				t.Fatal(err)
			}
			packed, err := payload.Pack(xs[i].Response.Head.Get("Content-Encoding"), plain)
			if err != nil {
				t.Fatal(err)
			}
			changed := slices.Clone(xs)
			changed[i].Response.Body = harness.BytesBody(packed)
			return harness.NewMemory(harness.Manifest{}, changed...), want
		}
	}
	t.Fatal("no answer with a text")
	return nil, harness.Difference{}
}

func TestScrubbedTrafficIsStillAnswered(t *testing.T) {
	for _, world := range worlds {
		t.Run(world.folder, func(t *testing.T) {
			raw := imported(t, world.folder, world.importer, world.exchanges, world.count)
			s := scrubber(t, filepath.Join("..", "..", "cmd", "rehearse", "policy.yaml"))
			rec := stored(t, raw, s)
			if rec.Manifest().Scrub.Masked == 0 {
				t.Fatal("the policy masked nothing: the test would prove nothing")
			}
			crossed, m := replayed(t, inTime(collect(t, raw)), rec, mock.Options{Scrub: s.Exchange})
			answeredAll(t, m, world.exchanges)
			harnesstest.Same(t, harness.NewMemory(rec.Manifest(), inTime(collect(t, rec))...), requestsScrubbed(t, s, crossed))
		})
	}
}

// inTime is the exchanges in the order in which they happened, as somebody sends them whose sessions the mock does not know.
func inTime(list []harness.Exchange) (ordered []harness.Exchange) {
	for _, i := range harness.Timeline(list) {
		ordered = append(ordered, list[i])
	}
	return ordered
}

// requestsScrubbed scrubs live requests. Their answers came from a scrubbed recording and are scrubbed already.
func requestsScrubbed(t *testing.T, s *scrub.Scrubber, rec harness.Recording) *harness.Memory {
	t.Helper()
	out := harness.NewMemory(harness.Manifest{})
	for _, x := range collect(t, rec) {
		answer := x.Response
		x.Response = harness.Message{}
		x, err := s.Exchange(x)
		if err != nil {
			t.Fatal(err)
		}
		x.Response = answer
		out.Put(x) //nolint:errcheck // memory keeps everything
	}
	return out
}

func TestAllRealTrafficThatAnImporterKnowsIsImported(t *testing.T) {
	known := map[string]bool{} // folders that hold a file for an importer
	root, all := traffic(t, ""), harness.NewMemory(harness.Manifest{Origin: "import"})
	err := fs.WalkDir(os.DirFS(root), ".", func(rel string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		file := filepath.Join(root, filepath.FromSlash(rel))
		im, err := recorders.ImporterFor("", file)
		if err != nil {
			return nil //nolint:nilerr // package recorders tests what no importer knows
		}
		had := all.Manifest().Counts.Seen
		err = im.Open(file, "client", "").Record(t.Context(), all)
		switch {
		case (err != nil) != refused[rel]:
			t.Errorf("import %s as %s: %v", rel, im.Name, err)
		case err != nil && all.Manifest().Counts.Seen > had:
			t.Errorf("import %s: refused after %d exchanges", rel, all.Manifest().Counts.Seen-had)
		case err == nil:
			folder, _, _ := strings.Cut(rel, "/")
			known[folder] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"linodego", "easypost-node-har", "mitmproxy-har"} {
		if !known[folder] {
			t.Errorf("no file of %s was imported", folder)
		}
	}
	if have, want := stored(t, all, scrubber(t, keepEverything(t))).Len(), len(collect(t, all)); have != want {
		t.Errorf("%d exchanges are stored, want %d", have, want)
	}
}

// refused are files that give an error and not one exchange.
var refused = map[string]bool{
	"mitmproxy-har/corrupted_har/brokenfile.har": true, // the log is not an object
	"mitmproxy-har/har_extractor.har":            true, // no log
	"canvasapi-fixtures/paginated_list.json":     true, // a number among the records
	"canvasapi-fixtures/requests.json":           true, // a status of 9001
}
