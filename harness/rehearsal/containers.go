package rehearsal

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/target"
	"github.com/rehearse-dev/rehearse/harness/target/container"
)

// openNetwork makes the network of the run's containers, when there are any. It is closed after everything in it.
func (s *stage) openNetwork(ctx context.Context, p Plan) (err error) {
	needed := p.Scenario.Target.Container != nil || len(p.Scenario.Target.Containers) > 0
	for _, up := range p.Scenario.Upstreams {
		needed = needed || up.Container != nil
	}
	if !needed {
		return nil
	}
	s.network, err = container.Open(ctx, container.Options{Run: p.ID, Watcher: p.Watcher, Dir: p.Scratch, Now: p.Now})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, s.network.Close)
	return nil
}

// beside starts the servers in containers that the target needs.
func (s *stage) beside(ctx context.Context, p Plan, env harness.StageEnv) error {
	for _, spec := range p.Scenario.Target.Containers {
		p.tell("starting " + spec.Name)
		env.Log = s.log(spec.Name)
		image, err := target.StartBeside(ctx, spec, env, s.network)
		if err != nil {
			return fmt.Errorf("start container %s: %w", spec.Name, err)
		}
		s.versions[spec.Name] = image
	}
	return nil
}

// instance starts a live upstream in a container and returns its base URL.
func (s *stage) instance(ctx context.Context, p Plan, system string, spec harness.ContainerSpec, env harness.StageEnv) (string, error) {
	p.tell("starting " + system)
	env.Log, env.URLs = s.log(system), nil
	base, image, err := target.StartContainer(ctx, system+"-instance", spec, env, s.network)
	if err != nil {
		return "", fmt.Errorf("start upstream %s: %w", system, err)
	}
	s.bases[system], s.versions[system] = base, image
	return base, nil
}

// reached is the base URL under which the target reaches each watched system: that of its tap, or, from within a container,
// one of the names that lead there.
func (s *stage) reached(p Plan, taps map[string]string, proxy string) (map[string]string, error) {
	spec := p.Scenario.Target.Container
	if spec == nil || spec.Network == harness.NetworkNone {
		return taps, nil
	}
	var entries []container.Entry
	for _, system := range slices.Sorted(maps.Keys(taps)) {
		e := container.Entry{System: system, Address: strings.TrimPrefix(taps[system], "http://")}
		for _, host := range slices.Sorted(maps.Keys(spec.Hosts)) {
			if spec.Hosts[host] == system {
				e.Hosts = append(e.Hosts, host)
			}
		}
		entries = append(entries, e)
	}
	for _, host := range slices.Sorted(maps.Keys(spec.Hosts)) {
		if _, known := taps[spec.Hosts[host]]; !known {
			return nil, harness.Usage(fmt.Errorf("%s: host %s leads to %s, which is no watched system", p.Scenario.File, host, spec.Hosts[host]),
				"list "+spec.Hosts[host]+" under mocks or upstreams")
		}
	}
	urls, err := s.network.Admit(entries)
	if err != nil {
		return nil, err
	}
	return urls, s.network.Forward(strings.TrimPrefix(proxy, "http://"))
}

// containerNotes says which images ran beside the target, and which names of the world containers looked for.
func (s *stage) containerNotes(p Plan) []string {
	var notes []string
	for _, system := range slices.Sorted(maps.Keys(s.versions)) {
		if v := s.versions[system]; v != "" && system != p.Scenario.Target.System {
			notes = append(notes, fmt.Sprintf("%s ran in a container %s", system, fromImage(v)))
		}
	}
	if s.network == nil {
		return notes
	}
	if s.network.Apart() != nil {
		notes = append(notes, "this machine has no address in the network of the containers: they were reached by ports that are published on loopback, and they reached no host of egress")
	}
	for _, name := range s.network.Sought() {
		notes = append(notes, fmt.Sprintf("a container looked for host %s, which is none of this run: if a watched system answers there, add it to target.container.hosts", name))
	}
	return notes
}

// tested is what was tested, in words, with its version where that is known.
func (s *stage) tested(p Plan) string {
	words := target.Describe(p.Scenario.Target)
	v := s.versions[p.Scenario.Target.System]
	if name, facts, known := strings.Cut(v, " ("); known && strings.HasSuffix(words, name) {
		return words + " (" + facts // it says the name itself
	}
	if v != "" {
		words += ": " + v
	}
	return words
}

// fromImage says where a container comes from; an image that was built for the run says so by itself.
func fromImage(image string) string {
	if strings.HasPrefix(image, "built from ") {
		return image
	}
	return "of image " + image
}
