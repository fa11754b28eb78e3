package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/fixtures"
	data "github.com/rehearse-dev/rehearse/fixtures/harrow-lake"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders"
	harrowlake "github.com/rehearse-dev/rehearse/scenarios/harrow-lake"
)

// world is a recording into which changes are planted, and the system that stands for the target.
type world struct {
	name      string
	target    string
	exchanges []harness.Exchange
	byID      map[string]*harness.Exchange
	docs      map[docKey]*payload.Doc // that were asked for
	sites     []*site
	tables    []*site // arrays of records
	slots     []slot
}

// sources is the table of worlds. Those with a folder are read from real data.
var sources = []struct {
	name, folder string
	open         func(ctx context.Context, dir string) ([]harness.Exchange, error)
}{
	{"enrolments (CSV)", "", demo("sis-lms-enrollment")},
	{"applicants (JSON)", "", demo("crm-sis-applicant")},
	{"ledger (fixed width)", "", demo("sis-fin-gl")},
	{"linode (JSON)", "traffic/linodego", importer("govcr")},
	{"easypost (JSON)", "traffic/easypost-node-har", importer("har")},
	{"rosters (CSV)", "flatfiles/microsoft-sds-csv/SDS Format/100 Users", files(40, ".csv")},
	{"bank statements (XML)", "flatfiles/iso20022/test/testdata", files(12, ".xml")},
	{"claims and orders (X12)", "flatfiles/x12-edifact-staedi/src/test/resources/x12", files(12, ".edi")},
	{"lab results (HL7v2)", "flatfiles/hl7v2/src/test/resources", files(25, ".hl7")},
	{"balances (BAI2)", "flatfiles/bai2/test/testdata", files(25, ".txt")},
}

const target = "hubline"

func openWorlds(ctx context.Context, o options) ([]*world, error) {
	var worlds []*world
	for _, s := range sources {
		if s.folder != "" && o.data == "" || !strings.HasPrefix(s.name, o.world) {
			continue
		}
		list, err := s.open(ctx, filepath.Join(o.data, filepath.FromSlash(s.folder)))
		if err != nil {
			return nil, fmt.Errorf("open world %s: %w", s.name, err)
		}
		w, err := newWorld(s.name, list)
		if err != nil {
			return nil, fmt.Errorf("open world %s: %w", s.name, err)
		}
		worlds = append(worlds, w)
	}
	if len(worlds) == 0 {
		return nil, fmt.Errorf("no world %q", o.world)
	}
	return worlds, nil
}

// newWorld spells bodies in the one way in which mutants are spelled, so that nothing but the planted differs.
func newWorld(name string, list []harness.Exchange) (*world, error) {
	w := &world{name: name, target: target, byID: map[string]*harness.Exchange{}, docs: map[docKey]*payload.Doc{}}
	for i, x := range list {
		x.ID = harness.SequenceID(i + 1)
		for _, m := range halves(&x) {
			doc, err := payload.Of(*m)
			if err != nil {
				return nil, err
			}
			if respelled, ok := spell(grow(doc.Root()), doc); ok && m.Head.Get("Content-Encoding") == "" {
				m.Body = harness.BytesBody(respelled)
			}
		}
		w.exchanges = append(w.exchanges, x)
	}
	for i := range w.exchanges {
		w.byID[w.exchanges[i].ID] = &w.exchanges[i]
	}
	return w, w.survey()
}

type docKey struct {
	exchange string
	half     int
}

// spotOf finds the place of the world in which a difference lies; ok is false for what came, and for what is no value.
// astray says that the path does not lead to the value that changed, as where several records share the key: then it does
// not tell which of them it was, and one path can stand for the changes of two.
func (w *world) spotOf(d *harness.Difference) (key spotKey, ok, astray bool) {
	x := w.byID[d.Exchange]
	if x == nil || len(d.Path) < 3 || d.Path[1].Name != "body" {
		return spotKey{}, false, false
	}
	half := slices.Index(halfNames, d.Path[0].Name)
	at := docKey{x.ID, half}
	if w.docs[at] == nil {
		doc, err := payload.Of(*halves(x)[half])
		if err != nil {
			return spotKey{}, false, false
		}
		w.docs[at] = doc
	}
	n := w.docs[at].Root().At(d.Path[2:])
	changed := d.Class == harness.Changed && d.Count == 1
	if n.IsZero() || !n.IsScalar() || changed && n.Text() != d.Was.Text {
		return spotKey{}, false, changed
	}
	return spotKey{x.ID, half, n.Offset()}, true, false
}

// halves are the messages of an exchange.
func halves(x *harness.Exchange) []*harness.Message {
	return []*harness.Message{&x.Request, &x.Response}
}

var halfNames = []string{"request", "response"}

// demo opens a recording of Harrow Lake.
func demo(name string) func(context.Context, string) ([]harness.Exchange, error) {
	return func(context.Context, string) ([]harness.Exchange, error) {
		dir, err := os.MkdirTemp("", "mutants-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // what is left is in the folder for such things
		if err := harrowlake.Extract(dir, data.FS()); err != nil {
			return nil, err
		}
		rec, err := fixtures.Open(filepath.Join(dir, "fixtures", "harrow-lake", name))
		if err != nil {
			return nil, err
		}
		return detached(rec)
	}
}

// importer reads what another tool recorded.
func importer(format string) func(context.Context, string) ([]harness.Exchange, error) {
	return func(ctx context.Context, dir string) ([]harness.Exchange, error) {
		im, err := recorders.ImporterFor(format, "")
		if err != nil {
			return nil, err
		}
		rec := harness.NewMemory(harness.Manifest{Origin: "import " + format})
		if err := im.Open(dir, target, "vendor").Record(ctx, rec); err != nil {
			return nil, err
		}
		return detached(rec)
	}
}

// detached holds the bodies in memory.
func detached(rec harness.Recording) ([]harness.Exchange, error) {
	list, err := harness.Collect(rec)
	if err != nil {
		return nil, err
	}
	for i := range list {
		for _, m := range halves(&list[i]) {
			b, err := m.Body.Bytes()
			if err != nil {
				return nil, err
			}
			m.Body = harness.BytesBody(slices.Clone(b))
		}
	}
	return list, nil
}

// files delivers the files of a folder on several nights, so that each place has many values.
func files(nights int, extension string) func(context.Context, string) ([]harness.Exchange, error) {
	return func(_ context.Context, dir string) ([]harness.Exchange, error) {
		var list []harness.Exchange
		err := filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || strings.ToLower(filepath.Ext(file)) != extension {
				return err
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			name := strings.ReplaceAll(filepath.Base(file), "_", "-")
			if payload.Parse("", name, text).Fact("malformed") != "" {
				return nil // what others planted
			}
			for night := range nights {
				list = append(list, harness.Exchange{
					Session: fmt.Sprintf("night-%02d", night+1), Channel: harness.ChannelFile, From: "vendor", To: target,
					Request: harness.Message{Head: harness.Head{{Name: harness.FieldName, Value: name}}, Body: harness.BytesBody(text)},
				})
			}
			return nil
		})
		return list, err
	}
}
