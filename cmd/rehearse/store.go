package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/coverage"
	"github.com/rehearse-dev/rehearse/fixtures/scan"
	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"

	_ "embed"
)

// defaultPolicy is used when no policy is named: it knows the usual fields and masks all others.
//
//go:embed policy.yaml
var defaultPolicy []byte

// storeFlags are the flags of every verb that writes a recording.
type storeFlags struct {
	out, policy, key, vault string
	anonymous, force        bool
	form, durability        string // empty: git, and async because the source stays
}

const keyUsage = "`key` of the pseudonyms: a file, env:NAME or fd:NUMBER; without one the key in your configuration folder"

func (f *storeFlags) add(set *pflag.FlagSet) {
	set.StringVar(&f.out, "out", "", "`folder` of the new recording (required)")
	set.StringVar(&f.policy, "policy", "", "scrub policy `file`; without one the built-in policy masks every field that it does not know")
	set.StringVar(&f.key, "key", "", keyUsage+", made on first use")
	set.BoolVar(&f.anonymous, "anonymous", false, "use a random key that is destroyed at the end: the stand-ins fit no other recording, and nobody can compute them again")
	set.StringVar(&f.vault, "vault", "", "`file` that remembers stand-ins, encrypted under the key: none is then a value that occurs, and logins keep theirs; made when missing")
	set.BoolVar(&f.force, "force", false, "replace the recording that is there")
	set.StringVar(&f.form, "form", "", fmt.Sprintf("`form` of the recording: git, bulk, or auto, which is git up to %d exchanges and %d MiB; default git, of live recordings auto",
		fixtures.AutoExchanges, fixtures.AutoBytes>>20))
}

// store is a scrubber in front of a recording that is being written.
type store struct {
	*fixtures.Writer
	scrubbing
	proof  *proof
	flags  storeFlags
	settle func() error // nil: nothing is held back
	over   string       // said behind the key in the seal: what the stand-ins were made of
}

// scrubbing is a scrubber with what it works under.
type scrubbing struct {
	policy   *scrub.Policy
	scrubber *scrub.Scrubber
	key      *scrub.Key
	vault    *scrub.Vault // nil: none
	register *scan.Register
	coverage *coverage.Coverage
}

// openStore prepares everything that can fail before the first exchange comes: policy, key, folder.
// From says where the exchanges come from.
func (a *app) openStore(verb string, from harness.Manifest, f storeFlags) (*store, error) {
	if f.out == "" {
		return nil, harness.Usage(fmt.Errorf("%s: --out is missing", verb), "name the folder of the new recording, such as --out fixtures/orders")
	}
	a.collect(garbageOfStores)
	s, err := a.scrubbing(f)
	if err != nil {
		return nil, err
	}
	if f.force {
		a.noteReplaced(f.out, s.scrubber.Seal())
	}
	o := fixtures.Options{Form: fixtures.Form(f.form), Durability: cmp.Or(fixtures.Durability(f.durability), fixtures.Async), Replace: f.force}
	w, err := fixtures.Begin(f.out, harness.Manifest{Origin: from.Origin, Hosts: from.Hosts, Tool: a.tool(), Scrub: s.scrubber.Seal()}, o)
	if err != nil {
		return nil, err
	}
	st := &store{Writer: w, scrubbing: s, flags: f, proof: &proof{scrubbing: s, out: a.err}}
	w.Prove(st.proof.prove)
	return st, nil
}

