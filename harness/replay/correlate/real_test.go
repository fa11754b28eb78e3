package correlate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay/correlate"
	"github.com/rehearse-dev/rehearse/recorders"
)

// realSet is recordings that other tools made of real systems.
type realSet struct {
	folder, format string
	count          int
}

// realSets is the table of them: those of interfaces whose URLs hold ids, then one of SOAP.
var realSets = []realSet{
	{"linodego", "govcr", 486},
	{"easypost-node-har", "har", 250},
	{"octokit-rb", "vcr", 109},
	{"tax-cloud-soap", "vcr", 39},
}

// eachRealSet runs a test with each of the sets.
func eachRealSet(t *testing.T, sets []realSet, test func(t *testing.T, xs []harness.Exchange)) {
	for _, set := range sets {
		t.Run(set.folder, func(t *testing.T) { test(t, traffic(t, set)) })
	}
}

// traffic imports a real set. Sessions are its files.
func traffic(t testing.TB, set realSet) []harness.Exchange {
	t.Helper()
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set: it names the folder of real traffic")
	}
	im, err := recorders.ImporterFor(set.format, "")
	if err != nil {
		t.Fatal(err)
	}
	rec := harness.NewMemory(harness.Manifest{})
	if err := im.Open(filepath.Join(root, "traffic", set.folder), "", "").Record(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	xs, err := harness.Collect(rec)
	if err != nil || len(xs) != set.count {
		t.Fatalf("%d exchanges of %s, want %d (%v)", len(xs), set.folder, set.count, err)
	}
	return xs
}

// idsOf are the members called id of a JSON text, at any depth, as they are written.
func idsOf(t testing.TB, b []byte) (ids []string) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	var visit func(v any)
	visit = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				visit(e)
			}
		case map[string]any:
			for name, e := range v {
				switch id := e.(type) {
				case json.Number:
					if name == "id" {
						ids = append(ids, id.String())
					}
				case string:
					if name == "id" && id != "" {
						ids = append(ids, id)
					}
				default:
					visit(e)
				}
			}
		}
	}
	visit(v)
	return ids
}

// inURL are the tokens of a request target, split without the help of the package.
var inURL = regexp.MustCompile(`[/?&=]`)

// consumed is an id in the URL of a request.
type consumed struct{ exchange, id string }

// presentIDs looks at the files one by one: ids that the answer to a POST holds, in the URLs of later requests.
func presentIDs(t testing.TB, xs []harness.Exchange) (present []consumed) {
	given := map[string]map[string]bool{} // session → ids
	for _, x := range xs {
		for _, token := range inURL.Split(x.Request.Head.Get(harness.FieldPath), -1) {
			if c := (consumed{x.ID, token}); given[x.Session][token] && !slices.Contains(present, c) {
				present = append(present, c)
			}
		}
		if x.Request.Head.Get(harness.FieldMethod) != "POST" {
			continue
		}
		body, err := x.Response.Body.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range idsOf(t, body) {
			if given[x.Session] == nil {
				given[x.Session] = map[string]bool{}
			}
			given[x.Session][id] = true
		}
	}
	return present
}

// linkedIDs are the tokens of URLs that links lead to.
func linkedIDs(t testing.TB, xs []harness.Exchange, plan *correlate.Plan) map[consumed]correlate.Link {
	at := map[string]harness.Exchange{}
	for _, x := range xs {
		at[x.ID] = x
	}
	linked := map[consumed]correlate.Link{}
	for _, l := range plan.Links {
		linked[consumed{l.To.Exchange, textAt(t, at[l.To.Exchange], l.To.Path)}] = l
	}
	return linked
}

// textAt is the text of a segment or parameter of a URL.
func textAt(t testing.TB, x harness.Exchange, at harness.Path) string {
	target := x.Request.Head.Get(harness.FieldPath)
	path, query, _ := strings.Cut(target, "?")
	switch {
	case len(at) == 3 && at[1].Name == "segment":
		segments := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
		return segments[at[2].Index]
	case len(at) == 3 && at[1].Name == "query":
		for pair := range strings.SplitSeq(query, "&") {
			if name, value, _ := strings.Cut(pair, "="); name == at[2].Name {
				return value
			}
		}
	}
	return ""
}

func TestEveryIDThatAPOSTReturnedIsFoundInLaterURLs(t *testing.T) {
	eachRealSet(t, realSets[:3], func(t *testing.T, xs []harness.Exchange) {
		plan, err := correlate.Mine(xs, correlate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		present, linked := presentIDs(t, xs), linkedIDs(t, xs, plan)
		found := 0
		for _, c := range present {
			if _, ok := linked[c]; ok {
				found++
			} else {
				t.Errorf("exchange %s: %s is not linked", c.exchange, c.id)
			}
		}
		t.Logf("%d found of %d present, %d links in all", found, len(present), len(plan.Links))
		if len(present) == 0 {
			t.Error("nothing to find")
		}
	})
}

// sameEverywhere are forms that no link may go through, whatever the structure.
var sameEverywhere = regexp.MustCompile(`^(?i:true|false|null|yes|no|none|\d{4}-\d\d-\d\d.*|\d\d:\d\d.*|\w{3}, \d\d \w{3} \d{4} .*|-?\d+\.\d+|)$`)

// identifying are names of members of these recordings whose values identify something.
var identifying = regexp.MustCompile(`(?i)(id|token|tracking_code|^number)$`)

// enumerations are texts that stand under the same name, which is none of an identifier, in answers of three files and
// more.
func enumerations(t testing.TB, xs []harness.Exchange) map[string]bool {
	type use struct{ name, text string }
	files := map[use]map[string]bool{}
	for _, x := range xs {
		body, err := x.Response.Body.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			continue
		}
		var visit func(name string, v any)
		visit = func(name string, v any) {
			switch v := v.(type) {
			case []any:
				for _, e := range v {
					visit(name, e)
				}
			case map[string]any:
				for name, e := range v {
					visit(name, e)
				}
			case string, json.Number:
				u := use{name, fmt.Sprint(v)}
				if files[u] == nil {
					files[u] = map[string]bool{}
				}
				files[u][x.Session] = true
			}
		}
		visit("", v)
	}
	enums := map[string]bool{}
	for u, in := range files {
		if len(in) >= 3 && !identifying.MatchString(u.name) {
			enums[u.text] = true
		}
	}
	return enums
}

func TestNoLinkGoesThroughWhatMeansTheSameEverywhere(t *testing.T) {
	eachRealSet(t, realSets, func(t *testing.T, xs []harness.Exchange) {
		plan, err := correlate.Mine(xs, correlate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		enums := enumerations(t, xs)
		for _, l := range plan.Links {
			if sameEverywhere.MatchString(l.Value) || enums[l.Value] && !identifying.MatchString(l.From.Path.Leaf()) {
				t.Errorf("%s → %s at %s: %s (%s)", l.From.Exchange, l.To.Exchange, l.To.Path, l.Value, l.Evidence)
			}
		}
		t.Logf("%d links, %d texts that stand in three files and more", len(plan.Links), len(enums))
	})
}
