package main

import (
	"encoding/json"
	"io"
	"os"
	"runtime/debug"

	"github.com/aswinkarthik/csvdiff/pkg/digest"
	"github.com/josephburnett/jd/v2"
	"github.com/wI2L/jsondiff"
	"github.com/yudai/gojsondiff"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/diff"
)

// differ is one row of the table of those that are measured.
type differ struct {
	name   string
	unit   string // in which it reports
	format string // ".json" or ".csv"; empty: both
	// run compares two files and returns how many units it reports.
	run func(was, is string) (int, error)
}

var differs = []differ{
	{"rehearse", "places", "", rehearse},
	{"jd, set keys", "hunks", ".json", jdKeys},
	{"jd", "hunks", ".json", jdLists},
	{"wI2L/jsondiff", "operations", ".json", wI2L},
	{"gojsondiff", "deltas", ".json", goJSONDiff},
	{"csvdiff", "rows", ".csv", csvDiff},
}

// rehearse infers the key; it is told nothing. Records that moved are not counted, because that is no edit here.
func rehearse(was, is string) (int, error) {
	debug.SetGCPercent(50) // as the command does
	sides := [2]*harness.Memory{}
	for i, file := range []string{was, is} {
		info, err := os.Stat(file)
		if err != nil {
			return 0, err
		}
		body := harness.StoredBody(info.Size(), "made-"+file, func() (io.ReadCloser, error) { return os.Open(file) })
		sides[i] = harness.NewMemory(harness.Manifest{}, harness.Exchange{
			Channel: harness.ChannelFile, From: "sis", To: "lms",
			Request: harness.Message{Head: harness.Head{{Name: harness.FieldName, Value: "records"}}, Media: mediaOf(file), Body: body},
		})
	}
	c, err := diff.Recordings(sides[0], sides[1], diff.Options{})
	if err != nil {
		return 0, err
	}
	places := 0
	for _, d := range c.Differences {
		if d.Class != harness.Moved {
			places += d.Count
		}
	}
	return places, nil
}

func jdKeys(was, is string) (int, error) { return jdWith(was, is, jd.SetKeys("id")) }

func jdLists(was, is string) (int, error) { return jdWith(was, is) }

func jdWith(was, is string, options ...jd.Option) (int, error) {
	a, err := jd.ReadJsonFile(was)
	if err != nil {
		return 0, err
	}
	b, err := jd.ReadJsonFile(is)
	if err != nil {
		return 0, err
	}
	return len(a.Diff(b, options...)), nil
}

func wI2L(was, is string) (int, error) {
	a, b, err := read(was, is)
	if err != nil {
		return 0, err
	}
	patch, err := jsondiff.CompareJSON(a, b)
	return len(patch), err
}

func goJSONDiff(was, is string) (int, error) {
	a, b, err := read(was, is)
	if err != nil {
		return 0, err
	}
	var left, right []any
	if err := json.Unmarshal(a, &left); err != nil {
		return 0, err
	}
	if err := json.Unmarshal(b, &right); err != nil {
		return 0, err
	}
	return countDeltas(gojsondiff.New().CompareArrays(left, right).Deltas()), nil
}

// countDeltas counts those that have no others within.
func countDeltas(deltas []gojsondiff.Delta) int {
	n := 0
	for _, d := range deltas {
		switch d := d.(type) {
		case *gojsondiff.Object:
			n += countDeltas(d.Deltas)
		case *gojsondiff.Array:
			n += countDeltas(d.Deltas)
		default:
			n++
		}
	}
	return n
}

func read(was, is string) (a, b []byte, err error) {
	if a, err = os.ReadFile(was); err != nil {
		return nil, nil, err
	}
	b, err = os.ReadFile(is)
	return a, b, err
}

func csvDiff(was, is string) (int, error) {
	a, err := os.Open(was)
	if err != nil {
		return 0, err
	}
	defer a.Close()
	b, err := os.Open(is)
	if err != nil {
		return 0, err
	}
	defer b.Close()
	key := digest.Positions{0}
	found, err := digest.Diff(*digest.NewConfig(a, key, nil, nil, ',', false), *digest.NewConfig(b, key, nil, nil, ',', false))
	if err != nil {
		return 0, err
	}
	return len(found.Additions) + len(found.Modifications) + len(found.Deletions), nil
}
