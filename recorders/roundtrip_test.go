package recorders_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders"
)

// told says which loss has to be told for what is different after a round trip. Whatever is not here must be equal.
var told = map[string]string{
	"systems":        "names of the systems",
	"session":        "the session is not kept|the session is the name of a folder",
	"time":           "when they began",
	"took":           "how long they took",
	"pseudo-fields":  "protocol versions and facts",
	"order":          "order, letter case or repetition",
	"request fields": "header fields are not kept",
	"host":           "have no Host field",
	"framing":        "Transfer-Encoding and Content-Length|written unpacked",
	"packing":        "written unpacked",
	"binary":         "no text and were left out|does not have to match",
	"query":          "order of parameters",
	"left out":       "were left out",
	"answer":         "has no example|what came before it",
	"fault":          "what came before it|has no example",
}

// differences names what is different between an exchange and what came back.
func differences(t *testing.T, was, is harness.Exchange) (kinds []string) {
	t.Helper()
	add := func(kind string, different bool) {
		if different {
			kinds = append(kinds, kind)
		}
	}
	add("systems", was.From != is.From || was.To != is.To)
	add("session", was.Session != is.Session)
	add("time", !was.At.Equal(is.At))
	add("took", was.Took != is.Took && is.Fault == nil)
	wasQ, isQ := was.Request.Head, is.Request.Head
	add("method", wasQ.Get(":method") != isQ.Get(":method"))
	wasPath, wasQuery, _ := strings.Cut(wasQ.Get(":path"), "?")
	isPath, isQuery, _ := strings.Cut(isQ.Get(":path"), "?")
	add("path", wasPath != isPath)
	add("query", wasQuery != isQuery)
	if !wasQ.Has("Host") {
		add("host", isQ.Has("Host"))
		isQ = isQ.Without("Host")
	}
	requestFields := sameFields(wasQ, isQ, "request fields")
	if slices.Contains(requestFields, "request fields") { // none are kept
		requestFields = slices.DeleteFunc(requestFields, func(kind string) bool { return kind == "framing" })
	}
	kinds = append(kinds, requestFields...)
	kinds = append(kinds, sameBody(t, was.Request, is.Request)...)
	if is.Response.IsZero() && !was.Response.IsZero() || (was.Fault == nil) != (is.Fault == nil) {
		return append(kinds, "answer")
	}
	add("fault", was.Fault != nil && *was.Fault != *is.Fault)
	add("status", was.Status() != is.Status())
	kinds = append(kinds, sameFields(was.Response.Head, is.Response.Head, "response fields")...)
	return append(kinds, sameBody(t, was.Response, is.Response)...)
}

// plainFields are the fields without pseudo-fields and what frames the body, by lower-case name and value.
func plainFields(head harness.Head) (fields, pseudo, framing []string) {
	for _, f := range head {
		text := f.Name + ": " + f.Value
		switch name := strings.ToLower(f.Name); {
		case f.Name == ":method" || f.Name == ":path" || f.Name == ":status":
		case f.IsPseudo():
			pseudo = append(pseudo, text)
		case name == "content-length" || name == "transfer-encoding" || name == "content-encoding":
			framing = append(framing, strings.ToLower(text))
		default:
			fields = append(fields, text)
		}
	}
	return fields, pseudo, framing
}

func sameFields(was, is harness.Head, kind string) (kinds []string) {
	wasFields, wasPseudo, wasFraming := plainFields(was)
	isFields, isPseudo, isFraming := plainFields(is)
	if !slices.Equal(wasPseudo, isPseudo) {
		kinds = append(kinds, "pseudo-fields")
	}
	slices.Sort(wasFraming)
	slices.Sort(isFraming)
	if !slices.Equal(wasFraming, isFraming) {
		kinds = append(kinds, "framing")
	}
	if slices.Equal(wasFields, isFields) {
		return kinds
	}
	normal := func(fields []string) []string {
		for i, f := range fields {
			name, value, _ := strings.Cut(f, ": ")
			fields[i] = strings.ToLower(name) + ": " + value
		}
		return slices.Sorted(slices.Values(fields))
	}
	if slices.Equal(normal(wasFields), normal(isFields)) {
		return append(kinds, "order")
	}
	return append(kinds, kind)
}

