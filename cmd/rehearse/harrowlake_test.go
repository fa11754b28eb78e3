package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/coverage"
	data "github.com/rehearse-dev/rehearse/fixtures/harrow-lake"
	"github.com/rehearse-dev/rehearse/fixtures/scan"
	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/rehearsal"
	harrowlake "github.com/rehearse-dev/rehearse/scenarios/harrow-lake"
	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/world"
)

// worldClock stands still at the demo's moment, so that runs are the same on every day.
func worldClock() time.Time { return time.Date(2026, 10, 5, 14, 0, 0, 0, time.UTC) }

// rehearseFile runs a scenario of a workspace.
func rehearseFile(t *testing.T, file string) *rehearsal.Outcome {
	t.Helper()
	ws, scenario, err := openScenario(file)
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := rehearsal.Run(t.Context(), rehearsal.Plan{
		Scenario: scenario, Catalogue: ws.Catalogue(), ID: "test", Tool: "rehearse test", Scratch: t.TempDir(), Now: worldClock,
	})
	if err != nil {
		t.Fatalf("%s: %v (hint: %s)", file, err, harness.HintOf(err))
	}
	return outcome
}

// TestDemoWorldMeetsItsOracle rehearses every scenario of the oracle: exactly the planted findings, each with kind,
// verdict, count, people and the texts that its explanation must hold.
func TestDemoWorldMeetsItsOracle(t *testing.T) {
	dir := t.TempDir()
	if err := harrowlake.Extract(dir, data.FS()); err != nil {
		t.Fatal(err)
	}
	runs, err := harrowlake.Verdicts()
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		t.Run(strings.TrimSuffix(filepath.Base(run.Scenario), ".yaml"), func(t *testing.T) {
			r := rehearseFile(t, filepath.Join(dir, filepath.FromSlash(run.Scenario))).Report
			if code := exitCode(verdictError(r.Verdict, harness.Review)); code != run.Exit {
				t.Errorf("exit code %d, want %d: %s", code, run.Exit, r.Reason)
			}
			left := r.Findings
			for _, want := range run.Findings {
				i := indexOf(left, want)
				if i < 0 {
					t.Errorf("%s is not found as %+v", want.ID, want)
					continue
				}
				left = append(left[:i:i], left[i+1:]...)
			}
			for _, f := range left {
				t.Errorf("nobody planted this: %s %s: %s %v", f.Kind, f.Verdict, f.Sentence, f.Effects)
			}
		})
	}
}

// indexOf finds the finding that is the planted one in every respect.
func indexOf(findings []harness.Finding, want harrowlake.Planted) int {
next:
	for i, f := range findings {
		text := strings.Join([]string{f.Sentence, strings.Join(f.Effects, " "), f.Proof, f.NextStep, fmt.Sprint(f.Hit), fmt.Sprint(f.Samples), f.Source, fmt.Sprint(f.Target), f.Change}, " ")
		for _, part := range want.Contains {
			if !strings.Contains(strings.ToLower(text), strings.ToLower(part)) {
				continue next
			}
		}
		if (want.Kind == "" || f.Kind == want.Kind) && f.Verdict == want.Verdict && (want.Count == 0 || f.Count == want.Count) &&
			f.Owner == want.Owner && f.Steward == want.Steward {
			return i
		}
	}
	return -1
}

// generated is the recordings of the demo world that really running it makes, by folder below fixtures/harrow-lake, as they
// crossed.
func generated(t *testing.T) map[string]harness.Recording {
	t.Helper()
	generator := harness.Manifest{Origin: "generator"}
	return map[string]harness.Recording{
		"sis-lms-enrollment":     played(t, world.Enrollment(), "sis-lms-enrollment", "i1-sis-lms-enrollment/baseline.yaml"),
		"crm-sis-applicant":      played(t, world.Webhooks(), "crm-sis-applicant", "i2-crm-sis-applicant/baseline.yaml"),
		"crm-sis-applicant-poll": played(t, world.Poll(), "crm-sis-applicant-poll", "i2-crm-sis-applicant/poll.yaml"),
		"sis-fin-gl":             played(t, world.Ledger(), "sis-fin-gl", "i4-sis-fin-gl/baseline.yaml"),
		"hcm-identity":           played(t, world.WorkerReport(), "hcm-identity", "i3-hcm-identity/baseline.yaml"),
		"changes/hcm-r2":         harness.NewMemory(generator, world.WorkerReportR2()...),
		"changes/hcm-v44":        harness.NewMemory(generator, world.WorkerReport44()...),
		"changes/hcm-affiliates": harness.NewMemory(generator, world.WorkerReportAffiliates()...),
		"incidents/inc-2231":     played(t, world.Incident(), "crm-sis-applicant", "i2-crm-sis-applicant/baseline.yaml"),
		"changes/sis-9.32-gl":    harness.NewMemory(generator, world.LedgerCandidate932()...),
		"changes/sis-merge":      harness.NewMemory(generator, world.EnrollmentCandidateMerged()...),
		"changes/sis-9.32":       harness.NewMemory(generator, world.EnrollmentCandidate932()...),
		"sis-fin-refunds":        played(t, world.Refunds(), "sis-fin-refunds", "i4-sis-fin-gl/refunds.yaml"),
		"sis-fin-pay":            played(t, world.Pay(), "sis-fin-pay", "i4-sis-fin-gl/pay.yaml"),
		"changes/gl-cut":         harness.NewMemory(generator, world.LedgerCut()...),
		"changes/pay-rule":       harness.NewMemory(generator, world.PayByRule()...),
		"changes/pay-mixed-case": harness.NewMemory(generator, world.PayInMixedCase()...),
	}
}

