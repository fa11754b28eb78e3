package diff

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// realFormats are the formats of the real files: by folder, and there by ending.
var realFormats = []struct{ folder, ending, format string }{
	{"flatfiles/microsoft-sds-csv", ".csv", "csv"},
	{"flatfiles/bai2", ".txt", "bai2"},
	{"flatfiles/hl7v2", ".hl7", "hl7v2"},
	{"flatfiles/iso20022", ".xml", "xml"},
	{"flatfiles/iso20022", ".json", "json"},
	{"flatfiles/x12-edifact-staedi/src/test/resources/x12", ".edi", "x12"},
	{"flatfiles/x12-edifact-staedi/src/test/resources/EDIFACT", ".edi", "edifact"},
	{"flatfiles", ".json", "json"},
	{"flatfiles", ".xml", "xml"},
	{"flatfiles", ".csv", "csv"},
}

// TestRealFilesDifferWhereTheyWereChangedOnly reads every flat file: it is of its own format, or the error has a place;
// it is written as it was read; it equals itself; and a leaf that is changed is the one difference.
func TestRealFilesDifferWhereTheyWereChangedOnly(t *testing.T) {
	data := realData(t)
	var n tally
	err := filepath.WalkDir(filepath.Join(data, "flatfiles"), func(file string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(data, file)
		name = filepath.ToSlash(name)
		format := ""
		for _, f := range realFormats {
			if format == "" && strings.HasPrefix(name, f.folder+"/") && strings.HasSuffix(name, f.ending) {
				format = f.format
			}
		}
		t.Run(name, func(t *testing.T) { n.check(t, "", filepath.Base(name), format, source) })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", n)
	if n.Read < 100 || n.Refused == 0 || n.Changed < 500 {
		t.Errorf("%+v: files are missing", n)
	}
}

// TestRealEnvelopesDifferWhereTheyWereChangedOnly does the same with the bodies of recorded SOAP calls.
func TestRealEnvelopesDifferWhereTheyWereChangedOnly(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(realData(t), "traffic", "tax-cloud-soap", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	type half struct{ Body struct{ String string } }
	var n tally
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var calls struct {
			Calls []struct{ Request, Response half } `yaml:"http_interactions"`
		}
		if err := yaml.Unmarshal(source, &calls); err != nil {
			t.Fatalf("%s: %v", filepath.Base(file), err)
		}
		for i, c := range calls.Calls {
			for half, body := range map[string]string{"request": c.Request.Body.String, "response": c.Response.Body.String} {
				if body != "" {
					t.Run(fmt.Sprintf("%s/%d/%s", filepath.Base(file), i, half), func(t *testing.T) { n.check(t, "text/xml", "", "xml", []byte(body)) })
				}
			}
		}
	}
	t.Logf("%+v", n)
	if n.Read < len(files) {
		t.Errorf("%+v: bodies are missing", n)
	}
}

func realData(t *testing.T) string {
	t.Helper()
	data := os.Getenv("REHEARSE_REAL_DATA")
	if data == "" {
		t.Skip("REHEARSE_REAL_DATA is not set: it names the folder of real traffic and files")
	}
	return data
}

// tally counts what was checked.
type tally struct{ Read, Refused, Changed int }

var hasPlace = regexp.MustCompile(`at byte \d+`)

// check reads one source; the format may be empty where a file has none of its own.
func (n *tally) check(t *testing.T, media, name, format string, source []byte) {
	doc := payload.Parse(media, name, source)
	n.Read++
	switch malformed := doc.Fact("malformed"); {
	case malformed != "":
		n.Refused++
		if !hasPlace.MatchString(malformed) {
			t.Errorf("refused without a place: %s", malformed)
		}
	case format != "" && doc.Format != format:
		n.Refused++
		if err := parseAs(format, source); err == nil || !hasPlace.MatchString(err.Error()) {
			t.Errorf("read as %s, want %s, which says %v", doc.Format, format, err)
		}
	}
	if again, err := doc.Rewrite(nil); err != nil || !bytes.Equal(again, source) {
		t.Errorf("%d bytes are written as %d: %v", len(source), len(again), err)
	}
	if list := differencesOf(t, media, name, source, source); len(list) > 0 {
		t.Errorf("it differs from itself: %+v", list[0])
	}
	n.change(t, media, name, doc)
}

// parseAs is what the format itself says of the source.
func parseAs(format string, source []byte) error {
	i := slices.IndexFunc(payload.Formats, func(f payload.Format) bool { return f.Name == format })
	_, err := payload.Formats[i].Parse(source)
	return err
}

// change puts another text into leaves from all over the document, one at a time.
func (n *tally) change(t *testing.T, media, name string, doc *payload.Doc) {
	const most = 12
	type leaf struct {
		path harness.Path
		node payload.Node
	}
	var leaves []leaf
	for path, node := range doc.Root().Leaves() {
		if k := node.Kind(); (k == harness.KindString || k == harness.KindNumber) && len(path) > 0 && node.Text() != "" {
			leaves = append(leaves, leaf{slices.Clone(path), node})
		}
	}
	for i := 0; i < len(leaves); i += max(1, len(leaves)/most) {
		l := leaves[i]
		text := otherText(l.node.Text(), string(doc.Source))
		changed, err := doc.Rewrite([]payload.Edit{{Node: l.node, Text: text}})
		if err != nil || bytes.Equal(changed, doc.Original()) {
			continue // the syntax has no room for this text: the separators of an interchange
		}
		again := payload.Parse(media, name, changed)
		if at := again.Root().At(l.path); again.Format != doc.Format || at.IsZero() || at.Text() != text || places(again) != places(doc) {
			continue // a separator, a length, a tag or a version: the file is another one now
		}
		list := differencesOf(t, media, name, doc.Original(), changed)
		if strings.HasPrefix(l.path.Leaf(), "@xmlns") {
			if len(list) == 0 { // a namespace is a part of every name below it
				t.Errorf("%s: another namespace is no difference", l.path)
			}
			continue
		}
		list = slices.DeleteFunc(list, isDerived)
		if !isOneChange(list, l.node.Text(), text) {
			t.Errorf("%s: %q became %q, and the differences are %+v", l.path, l.node.Text(), text, list)
		}
		n.Changed++
	}
}

// places is the names of all leaves, one below the other.
func places(d *payload.Doc) string {
	var b strings.Builder
	for path := range d.Root().Leaves() {
		b.WriteString(path.String() + "\n")
	}
	return b.String()
}

// isDerived reports whether the difference is what the format says of the whole: counts, totals and control numbers that
// do not fit any more.
func isDerived(d harness.Difference) bool {
	return len(d.Path) > 1 && d.Path[1].Name == "form" && d.Class == harness.Reformed
}

// otherText changes a letter or digit to another one, so that numbers and dates stay of their form, and picks a text that
// the source does not hold: a key that is there already would make two records of one.
func otherText(s, source string) string {
	text := s
	for range 40 {
		if text = nextText(text); !strings.Contains(source, text) {
			return text
		}
	}
	return s + "77"
}

// nextText changes the last letter or digit.
func nextText(s string) string {
	b := []byte(s)
	for i := len(b) - 1; i >= 0; i-- {
		switch c := b[i]; {
		case c >= '1' && c <= '8', c >= 'a' && c < 'z', c >= 'A' && c < 'Z':
			b[i]++
			return string(b)
		case c == '0', c == '9':
			b[i] = '5'
			return string(b)
		case c == 'z', c == 'Z':
			b[i]--
			return string(b)
		}
	}
	return s + "5"
}

// isOneChange reports whether the list is the changed leaf, or the record whose key it is a part of: gone under the
// old text and new under the other one.
func isOneChange(list []harness.Difference, was, is string) bool {
	switch len(list) {
	case 1:
		return strings.Contains(list[0].Was.Text, was) && strings.Contains(list[0].Is.Text, is)
	case 2:
		holds := func(v harness.Value, text string) bool {
			return slices.ContainsFunc(v.Fields, func(f harness.Field) bool { return f.Value == text })
		}
		return list[0].Class == harness.Removed && list[1].Class == harness.Added && holds(list[0].Was, was) && holds(list[1].Is, is)
	}
	return false
}

func differencesOf(t *testing.T, media, name string, was, is []byte) []harness.Difference {
	t.Helper()
	side := func(body []byte) harness.Recording {
		return harness.NewMemory(harness.Manifest{}, harness.Exchange{ID: "1", Session: "s", Channel: harness.ChannelFile, From: "a", To: "b", Request: harness.Message{
			Head: harness.Head{{Name: harness.FieldName, Value: name}}, Media: media, Body: harness.BytesBody(body),
		}})
	}
	c, err := Recordings(side(was), side(is), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c.Differences
}