func sameBody(t *testing.T, was, is harness.Message) []string {
	t.Helper()
	a, errA := was.Body.Bytes()
	b, errB := is.Body.Bytes()
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	if bytes.Equal(a, b) {
		return nil
	}
	if plain, err := payload.Unpack(was.Head.Get("Content-Encoding"), a); err == nil && bytes.Equal(plain, b) {
		return []string{"packing"}
	}
	if len(b) == 0 {
		return []string{"binary"}
	}
	return []string{"body"}
}

// recordings are real traffic, and the demo world.
func recordings(t *testing.T) map[string][]harness.Exchange {
	t.Helper()
	all := map[string][]harness.Exchange{"odd": oddExchanges()}
	for folder, format := range map[string]string{"linodego": "govcr", "easypost-node-har": "har", "octokit-rb": "vcr"} {
		im, err := recorders.ImporterFor(format, "")
		if err != nil {
			t.Fatal(err)
		}
		all[folder], _, _ = importReal(t, im, traffic(t, folder))
	}
	for _, name := range []string{"crm-sis-applicant", "hcm-identity", "sis-lms-enrollment", "incidents/inc-2231"} {
		rec, err := fixtures.Open(filepath.Join("..", "fixtures", "harrow-lake", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		if all[name], err = harness.Collect(rec); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestRealRecordingsComeBackEqualOrTheLossIsTold(t *testing.T) {
	for name, xs := range recordings(t) {
		for _, ex := range recorders.Exporters {
			im, err := recorders.ImporterFor(ex.Name, "")
			if err != nil || ex.Name == "curl" {
				continue // requests only: tested by curl itself
			}
			forms := []string{"one" + ex.Extension, "folder"}
			if len(xs) > 200 {
				forms = forms[:1] // a folder of many files takes long, and the others show it
			}
			for _, form := range forms {
				t.Run(strings.Join([]string{name, ex.Name, form}, " "), func(t *testing.T) { roundTrip(t, ex, im, form, xs) })
			}
		}
	}
}

func roundTrip(t *testing.T, ex recorders.Exporter, im recorders.Importer, form string, xs []harness.Exchange) {
	out := filepath.Join(t.TempDir(), form)
	if !slices.ContainsFunc(xs, func(x harness.Exchange) bool { return x.Channel == harness.ChannelHTTP }) {
		if _, err := ex.Export(out, xs, recorders.ExportOptions{}); harness.HintOf(err) == "" {
			t.Errorf("a recording of files only: error %v", err)
		}
		return
	}
	losses, err := ex.Export(out, xs, recorders.ExportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(losses, "\n")
	back, _, _ := importReal(t, im, out)
	want := slices.Clone(xs)
	if form == "folder" || ex.Name == "postman" {
		want, back = bySession(want), bySession(back)
	}
	next := 0
	for _, was := range want {
		left := was.Channel != harness.ChannelHTTP || was.Fault != nil && leavesOut(ex.Name, was.Fault.Kind)
		if left {
			if !strings.Contains(said, told["left out"]) {
				t.Fatalf("%s was left out, and nobody says so:\n%s", was.ID, said)
			}
			continue
		}
		if next == len(back) {
			t.Fatalf("only %d exchanges came back", len(back))
		}
		for _, kind := range differences(t, was, back[next]) {
			if !isTold(said, kind) {
				t.Errorf("%s: %s is different, and nobody says so:\n%v → %v %v\n%v → %v %v\n%s", was.ID, kind,
					was.Request.Head, was.Response.Head, was.Fault, back[next].Request.Head, back[next].Response.Head, back[next].Fault, said)
			}
		}
		if next++; t.Failed() {
			return
		}
	}
	if next != len(back) {
		t.Errorf("%d exchanges came back, want %d", len(back), next)
	}
}

func isTold(said, kind string) bool {
	return slices.ContainsFunc(strings.Split(told[kind], "|"), func(loss string) bool { return loss != "" && strings.Contains(said, loss) })
}

func leavesOut(format, fault string) bool {
	switch format {
	case "har", "postman":
		return false
	case "wiremock":
		return fault != harness.FaultReset && fault != harness.FaultTruncated
	}
	return true
}

// bySession sorts by what a file for each session is sorted by, where exchanges of different sessions are mixed.
func bySession(xs []harness.Exchange) []harness.Exchange {
	if !slices.ContainsFunc(xs, func(x harness.Exchange) bool { return x.Session != xs[0].Session && x.Channel == harness.ChannelHTTP }) {
		return xs
	}
	key := func(x harness.Exchange) string {
		answer, _ := x.Response.Body.Bytes()
		if plain, err := payload.Unpack(x.Response.Head.Get("Content-Encoding"), answer); err == nil {
			answer = plain
		}
		return x.Request.Head.Get(":method") + x.Request.Head.Get(":path") + x.Request.Body.Digest() + string(answer)
	}
	out := slices.Clone(xs)
	slices.SortStableFunc(out, func(a, b harness.Exchange) int { return strings.Compare(key(a), key(b)) })
	return out
}

func TestStrictExportThatLosesSomethingWritesNothing(t *testing.T) {
	for _, ex := range recorders.Exporters {
		dir := t.TempDir()
		out := filepath.Join(dir, "x"+ex.Extension)
		losses, err := ex.Export(out, oddExchanges(), recorders.ExportOptions{Strict: true})
		if !errors.Is(err, recorders.ErrLoss) || len(losses) == 0 {
			t.Errorf("%s: %v, %q", ex.Name, err, losses)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s left %v, %v", ex.Name, left, err)
		}
	}
}

func TestExportNeverWritesOverAFolder(t *testing.T) {
	for _, ex := range recorders.Exporters {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ex.Export(dir, oddExchanges(), recorders.ExportOptions{Force: true}); harness.HintOf(err) == "" {
			t.Errorf("%s: error %v", ex.Name, err)
		}
		file := filepath.Join(dir, "x"+ex.Extension)
		for _, step := range []struct {
			force, ok bool
		}{{false, true}, {false, false}, {true, true}} {
			if _, err := ex.Export(file, oddExchanges(), recorders.ExportOptions{Force: step.force}); (err == nil) != step.ok {
				t.Errorf("%s, force %v: error %v", ex.Name, step.force, err)
			}
		}
	}
}

func TestExportIsTheSameEachTime(t *testing.T) {
	for _, ex := range recorders.Exporters {
		var written [2][]byte
		for i := range written {
			file := filepath.Join(t.TempDir(), "x"+ex.Extension)
			_, err := ex.Export(file, oddExchanges(), recorders.ExportOptions{})
			if err == nil {
				written[i], err = os.ReadFile(file)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(written[0], written[1]) {
			t.Errorf("%s differs from one time to the other", ex.Name)
		}
	}
}

// A script of curl holds requests. Bodies that are no text come through a pipe, which an import of commands does not run.
func TestCommandsOfCurlComeBackAsTheRequests(t *testing.T) {
	ex, err := recorders.ExporterFor("curl")
	if err != nil {
		t.Fatal(err)
	}
	im, err := recorders.ImporterFor("curl", "")
	if err != nil {
		t.Fatal(err)
	}
	var want []harness.Exchange
	for _, x := range recordings(t)["octokit-rb"] {
		if body, err := x.Request.Body.Bytes(); err == nil && utf8.Valid(body) {
			want = append(want, x)
		}
	}
	out := filepath.Join(t.TempDir(), "calls.sh")
	if _, err := ex.Export(out, want, recorders.ExportOptions{}); err != nil {
		t.Fatal(err)
	}
	back, _, _ := importReal(t, im, out)
	if len(back) != len(want) || len(want) < 100 {
		t.Fatalf("%d requests came back, want %d", len(back), len(want))
	}
	for i, was := range want {
		kinds := sameFields(was.Request.Head, back[i].Request.Head, "request fields")
		kinds = append(kinds, sameBody(t, was.Request, back[i].Request)...)
		kinds = slices.DeleteFunc(kinds, func(kind string) bool { return kind == "pseudo-fields" || kind == "framing" || kind == "order" })
		if len(kinds) > 0 || was.Request.Head.Get(":path") != back[i].Request.Head.Get(":path") || was.Request.Head.Get(":method") != back[i].Request.Head.Get(":method") {
			t.Errorf("%s: %v\n%v\n%v", was.ID, kinds, was.Request.Head, back[i].Request.Head)
		}
	}
}
