package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// mockOptions reads what the flags and the catalogue say.
func (a *app) mockOptions(rec *fixtures.Recording, f mockFlags) (o mock.Options, err error) {
	if o.Scrub, err = a.matchingScrub(rec, f.policy, f.key, f.vault); err != nil {
		return o, err
	}
	o.Systems = f.systems
	for _, s := range f.systems {
		if err := knownSystem(rec, "--system", s); err != nil {
			return o, err
		}
	}
	if o.Hosts, err = mockHosts(rec, f.hosts); err != nil {
		return o, err
	}
	for _, text := range f.stateBy {
		key, err := mock.ParseStateKey(text)
		if err != nil {
			return o, err
		}
		o.StateBy = append(o.StateBy, key)
	}
	for _, text := range f.faults {
		fault, err := mock.ParseFault(text)
		if err != nil {
			return o, err
		}
		o.Faults = append(o.Faults, fault)
	}
	o.Seed, o.Synthetic, o.Echo = f.seed, f.synthetic, f.echo
	if o.Match, err = matchOf(f.match); err != nil {
		return o, err
	}
	if o.Latency, err = latencyOf(f.latency); err != nil {
		return o, err
	}
	o.Ignore, err = parsePaths("mock", f.ignored)
	return o, err
}

func matchOf(text string) (mock.Match, error) {
	switch text {
	case "strict":
		return mock.MatchStrict, nil
	case "lenient":
		return mock.MatchLenient, nil
	}
	return "", harness.Usage(fmt.Errorf("mock: --match %q is not known", text), "write strict or lenient")
}

// latencyOf reads the factor of recorded times.
func latencyOf(text string) (float64, error) {
	switch text {
	case "none":
		return 0, nil
	case "recorded":
		return 1, nil
	}
	factor, err := strconv.ParseFloat(text, 64)
	if err != nil || !(factor >= 0 && factor <= 1000) {
		return 0, harness.Usage(fmt.Errorf("mock: --latency %q is not known", text), "write none, recorded, or a factor such as 0.5")
	}
	return factor, nil
}

// faultList is the table of faults in words.
func faultList() string {
	var list []string
	for _, k := range mock.FaultKinds {
		list = append(list, k.Name+" ("+k.Summary+")")
	}
	return strings.Join(list, ",\n") + ",\nor a status such as 503 (retry=TIME goes into Retry-After)"
}

// knownSystem refuses a name that the recording does not have.
func knownSystem(rec harness.Recording, flag, system string) error {
	if known := rec.Manifest().Systems; !slices.Contains(known, system) {
		return harness.Usage(fmt.Errorf("mock: %s %q is not in the recording", flag, system), "systems are "+printable(strings.Join(known, ", ")))
	}
	return nil
}

// mockHosts are the hosts that the catalogue of the workspace gives to systems of the recording, and those of --host.
func mockHosts(rec harness.Recording, named []string) (map[string]string, error) {
	hosts := map[string]string{}
	if ws, err := scenarios.OpenWorkspace("."); err == nil { // a mock needs no workspace
		for _, name := range rec.Manifest().Systems {
			system := ws.Catalogue().Systems[name]
			for _, host := range slices.Concat(system.Hosts, system.TestHosts) {
				hosts[host] = name
			}
		}
	}
	for _, text := range named {
		host, system, found := strings.Cut(text, "=")
		if !found || host == "" {
			return nil, harness.Usage(fmt.Errorf("mock: --host %q names no system", text), "write it as api.vendor.example=SYSTEM")
		}
		if err := knownSystem(rec, "--host", system); err != nil {
			return nil, err
		}
		hosts[host] = system
	}
	return hosts, nil
}
