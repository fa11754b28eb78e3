package fakes

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/world"
)

// deliver posts a report to the runner, with an identity system behind it, and returns the answer and what crossed.
func deliver(t *testing.T, report []harness.Exchange, tables string) (answer string, calls []crossing) {
	t.Helper()
	tw := &town{}
	identity := tw.watch(t, KeystoneIdentity(world.WorkersCycle), nil)
	hub, err := Handler("hubline", Options{Identity: identity, Tables: tables})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(hub)
	t.Cleanup(server.Close)
	body, err := report[0].Request.Body.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(server.URL+"/reports/workers", "text/xml; charset=utf-8", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status + " " + string(b), tw.seen
}

func counted(calls []crossing, request, response string) (n int) {
	for _, c := range calls {
		if strings.Contains(c.request, request) && strings.HasPrefix(c.response, response) {
			n++
		}
	}
	return n
}

func TestReportsBecomeAccountsAndEntries(t *testing.T) {
	answer, calls := deliver(t, world.WorkerReport(), "")
	if answer != `200 OK {"status":"passed on","passed":12,"failed":[]}` {
		t.Errorf("answer %s", answer)
	}
	for _, tc := range []struct {
		request, response string
		want              int
		why               string
	}{
		{"POST /scim/v2/Users ", "201", 5, "hires"},
		{"PATCH /scim/v2/Users/", "200", 7, "changes and terminations"},
		{"POST /directory/modify", "200", 12, "one operation for each"},
		{`"path":"active","value":false`, "200", 3, "terminations, true and false as such"},
		{`"startDate":"2026-08-17"`, "201", 2, "days stay days"},
		{`"affiliation":["student","employee","member"]`, "201", 1, "two affiliations in one code"},
		{`"affiliation":["affiliate"]`, "201", 1, "affiliates are no members"},
		{`{"dn":"uid=ostrand,ou=people,dc=hlu,dc=example","changes":[{"operation":"add","attribute":"employeeNumber","values":["W100007"]},{"operation":"add","attribute":"eduPersonAffiliation","values":["staff","employee","member"]}]}`, "200", 1, "the entry of a hire"},
		{`"attribute":"nsAccountLock","values":["TRUE"]`, "200", 3, "locks of the directory"},
	} {
		if n := counted(calls, tc.request, tc.response); n != tc.want {
			t.Errorf("%s: %d calls with %s are answered %s, want %d", tc.why, n, tc.request, tc.response, tc.want)
		}
	}
}

func TestReleaseR2(t *testing.T) {
	answer, calls := deliver(t, world.WorkerReportR2(), "")
	if answer != `502 Bad Gateway {"status":"failed in part","passed":9,"failed":["W100005","W100006","W100012"]}` {
		t.Errorf("answer %s", answer)
	}
	if n := counted(calls, `"path":"active","value":"False"`, "400"); n != 3 {
		t.Errorf("D09: %d terminations refused, want 3", n)
	}
	if n := counted(calls, "nsAccountLock", "200"); n != 0 {
		t.Errorf("D09: %d entries locked although the account stays active", n)
	}
	if n := counted(calls, `"startDate":"2026-08-16"`, "201"); n != 2 {
		t.Errorf("D10: %d hires of the 17th start on the 16th, want 2", n)
	}

	tables := t.TempDir()
	for name, text := range map[string]string{
		"active.csv": "hcm,active\n1,true\n0,false\nTrue,true\nFalse,false\n",
		"dates.csv":  "field,reading\nHire_Date,as written\n",
	} {
		if err := os.WriteFile(filepath.Join(tables, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	answer, calls = deliver(t, world.WorkerReportR2(), tables)
	if !strings.HasPrefix(answer, "200 ") || counted(calls, `"path":"active","value":false`, "200") != 3 || counted(calls, `"startDate":"2026-08-17"`, "201") != 2 {
		t.Errorf("after the fix: %s", answer)
	}
}

func TestTablesThatMakeNoSenseAreRefused(t *testing.T) {
	tables := t.TempDir()
	for text, want := range map[string]string{"field,reading\nHire_Date,Mars/Olympus\n": "no reading of Hire_Date", "field,reading\nHire_Date\n": "read crosswalk"} {
		if err := os.WriteFile(filepath.Join(tables, "dates.csv"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Handler("hubline", Options{Identity: "http://127.0.0.1:1", Tables: tables})
		if err == nil || !strings.Contains(err.Error(), want) || harness.HintOf(err) == "" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestKeystoneIsStrict(t *testing.T) {
	keystone := KeystoneIdentity(world.WorkersCycle)
	user := `{"schemas":["` + userSchema + `"],"externalId":"W200001","userName":"x","name":{"givenName":"A","familyName":"B"},"active":%s,"` +
		enterpriseSchema + `":{"employeeNumber":"W200001","department":"1"},"` + personSchema + `":{"startDate":%s,"affiliation":["staff"]}}`
	with := func(active, start string) string {
		return strings.Replace(strings.Replace(user, "%s", active, 1), "%s", start, 1)
	}
	leaver := "/scim/v2/Users/" + accountID("W100005")
	for _, tc := range []struct {
		method, path, body string
		want               int
		why                string
	}{
		{"POST", "/scim/v2/Users", with("true", `"2026-08-17"`), 201, "right types"},
		{"POST", "/scim/v2/Users", with("true", `"2026-08-17"`), 409, "an account for each worker"},
		{"POST", "/scim/v2/Users", with(`"True"`, `"2026-08-17"`), 400, "a text is not true"},
		{"POST", "/scim/v2/Users", with("1", `"2026-08-17"`), 400, "a number is not true"},
		{"POST", "/scim/v2/Users", with("true", `"2026-08-17T00:00:00Z"`), 400, "an instant is no day"},
		{"PATCH", leaver, `{"Operations":[{"op":"replace","path":"active","value":false}]}`, 200, "off"},
		{"PATCH", leaver, `{"Operations":[{"op":"replace","path":"active","value":"False"}]}`, 400, "a text is not false"},
		{"PATCH", leaver, `{"Operations":[{"op":"remove","path":"active"}]}`, 400, "not offered"},
		{"PATCH", "/scim/v2/Users/nobody", `{"Operations":[{"op":"replace","path":"active","value":false}]}`, 404, "no such account"},
		{"POST", "/directory/modify", `{"dn":"uid=x","changes":[{"operation":"replace","attribute":"nsAccountLock","values":["False"]}]}`, 400, "LDAP spells it FALSE"},
	} {
		if w := ask(keystone, tc.method, tc.path, tc.body); w.Code != tc.want {
			t.Errorf("%s: %s %s answered %d %s, want %d", tc.why, tc.method, tc.path, w.Code, w.Body, tc.want)
		}
	}
}

func TestSISFailsOnLongNamesBesideWideCharacters(t *testing.T) {
	long := strings.Repeat("x", 61)
	for _, tc := range []struct {
		release, last, first string
		want                 int
		why                  string
	}{
		{world.SISBefore, long, "Ana 🌻", 500, "the bug of incident INC-2231"},
		{world.SISBefore, long, "Ana", 201, "long names alone are cut"},
		{world.SISBefore, long[:60], "Ana 🌻", 201, "a name that fits is not cut"},
		{world.SISAfter, long, "Ana 🌻", 201, "9.32 mended it"},
	} {
		sis, err := Handler("sis", Options{Release: tc.release})
		if err != nil {
			t.Fatal(err)
		}
		body := strings.NewReplacer("Adeyemi", tc.last, "Funmi", tc.first).Replace(whole)
		if w := ask(sis, "POST", "/api/admission-applications", body); w.Code != tc.want {
			t.Errorf("%s: answered %d %s, want %d", tc.why, w.Code, w.Body, tc.want)
		}
	}
}

func TestPollFollowsLinksWhenItIsTold(t *testing.T) {
	for _, tc := range []struct {
		release string
		follow  bool
		want    string
	}{
		{world.CRMBefore, false, `"read":74`}, {world.CRMAfter, false, `"read":50`}, {world.CRMAfter, true, `"read":74`},
	} {
		tw := &town{}
		crm, err := Handler("crm", Options{Release: tc.release})
		crmURL := tw.watch(t, crm, err)
		hub, err := Handler("hubline", Options{CRM: crmURL, SIS: crmURL, FollowLinks: tc.follow})
		if err != nil {
			t.Fatal(err)
		}
		if w := ask(hub, "POST", "/jobs/poll", ""); !strings.Contains(w.Body.String(), tc.want) {
			t.Errorf("CRM %s, follow %v: %s, want %s", tc.release, tc.follow, w.Body, tc.want)
		}
	}
}
