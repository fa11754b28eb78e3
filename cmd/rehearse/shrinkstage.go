package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/rehearsal"
	"github.com/rehearse-dev/rehearse/harness/replay/correlate"
	"github.com/rehearse-dev/rehearse/harness/shrink"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// shrinkStage replays parts of a recording, each in a scratch folder of its own. It is safe for concurrent use.
type shrinkStage struct {
	app      *app
	ws       *scenarios.Workspace
	scenario harness.Scenario
	seal     harness.ScrubSeal
	dir      string // absolute

	mu   sync.Mutex
	n    int           // replays so far
	took time.Duration // of all of them
	told time.Time     // when the last line of progress was
}

func newShrinkStage(ws *scenarios.Workspace, s harness.Scenario, baseline *fixtures.Recording, a *app) (*shrinkStage, error) {
	dir, err := os.MkdirTemp("", "rehearse-shrink-")
	if err != nil {
		return nil, fmt.Errorf("shrink: %w", err)
	}
	if s.Clock.IsZero() { // of the whole recording: that of a part would move with it
		s.Clock = baseline.Manifest().From
	}
	s.Replay.Pace, s.Replay.MaxGap = harness.Pace{}, 0 // as fast as the target answers
	return &shrinkStage{app: a, ws: ws, scenario: s, seal: baseline.Manifest().Scrub, dir: dir, told: a.now()}, nil
}

func (s *shrinkStage) remove() { os.RemoveAll(s.dir) } //nolint:errcheck // a scratch folder that stays does no harm

// replay feeds the exchanges as the scenario would and returns what crossed.
func (s *shrinkStage) replay(ctx context.Context, list []harness.Exchange) (harness.Recording, error) {
	began := s.app.now()
	scratch, err := os.MkdirTemp(s.dir, "run-")
	if err != nil {
		return nil, fmt.Errorf("shrink: %w", err)
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // see remove
	plan := rehearsal.Plan{Scenario: s.scenario, Catalogue: s.ws.Catalogue(), ID: "shrink", Tool: s.app.tool(), Scratch: scratch, Watcher: watcher(), Now: s.app.now, Incident: true}
	crossed, err := rehearsal.Replay(ctx, plan, harness.NewMemory(harness.Manifest{Origin: "shrink", Scrub: s.seal}, list...))
	if err != nil {
		return nil, err
	}
	crossed, err = detached(crossed)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n, s.took = s.n+1, s.took+s.app.now().Sub(began)
	return crossed, err
}

// pause is the time between two lines of progress.
const pause = 5 * time.Second

// progress is a line about how far the search is, with an estimate from the runs so far; empty while it is too early for
// another one.
func (s *shrinkStage) progress(p shrink.Progress) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.app.now()
	if !p.Done && now.Sub(s.told) < pause {
		return ""
	}
	s.told = now
	line := fmt.Sprintf("%s %d → %d after %s", p.What, p.Of, p.Left, harness.Count(p.Replays, "run"))
	if s.n == 0 {
		return line
	}
	each := s.took / time.Duration(s.n)
	return fmt.Sprintf("%s, about %d more of %s each", line, p.AtMost, each.Round(time.Millisecond))
}

// detached is the recording with its bodies in memory: those that were fed lie in a folder that goes.
func detached(rec harness.Recording) (harness.Recording, error) {
	list, err := harness.Collect(rec)
	if err != nil {
		return nil, err
	}
	for i := range list {
		for _, m := range []*harness.Message{&list[i].Request, &list[i].Response} {
			b, err := m.Body.Bytes()
			if err != nil {
				return nil, fmt.Errorf("shrink: read body of exchange %s: %w", list[i].ID, err)
			}
			m.Body = harness.BytesBody(b)
		}
	}
	return harness.NewMemory(rec.Manifest(), list...), nil
}

// linksOf says which exchanges give values to which.
func linksOf(list []harness.Exchange) ([][]int, error) {
	plan, err := correlate.Mine(list, correlate.Options{})
	if err != nil {
		return nil, err
	}
	at := make(map[string]int, len(list))
	for i := range list {
		at[list[i].ID] = i
	}
	links := make([][]int, len(list))
	for i := range list {
		for _, id := range plan.Producers(list[i].ID) {
			links[i] = append(links[i], at[id])
		}
	}
	return links, nil
}

// journalFolder holds, below the workspace, what interrupted searches found out.
const journalFolder = ".rehearse/shrink"

// journal is the file that remembers outcomes, and the digest of all that they depend on: the recording, the scenario,
// every file that its target names, and the programs.
func (s *shrinkStage) journal(baseline *fixtures.Recording) (name, digest string, err error) {
	settings, err := json.Marshal([]any{s.scenario.Target, s.scenario.Mocks, s.scenario.Clock, s.app.tool(), baseline.Digest()})
	if err != nil {
		return "", "", fmt.Errorf("shrink: %w", err)
	}
	h := sha256.New()
	h.Write(settings)
	var any any
	if err := json.Unmarshal(settings, &any); err != nil {
		return "", "", fmt.Errorf("shrink: %w", err)
	}
	for _, text := range textsIn(any) {
		if err := s.hashFile(h, text); err != nil {
			return "", "", fmt.Errorf("shrink: %w", err)
		}
	}
	slug := runID(time.Time{}, s.scenario.File)[len("00010101T000000.000-"):]
	return filepath.Join(s.ws.Root(), journalFolder, slug+".jsonl"), fmt.Sprintf("%x", h.Sum(nil)[:16]), nil
}

// textsIn are the texts of a decoded JSON value, in order.
func textsIn(value any) (list []string) {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		for _, e := range v {
			list = append(list, textsIn(e)...)
		}
	case map[string]any:
		for _, name := range sortedKeys(v) {
			list = append(list, textsIn(v[name])...)
		}
	}
	return list
}

// hashFile adds the file or folder of that name in the workspace, or the program of that name by its size and time.
func (s *shrinkStage) hashFile(h io.Writer, name string) error {
	if name == "" || len(name) > 4096 || strings.ContainsRune(name, 0) {
		return nil
	}
	if filepath.IsLocal(name) && name != "." {
		file := filepath.Join(s.ws.Root(), name)
		if _, err := os.Stat(file); err == nil {
			return hashBelow(h, file)
		}
	}
	program, err := exec.LookPath(name)
	if name == "rehearse" {
		program, err = os.Executable()
	}
	if err != nil {
		return nil //nolint:nilerr // a word that names no program
	}
	info, err := os.Stat(program)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	fmt.Fprintf(h, "program %s %d %d\n", program, info.Size(), info.ModTime().UnixNano())
	return nil
}

// hashBelow adds the content of a file, or of all files of a folder.
func hashBelow(h io.Writer, file string) error {
	return filepath.WalkDir(file, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "file %s\n", path)
		_, err = io.Copy(h, f)
		return errors.Join(err, f.Close())
	})
}
