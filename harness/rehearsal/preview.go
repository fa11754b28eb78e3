package rehearsal

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay"
	"github.com/rehearse-dev/rehearse/harness/replay/correlate"
	"github.com/rehearse-dev/rehearse/harness/target"
)

// Preview is what a run would do, found out without starting or reaching anything: its blast radius.
type Preview struct {
	Scenario string
	Target   string // system under test
	Tested   string // in words

	Integration string // its title; empty: the catalogue does not know it
	Owner       string // name

	Sessions  int
	Exchanges int
	Span      time.Duration // from the first to the last recorded exchange that is fed
	Fed       []Fed         // sorted, those that may change something first
	Reached   []Reach       // outside of the run, sorted by address
	Answers   []Answerer    // of the watched systems, sorted

	Links []correlate.Kind // values that live answers give to later requests
}

// Fed is the requests of one operation.
type Fed struct {
	Operation string
	Count     int
	Places    int  // different ones: paths of HTTP, names of files
	MayChange bool // where they arrive
}

// Reach is an address that the run would connect to.
type Reach struct {
	Address string // host:port
	System  string
	As      string // "target", "upstream", "database" or "issuer" of tokens
	Reads   int    // requests that are known beforehand
	Writes  int
	Refused error // what the guard says; nil: let through
}

// Answerer is what answers for a watched system.
type Answerer struct{ System, By string }

// Look returns the preview of a run. The error is what would keep the run from beginning.
func Look(p Plan) (*Preview, error) {
	baseline, err := openBaseline(p)
	if err != nil {
		return nil, err
	}
	sessions, err := fed(p.Scenario, baseline)
	if err != nil {
		return nil, err
	}
	guard, err := p.guard(baseline)
	if err != nil {
		return nil, err
	}
	if _, err := target.New(p.Scenario.Target); err != nil {
		return nil, err
	}
	view := &Preview{
		Scenario: p.Scenario.Name, Target: p.Scenario.Target.System, Tested: target.Describe(p.Scenario.Target),
		Sessions: len(sessions), Exchanges: sessions.Count(), Span: spanOf(sessions), Fed: fedBy(sessions), Answers: p.answerers(watched(p.Scenario, baseline)),
	}
	if integration, ok := p.Catalogue.Integrations[p.Scenario.Integration]; ok {
		view.Integration, view.Owner = integration.Title, p.Catalogue.PersonName(integration.Owner)
	}
	if !p.Uncorrelated {
		carried, err := p.carryOver(sessions)
		if err != nil {
			return nil, err
		}
		if carried != nil {
			view.Links = carried.plan.Kinds()
		}
	}
	view.Reached, err = p.reached(view.Fed, guard)
	return view, err
}

// Refused is the first refusal that the run would end with; nil when there is none.
func (v *Preview) Refused() error {
	for _, r := range v.Reached {
		if r.Refused != nil {
			return r.Refused
		}
	}
	return nil
}

func spanOf(sessions replay.Sessions) time.Duration {
	var first, last time.Time
	for _, s := range sessions {
		for i := range s.Exchanges {
			at := s.Exchanges[i].At
			if first.IsZero() || at.Before(first) {
				first = at
			}
			if at.After(last) {
				last = at
			}
		}
	}
	return last.Sub(first)
}

// fedBy counts what is fed by operation.
func fedBy(sessions replay.Sessions) []Fed {
	found := map[string]*Fed{}
	places := map[string]map[string]bool{}
	for _, s := range sessions {
		for i := range s.Exchanges {
			x := &s.Exchanges[i]
			name := x.Operation()
			if found[name] == nil {
				found[name] = &Fed{Operation: name, MayChange: x.Channel != harness.ChannelHTTP || replay.MayChange(x.Request.Head.Get(harness.FieldMethod))}
				places[name] = map[string]bool{}
			}
			found[name].Count++
			places[name][cmp.Or(x.Request.Head.Get(harness.FieldPath), x.Request.Head.Get(harness.FieldName))] = true
		}
	}
	list := make([]Fed, 0, len(found))
	for name, f := range found {
		f.Places = len(places[name])
		list = append(list, *f)
	}
	slices.SortFunc(list, func(a, b Fed) int {
		if a.MayChange != b.MayChange {
			return map[bool]int{true: -1, false: 1}[a.MayChange]
		}
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Operation, b.Operation))
	})
	return list
}

// answerers says who answers for each watched system.
func (p Plan) answerers(systems []string) []Answerer {
	list := make([]Answerer, len(systems))
	for i, system := range systems {
		by := "nobody: add it to mocks or upstreams"
		switch up := p.Scenario.Upstreams[system]; {
		case up.URL != nil:
			by = "server at " + up.URL.Base
		case up.Process != nil:
			by = "program " + cmp.Or(slices.Concat(up.Process.Run, []string{""})[0], "?") + ", started for this run"
		case slices.Contains(p.Scenario.Mocks, system):
			by = "mock, from the recording"
		}
		list[i] = Answerer{system, by}
	}
	return list
}

// reached is every address that the run would connect to, as far as the scenario tells, and what the guard says to it.
func (p Plan) reached(fed []Fed, guard *replay.Guard) ([]Reach, error) {
	var all []Reach
	if base := baseOf(p.Scenario.Target); base != "" {
		to := Reach{Address: base, System: p.Scenario.Target.System, As: "target"}
		for _, f := range fed {
			if f.MayChange {
				to.Writes += f.Count
			} else {
				to.Reads += f.Count
			}
		}
		all = append(all, to)
	}
	for _, w := range p.Scenario.Target.Watch {
		if w.Table != nil && !strings.HasPrefix(w.Table.Source, "sqlite:") {
			all = append(all, Reach{Address: w.Table.Source, System: w.System, As: "database", Reads: len(w.Table.Tables)})
		}
	}
	all = append(all, p.issuers()...)
	for system, up := range p.Scenario.Upstreams {
		if up.URL == nil {
			continue
		}
		to := Reach{Address: up.URL.Base, System: system, As: "upstream"}
		for _, question := range p.Scenario.Preconditions {
			if question.System == system {
				to.Reads++
			}
		}
		all = append(all, to)
	}
	for i := range all {
		r := &all[i]
		address, err := addressOf(r.Address)
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", r.As, r.System, err)
		}
		r.Address, r.Refused = address, guard.Foresee(address, r.Writes > 0)
	}
	slices.SortFunc(all, func(a, b Reach) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.System, b.System))
	})
	return all, nil
}

// issuers are where tokens are got, each by a request that is a POST. A path is one of the target, whose address is known
// beforehand where it runs already.
func (p Plan) issuers() (list []Reach) {
	base := strings.TrimSuffix(baseOf(p.Scenario.Target), "/")
	for _, a := range p.Scenario.Access {
		where := a.TokenURL
		if strings.HasPrefix(where, "/") && base != "" {
			where = base + where
		}
		if strings.Contains(where, "://") {
			list = append(list, Reach{Address: where, System: p.Scenario.Target.System, As: "issuer", Writes: 1})
		}
	}
	return list
}

// baseOf is the URL of the server that the target is, or that it works on; empty when there is none.
func baseOf(t harness.TargetSpec) string {
	switch {
	case t.URL != nil:
		return t.URL.Base
	case t.Remote != nil:
		return t.Remote.Base
	case t.SQL != nil && strings.Contains(t.SQL.Source, "://") && !strings.Contains(t.SQL.Source, "{container."):
		return t.SQL.Source
	}
	return ""
}

// addressOf is host:port of a URL.
func addressOf(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "postgres": "5432", "mysql": "3306"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}
