package incident

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

func call(id, body, status string) harness.Exchange {
	return harness.Exchange{ID: id, Session: "night-shift", Channel: harness.ChannelHTTP, From: "hubline", To: "sis", At: time.Date(2026, 10, 7, 14, 10, 12, 0, time.UTC),
		Request: harness.Message{Head: harness.Head{{Name: ":method", Value: "POST"}, {Name: ":path", Value: "/people?source=it's"}, {Name: "Host", Value: "sis.hlu.example"}, {Name: "Content-Type", Value: "application/json"}},
			Media: "application/json", Body: harness.BytesBody([]byte(body))},
		Response: harness.Message{Head: harness.Head{{Name: ":status", Value: status}}, Media: "application/json", Body: harness.BytesBody([]byte(`{"error":"split"}`))}}
}

func TestOdditiesNameWhatOnlyTheFailingMessageHas(t *testing.T) {
	healthy := NewHealthy()
	for i := range 12 {
		body := fmt.Sprintf(`{"last":"Strand%d","first":"Zoë","status":"%s","gpa":3.%d,"email":"a@b.example"}`, i, []string{"RE", "RW", "AU"}[i%3], i)
		if err := healthy.Read(harness.NewMemory(harness.Manifest{}, call(fmt.Sprint(i), body, "201")), "sis", "POST /people"); err != nil {
			t.Fatal(err)
		}
	}
	if err := healthy.Read(harness.NewMemory(harness.Manifest{}, call("x", `{"status":"RH","last":"","more":1}`, "500")), "sis", "POST /people"); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, was, left, want, why string }{
		{"like the others", `{"last":"Strand1","first":"Zoë","status":"RE","gpa":3.1,"email":"a@b.example"}`, `{"last":"Strand1"}`, "", "nothing is odd"},
		{"a code", `{"last":"Strand1","first":"Zoë","status":"RH","gpa":3.1,"email":"a@b.example"}`, `{"status":"RH"}`, "F01 status", "the others have three values"},
		{"a code that was taken away", `{"last":"Strand1","first":"Zoë","status":"RH","gpa":3.1,"email":"a@b.example"}`, `{"last":"S"}`, "", "it does not matter for the failure"},
		{"a name", `{"last":"Nunez","first":"Zoë","status":"RE","gpa":3.1,"email":"a@b.example"}`, `{"last":"Nunez"}`, "", "names are all different"},
		{"a long name", `{"last":"Featherstonehaugh","first":"Zoë","status":"RE","gpa":3.1,"email":"a@b.example"}`, `{"last":"Featherstone"}`, "F20 last", "its length before it was cut"},
		{"an emoji", `{"last":"Strand1","first":"Z🌻","status":"RE","gpa":3.1,"email":"a@b.example"}`, `{"first":"🌻"}`, "F11 first", "no other is beyond the basic plane"},
		{"a type", `{"last":"Strand1","first":"Zoë","status":"RE","gpa":"3.1","email":"a@b.example"}`, `{"gpa":"3"}`, "F04 gpa", "text for a number"},
		{"empty", `{"last":"","first":"Zoë","status":"RE","gpa":3.1,"email":"a@b.example"}`, `{"last":""}`, "F21 last", "no other is"},
		{"missing", `{"last":"Strand1","first":"Zoë","status":"RE","gpa":3.1}`, `{"last":"Strand1"}`, "F03 email", "all others have it"},
		{"more", `{"last":"Strand1","first":"Zoë","status":"RE","gpa":3.1,"email":"a@b.example","pronouns":"they"}`, `{"pronouns":"they"}`, "F13 pronouns", "no other has it"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, o := range healthy.Oddities(call("f", tc.was, "500").Request, call("f", tc.left, "500").Request) {
				got = append(got, o.Kind+" "+o.Field)
			}
			if text := strings.Join(got, ", "); text != tc.want {
				t.Errorf("%s: %q, want %q", tc.why, text, tc.want)
			}
		})
	}
}

func sample() Incident {
	return Incident{
		Title: "Applicants, incident INC-2231", Failure: "POST /people is answered 500: split", Operation: "POST /people", At: time.Date(2026, 10, 7, 14, 10, 12, 0, time.UTC),
		System: "sis", Exchanges: []harness.Exchange{call("000017", `{"last":"it's|<b>"}`, "500")}, FailingID: "000017", Fields: 1, Healthy: 3,
		Odd:         []Oddity{{"F20", "last", "is 61 characters long; the longest elsewhere is 30"}},
		Integration: harness.Integration{Name: "crm-sis-applicant", Owner: "priya", Steward: "kim", Runbook: "https://wiki.hlu.example/x"},
		Catalogue: harness.Catalogue{Systems: map[string]harness.System{"sis": {Name: "sis", Title: "Atrium SIS", Version: "9.31", Support: "support@atrium.example"}},
			People: map[string]harness.Person{"priya": {Key: "priya", Name: "Priya Raman", Email: "priya.raman@hlu.example", Phone: "555-0112"}}},
		Recording: "fixtures/incidents/inc-2231", Scenario: "scenarios/inc-2231/scenario.yaml", Tool: "rehearse 1.0",
	}
}