// played feeds the generated exchanges to the scenario and returns what crossed.
func played(t *testing.T, feed []harness.Exchange, name, scenario string) harness.Recording {
	t.Helper()
	dir := t.TempDir()
	if err := harrowlake.Extract(dir, fstest.MapFS{}); err != nil {
		t.Fatal(err)
	}
	recordings := filepath.Join(dir, "fixtures", "harrow-lake")
	if err := os.MkdirAll(filepath.Join(recordings, "crm-sis-applicant"), 0o755); err != nil { // a scenario that others extend names it
		t.Fatal(err)
	}
	recording := filepath.Join(recordings, name)
	publish(t, recording, harness.NewMemory(harness.Manifest{Origin: "generator"}, feed...), "policy.yaml")
	outcome := rehearseFile(t, filepath.Join(dir, "scenarios", "harrow-lake", filepath.FromSlash(scenario)))
	return steadied(t, outcome.Candidate)
}

// steadied takes away what differs from run to run by nature: how long calls took, and the ports of the stage.
func steadied(t *testing.T, rec harness.Recording) harness.Recording {
	t.Helper()
	list, err := harness.Collect(rec)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		x := &list[i]
		x.Took = 0
		if x.Request.Head.Has("Host") {
			x.Request.Head = x.Request.Head.With("Host", x.To+".hlu.example")
		}
	}
	return harness.NewMemory(rec.Manifest(), list...)
}

// policyOf is the policy of the world for a recording. Everything is invented, hence its own keeps everything; an incident
// is scrubbed as that of a real applicant would be.
func policyOf(name string) string {
	if strings.HasPrefix(name, "incidents/") {
		return "incident-policy.yaml"
	}
	return "policy.yaml"
}

// worldKey is a key that everybody knows.
func worldKey(t *testing.T) *scrub.Key {
	t.Helper()
	key, err := scrub.ParseKey([]byte("rehearse-key-1 " + strings.Repeat("Q", 42) + "Q\n"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// publish scrubs a recording into a new folder under a policy of the world, as the verbs do: with the proof, which is the
// same each time.
func publish(t *testing.T, dir string, rec harness.Recording, policyFile string) {
	t.Helper()
	text, err := fs.ReadFile(harrowlake.FS(), policyFile)
	if err != nil {
		t.Fatal(err)
	}
	s := scrubbing{key: worldKey(t), register: scan.NewRegister()}
	if s.policy, err = scrub.ParsePolicy(policyFile, text); err != nil {
		t.Fatal(err)
	}
	s.coverage = coverage.New(s.policy)
	s.scrubber = scrub.New(s.policy, s.key, scrub.WithWitness(s.register.Witness), scrub.WithAudit(s.coverage.Compare))
	w, err := fixtures.Create(dir, harness.Manifest{Origin: rec.Manifest().Origin, Tool: "rehearse"})
	if err != nil {
		t.Fatal(err)
	}
	st := &store{Writer: w, scrubbing: s, proof: &proof{scrubbing: s, out: t.Output()}}
	w.Prove(st.proof.prove)
	if err := st.fill(t.Context(), replayed{rec}, true); err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
}

// TestFixturesAreWhatTheWorldMakes compares the recordings in the repository with freshly made ones, byte for byte.
// With -update it writes them.
func TestFixturesAreWhatTheWorldMakes(t *testing.T) {
	root := filepath.Join("..", "..", "fixtures", "harrow-lake")
	for name, rec := range generated(t) {
		fresh := filepath.Join(t.TempDir(), "fresh")
		publish(t, fresh, rec, policyOf(name))
		kept := filepath.Join(root, filepath.FromSlash(name))
		if *update {
			if err := os.RemoveAll(kept); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(kept, os.DirFS(fresh)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if d := cmp.Diff(withoutFigures(tree(t, kept)), withoutFigures(tree(t, fresh))); d != "" {
			t.Errorf("%s is stale; run go test ./cmd/rehearse -run FixturesAre -update (-kept +fresh)\n%s", name, d)
		}
	}
}

// figures are how much a search looked at and what it was tested with, which grow with the search, and the checksum over them.
var figures = regexp.MustCompile(`(?m)^  (method|searched|depth|unpacked|canaries|restored): .*\n|^  encodings:\n(    .*\n)*|^checksum: .*\n`)

func withoutFigures(files map[string]string) map[string]string {
	files["recording.yaml"] = figures.ReplaceAllString(files["recording.yaml"], "")
	return files
}

// tree reads a folder into a map.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		files[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestIncidentHoldsNothingOfTheApplicant looks for the real person of incident INC-2231 in every file that is stored of it.
func TestIncidentHoldsNothingOfTheApplicant(t *testing.T) {
	a := world.IncidentApplication()
	plain, _, _ := strings.Cut(a.First, " ")
	surname, _, _ := strings.Cut(a.Last, "-")
	files := tree(t, filepath.Join("..", "..", "fixtures", "harrow-lake", "incidents", "inc-2231"))
	if len(files) < 3 {
		t.Fatalf("the recording has %d files", len(files))
	}
	for name, content := range files {
		for _, secret := range []string{a.ID, a.Last, surname, plain, a.Email, a.Birth, a.StudentID} {
			for _, spelled := range []string{secret, strings.ToUpper(secret), url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)), hex.EncodeToString([]byte(secret))} {
				if strings.Contains(content, spelled) || strings.Contains(name, spelled) {
					t.Errorf("%s holds %q", name, spelled)
				}
			}
		}
	}
}