func (a *app) scrubbing(f storeFlags) (s scrubbing, err error) {
	if f.anonymous && (f.key != "" || f.vault != "") {
		return s, harness.Usage(errors.New("--anonymous goes without --key and --vault"), "leave it out for stand-ins that fit those of other recordings")
	}
	if s.policy, err = loadPolicy(f.policy); err != nil {
		return s, err
	}
	if s.key = scrub.OneTimeKey(); !f.anonymous {
		if s.key, err = a.loadKey(f.key); err != nil {
			return s, err
		}
	}
	s.register, s.coverage = scan.NewRegister(), coverage.New(s.policy)
	options := []scrub.Option{scrub.WithWitness(s.register.Witness), scrub.WithAudit(s.coverage.Compare), scrub.WithEnvironment(a.getenv)}
	if f.vault != "" {
		if s.vault, err = scrub.LoadVault(f.vault, s.key); err != nil {
			return s, err
		}
		options = append(options, scrub.WithVault(s.vault))
	}
	s.scrubber = scrub.New(s.policy, s.key, options...)
	return s, nil
}

func loadPolicy(file string) (*scrub.Policy, error) {
	if file == "" {
		return scrub.ParsePolicy("built-in policy", defaultPolicy)
	}
	return scrub.LoadPolicy(file)
}

// keyFile is where the key lies when none is named; empty when the user has no configuration folder.
func (a *app) keyFile() string {
	if file := a.getenv("REHEARSE_KEY_FILE"); file != "" {
		return file
	}
	file, err := scrub.DefaultKeyPath()
	if err != nil {
		return ""
	}
	return file
}

// loadKey reads the named key; without a name the one of the user, which is made when there is none.
func (a *app) loadKey(file string) (*scrub.Key, error) {
	if file != "" || a.getenv("REHEARSE_KEY_FILE") != "" {
		return scrub.OpenKey(cmp.Or(file, a.keyFile()), a.getenv)
	}
	file, err := scrub.DefaultKeyPath()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		key, err := scrub.CreateKey(file)
		if err == nil {
			fmt.Fprintf(a.err, "made a key for pseudonyms: %s (keep it out of repositories; who has it can link stand-ins)\n", file)
		}
		return key, err
	}
	return scrub.LoadKey(file)
}

// learn is the first of two passes over a source that can be read again: values that propagate are then known from the
// first exchange on.
func (s *store) learn(ctx context.Context, r harness.Recorder) error {
	err := s.scrubber.LearnAll(func(sink harness.Sink) error { return r.Record(ctx, sink) })
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return errors.Join(err, s.Abort())
	}
	return nil
}

// scrubbedWith is what recordings were scrubbed with, for live data that is to be scrubbed like them. The key is nil when
// none is named and the user has none.
func (a *app) scrubbedWith(policyFile, keyRef, vaultFile string) (policy *scrub.Policy, key *scrub.Key, vault *scrub.Vault, err error) {
	if policy, err = loadPolicy(policyFile); err != nil {
		return nil, nil, nil, err
	}
	if key, err = a.existingKey(keyRef); err != nil {
		if keyRef != "" || vaultFile != "" {
			return nil, nil, nil, err
		}
		key = nil
	}
	if vaultFile != "" {
		vault, err = openVault(vaultFile, key)
		return policy, key, vault, err
	}
	return policy, key, nil, nil
}

// fill records into the store and finishes it. With whole set, an exchange that cannot be scrubbed fails everything
// and nothing is written; otherwise it is counted as dropped and the rest is kept, and what exchanges that come later
// make known is put in at the end.
func (s *store) fill(ctx context.Context, r harness.Recorder, whole bool) (err error) {
	defer func() {
		if err != nil && whole {
			err = explainFullDisk(ctx, errors.Join(err, s.Abort()), s.flags.out, r)
		}
	}()
	record := func(sink harness.Sink) error { return r.Record(ctx, s.proof.intake(sink)) }
	if whole {
		err = s.scrubber.ScrubAll(s.Writer, record)
	} else {
		live := s.scrubber.Live(s.Writer)
		defer func() { err = errors.Join(err, live.Close()) }()
		s.settle = live.Settle
		err = record(live)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		if whole {
			return err
		}
		return errors.Join(err, s.finish())
	}
	if err := s.scrubber.Err(); err != nil && whole {
		return err
	}
	if err := ctx.Err(); err != nil && whole {
		return err
	}
	if err := s.finish(); err != nil {
		return err
	}
	return s.scrubber.Err()
}

