package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/recorders"
)

// mockFlags is what the user chose.
type mockFlags struct {
	listen, policy, key, vault string
	secure                     bool
	systems, ignored, hosts    []string
	stateBy                    []string
	latency                    string
	faults                     []string
	seed                       uint64
	synthetic, echo            bool
	match                      string
	explain                    bool
	callbacks, upstreams       []string
	signed                     []string
	standIns                   []string
	confirmed                  []string
	onMiss, out                string
	writes                     bool
}

func (f *mockFlags) add(set *pflag.FlagSet) {
	set.StringVar(&f.listen, "listen", "127.0.0.1:0", "`address` to listen on; port 0 picks a free one")
	set.BoolVar(&f.secure, "tls", false, "speak TLS, HTTP/2 or HTTP/1.1, under the certificate authority of this user, and be the proxy of clients; see rehearse doctor tls")
	set.StringSliceVar(&f.systems, "system", nil, "answer for these `systems` only, separated by commas")
	set.StringSliceVar(&f.hosts, "host", nil, "a host name under which a system is called, as `HOST=SYSTEM`, beside those of recording and catalogue")
	set.StringSliceVar(&f.stateBy, "state-by", nil, "`what` has a sequence of answers of its own: header:NAME, cookie:NAME, bearer, or a place such as request.segment[1] or request.body.customer.id")
	set.BoolVar(&f.synthetic, "synthetic", false, "things that calls create, change and remove are answered for afterwards, after the example of the recording; such answers are marked")
	set.StringVar(&f.latency, "latency", "none", "`time` that answers take: none, recorded, or a factor such as 0.5; streams come piece by piece")
	set.StringArrayVar(&f.faults, "fault", nil, "`what` goes wrong on purpose, such as reset,share=5%,on=GET /orders/* or 429,after=100,retry=30s; may be repeated")
	set.Uint64Var(&f.seed, "seed", 1, "`number` that decides what is by chance")
	set.StringSliceVar(&f.ignored, "ignore", nil, "`places` of requests that take no part in matching, such as request.body.sent_at")
	set.StringVar(&f.match, "match", "strict", "strict, or `how` the recording shows: lenient lets places vary that vary in it without meaning anything")
	set.BoolVar(&f.explain, "explain-matching", false, "print these places with what shows it, and end")
	set.BoolVar(&f.echo, "echo", true, "answers that repeat values of their recorded request, such as correlation ids, repeat those of the call")
	set.StringArrayVar(&f.callbacks, "callback", nil, "call a system back where the recording shows that its calls are followed by some, as `SYSTEM=URL`")
	set.StringArrayVar(&f.signed, "sign", nil, "sign calls back anew, as `FIELD=SECRET`: the header field of a well-known sender, such as Stripe-Signature, and a file, env:NAME or fd:NUMBER with the test secret of who is called")
	set.StringArrayVar(&f.standIns, "stand-in", nil, "where a system listens on another channel (LDAP, SFTP, SMTP, a broker), as `SYSTEM=ADDRESS`; a free port without")
	set.StringVar(&f.onMiss, "on-miss", missFails, "`what` happens to calls that were never recorded: fail, forward to --upstream, or record what it says into --out as well")
	set.StringArrayVar(&f.upstreams, "upstream", nil, "live test instance for --on-miss, as `SYSTEM=URL`")
	set.StringVar(&f.out, "out", "", "`folder` of the recording that --on-miss record makes, scrubbed under --policy and --key")
	set.BoolVar(&f.writes, "writes", false, "calls other than GET, HEAD and OPTIONS may leave this machine: forwarded ones, and calls back")
	set.StringArrayVar(&f.confirmed, "confirm-origin", nil, "`host` where the recording was made, or of production, that you mean to reach; never in CI")
	set.StringVar(&f.policy, "policy", "", "scrub policy `file` of the recording; the built-in policy unless told otherwise")
	set.StringVar(&f.key, "key", "", keyUsage)
	set.StringVar(&f.vault, "vault", "", "`file` that remembers the stand-ins of the recording, if it was made with one")
}

