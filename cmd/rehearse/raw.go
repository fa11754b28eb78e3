package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/quarantine"
	"github.com/rehearse-dev/rehearse/harness"
)

// rawFlags are those of a live recording that is not scrubbed yet.
type rawFlags struct {
	raw        bool
	recipients []string
	keep       time.Duration
}

// kept is how long a raw recording may be read unless somebody has a reason for another time.
const kept = 30 * 24 * time.Hour

func (f *rawFlags) add(set *pflag.FlagSet) {
	set.BoolVar(&f.raw, "raw", false, "scrub nothing: keep what crosses as it is, encrypted to --recipient, until its policy is written; it lies outside of any repository")
	set.StringArrayVar(&f.recipients, "recipient", nil, "`who` reads a raw recording: age1…, as `rehearse fixtures identity` prints it, or a file of such; can be repeated")
	set.DurationVar(&f.keep, "keep", kept, "`time` for which a raw recording may be read")
	aboveZero(set, "keep", &f.keep)
}

// taker is where a live recorder puts what it sees.
type taker interface {
	take(context.Context, harness.Recorder) error
	summary(notes []string) error
	Abort() error
}

// openTaker makes the recording that the flags ask for.
func (a *app) openTaker(verb string, m harness.Manifest, f storeFlags, r rawFlags) (taker, error) {
	if r.raw {
		return a.openRaw(verb, m, f, r)
	}
	if len(r.recipients) > 0 {
		return nil, harness.Usage(fmt.Errorf("%s: --recipient is for --raw", verb), "leave it out: what is scrubbed may be read by everybody who reads the repository")
	}
	s, err := a.openStore(verb, m, f)
	if err != nil {
		return nil, err
	}
	return scrubbed{s, a}, nil
}

// scrubbed takes what a live recorder sees into a store.
type scrubbed struct {
	*store
	app *app
}

func (s scrubbed) take(ctx context.Context, r harness.Recorder) error { return s.fill(ctx, r, false) }
func (s scrubbed) summary(notes []string) error                       { return s.app.summary(s.store, notes) }

// unscrubbed takes what a live recorder sees into an encrypted recording.
type unscrubbed struct {
	*fixtures.Writer
	app *app
	out string
	e   fixtures.Encryption
}

func (a *app) openRaw(verb string, m harness.Manifest, f storeFlags, r rawFlags) (taker, error) {
	to, err := quarantine.ReadRecipients(r.recipients)
	switch {
	case err != nil:
		return nil, err
	case f.out == "":
		return nil, harness.Usage(fmt.Errorf("%s: --out is missing", verb), "name the folder of the new recording, outside of any repository")
	case len(to) == 0:
		return nil, harness.Refused(fmt.Errorf("%s: --raw without --recipient would leave personal data in the open", verb),
			"make an identity with `rehearse fixtures identity FILE`, and name the recipient that it prints")
	case f.policy != "" || f.key != "" || f.vault != "" || f.anonymous:
		return nil, harness.Usage(fmt.Errorf("%s: --raw scrubs nothing, so it goes without --policy, --key, --vault and --anonymous", verb), "name them to `rehearse scrub` later")
	case f.form == string(fixtures.Git):
		return nil, harness.Usage(fmt.Errorf("%s: --raw goes without --form git, which lies open", verb), "leave --form out: it is kept in bulk form")
	case r.keep <= 0:
		return nil, harness.Usage(fmt.Errorf("%s: --keep %v is no time", verb, r.keep), "write a time such as 720h")
	}
	if err := outsideRepository(verb, f.out); err != nil {
		return nil, err
	}
	e := fixtures.Encryption{To: to, Until: a.now().Add(r.keep).UTC().Truncate(time.Second)}
	m.Tool = a.tool()
	w, err := fixtures.Begin(f.out, m, fixtures.Options{Form: fixtures.Bulk, Durability: fixtures.Durability(f.durability), Replace: f.force, Encrypted: e})
	if err != nil {
		return nil, err
	}
	return unscrubbed{w, a, f.out, e}, nil
}

// outsideRepository refuses a folder that Git could take with it.
func outsideRepository(verb, out string) error {
	dir, err := filepath.Abs(out)
	if err != nil {
		return harness.Usage(fmt.Errorf("%s: %w", verb, err), "name another folder")
	}
	for above := filepath.Dir(dir); ; above = filepath.Dir(above) {
		if _, err := os.Lstat(filepath.Join(above, ".git")); err == nil {
			return harness.Refused(fmt.Errorf("%s: %s lies in the repository %s, where nothing raw may be", verb, out, above), "name a folder outside of it with --out")
		}
		if above == filepath.Dir(above) {
			return nil
		}
	}
}

func (u unscrubbed) take(ctx context.Context, r harness.Recorder) error {
	err := r.Record(ctx, u.Writer)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, u.Close())
}

func (u unscrubbed) summary(notes []string) error {
	m, err := fixtures.ManifestOf(u.out)
	if err != nil {
		return err
	}
	c := m.Counts
	u.app.countLine(u.out, c)
	for _, n := range notes {
		fmt.Fprintf(u.app.out, "  note: %s\n", printable(n))
	}
	_, err = fmt.Fprintf(u.app.out, "raw: nothing is scrubbed; encrypted to %s, to be read until %s\n", harness.Count(len(u.e.To), "recipient"), u.e.Until.Format(time.DateOnly))
	fmt.Fprintf(u.app.err, "next: rehearse scrub suggest %s --identity FILE --out policy.yaml, then rehearse scrub %s --identity FILE --policy policy.yaml --out FOLDER\n", u.out, u.out)
	return err
}

// reader are the flags of what reads raw recordings.
type reader struct{ identity string }

func (r *reader) add(set *pflag.FlagSet) {
	set.StringVar(&r.identity, "identity", "", "`identity` that reads a raw recording: a file, env:NAME or fd:NUMBER")
}

// identities are those that the flag names; none without it.
func (a *app) identities(r reader) ([]quarantine.Identities, error) {
	if r.identity == "" {
		return nil, nil
	}
	ids, err := quarantine.ReadIdentities(r.identity, a.getenv)
	return []quarantine.Identities{ids}, err
}

// open opens a recording that may be raw, as long as it may be read.
func (a *app) open(dir string, r reader) (*fixtures.Recording, error) {
	ids, err := a.identities(r)
	if err != nil {
		return nil, err
	}
	rec, err := fixtures.Open(dir, ids...)
	if err != nil {
		return nil, err
	}
	return rec, a.inTime(dir, rec)
}

// inTime refuses a raw recording that has had its time.
func (a *app) inTime(dir string, rec *fixtures.Recording) error {
	e := rec.Encryption()
	if e == nil || e.Until.IsZero() || a.now().Before(e.Until) {
		return nil
	}
	return harness.Refused(fmt.Errorf("%s is raw, and was to be read until %s", dir, e.Until.Format(time.DateOnly)), "remove the folder, and record again if its data is still needed")
}

func (a *app) fixturesIdentityVerb() verb {
	return verb{
		use: "identity FILE", short: "make an identity that reads raw recordings",
		long: "Identity writes a new secret to FILE, which only you can read, and prints its recipient, which is no secret:\n" +
			"recorders need only that. It is an identity of age. Who loses it cannot read what was recorded to it.",
		example: "rehearse fixtures identity ~/keys/raw.key",
		run: func(_ context.Context, args []string) error {
			recipient, err := quarantine.CreateIdentity(args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.out, recipient)
			return err
		},
	}
}