func (s *store) finish() error {
	var unsettled error
	if s.settle != nil {
		unsettled = s.settle()
	}
	seal := s.scrubber.Seal()
	seal.Key += s.over
	if err := s.Seal(seal); err != nil {
		return err
	}
	if s.vault != nil {
		if err := s.vault.Save(s.flags.vault); err != nil {
			return err
		}
	}
	err := s.Close()
	if s.flags.anonymous {
		s.key.Destroy()
	}
	return errors.Join(err, unsettled)
}

// summary tells what was written and what was done for privacy.
func (a *app) summary(s *store, notes []string) error {
	rec, err := fixtures.Open(s.flags.out)
	if err != nil {
		return err
	}
	c := rec.Manifest().Counts
	a.countLine(s.flags.out, c)
	for _, n := range notes {
		fmt.Fprintf(a.out, "  note: %s\n", printable(s.proof.redacted(n)))
	}
	if s.flags.anonymous {
		fmt.Fprintln(a.out, "anonymous: the key is destroyed; stand-ins fit within this recording only")
	}
	if s.vault != nil && s.vault.Crowded() > 0 {
		fmt.Fprintf(a.out, "vault: %s could not avoid values that occur, because nearly all values of their length do\n", harness.Count(s.vault.Crowded(), "stand-in"))
	}
	if err := a.privacy(s.scrubber); err != nil {
		return err
	}
	if p := rec.Manifest().Proof; p != nil {
		fmt.Fprintf(a.out, "proof: none of %s is left in any stored byte\n", harness.Count(totalOf(p.Originals), "replaced value"))
		a.doubts(s.proof.doubts)
	}
	if s.flags.policy == "" {
		return nil
	}
	for _, rule := range s.scrubber.Unused() {
		fmt.Fprintf(a.out, "  unused   %6d  %-14s %s\n", 0, "-", printable(rule))
	}
	return nil
}

// countLine says how many exchanges there are, and whether that is all of them.
func (a *app) countLine(dir string, c harness.Counts) {
	fmt.Fprintf(a.out, "%s: %s, %s", dir, harness.Count(c.Recorded+c.Incomplete, "exchange"), harness.Count(int(c.Bytes), "byte"))
	if !c.Complete() {
		fmt.Fprintf(a.out, "; INCOMPLETE: %d of %d seen are whole, %d with a fault, %d dropped", c.Recorded, c.Seen, c.Incomplete, c.Dropped)
	}
	fmt.Fprintln(a.out)
}

// doubts lists what a person should look at. Later scans cannot: they do not know what was replaced.
func (a *app) doubts(places []scan.Place) {
	for i, p := range places {
		if i == mostPlaces {
			fmt.Fprintf(a.out, "  … and %s more to look at\n", harness.Count(len(places)-i, "place"))
			break
		}
		fmt.Fprintf(a.out, "  look at  %6d  %-14s %s: %s\n", p.Count, p.Class, printable(p.Where()), printable(p.Why))
	}
}

// privacy prints the account of a scrubber: what was replaced by which rule.
func (a *app) privacy(s *scrub.Scrubber) error {
	totals := map[scrub.Outcome]int{}
	for _, l := range s.Account() {
		totals[l.Outcome] += l.Count
	}
	fmt.Fprintf(a.out, "privacy: %s replaced, %d masked because no rule knows them, %d dropped, %d kept\n",
		harness.Count(totals[scrub.Replaced], "value"), totals[scrub.Masked], totals[scrub.Dropped], totals[scrub.Kept])
	for _, l := range s.Account() {
		if l.Outcome == scrub.Kept {
			continue
		}
		class := l.Class
		if class == "" {
			class = "-"
		}
		fmt.Fprintf(a.out, "  %-8s %6d  %-14s %s\n", l.Outcome, l.Count, class, printable(l.Rule))
	}
	return nil
}