func (a *app) mockVerb() verb {
	var f mockFlags
	return verb{
		use: "mock RECORDING", short: "answer calls from a recording", exits: []int{exitNeedsPerson, exitCannotRun, exitRefused},
		long: "Mock serves the recorded answers on loopback until it is interrupted. A request that was not recorded gets\n" +
			"status 501 with the nearest recorded request and what differs. At the end it lists misses and recorded\n" +
			"answers that nobody asked for; misses end it with exit code 1.\n\n" +
			"All systems of the recording are served: under its host name each answers for itself, under any other name,\n" +
			"such as 127.0.0.1, whichever recorded the call. With --tls, programs that call vendors by their real names reach\n" +
			"the mock by HTTPS_PROXY and HTTP_PROXY set to its address; no host outside of the recording is reached through it.\n\n" +
			"A recording holds stand-ins. With the policy and key that it was scrubbed under, live requests are scrubbed\n" +
			"the same way before they are matched, so that real values find their answers, and so do stand-ins; the answers stay\n" +
			"stand-ins.\n\n" +
			"Faults are " + faultList() + ".\n" +
			"Settings: on=OPERATION (a glob), share=5%, after=COUNT, times=COUNT.",
		example: "rehearse mock fixtures/crm-sis --listen 127.0.0.1:8081 --system sis",
		flags:   f.add,
		run:     func(ctx context.Context, args []string) error { return a.mock(ctx, args[0], f) },
	}
}

func (a *app) mock(ctx context.Context, name string, f mockFlags) error {
	rec, err := fixtures.Open(name)
	if err != nil {
		return err
	}
	if err := rec.RequireSealed(); err != nil {
		return err
	}
	options, err := a.mockOptions(rec, f)
	if err != nil {
		return err
	}
	live, err := a.openLive(rec, f, &options)
	if err != nil {
		return err
	}
	m, err := mock.New(rec, options)
	if err != nil {
		return err
	}
	if f.explain {
		a.explainMatching(m)
		return live.end(a, 0)
	}
	server, secure, trust, err := serveMock(m, f.listen, f.secure)
	if err != nil {
		return err
	}
	others, err := a.openStandIns(rec, f, options, secure)
	if err == nil && len(m.Systems()) == 0 && len(others.list) == 0 && len(live.systems) == 0 {
		err = harness.Usage(fmt.Errorf("mock %s: nothing in it can be answered", name),
			"a mock answers calls; files and messages are served for systems that are named (--system), files only where they crossed by SFTP")
	}
	if err != nil {
		return errors.Join(err, server.Close(), live.end(a, 0))
	}
	fmt.Fprintf(a.err, "answering from %s on %s%s; stop with Ctrl-C\n", name, server.URL, trust)
	a.tellHosts(m)
	a.tellStandIns(others)
	for _, system := range live.systems {
		fmt.Fprintf(a.err, "  LIVE: calls to %s that were never recorded go to its --upstream\n", printable(system))
	}
	<-ctx.Done()
	if err := server.Close(); err != nil {
		return err
	}
	a.mockSummary(m)
	missed, err := a.endStandIns(others)
	a.liveSummary(m, live)
	if err := errors.Join(err, live.end(a, m.Counts().Forwarded)); err != nil {
		return err
	}
	if missed || m.Counts().Missed > 0 {
		return judged{harness.Review}
	}
	return nil
}

// explainMatching prints what the recording shows about places that may vary.
func (a *app) explainMatching(m *mock.Mock) {
	rules := m.Rules()
	for _, r := range rules {
		fmt.Fprintln(a.out, printable(r.String()))
	}
	if len(rules) == 0 {
		fmt.Fprintln(a.out, "no place varies in the recording without meaning anything")
		return
	}
	fmt.Fprintln(a.out, "with --match lenient these places take no part in matching; --ignore names single ones")
}

// tellHosts says which system answers under which names.
func (a *app) tellHosts(m *mock.Mock) {
	names, answering := map[string][]string{}, m.Systems()
	for host, system := range m.Hosts() {
		if slices.Contains(answering, system) {
			names[system] = append(names[system], host)
		}
	}
	for _, system := range slices.Sorted(maps.Keys(names)) {
		slices.Sort(names[system])
		fmt.Fprintf(a.err, "  %s answers as %s\n", printable(system), printable(strings.Join(names[system], ", ")))
	}
}

// parsePaths reads the places that a flag names.
func parsePaths(verb string, texts []string) ([]harness.Path, error) {
	var paths []harness.Path
	for _, text := range texts {
		p, err := harness.ParsePath(text)
		if err != nil {
			return nil, harness.Usage(fmt.Errorf("%s: --ignore %q: %w", verb, text, err), "write it as request.body.sent_at or request.query.nonce")
		}
		paths = append(paths, p)
	}
	return paths, nil
}

