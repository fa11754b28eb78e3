package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/capture"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// skeleton is a scenario that is made for a captured slice.
type skeleton struct {
	ws     *scenarios.Workspace
	flags  captureFlags
	file   string // absolute
	folder string // of the slice, relative to the workspace
	note   string // for people, once it is written
}

// skeletonFor checks what can be checked before anything is captured; nil when no scenario is asked for.
func (a *app) skeletonFor(f captureFlags) (*skeleton, error) {
	if f.scenario == "" {
		if f.target != "" || f.extended != "" {
			return nil, harness.Usage(errors.New("capture: --target and --extends are about a scenario"), "name it: --scenario FILE")
		}
		return nil, nil
	}
	if _, err := os.Lstat(f.scenario); err == nil {
		return nil, harness.Usage(fmt.Errorf("capture: --scenario %s exists already", f.scenario), "name a new file")
	}
	ws, err := scenarios.OpenWorkspace(filepath.Dir(f.scenario))
	if errors.Is(err, os.ErrNotExist) {
		ws, err = scenarios.OpenWorkspace(".")
	}
	if err != nil {
		return nil, err
	}
	file, err := filepath.Abs(f.scenario)
	if err != nil {
		return nil, err
	}
	folder, err := filepath.Abs(f.out)
	if err != nil {
		return nil, err
	}
	if folder, err = filepath.Rel(ws.Root(), folder); err != nil || !filepath.IsLocal(folder) {
		return nil, harness.Usage(fmt.Errorf("capture: --out %s lies outside of the workspace %s of the scenario", f.out, ws.Root()),
			"name a folder below the workspace")
	}
	return &skeleton{ws: ws, flags: f, file: file, folder: filepath.ToSlash(folder)}, nil
}

// write makes the scenario: one that builds on a scenario which starts the target, else one in which the target is still
// to be named.
func (k *skeleton) write(source string, slice *capture.Slice) error {
	anchor := slice.Taken[slice.Anchor].Exchange
	system := k.flags.target
	if system == "" {
		system = anchor.To
	}
	base, err := k.base(system)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Captured from %s. What failed is fed again:\n#   rehearse run %s --expect-failure\n",
		oneLine(filepath.Base(source)), filepath.ToSlash(k.flags.scenario))
	name := strings.TrimSuffix(filepath.Base(k.file), filepath.Ext(k.file))
	fmt.Fprintf(&b, "scenario: %q\n", "Incident "+name)
	if base.File != "" {
		fmt.Fprintf(&b, "extends: %q\n", k.relative(base.File))
		k.note = ", which builds on " + k.relative(base.File)
	} else if integration := k.integration(anchor); integration != "" {
		fmt.Fprintf(&b, "integration: %s\n", integration)
	}
	fmt.Fprintf(&b, "recording: %q\nclock: %s\n", k.folder, anchor.At.UTC().Format(time.RFC3339))
	if mocks := mocksOf(slice, system, base); len(mocks) > 0 {
		fmt.Fprintf(&b, "mocks: [%s]\n", strings.Join(mocks, ", "))
	}
	if base.File == "" {
		fmt.Fprintf(&b, "target:\n  system: %s\n  # The release that runs in production: name it in one of these ways.\n"+
			"  # process: {run: [./release/server, --listen, \"{listen}\"], ready: /healthz}\n"+
			"  # command: {run: [./mapping/program], to: SYSTEM}\n  # jq: [{from: FILE, program: FILE, output: FILE, to: SYSTEM}]\n", system)
		k.note = fmt.Sprintf(", in which target is still to be named: no scenario of the workspace starts %s by itself", system)
	}
	if err := os.MkdirAll(filepath.Dir(k.file), 0o755); err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	return writeWhole(k.file, plainText(b.String()))
}

func (k *skeleton) relative(file string) string {
	if abs, err := filepath.Abs(file); err == nil {
		if rel, err := filepath.Rel(k.ws.Root(), abs); err == nil {
			return filepath.ToSlash(rel)
		}
	}
	return filepath.ToSlash(file)
}

// base is the scenario that says how the system is started: the one that was named, else the first of the workspace that
// feeds the system and starts it without a live system. Zero when there is none.
func (k *skeleton) base(system string) (harness.Scenario, error) {
	if k.flags.extended != "" {
		_, s, err := openScenario(k.flags.extended)
		if err == nil && s.Target.System != system {
			err = harness.Usage(fmt.Errorf("capture: --extends %s feeds %s, and the message goes to %s", k.flags.extended, s.Target.System, system),
				"name the system with --target, or another scenario")
		}
		return s, err
	}
	files, err := k.ws.Scenarios()
	if err != nil {
		return harness.Scenario{}, err
	}
	for _, file := range files {
		_, s, err := openScenario(file)
		if err == nil && s.Target.System == system && s.Candidate == "" && s.Change == "" && !s.Target.Live() && len(s.Upstreams) == 0 {
			return s, nil
		}
	}
	return harness.Scenario{}, nil
}

// integration is the one of the catalogue that both systems take part in, if it is the only one.
func (k *skeleton) integration(x harness.Exchange) string {
	var names []string
	for name, i := range k.ws.Catalogue().Integrations {
		if slices.Contains(i.Systems, x.From) && slices.Contains(i.Systems, x.To) {
			names = append(names, name)
		}
	}
	if len(names) != 1 {
		return ""
	}
	return names[0]
}

// mocksOf are the systems that the target calls in the slice, and that nothing answers for yet.
func mocksOf(slice *capture.Slice, system string, base harness.Scenario) []string {
	var mocks []string
	for _, t := range slice.Taken {
		x := t.Exchange
		if x.From == system && x.Channel == harness.ChannelHTTP && !slices.Contains(mocks, x.To) && !slices.Contains(base.Mocks, x.To) {
			mocks = append(mocks, x.To)
		}
	}
	slices.Sort(mocks)
	return mocks
}
