package harnesstest_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/coverage"
	"github.com/rehearse-dev/rehearse/fixtures/scan"
	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/harnesstest"
	"github.com/rehearse-dev/rehearse/harness/mock"
)

// publicInterfaces is a policy for what the folders hold: everything that it does not know is masked.
const publicInterfaces = `policy: public interfaces
rules:
  - field: [password, root_pass, secret, token, api_key, key, secret_key, access_key]
    class: secret
  - field: [email, contact_email, soa_email, billing_email, "*_email"]
    class: email
  - field: [phone, "*_phone"]
    class: phone
  - field: [id, "*_id", linode_id, uuid]
    class: id
    domain: record
  - at: request.segment[*]
    matching: "[a-z_-]+|v[0-9]+(beta)?"
    keep: true
    reason: words of the interface
`

// personal finds mail addresses and tokens in raw files, by a simpler rule than any of ours.
var personal = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]*[A-Za-z]|(?i:"(?:token|api_key|root_pass|password|secret_key)\\?": ?\\?")([^"\\]{8,})`)

// personalIn lists what must not survive in any folder of recordings. Reserved domains and what was redacted before it
// was published (letters of one kind) do not count.
func personalIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(file)
		for _, m := range personal.FindAllSubmatch(content, -1) {
			value := string(m[0])
			if len(m[1]) > 0 {
				value = string(m[1])
			}
			if !strings.Contains(value, "@example.") && strings.Trim(value, value[:1]) != "" {
				found[value] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// proved scrubs a recording in two passes, proves it and opens what appeared.
func proved(t *testing.T, rec harness.Recording) (string, *fixtures.Recording) {
	t.Helper()
	policy, err := scrub.ParsePolicy("policy.yaml", []byte(publicInterfaces))
	if err != nil {
		t.Fatal(err)
	}
	key, err := scrub.CreateKey(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	register, cover := scan.NewRegister(), coverage.New(policy)
	s := scrub.New(policy, key, scrub.WithWitness(register.Witness), scrub.WithAudit(cover.Compare))
	dir := filepath.Join(t.TempDir(), "recording")
	w, err := fixtures.Create(dir, harness.Manifest{Origin: rec.Manifest().Origin, Tool: "rehearse"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort() //nolint:errcheck // after Close it does nothing
	w.Prove(func(files fs.FS) (*harness.Proof, error) {
		p, result, err := scan.Prove(files, scan.Options{Register: register, IsTestSigned: key.HasSigned})
		if result != nil {
			t.Logf("searched %d files, %d bytes: %d leaks, %d suspicions, %d explained", result.Files, result.Bytes, result.Leaks(), result.Suspicions(), result.Explained)
			for _, h := range result.Hits[:min(len(result.Hits), 10)] {
				t.Log(h)
			}
		}
		return p, err
	})
	record := func(sink harness.Sink) error { return put(sink, rec) }
	if err := errors.Join(s.LearnAll(record), s.ScrubAll(w, record), s.Err()); err != nil {
		t.Fatal(err)
	}
	leaves, err := cover.Leaves(s.Account())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("leaves: %+v", leaves)
	if err := w.Seal(s.Seal()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, harnesstest.Open(t, dir)
}

// links counts the identifiers in the paths of requests that an answer before them gave: what correlation lives on.
func links(t *testing.T, rec harness.Recording) int {
	t.Helper()
	given, n := map[string]bool{}, 0
	for _, x := range collect(t, rec) {
		for segment := range strings.SplitSeq(strings.SplitN(x.Request.Head.Get(harness.FieldPath), "?", 2)[0], "/") {
			if given[segment] {
				n++
			}
		}
		body, err := x.Response.Body.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if json.Unmarshal(body, &value) == nil {
			idsIn(value, given)
		}
	}
	return n
}

// idsIn notes the values of members called id.
func idsIn(value any, given map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			if name == "id" {
				text, _ := json.Marshal(member)
				if id := strings.Trim(string(text), `"`); len(id) > 4 {
					given[id] = true
				}
			}
			idsIn(member, given)
		}
	case []any:
		for _, element := range v {
			idsIn(element, given)
		}
	}
}

func TestNothingPersonalSurvivesInRealTraffic(t *testing.T) {
	for _, world := range worlds {
		t.Run(world.folder, func(t *testing.T) {
			raw := imported(t, world.folder, world.importer, world.exchanges, world.count)
			values := personalIn(t, traffic(t, world.folder))
			if len(values) == 0 {
				t.Fatal("the folder holds nothing personal: the check checks nothing")
			}
			dir, rec := proved(t, raw)
			known := scan.NewRegister()
			for value := range values {
				known.Known(value)
			}
			result, err := scan.Files(os.DirFS(dir), scan.Options{Register: known})
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range result.Hits {
				if h.Known > 0 {
					t.Errorf("survives: %v", h)
				}
			}
			before, after := links(t, raw), links(t, rec)
			t.Logf("%d values looked for, %d links", len(values), before)
			if before == 0 || after != before {
				t.Errorf("%d identifiers lead from an answer to a request, before scrubbing %d", after, before)
			}
			again, m := replayed(t, collect(t, rec), rec, mock.Options{})
			answeredAll(t, m, world.exchanges)
			harnesstest.Same(t, rec, again)
		})
	}
}
