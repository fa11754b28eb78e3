package plainfile_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/harness/payload/layout"
	"github.com/rehearse-dev/rehearse/recorders/plainfile"
)

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestEachFileIsAnExchangeWithItsBytes(t *testing.T) {
	dir := folder(t, map[string]string{"b.csv": "a\r\n\xff", "a/empty": "", ".hidden": "x", "stock.dat": "A1  0012\n"})
	l, err := layout.Parse("stock.yaml", []byte("layout: STOCK\nlength: 8\nmatch: [stock.*]\nrecords: [{type: item, fields: [{name: sku, at: 1, length: 4}]}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	rec := harness.NewMemory(harness.Manifest{})
	if err := (&plainfile.Importer{Path: dir, From: "sis", Layouts: []*layout.Layout{l}}).Record(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	type file struct{ Name, Content, Media, From, To string }
	var got []file
	for x := range rec.Exchanges() {
		r, err := x.Request.Body.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil || x.Request.Body.Digest() != harness.Digest(content) {
			t.Errorf("digest %s of %q, %v", x.Request.Body.Digest(), content, err)
		}
		got = append(got, file{x.Request.Head.Get(harness.FieldName), string(content), x.Request.Media, x.From, x.To})
	}
	want := []file{
		{"a/empty", "", "", "sis", "server"},
		{"b.csv", "a\r\n\xff", "", "sis", "server"},
		{"stock.dat", "A1  0012\n", payload.LayoutMedia(l), "sis", "server"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestWhatIsNoFileIsAnErrorThatNamesIt(t *testing.T) {
	dir := folder(t, map[string]string{"in/a": "x", "out": "y"})
	if err := os.Symlink("../out", filepath.Join(dir, "in", "link")); err != nil {
		t.Skip(err)
	}
	for _, c := range []struct{ path, why string }{
		{filepath.Join(dir, "in"), "a link out of the folder"},
		{filepath.Join(dir, "none"), "nothing there"},
		{t.TempDir(), "an empty folder"},
	} {
		err := (&plainfile.Importer{Path: c.path}).Record(t.Context(), harness.NewMemory(harness.Manifest{}))
		if harness.ClassOf(err) != harness.ClassUsage || harness.HintOf(err) == "" {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}