// serveMock lets the mock listen, and returns what clients must be told when it speaks TLS.
func serveMock(m *mock.Mock, listen string, secure bool) (server *mock.Server, config *tls.Config, trust string, err error) {
	if !secure {
		server, err = m.Listen(listen)
		return server, nil, "", err
	}
	if config, trust, err = recorders.Secure(slices.Sorted(maps.Keys(m.Hosts()))); err != nil {
		return nil, nil, "", err
	}
	server, err = m.ListenTLS(listen, config)
	return server, config, trust, err
}

// matchingScrub is what is done to live requests before they are matched: the scrubbing under which the recording was
// sealed, or nothing when nothing was replaced in it or when policy or key are others. A key that is named and is
// another one is refused.
func (a *app) matchingScrub(rec harness.Recording, policyFile, keyRef, vaultFile string) (func(harness.Exchange) (harness.Exchange, error), error) {
	seal := rec.Manifest().Scrub
	if seal.Masked == 0 {
		return nil, nil
	}
	policy, err := loadPolicy(policyFile)
	if err != nil {
		return nil, err
	}
	key, err := scrub.OpenKey(cmp.Or(keyRef, a.keyFile()), a.getenv)
	if err != nil && keyRef != "" {
		return nil, err
	}
	differs := ""
	switch {
	case scrub.IsOneTime(seal.Key):
		differs = "the recording is anonymous: its key was destroyed"
	case err != nil:
		differs = "there is no key (see --key)"
	case key.ID() != seal.Key && keyRef != "":
		return nil, harness.Refused(fmt.Errorf("mock: the recording was scrubbed under key %s, and --key is key %s", seal.Key, key.ID()),
			"name the key of the recording, or leave --key out to match with its stand-ins only")
	case key.ID() != seal.Key:
		differs = fmt.Sprintf("your key %s is not that of the recording, %s (see --key)", key.ID(), seal.Key)
	case policy.Digest() != seal.Policy:
		differs = "the policy is not that of the recording (see --policy)"
	}
	if differs != "" {
		fmt.Fprintf(a.err, "note: %s; requests match with its stand-ins only\n", differs)
		return nil, nil
	}
	var options []scrub.Option
	if vaultFile != "" {
		vault, err := scrub.LoadVault(vaultFile, key)
		if err != nil {
			return nil, err
		}
		options = append(options, scrub.WithVault(vault))
	}
	scrubber := scrub.New(policy, key, options...)
	for x, err := range rec.Exchanges() {
		if err = errors.Join(err, scrubber.Settled(x)); err != nil {
			return nil, err
		}
	}
	fmt.Fprintln(a.err, "live requests are scrubbed like the recording before they are matched; its stand-ins match as they are")
	return scrubber.Exchange, nil
}

func (a *app) mockSummary(m *mock.Mock) {
	counts, misses, unused := m.Counts(), m.Misses(), m.Unused()
	fmt.Fprintf(a.out, "%d answered, %d missed, %s not asked for\n", counts.Served, counts.Missed, harness.Count(len(unused), "recorded answer"))
	for _, line := range []struct {
		count int
		what  string
	}{
		{counts.Echoed, "answered with values of its own in the recorded answer"},
		{counts.Forwarded, "answered by a live system"},
		{counts.Synthetic, "answered without a recorded answer (synthetic)"},
		{counts.Injected, "met a fault that was injected"},
	} {
		if line.count > 0 {
			fmt.Fprintf(a.out, "%s %s\n", harness.Count(line.count, "call"), line.what)
		}
	}
	words := make([]string, len(misses))
	for i, miss := range misses {
		words[i] = "missed: " + miss.String()
	}
	a.tellAlike(words, words, "call")
	lines, operations := make([]string, len(unused)), make([]string, len(unused))
	for i, x := range unused {
		lines[i], operations[i] = "unused: "+x.ID+" "+x.Operation(), x.Operation()
	}
	a.tellAlike(lines, operations, "answer")
}

// tellAlike prints the first line of each kind, with how many there are besides, so that a recording of thousands of calls
// ends with a line for each operation.
func (a *app) tellAlike(lines, kinds []string, what string) {
	count := map[string]int{}
	for _, kind := range kinds {
		count[kind]++
	}
	for i, line := range lines {
		n := count[kinds[i]]
		if n == 0 {
			continue
		}
		count[kinds[i]] = 0
		first, rest, more := strings.Cut(printable(line), "\n")
		if n > 1 {
			first += fmt.Sprintf(" (and %s like it)", harness.Count(n-1, "more "+what))
		}
		if more {
			first += "\n" + rest
		}
		fmt.Fprintln(a.out, first)
	}
}
