package recorders_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders"
)

// traffic is real files of other tools, which stay out of the repository.
func traffic(t *testing.T, folder string) string {
	t.Helper()
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set")
	}
	return filepath.Join(root, "traffic", folder)
}

// tally is what an importer made of files.
type tally struct{ Files, Exchanges, Incomplete, Unreadable int }

// importReal imports a file or folder, passing over what cannot be read.
func importReal(t *testing.T, im recorders.Importer, path string) (xs []harness.Exchange, unreadable []error, n tally) {
	t.Helper()
	r := im.Open(path, "", "")
	patient, keepsOn := r.(recorders.Patient)
	if keepsOn {
		patient.KeepOn()
	}
	mem := harness.NewMemory(harness.Manifest{})
	if err := r.Record(t.Context(), mem); err != nil {
		t.Fatalf("import %s as %s: %v", path, im.Name, err)
	}
	for x := range mem.Exchanges() {
		if problem := problemOf(x); problem != "" {
			t.Errorf("%s: %s: %s", path, x.ID, problem)
		}
		xs = append(xs, x)
	}
	if keepsOn {
		unreadable = patient.Unreadable()
	}
	c := mem.Manifest().Counts
	if c.Dropped != len(unreadable) {
		t.Errorf("%s: %d dropped, %d named", path, c.Dropped, len(unreadable))
	}
	return xs, unreadable, tally{1, c.Recorded + c.Incomplete, c.Incomplete, len(unreadable)}
}

// Each file is looked at alone: it has one format, or none, and everything in it is an exchange or is named.
func TestEveryRealFileIsImportedOrUnknown(t *testing.T) {
	root := traffic(t, "")
	have, unknown := map[string]tally{}, map[string]int{}
	err := fs.WalkDir(os.DirFS(root), ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		folder, _, _ := strings.Cut(file, "/")
		im, err := recorders.ImporterFor("", filepath.Join(root, file))
		if err != nil {
			unknown[folder+" *"+path.Ext(file)]++
			return nil //nolint:nilerr // counted
		}
		_, unreadable, n := importReal(t, im, filepath.Join(root, file))
		for _, err := range unreadable {
			if !strings.Contains(err.Error(), path.Base(file)) || !placed.MatchString(err.Error()) {
				t.Errorf("%v does not name %s and the place", err, file)
			}
		}
		sum := have[folder+" "+im.Name]
		have[folder+" "+im.Name] = tally{sum.Files + n.Files, sum.Exchanges + n.Exchanges, sum.Incomplete + n.Incomplete, sum.Unreadable + n.Unreadable}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]tally{
		"linodego govcr":               {111, 486, 0, 0},
		"octokit-rb vcr":               {50, 109, 0, 0},
		"tax-cloud-soap vcr":           {16, 39, 0, 0},
		"easypost-node-har har":        {137, 250, 0, 0},
		"mitmproxy-har har":            {18, 67, 6, 2},  // two are no archives
		"canvasapi-fixtures endpoints": {51, 838, 0, 2}, // a number among the records, a status of 9001
		"mitmproxy-har mitmproxy":      {10, 36, 7, 0},
		"newman-postman postman":       {6, 49, 39, 0},
		"wiremock wiremock":            {12, 14, 7, 0}, // alone, a mapping has no body files
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
	wantUnknown := map[string]int{ // what lies beside archives and stubs, and folders of URLs, which only a name tells
		"canvasapi-fixtures *.html": 2, "canvasapi-fixtures *.txt": 1, "mitmproxy-har *.json": 9,
		"uw-canvas *": 52, "uw-canvas *.POST": 4, "uw-canvas *.PUT": 2, "uw-canvas *.html": 10, "uw-canvas *.http-headers": 4, "uw-canvas *.json": 1,
		"wiremock *.json": 2, "wiremock *.txt": 11, "wiremock *.xml": 1,
	}
	if diff := cmp.Diff(wantUnknown, unknown); diff != "" {
		t.Errorf("unknown files, -want +have:\n%s", diff)
	}
}

func TestRealFoldersAreImportedWhole(t *testing.T) {
	for _, test := range []struct {
		folder, format string
		want           tally
	}{
		{"wiremock", "", tally{1, 14, 3, 0}}, // three body files are not there
		{"canvasapi-fixtures", "", tally{1, 838, 0, 2}},
		{"uw-canvas/uw_canvas/resources/canvas/file", "urlpaths", tally{1, 69, 0, 0}},
	} {
		dir := traffic(t, test.folder)
		im, err := recorders.ImporterFor(test.format, dir)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, _, have := importReal(t, im, dir); have != test.want {
			t.Errorf("%s: %+v, want %+v", test.folder, have, test.want)
		}
	}
}

type rubyHalf struct {
	Method, URI string
	Body        struct {
		String string
		Base64 string `json:"base64_string"`
	}
}

// The files are JSON, so that a few lines of another reader say what must come out.
func TestRealRubyFilesKeepEveryBody(t *testing.T) {
	dir := traffic(t, "octokit-rb")
	im, err := recorders.ImporterFor("vcr", "")
	if err != nil {
		t.Fatal(err)
	}
	xs, _, _ := importReal(t, im, dir)
	next := 0
	for _, file := range filesOf(t, dir) {
		content, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		var plain struct {
			Interactions []struct{ Request, Response rubyHalf } `json:"http_interactions"`
		}
		if err := json.Unmarshal(content, &plain); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, want := range plain.Interactions {
			x := xs[next]
			next++
			for _, half := range []struct {
				have harness.Message
				want rubyHalf
			}{{x.Request, want.Request}, {x.Response, want.Response}} {
				body, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(half.want.Body.Base64, "\n", ""))
				if have, _ := half.have.Body.Bytes(); err != nil || string(have) != half.want.Body.String+string(body) {
					t.Errorf("%s %s: a body differs (%v)", file, x.ID, err)
				}
			}
			if have := fmt.Sprintf("%s https://%s%s", strings.ToLower(x.Request.Head.Get(":method")), x.Request.Head.Get("Host"), x.Request.Head.Get(":path")); have != want.Request.Method+" "+want.Request.URI {
				t.Errorf("%s: %s, want %s %s", x.ID, have, want.Request.Method, want.Request.URI)
			}
		}
	}
	if next != len(xs) {
		t.Errorf("%d exchanges, %d records", len(xs), next)
	}
}
