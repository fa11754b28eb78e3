package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	data "github.com/rehearse-dev/rehearse/fixtures/harrow-lake"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/rehearsal"
	"github.com/rehearse-dev/rehearse/harness/target/container/images"
	harrowlake "github.com/rehearse-dev/rehearse/scenarios/harrow-lake"
)

// programImage is an image of this program. Several test binaries may run at the same time.
var programImage = fmt.Sprintf("rehearse-test:program-%d", os.Getpid())

// makeProgramImage builds the image for the test.
func makeProgramImage(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	images.Build(t, programImage, filepath.Join(dir, images.Context(t, dir, modulePath+"/cmd/rehearse", "EXPOSE 8080")))
	t.Cleanup(func() {
		if err := images.Remove(programImage); err != nil {
			t.Error(err)
		}
	})
}

// inContainer is a command line of this program in a container. The workspace lies where the program runs.
func inContainer(root string, run []string) *harness.ContainerSpec {
	spec := &harness.ContainerSpec{Image: programImage, Pull: harness.PullNever, Folder: "/world", Mounts: []harness.MountSpec{{From: ".", To: "/world"}}}
	for _, word := range run[1:] {
		spec.Command = append(spec.Command, strings.ReplaceAll(word, root, "/world"))
	}
	return spec
}

// contain puts everything that a scenario starts into containers.
func contain(s *harness.Scenario) {
	server := func(p *harness.ProcessSpec) *harness.ContainerSpec {
		spec := inContainer(s.Root, p.Run)
		spec.Command = append(spec.Command, "--contained")
		spec.Env, spec.Port, spec.Ready = p.Env, 8080, &harness.ReadySpec{Path: p.Ready}
		return spec
	}
	if p := s.Target.Process; p != nil {
		s.Target.Container, s.Target.Process = server(p), nil
	}
	if c := s.Target.Command; c != nil {
		spec := inContainer(s.Root, c.Run)
		spec.Mode, spec.To, spec.Output, spec.Env, spec.Network = harness.ContainerOnce, c.To, c.Output, c.Env, harness.NetworkNone
		s.Target.Container, s.Target.Command = spec, nil
	}
	ups := map[string]harness.Upstream{}
	for system, up := range s.Upstreams {
		if p := up.Process; p != nil {
			up = harness.Upstream{Container: server(p)}
		}
		ups[system] = up
	}
	s.Upstreams = ups
}

// asLines makes the runner a program in a container that maps JSON Lines, and puts the live systems around it into
// containers too.
func asLines(s *harness.Scenario) {
	var run []string
	for _, word := range s.Target.Process.Run {
		switch word {
		case "--listen", "{listen}": // nobody calls it
		case "serve":
			run = append(run, "map")
		default:
			run = append(run, word)
		}
	}
	contain(s)
	spec := inContainer(s.Root, run)
	spec.Mode = harness.ContainerLines
	s.Target.Container = spec
}

// What a ledger feed is in PostgreSQL: the lines of the file that came, in a table, and a view of it that is handed on.
const (
	ledgerTables = "CREATE TABLE feed (number char(9) PRIMARY KEY, line text NOT NULL);\n"
	ledgerView   = "CREATE VIEW ledger AS SELECT number, line FROM feed;\n"
)

// inDatabase makes a relay of files a view of a database in a container.
func inDatabase(t *testing.T, s *harness.Scenario, image string) {
	t.Helper()
	for name, text := range map[string]string{"tables.sql": ledgerTables, "view.sql": ledgerView} {
		if err := os.WriteFile(filepath.Join(s.Root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := s.Target.Command
	s.Target.Command = nil
	s.Target.Containers = []harness.ContainerSpec{{Name: "db", Image: image, Pull: harness.PullNever, Ready: &harness.ReadySpec{Log: "database system is ready to accept connections"}}}
	s.Target.SQL = &harness.SQLSpec{
		Source: "postgres://postgres@{container.db}/postgres", Setup: []string{"tables.sql"}, Run: []string{"view.sql"}, To: c.To,
		Load: []harness.SQLLoad{{From: "*", Table: "feed", Lines: true}},
		Dump: []harness.SQLDump{{Table: "ledger", Key: []string{"number"}, Output: c.Output, Lines: true}},
	}
}

// meetOracle rehearses the runs of the oracle to which another target applies, at least so many: what is found must be the
// same, and the report must name the image.
func meetOracle(t *testing.T, least int, image string, target func(*harness.Scenario) bool) {
	t.Helper()
	dir := t.TempDir()
	if err := harrowlake.Extract(dir, data.FS()); err != nil {
		t.Fatal(err)
	}
	runs, err := harrowlake.Verdicts()
	if err != nil {
		t.Fatal(err)
	}
	met := 0
	for _, run := range runs {
		ws, scenario, err := openScenario(filepath.Join(dir, filepath.FromSlash(run.Scenario)))
		if err != nil {
			t.Fatal(err)
		}
		if !target(&scenario) {
			continue
		}
		met++
		t.Run(strings.TrimSuffix(filepath.Base(run.Scenario), ".yaml"), func(t *testing.T) {
			outcome, err := rehearsal.Run(t.Context(), rehearsal.Plan{
				Scenario: scenario, Catalogue: ws.Catalogue(), ID: "contained", Tool: "rehearse test", Scratch: t.TempDir(), Now: worldClock,
			})
			if err != nil {
				t.Fatalf("%v\nhint: %s", err, harness.HintOf(err))
			}
			for _, problem := range run.Check(outcome.Report.Findings) {
				t.Error(problem)
			}
			if said := outcome.Report.Target + strings.Join(outcome.Report.Notes, "\n"); !strings.Contains(said, image+" (sha256:") {
				t.Errorf("the report names no image: %s", said)
			}
		})
	}
	if met < least {
		t.Errorf("only %d scenarios of the oracle", met)
	}
}

// TestContainersMeetTheOracle rehearses what the demo world starts as programs, with every program in a container: the
// service of I2 and I3, the live systems around them, the mapping of I4.
func TestContainersMeetTheOracle(t *testing.T) {
	makeProgramImage(t)
	meetOracle(t, 10, programImage, func(s *harness.Scenario) bool {
		applies := s.Target.Process != nil || s.Target.Command != nil && s.Target.Command.Run[0] == "rehearse"
		contain(s)
		return applies
	})
}

// TestWorkersByJSONLinesInAContainerMeetTheOracle rehearses the runner of I3 as a program that is fed line by line.
func TestWorkersByJSONLinesInAContainerMeetTheOracle(t *testing.T) {
	makeProgramImage(t)
	meetOracle(t, 5, programImage, func(s *harness.Scenario) bool {
		applies := s.Target.Process != nil && slices.Contains(s.Target.Process.Run, "--identity")
		if applies {
			asLines(s)
		}
		return applies
	})
}

// TestLedgerOnPostgreSQLInAContainerMeetsTheOracle rehearses the feeds of I4 with a view of PostgreSQL as the runner.
func TestLedgerOnPostgreSQLInAContainerMeetsTheOracle(t *testing.T) {
	image := images.PostgreSQL(t)
	meetOracle(t, 7, image, func(s *harness.Scenario) bool {
		applies := s.Target.Command != nil && slices.Equal(s.Target.Command.Run, []string{"rehearse", "demo", "relay"})
		if applies {
			inDatabase(t, s, image)
		}
		return applies
	})
}
