package main

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
)

// TestDistrictIsScrubbedWithoutALoss imports the linked files of a school district of others under a policy that was
// written for their format. Its elements are labels: what names a person has to go, everything else has to stay byte for
// byte, and what was equal has to be equal again. The proof of the command runs, too, and would stop the import.
func TestDistrictIsScrubbedWithoutALoss(t *testing.T) {
	files := district(t)
	work := t.TempDir()
	dir := folderOf(t, files)
	policy := filepath.Join("testdata", "edfi-policy.yaml")
	key, out := keyOfDistrict(t, work), filepath.Join(work, "district")
	rehearses(t, "import", dir, "--format", "files", "--policy", policy, "--key", key, "--vault", filepath.Join(work, "vault"), "--out", out)
	d := &districtCheck{standIns: map[string]map[string]string{}, counts: map[string]int{}}
	d.recording(t, out, files)
	d.joins(t)
	again := filepath.Join(work, "again")
	rehearses(t, "scrub", out, "--policy", policy, "--key", key, "--out", again)
	if was, now := filesOf(t, out), filesOf(t, again); !maps.Equal(was, now) {
		t.Error("scrubbed a second time, it is another recording")
	}
	want := map[string]int{"StudentUniqueId": 4392, "StaffUniqueId": 873, "ContactUniqueId": 1873, "StaffIdentificationCode": 68, "PersonId": 25, "other": 48841}
	for element, n := range want {
		if d.counts[element] != n {
			t.Errorf("%d values of %s were compared, want %d", d.counts[element], element, n)
		}
	}
}

// TestDistrictIsScrubbedUnderItsSuggestedPolicy is the same without an edit of the policy. No label stays, and what was equal
// is equal; what is replaced without a label is listed, and little.
func TestDistrictIsScrubbedUnderItsSuggestedPolicy(t *testing.T) {
	files := district(t)
	work, dir := t.TempDir(), folderOf(t, files)
	key, out, policy := keyOfDistrict(t, work), filepath.Join(work, "district"), filepath.Join(work, "policy.yaml")
	rehearses(t, "scrub", "suggest", dir, "--format", "files", "--out", policy)
	rehearses(t, "import", dir, "--format", "files", "--policy", policy, "--key", key, "--vault", filepath.Join(work, "vault"), "--out", out)
	d := &districtCheck{standIns: map[string]map[string]string{}, counts: map[string]int{}, more: map[string]int{}}
	d.recording(t, out, files)
	d.joins(t)
	total := 0
	for _, element := range slices.Sorted(maps.Keys(d.more)) {
		t.Logf("replaced without a label: %5d of %s", d.more[element], element)
		total += d.more[element]
	}
	if share := float64(total) / float64(d.counts["other"]); share > 0.06 {
		t.Errorf("%d of %d values without a label were replaced", total, d.counts["other"])
	}
}

// keyOfDistrict is the same key every time, so that what one run finds the next one finds too.
func keyOfDistrict(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "key")
	if err := os.WriteFile(file, []byte("rehearse-key-1 AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// folderOf writes files into a new folder.
func folderOf(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// recording compares the files of a recording.
func (d *districtCheck) recording(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	rec, err := fixtures.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for x, err := range rec.Exchanges() {
		if err != nil {
			t.Fatal(err)
		}
		name := x.Request.Head.Get(harness.FieldName)
		d.compare(t, name, files[name], bytesOf(t, x.Request.Body))
		delete(files, name)
	}
	if len(files) > 0 {
		t.Errorf("%d files are missing in the recording", len(files))
	}
}

// rehearses runs the program as its user does.
func rehearses(t testing.TB, args ...string) {
	t.Helper()
	var out, talk bytes.Buffer
	a := &app{out: &out, err: &talk, now: worldClock, getenv: func(string) string { return "" }, version: "test"}
	if code := a.main(t.Context(), args); code != 0 {
		t.Fatalf("rehearse %s: exit code %d\n%s", strings.Join(args[:2], " "), code, talk.String())
	}
}

func district(t *testing.T) map[string][]byte {
	t.Helper()
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set: it names a folder of real files")
	}
	packed, err := filepath.Glob(filepath.Join(root, "pii", "edfi-sample", "*.xml.gz"))
	if err != nil || len(packed) == 0 {
		t.Fatal("no files of a district in REHEARSE_REAL_DATA", err)
	}
	files := map[string][]byte{}
	for _, file := range packed {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		if files[strings.TrimSuffix(filepath.Base(file), ".gz")], err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return files
}

// filesOf is the bodies and exchanges of a recording.
func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "bodies", "*"))
	if err != nil || len(names) == 0 {
		t.Fatal("no bodies", err)
	}
	files := map[string]string{}
	for _, name := range append(names, filepath.Join(dir, "exchanges.jsonl")) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = string(text)
	}
	return files
}