func TestABundleHoldsWhatAVendorNeedsAndNoNameOfTheHouse(t *testing.T) {
	var first, second bytes.Buffer
	if err := Bundle(&first, sample()); err != nil {
		t.Fatal(err)
	}
	if err := Bundle(&second, sample()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the bytes differ from run to run")
	}
	z, err := zip.NewReader(bytes.NewReader(first.Bytes()), int64(first.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	var names []string
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name], names = string(b), append(names, f.Name)
	}
	if want := []string{"README.md", "01-request.http", "01-body.json", "01-answer.http"}; !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
	all := strings.Join([]string{files["README.md"], files["01-request.http"], files["01-answer.http"]}, "\n")
	for _, house := range []string{"hlu", "hubline", "priya", "Priya", "night-shift", "crm-sis", "INC-2231", "fixtures/", "scenarios/", "000017"} {
		if strings.Contains(all, house) {
			t.Errorf("the bundle names %s", house)
		}
	}
	for _, needed := range []string{"Atrium SIS", "9.31", "2026-10-07 14:10:12", "answered 500", "61 characters"} {
		if !strings.Contains(files["README.md"], needed) {
			t.Errorf("README.md lacks %s", needed)
		}
	}
	if want := "POST /people?source=it's HTTP/1.1\r\nHost: your-test-instance.example\r\nContent-Type: application/json\r\n\r\n{\"last\":\"it's|<b>\"}"; files["01-request.http"] != want {
		t.Errorf("request %q", files["01-request.http"])
	}
	runsCommand(t, files)
}

// What a mapping of the house gives up on says where it lies; a bundle does not.
func TestABundleOfAMappingThatGivesUpNamesNoFileOfTheHouse(t *testing.T) {
	in := sample()
	fed := call("1", "", "")
	fed.Channel, fed.Response = harness.ChannelFile, harness.Message{}
	fed.Request = harness.Message{Head: harness.Head{{Name: ":name", Value: "registrations.csv"}}, Media: "text/csv", Body: harness.BytesBody([]byte("ID\nH1\n"))}
	gaveUp := harness.Exchange{Channel: harness.ChannelFile, From: "sis", To: "lms", Fault: &harness.Fault{Kind: "failed", Detail: "scenarios/mapping/enrollments.jq: no number"},
		Request: harness.Message{Head: harness.Head{{Name: ":name", Value: "lms/enrollments.csv"}}}}
	in.Exchanges, in.FailingID, in.Odd = []harness.Exchange{fed, gaveUp}, "", nil
	in.Operation, in.Failure = "lms/enrollments.csv", "lms/enrollments.csv fails: failed: scenarios/mapping/enrollments.jq: no number"
	if page := readme(in); strings.Contains(page, "scenarios/") || !strings.Contains(page, "hand over 01-request.csv") || strings.Contains(page, "02-") {
		t.Errorf("the page of the bundle:\n%s", page)
	}
	if page := RootCause(in); !strings.Contains(page, "| [0].ID | H1 |") || !strings.Contains(page, "enrollments.jq: no number") {
		t.Errorf("the page of the root cause:\n%s", page)
	}
}

// runsCommand runs the command of the README in a shell, with a curl that prints its arguments.
func runsCommand(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "curl"), []byte("#!/bin/sh\nprintf '<%s>' \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, script, _ := strings.Cut(files["README.md"], "```\n")
	script, _, _ = strings.Cut(script, "```")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if want := "<-i><-X><POST><-H><Content-Type: application/json><--data-binary><@01-body.json><https://your-test-instance.example/people?source=it's>"; err != nil || string(out) != want {
		t.Errorf("the command of the README: %s, %v", out, err)
	}
}

func TestTheRootCausePageIsFilledInWithWhatIsKnown(t *testing.T) {
	page := RootCause(sample())
	for _, known := range []string{"| owner | Priya Raman | priya.raman@hlu.example, 555-0112 |", "| vendor | Atrium SIS 9.31 | support@atrium.example |",
		"| 2026-10-07 14:10:12 | **fails** hubline → sis: POST /people?source=it's | 500 |", "- F20: `last` is 61 characters long", `| last | it's\|&lt;b> |`,
		"rehearse run scenarios/inc-2231/scenario.yaml --expect-failure", toFill} {
		if !strings.Contains(page, known) {
			t.Errorf("the page lacks %q:\n%s", known, page)
		}
	}
}
