package scenarios

import (
	"path/filepath"
	"reflect"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// maxChain is how many scenarios may extend one another in a row.
const maxChain = 4

// checkChain reports whether the file that the scenario extends can be read without going in circles.
func (c *checker) checkChain(abs string, before []string) bool {
	if !c.checkFile("extends", c.s.Extends) {
		return false
	}
	base := filepath.Join(c.w.root, filepath.FromSlash(c.s.Extends))
	switch {
	case base == abs || slices.Contains(before, base):
		c.problem("extends", "extends: %s leads back to itself", quoted(c.s.Extends))
		return false
	case len(before) >= maxChain:
		c.problem("extends", "extends: more than %d scenarios in a row", maxChain)
		return false
	}
	return true
}

// extend lays the scenario over the one that it names. The error is what is wrong in that one.
func (c *checker) extend(before []string) error {
	file := filepath.Join(c.w.root, filepath.FromSlash(c.s.Extends))
	src, err := readWhole(file)
	if err != nil {
		c.problem("extends", "extends: %v", err)
		return nil
	}
	base, err := c.w.scenario(file, src, before)
	if err != nil {
		return err
	}
	*c.s = overlay(base, *c.s)
	return nil
}

// overlay returns base with what top says. A system that top mocks is no live upstream of base any more, and the other
// way round.
func overlay(base, top harness.Scenario) harness.Scenario {
	s := top
	for _, inherit := range []struct{ into, from *string }{
		{&s.Integration, &base.Integration}, {&s.Recording, &base.Recording}, {&s.Candidate, &base.Candidate}, {&s.Change, &base.Change},
	} {
		if *inherit.into == "" {
			*inherit.into = *inherit.from
		}
	}
	if s.Target.System == "" {
		s.Target = base.Target
	}
	if s.Clock.IsZero() {
		s.Clock = base.Clock
	}
	if len(s.Egress.Allow) == 0 && s.Egress.Writes == "" && s.Egress.PersonalData == "" {
		s.Egress = base.Egress
	}
	if reflect.ValueOf(s.Replay).IsZero() {
		s.Replay = base.Replay
	}
	s.Upstreams = map[string]harness.Upstream{}
	for system, up := range base.Upstreams {
		if !slices.Contains(top.Mocks, system) {
			s.Upstreams[system] = up
		}
	}
	for system, up := range top.Upstreams {
		s.Upstreams[system] = up
	}
	s.Mocks = slices.Clone(top.Mocks)
	for _, system := range base.Mocks {
		if _, live := top.Upstreams[system]; !live && !slices.Contains(s.Mocks, system) {
			s.Mocks = append(s.Mocks, system)
		}
	}
	s.Rules = slices.Concat(top.Rules, base.Rules)
	s.Preconditions = slices.Concat(base.Preconditions, top.Preconditions)
	s.Access = slices.Concat(top.Access, base.Access)
	s.Correlate.Pin = slices.Concat(top.Correlate.Pin, base.Correlate.Pin)
	s.Correlate.Deny = slices.Concat(top.Correlate.Deny, base.Correlate.Deny)
	s.Expect = slices.Concat(top.Expect, base.Expect)
	s.Invariants = slices.Concat(top.Invariants, base.Invariants)
	s.Severity = top.Severity.Over(base.Severity)
	s.RuleFiles = slices.Concat(top.RuleFiles, base.RuleFiles)
	s.ExpectFiles = slices.Concat(top.ExpectFiles, base.ExpectFiles)
	return s
}