func bytesOf(t *testing.T, b harness.Body) []byte {
	t.Helper()
	r, err := b.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// labels says which elements hold what about a person.
var labels = map[string]string{
	"StudentUniqueId": "person", "StaffUniqueId": "person", "ContactUniqueId": "person", "PersonId": "person", "StaffIdentificationCode": "person",
	"FirstName": "name", "MiddleName": "name", "LastSurname": "name", "PreferredFirstName": "name", "PreferredLastSurname": "name",
	"FullName": "name", "ReporterName": "name", "Author": "name",
	"ElectronicMailAddress": "email", "LoginId": "login", "BirthDate": "birth", "TelephoneNumber": "phone",
	"StreetNumberName": "street", "City": "city", "NameOfCounty": "city", "PostalCode": "postal code",
	"CredentialIdentifier": "credential", "LicenseIdentifier": "credential", "CaseNumber": "credential",
}

// oneToOne are the labels of which two values never become one, and no stand-in is the value of another person.
var oneToOne = []string{"person", "email", "login", "credential"}

// districtCheck compares files token by token, and collects what became of each value.
type districtCheck struct {
	standIns map[string]map[string]string // by label, value to stand-in
	counts   map[string]int               // of compared values, by element; other: without a label
	others   []string                     // values without a label
	more     map[string]int               // replaced values without a label, by element; nil: there must be none
}

// reference is how other elements name a contact: the prefix of its type and the number.
var reference = regexp.MustCompile(`^(<Contact id|<ContactReference ref)="PRNT_(\d+)"`)

func (d *districtCheck) compare(t *testing.T, file string, was, now []byte) {
	t.Helper()
	a, b := tokensOf(t, file, was), tokensOf(t, file, now)
	if len(a) != len(b) {
		t.Errorf("%s: %d tokens became %d", file, len(a), len(b))
		return
	}
	for i, token := range a {
		switch m, n := reference.FindStringSubmatch(token.text), reference.FindStringSubmatch(b[i].text); {
		case m != nil && n != nil:
			d.replaced(t, file, "person", m[2], n[2])
			if strings.Replace(token.text, m[2], n[2], 1) != b[i].text {
				t.Errorf("%s: a reference to a contact lost its form", file)
			}
		case token.isText && labels[token.element] != "" && strings.TrimSpace(token.text) != "":
			d.counts[token.element]++
			d.replaced(t, file, labels[token.element], token.text, b[i].text)
		case token.text != b[i].text && d.more != nil:
			d.counts["other"]++
			d.more[token.element]++
		case token.text != b[i].text:
			t.Errorf("%s: a value of %s changed, or its surroundings", file, token.element)
		case token.isText && strings.TrimSpace(token.text) != "":
			d.counts["other"]++
			d.others = append(d.others, token.text)
		}
	}
}

func (d *districtCheck) replaced(t *testing.T, file, label, was, now string) {
	t.Helper()
	if was == now {
		t.Errorf("%s: a value of label %s is what it was", file, label)
	}
	if d.standIns[label] == nil {
		d.standIns[label] = map[string]string{}
	}
	if before, seen := d.standIns[label][was]; seen && before != now && label != "birth" {
		t.Errorf("%s: a value of label %s has two stand-ins", file, label)
	}
	d.standIns[label][was] = now
}

// joins checks that unequal values stay unequal, and that none is the value of somebody else, wherever it stands.
func (d *districtCheck) joins(t *testing.T) {
	t.Helper()
	for _, label := range oneToOne {
		owner, double, foreign, elsewhere := map[string]bool{}, 0, 0, 0
		for _, now := range d.standIns[label] {
			if owner[now] {
				double++
			}
			owner[now] = true
			if _, is := d.standIns[label][now]; is {
				foreign++
			}
		}
		for _, text := range d.others {
			for _, word := range append(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '-' || r == '_' || r == ':' }), text) {
				if _, is := d.standIns[label][word]; is {
					elsewhere++
				}
			}
		}
		if double+foreign+elsewhere > 0 {
			t.Errorf("%s: of %d values %d share a stand-in, %d stand-ins are values, %d values stand at places without a label",
				label, len(d.standIns[label]), double, foreign, elsewhere)
		}
	}
}

type xmlPiece struct {
	element string // the innermost one; its parent for codes that say of whom
	text    string // as it is written
	isText  bool
}

func tokensOf(t *testing.T, file string, text []byte) []xmlPiece {
	t.Helper()
	var pieces []xmlPiece
	var open []string
	decoder := xml.NewDecoder(bytes.NewReader(text))
	for {
		from := decoder.InputOffset()
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			return pieces
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			open = append(open, token.Name.Local)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
		p := xmlPiece{text: string(text[from:decoder.InputOffset()])}
		if len(open) > 0 {
			p.element = open[len(open)-1]
		}
		if parent := "StaffIdentificationCode"; p.element == "IdentificationCode" && slices.Contains(open, parent) {
			p.element = parent
		}
		_, p.isText = token.(xml.CharData)
		pieces = append(pieces, p)
	}
}
