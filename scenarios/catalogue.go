package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// catalogueReader collects the four files of a catalogue. References are checked when all three are read, so that
// the order of files and entries does not matter.
type catalogueReader struct {
	w        *Workspace
	out      harness.Catalogue
	problems Problems
}

func (w *Workspace) readCatalogue() (harness.Catalogue, error) {
	r := &catalogueReader{w: w, out: harness.Catalogue{
		Systems:      map[string]harness.System{},
		Integrations: map[string]harness.Integration{},
		People:       map[string]harness.Person{},
	}}
	systems := readEntries(r, "systems", "system", r.out.Systems, func(s harness.System) string { return s.Name })
	people := readEntries(r, "people", "person", r.out.People, func(p harness.Person) string { return p.Key })
	integrations := readEntries(r, "integrations", "integration", r.out.Integrations, func(i harness.Integration) string { return i.Name })
	for i, integration := range integrations.list {
		checkIntegration(integrations.decoder, fmt.Sprintf("[%d]", i), integration, r.out)
	}
	r.problems = slices.Concat(systems.problems, people.problems, integrations.problems, r.readCalendar())
	return r.out, r.problems.err()
}

// entries are the list of one catalogue file, and the decoder that knows their places.
type entries[T any] struct {
	*decoder
	list []T
}

// read decodes one file of the catalogue; it reports false when there is none, or when it cannot be read.
func (r *catalogueReader) read(what string, out any) (*decoder, bool) {
	file := path.Join(r.w.settings.Catalog, what+".yaml")
	d := newDecoder(file, what, r.w.Env)
	src, err := readWhole(r.w.path(file))
	if errors.Is(err, fs.ErrNotExist) {
		return d, false
	}
	if err != nil {
		d.problem("", "%v", err)
		return d, false
	}
	d.decodeFile(src, out)
	return d, true
}

// readEntries reads one file of the catalogue into the map. A file that is missing is an empty list.
func readEntries[T any](r *catalogueReader, what, noun string, into map[string]T, name func(T) string) entries[T] {
	var e entries[T]
	e.decoder, _ = r.read(what, &e.list)
	first := map[string]int{}
	for i, entry := range e.list {
		key := name(entry)
		if key == "" {
			continue // the decoder has reported it
		}
		if before, twice := first[key]; twice {
			label := fmt.Sprintf("[%d].%s", i, noun)
			e.problem(label, "%s %s comes twice; first in line %d", noun, quoted(key), e.placeOf(fmt.Sprintf("[%d]", before)).line)
			continue
		}
		first[key] = i
		into[key] = entry
	}
	return e
}

func checkIntegration(d *decoder, label string, in harness.Integration, c harness.Catalogue) {
	for _, role := range []struct{ key, person string }{{"owner", in.Owner}, {"backup", in.Backup}, {"steward", in.Steward}} {
		if role.person != "" {
			checkKnown(d, label+"."+role.key, "person", role.person, c.People)
		}
	}
	for i, system := range in.Systems {
		checkKnown(d, fmt.Sprintf("%s.systems[%d]", label, i), "system", system, c.Systems)
	}
	for _, operation := range slices.Sorted(maps.Keys(in.Receives)) {
		checkKnown(d, label+".receives."+operation, "system", in.Receives[operation], c.Systems)
	}
	for i, run := range in.Runs {
		checkSchedule(d, fmt.Sprintf("%s.runs[%d]", label, i), run)
	}
	for i, guard := range in.Guards {
		at := fmt.Sprintf("%s.guards[%d]", label, i)
		if guard.System != "" {
			checkKnown(d, at+".system", "system", guard.System, c.Systems)
		}
		for _, share := range []struct{ key, text string }{{".lost", guard.Lost}, {".mass", guard.Mass}} {
			if share.text != "" && !isShare(share.text) {
				d.problem(at+share.key, "%s is not a share such as 5%%", quoted(share.text))
			}
		}
		if guard.Floor < 0 {
			d.problem(at+".floor", "%d records cannot be; 0 stands for the default", guard.Floor)
		}
	}
	checkSeverity(d, label+".severity", in.Severity, c)
}

// checkSeverity looks at what the types of overrides cannot say.
func checkSeverity(d *decoder, label string, s harness.Severity, c harness.Catalogue) {
	for i, o := range s.Overrides {
		at := fmt.Sprintf("%s.overrides[%d]", label, i)
		if o.Owner != "" {
			checkKnown(d, at+".owner", "person", o.Owner, c.People)
		}
		checkGlob(d, at+".operation", o.Operation)
	}
}

// checkGlob reports a pattern of operations that cannot be one.
func checkGlob(d *decoder, label, glob string) {
	if _, err := path.Match(glob, ""); err != nil && !d.faulty[label] {
		d.problem(label, "%s: %s is not a glob such as *.csv", d.called(label), quoted(glob))
	}
}

// checkKnown reports a name that the catalogue does not hold.
func checkKnown[T any](d *decoder, label, noun, name string, known map[string]T) {
	if _, ok := known[name]; !ok && !d.faulty[label] {
		d.problem(label, "%s: no %s %s in the catalogue%s", d.called(label), noun, quoted(name),
			suggestion(name, slices.Collect(maps.Keys(known))))
	}
}

func isShare(s string) bool {
	number, ok := strings.CutSuffix(s, "%")
	share, err := strconv.ParseFloat(number, 64)
	return ok && err == nil && share >= 0 && share <= 100
}
