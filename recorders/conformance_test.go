package recorders_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders"
)

// The conformance suite of importers walks the table. Each row has a folder testdata/conformance/NAME with small files of
// Harrow Lake that hold at least two exchanges, and something that the format, or its import, does not keep.

// sampleOf is the folder of a row.
func sampleOf(t testing.TB, im recorders.Importer) string {
	t.Helper()
	dir := filepath.Join("testdata", "conformance", im.Name)
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("importer %s has no samples: put files into recorders/%s", im.Name, dir)
	}
	return dir
}

// filesOf are the paths of the files below a folder, relative to it.
func filesOf(t testing.TB, dir string) (files []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// imported is what came out of an import, in a form that can be compared.
type imported struct {
	Exchanges []string
	Notes     []string
}

func importAll(t testing.TB, im recorders.Importer, path string) (imported, error) {
	t.Helper()
	r := im.Open(path, "", "")
	mem := harness.NewMemory(harness.Manifest{})
	if err := r.Record(t.Context(), mem); err != nil {
		return imported{}, err
	}
	var all imported
	for x := range mem.Exchanges() {
		if problem := problemOf(x); problem != "" {
			t.Errorf("%s: %s: %s", path, x.ID, problem)
		}
		b, err := json.Marshal(struct {
			harness.Exchange
			Digests [2]string
		}{x, [2]string{x.Request.Body.Digest(), x.Response.Body.Digest()}})
		if err != nil {
			t.Fatal(err)
		}
		all.Exchanges = append(all.Exchanges, string(b))
	}
	all.Notes = r.Notes()
	return all, nil
}

// problemOf says why an exchange is none, or nothing.
func problemOf(x harness.Exchange) string {
	switch {
	case x.From == "" || x.To == "":
		return "a system has no name"
	case !x.At.IsZero() && x.At.Location().String() != "UTC":
		return "the moment is not UTC"
	case x.Took < 0:
		return "it took less than no time"
	}
	for _, m := range []harness.Message{x.Request, x.Response} {
		for _, f := range m.Head {
			if f.Name == "" || strings.ContainsAny(f.Name, " \r\n\x00") || strings.ContainsAny(f.Value, "\r\n\x00") {
				return fmt.Sprintf("field %.40q is not one on the wire", f.Name)
			}
		}
		if b, err := m.Body.Bytes(); err != nil || int64(len(b)) != m.Body.Size() {
			return fmt.Sprintf("body of %d bytes: read %d, %v", m.Body.Size(), len(b), err)
		}
	}
	if x.Channel != harness.ChannelHTTP {
		return ""
	}
	method, path := x.Request.Head.Get(harness.FieldMethod), x.Request.Head.Get(harness.FieldPath)
	switch {
	case method == "" || strings.ContainsAny(method, " \t"):
		return fmt.Sprintf("method %q", method)
	case !strings.HasPrefix(path, "/") && path != "*" && method != "CONNECT":
		return fmt.Sprintf("path %q", path)
	case x.Fault == nil && (x.Status() < 100 || x.Status() > 999):
		return fmt.Sprintf("status %d and no fault", x.Status())
	}
	return ""
}

func TestEveryImporterReadsItsSamples(t *testing.T) {
	for _, im := range recorders.Importers {
		t.Run(im.Name, func(t *testing.T) {
			dir := sampleOf(t, im)
			first, err := importAll(t, im, dir)
			if err != nil {
				t.Fatal(err)
			}
			if len(first.Exchanges) < 2 {
				t.Errorf("the samples hold %d exchanges, want two or more", len(first.Exchanges))
			}
			if len(first.Notes) == 0 && im.Name != "files" {
				t.Error("no note says what the samples could not carry")
			}
			second, err := importAll(t, im, dir)
			if diff := cmp.Diff(first, second); err != nil || diff != "" {
				t.Errorf("a second import differs: %v\n%s", err, diff)
			}
		})
	}
}

func TestContentDecidesOnTheImporter(t *testing.T) {
	for _, im := range recorders.Importers {
		if im.Knows == nil {
			continue
		}
		dir := sampleOf(t, im)
		if have, err := recorders.ImporterFor("", dir); err != nil || have.Name != im.Name {
			t.Errorf("folder %s: %q, %v", dir, have.Name, err)
		}
	}
}

func TestFolderOfSeveralFormatsNamesThem(t *testing.T) {
	_, err := recorders.ImporterFor("", filepath.Join("testdata", "conformance"))
	if err == nil || harness.HintOf(err) == "" {
		t.Fatalf("error %v", err)
	}
	for _, im := range recorders.Importers {
		if im.Knows != nil && !strings.Contains(err.Error(), im.Name+" (") {
			t.Errorf("%q does not name %s", err, im.Name)
		}
	}
}

func TestImportEndsWithItsContext(t *testing.T) {
	for _, im := range recorders.Importers {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		mem := harness.NewMemory(harness.Manifest{})
		if err := im.Open(sampleOf(t, im), "", "").Record(ctx, mem); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", im.Name, err)
		}
	}
}

// variant is a damaged sample.
type variant struct {
	why     string
	content []byte
}

