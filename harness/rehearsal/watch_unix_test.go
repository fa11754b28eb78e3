//go:build unix

package rehearsal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/database/databasetest"
)

// One scenario compares what the service answers, what it writes into a table and what it leaves in a folder.
func TestAPIAndFileAndTableInOneScenario(t *testing.T) {
	server := databasetest.Postgres(t)
	server.Do(t, `CREATE TABLE gl (id text PRIMARY KEY, account text, amount numeric(12,2))`)
	t.Setenv("GL_PASSWORD", server.Password)
	dir := t.TempDir()
	plan := func(recording, plant string) Plan {
		drop := filepath.Join(dir, "drop")
		server.Do(t, `DELETE FROM gl`)
		if err := os.RemoveAll(drop); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(drop, 0o700); err != nil {
			t.Fatal(err)
		}
		return Plan{
			Scenario: harness.Scenario{
				Name: "Ledger", File: filepath.Join(dir, "ledger.yaml"), Root: dir, Recording: recording,
				Target: harness.TargetSpec{
					System:  "fin",
					Process: &harness.ProcessSpec{Run: []string{"rehearse", "as-ledger"}, Env: map[string]string{"LEDGER": server.Source, "DROP": drop, "PLANT": plant}, Wait: harness.Duration(time.Minute)},
					Watch: []harness.WatchSpec{
						{System: "gl", Table: &harness.WatchTable{Source: server.Source, Password: "env:GL_PASSWORD", Tables: []string{"gl"}}},
						{System: "bank", Files: &harness.WatchFiles{Dir: "drop", Settle: harness.Duration(50 * time.Millisecond)}},
					},
				},
			},
			ID: "ledger", Tool: "test", Scratch: t.TempDir(), Now: time.Now,
		}
	}
	save := func(name string, rec *harness.Memory) {
		if err := fixtures.Save(filepath.Join(dir, name), rec); err != nil {
			t.Fatal(err)
		}
	}
	run := func(recording, plant string) *Outcome {
		outcome, err := Run(t.Context(), plan(recording, plant))
		if err != nil {
			t.Fatalf("%v\nhint: %s", err, harness.HintOf(err))
		}
		return outcome
	}
	var payments []harness.Exchange
	for i, amount := range []string{"12.50", "0.10"} {
		payments = append(payments, harness.Exchange{
			Session: fmt.Sprintf("P-%d", i), Channel: harness.ChannelHTTP, From: "portal", To: "fin", At: time.Date(2026, 9, 1, 8, 0, i, 0, time.UTC),
			Request: harness.Message{
				Head:  harness.Head{{Name: ":method", Value: "POST"}, {Name: ":path", Value: "/payments"}, {Name: "Content-Type", Value: "application/json"}},
				Media: "application/json", Body: harness.BytesBody(fmt.Appendf(nil, `{"id":"P-%d","amount":%s}`, i, amount)),
			},
		})
	}
	manifest := harness.Manifest{Origin: "test", Scrub: harness.ScrubSeal{Policy: "sha256:p", Key: "k"}}
	save("fed", harness.NewMemory(manifest, payments...))
	normal, err := harness.Collect(run("fed", "").Candidate)
	if err != nil {
		t.Fatal(err)
	}
	channels := map[string]int{}
	for _, x := range normal {
		channels[x.Channel]++
	}
	if channels[harness.ChannelHTTP] != 2 || channels[harness.ChannelFile] != 2 || channels[harness.ChannelTable] != 1 {
		t.Fatalf("what crossed: %v, answers %s", channels, answersOf(t, normal))
	}
	save("normal", harness.NewMemory(manifest, normal...))
	if r := run("normal", "").Report; len(r.Findings) > 0 {
		t.Fatalf("the same release: %+v", r.Findings)
	}
	for plant, want := range map[string]string{"api": "queued", "file": "12.500", "table": "4712"} {
		r := run("normal", plant).Report
		found := false
		for _, f := range r.Findings {
			for _, d := range f.Differences {
				found = found || strings.Contains(d.Is.Text, want)
			}
		}
		if len(r.Findings) != 1 || !found {
			t.Errorf("a change in the %s: %d findings, want one with %s: %+v", plant, len(r.Findings), want, r.Findings)
		}
	}
}

func answersOf(t *testing.T, xs []harness.Exchange) string {
	var b strings.Builder
	for _, x := range xs {
		fmt.Fprintf(&b, "%s %v %s\n", x.Operation(), x.Fault, bodyOf(t, x.Response))
	}
	return b.String()
}

// A place that cannot be watched ends the run before anything is fed.
func TestWhatCannotBeWatched(t *testing.T) {
	dir := t.TempDir()
	rec := harness.NewMemory(harness.Manifest{Origin: "test", Scrub: harness.ScrubSeal{Policy: "sha256:p", Key: "k"}}, harness.Exchange{
		Session: "a", Channel: harness.ChannelFile, From: "sis", To: "fin", At: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC),
		Request: harness.Message{Head: harness.Head{{Name: ":name", Value: "a.csv"}}, Body: harness.BytesBody([]byte("a\n"))},
	})
	if err := fixtures.Save(filepath.Join(dir, "fed"), rec); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		why   string
		watch harness.WatchSpec
		class harness.Class
	}{
		{"no folder", harness.WatchSpec{System: "bank", Files: &harness.WatchFiles{Dir: "nowhere"}}, harness.ClassUsage},
		{"nobody listens", harness.WatchSpec{System: "gl", Table: &harness.WatchTable{Source: "postgres://loader@127.0.0.1:1/gl", Tables: []string{"gl"}}}, harness.ClassCannotRun},
		{"a host that is not named", harness.WatchSpec{System: "gl", Table: &harness.WatchTable{Source: "postgres://loader@gl.example/gl", Tables: []string{"gl"}}}, harness.ClassRefused},
		{"no password", harness.WatchSpec{System: "gl", Table: &harness.WatchTable{Source: "postgres://loader@127.0.0.1:1/gl", Password: "env:NOT_SET_ANYWHERE", Tables: []string{"gl"}}}, harness.ClassUsage},
	} {
		fed := false
		_, err := Run(t.Context(), Plan{
			Scenario: harness.Scenario{Name: "W", File: filepath.Join(dir, "w.yaml"), Root: dir, Recording: "fed", Target: harness.TargetSpec{
				System: "fin", Watch: []harness.WatchSpec{tt.watch},
				Func: func(context.Context, harness.Exchange) (harness.Handed, error) {
					fed = true
					return harness.Handed{}, nil
				},
			}},
			ID: "w", Tool: "test", Scratch: t.TempDir(), Now: time.Now,
		})
		if err == nil || harness.ClassOf(err) != tt.class || harness.HintOf(err) == "" || fed {
			t.Errorf("%s: fed %v, class %v, %v", tt.why, fed, harness.ClassOf(err), err)
		}
	}
}