// variants damages a file in all ways that do not need to know its format.
func variants(content []byte) (out []variant) {
	const step = 97
	add := func(content []byte, why string, args ...any) {
		out = append(out, variant{fmt.Sprintf(why, args...), content})
	}
	add(nil, "0 bytes")
	add([]byte("\ufeff"), "byte order mark only")
	add(make([]byte, 4096), "zeros")
	add(bytes.Repeat([]byte("["), 200_000), "deep list")
	add(bytes.Repeat([]byte(`{"a":`), 100_000), "deep map")
	add(bytes.Repeat([]byte("- "), 100_000), "deep block")
	for at := 0; at < len(content); at += step {
		add(content[:at], "cut at byte %d", at)
		add(slices.Concat(content[:at], []byte{0xff}, content[at:]), "not UTF-8 at byte %d", at)
		add(slices.Concat(content[:at], []byte{content[at] ^ 0x20}, content[at+1:]), "flipped at byte %d", at)
	}
	for i, at := range number.FindAllIndex(content, 12) {
		for _, huge := range []string{"1e999", "-1", "99999999999999999999999999"} {
			add(slices.Concat(content[:at[0]], []byte(huge), content[at[1]:]), "number %d is %s", i, huge)
		}
	}
	return append(out, wrongTypes(content)...)
}

var number = regexp.MustCompile(`\d+`)

// wrongTypes puts other values in the place of each value of a JSON or YAML file.
func wrongTypes(content []byte) (out []variant) {
	var top any
	if yaml.Unmarshal(content, &top) != nil {
		return nil
	}
	switch top.(type) {
	case map[string]any, []any:
	default:
		return nil
	}
	var deep any = "x"
	for range 200 {
		deep = []any{deep}
	}
	for _, wrong := range []any{nil, "x\r\ny", -1.5, map[string]any{"x": []any{"y"}}, deep} {
		places(top, "", func(place string, set func(any), was any) {
			set(wrong)
			b, err := json.Marshal(top)
			set(was)
			if err == nil {
				out = append(out, variant{fmt.Sprintf("%s is %.20v", place, wrong), b})
			}
		})
	}
	return out
}

// places visits every value below v.
func places(v any, path string, visit func(place string, set func(any), was any)) {
	switch v := v.(type) {
	case map[string]any:
		for k, was := range v {
			visit(path+"."+k, func(x any) { v[k] = x }, was)
			places(was, path+"."+k, visit)
		}
	case []any:
		for i, was := range v {
			place := fmt.Sprintf("%s[%d]", path, i)
			visit(place, func(x any) { v[i] = x }, was)
			places(was, place, visit)
		}
	}
}

// placed is how an error says where in a file it is.
var placed = regexp.MustCompile(`:\d+:|byte \d+|(entry|interaction|record|line|item|mapping|pair|flow|packet|operation) "?\d+`)

func TestHostileFilesAreErrorsThatNameThePlace(t *testing.T) {
	for _, im := range recorders.Importers {
		t.Run(im.Name, func(t *testing.T) {
			from, dir := sampleOf(t, im), t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
			for _, file := range filesOf(t, dir) {
				whole, err := os.ReadFile(filepath.Join(dir, file))
				if err != nil {
					t.Fatal(err)
				}
				refused, all := 0, variants(whole)
				for _, v := range all {
					if tryVariant(t, im, dir, file, v) != nil {
						refused++
					}
				}
				t.Logf("%s: %d of %d refused", file, refused, len(all))
				if err := os.WriteFile(filepath.Join(dir, file), whole, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// tryVariant imports the folder with a damaged file in it.
func tryVariant(t *testing.T, im recorders.Importer, dir, file string, v variant) error {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("%s, %s: panic: %v", file, v.why, p)
		}
	}()
	if err := os.WriteFile(filepath.Join(dir, file), v.content, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := importAll(t, im, dir)
	if err == nil {
		return nil
	}
	if harness.ClassOf(err) != harness.ClassUsage || harness.HintOf(err) == "" {
		t.Errorf("%s, %s: error %v, hint %q", file, v.why, err, harness.HintOf(err))
	}
	if !strings.Contains(err.Error(), file) || !placed.MatchString(err.Error()) {
		t.Errorf("%s, %s: error %v does not name the file and the place in it", file, v.why, err)
	}
	if len(err.Error()) > 500 {
		t.Errorf("%s, %s: error of %d bytes", file, v.why, len(err.Error()))
	}
	return err
}

// fuzz imports files of any content.
func fuzz(f *testing.F, name string) {
	im, err := recorders.ImporterFor(name, "")
	if err != nil {
		f.Fatal(err)
	}
	from, dir := sampleOf(f, im), f.TempDir()
	files := filesOf(f, from)
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(from, file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	target := filepath.Join(dir, filepath.Base(files[0]))
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(target, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if im.Knows != nil {
			im.Knows(content[:min(len(content), 64<<10)])
		}
		if _, err := importAll(t, im, target); err != nil && (harness.HintOf(err) == "" || !strings.Contains(err.Error(), filepath.Base(target))) {
			t.Errorf("error %v, hint %q", err, harness.HintOf(err))
		}
	})
}

func TestEveryImporterHasAFuzzTarget(t *testing.T) {
	source, err := os.ReadFile("fuzz_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, im := range recorders.Importers {
		if !bytes.Contains(source, fmt.Appendf(nil, "fuzz(f, %q)", im.Name)) {
			t.Errorf("importer %s has no line in fuzz_test.go", im.Name)
		}
	}
}
