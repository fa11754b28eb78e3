package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/quarantine"
	"github.com/rehearse-dev/rehearse/harness"
)

func (a *app) fixturesVerb() verb {
	return verb{
		use: "fixtures", short: "check, convert and repair recordings, and recover one that was cut off",
		long: "Fixtures looks after recordings on disk. The git form has a file for each body, for people and Git; the bulk\n" +
			"form has compressed segments, for many exchanges. Every other command reads both.",
		example: "rehearse fixtures check fixtures/crm-sis",
		below: []verb{
			a.fixturesCheckVerb(), a.fixturesStatsVerb(), a.fixturesLinksVerb(), a.fixturesPackVerb(), a.fixturesUnpackVerb(),
			a.fixturesRepairVerb(), a.fixturesRehashVerb(), a.fixturesRecoverVerb(), a.fixturesIdentityVerb(),
		},
	}
}

func (a *app) fixturesCheckVerb() verb {
	subset := ""
	var r reader
	return verb{
		use: "check RECORDING...", short: "verify every byte of recordings", exits: []int{exitRefused, exitInconclusive},
		long: "Check reads recordings whole: manifest, exchanges, digests of all bodies. A recording that is not sealed is\nrefused, and one that lost something is inconclusive, because neither can be a baseline. One that is raw, and\nmeant to be, is verified with --identity.\n" +
			"Of a large recording in bulk form, a share can be read that is chosen anew each time.",
		example: "rehearse fixtures check fixtures/crm-sis fixtures/rosters",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&subset, "read-data-subset", "", "read this `share` of recordings in bulk form, such as 5%")
			r.add(set)
		},
		run: func(_ context.Context, dirs []string) error {
			check, err := checkOf(subset)
			if err != nil {
				return err
			}
			ids, err := a.identities(r)
			if err != nil {
				return err
			}
			var worst error
			for _, dir := range dirs {
				rec, losses, err := check(dir, ids)
				for _, l := range losses {
					fmt.Fprintf(a.err, "  %s\n", printable(l.String()))
				}
				word := "ok "
				if err == nil && rec.Encryption() != nil {
					word, err = "raw", a.inTime(dir, rec)
				} else if err == nil {
					err = rec.RequireBaseline()
				}
				if err != nil {
					explainError(a.err, err)
					worst = weightier(worst, reported{err})
					continue
				}
				fmt.Fprintf(a.out, "%s   %s: %s, %s\n", word, dir, harness.Count(rec.Len(), "exchange"), rec.Digest())
			}
			return worst
		},
	}
}

// checkOf is how recordings are checked: whole, or a share of them in percent.
func checkOf(subset string) (func(dir string, ids []quarantine.Identities) (*fixtures.Recording, []fixtures.Loss, error), error) {
	if subset == "" {
		return func(dir string, ids []quarantine.Identities) (*fixtures.Recording, []fixtures.Loss, error) {
			return fixtures.Check(dir, ids...)
		}, nil
	}
	percent, err := strconv.ParseFloat(strings.TrimSuffix(subset, "%"), 64)
	if err != nil || !strings.HasSuffix(subset, "%") || percent <= 0 || percent > 100 {
		return nil, harness.Usage(fmt.Errorf("fixtures check: --read-data-subset %q is no share", subset), "write a percentage, such as 5%")
	}
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	return func(dir string, ids []quarantine.Identities) (*fixtures.Recording, []fixtures.Loss, error) {
		return fixtures.CheckSubset(dir, percent/100, random, ids...)
	}, nil
}

func (a *app) fixturesStatsVerb() verb {
	output := "text"
	var r reader
	return verb{
		use: "stats RECORDING...", short: "say what recordings hold and what they take on the disk",
		long:    "Stats counts exchanges, bytes of bodies and bytes of files.",
		example: "rehearse fixtures stats fixtures/crm-sis",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&output, "output", "text", "`kind` of output: text, json")
			r.add(set)
		},
		run: func(_ context.Context, dirs []string) error {
			if output != "text" && output != "json" {
				return harness.Usage(fmt.Errorf("fixtures stats: --output %q is not known", output), "write text or json")
			}
			for _, dir := range dirs {
				rec, err := a.open(dir, r)
				if err != nil {
					return err
				}
				s, err := rec.Stats()
				if err != nil {
					return err
				}
				if err := a.writeStats(dir, rec.Manifest(), s, output); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// writeStats writes a recording in lines for people, or in one line of JSON.
func (a *app) writeStats(dir string, m harness.Manifest, s fixtures.Stats, output string) error {
	c := m.Counts
	if output == "json" {
		return json.NewEncoder(a.out).Encode(struct {
			Recording string `json:"recording"`
			fixtures.Stats
			Seen       int `json:"seen"`
			Incomplete int `json:"incomplete"`
			Dropped    int `json:"dropped"`
			LeftOut    int `json:"left_out"`
		}{dir, s, c.Seen, c.Incomplete, c.Dropped, c.Unwanted()})
	}
	fmt.Fprintf(a.out, "%s: %s form\n", dir, s.Form)
	fmt.Fprintf(a.out, "  exchanges  %d of %d seen: %d whole, %d with a fault, %d dropped\n", s.Exchanges, c.Seen, c.Recorded, c.Incomplete, c.Dropped)
	if n := c.Unwanted(); n > 0 {
		fmt.Fprintf(a.out, "  left out   %d that nobody wanted\n", n)
	}
	fmt.Fprintf(a.out, "  systems    %s\n", printable(strings.Join(m.Systems, ", ")))
	fmt.Fprintf(a.out, "  bodies     %s\n", harness.Count(int(s.Bodies), "byte"))
	fmt.Fprintf(a.out, "  on disk    %s in %s", harness.Count(int(s.Stored), "byte"), harness.Count(s.Files, "file"))
	if s.Exchanges > 0 {
		fmt.Fprintf(a.out, ", %d an exchange", s.Stored/int64(s.Exchanges))
	}
	fmt.Fprintln(a.out)
	if s.Form == fixtures.Bulk {
		fmt.Fprintf(a.out, "  segments   %d with %s before compression, %s\n", s.Segments, harness.Count(int(s.Records), "byte"), harness.Count(s.Blobs, "blob"))
	}
	return nil
}

// converter is a verb that writes a recording in another form.
func (a *app) converter(v verb, convert func(dir, to string, replace bool, ids ...quarantine.Identities) (*fixtures.Recording, error)) verb {
	var out string
	var force bool
	var r reader
	further := v.flags
	v.flags = func(set *pflag.FlagSet) {
		if further != nil {
			further(set)
		}
		r.add(set)
		set.StringVar(&out, "out", "", "`folder` of the new recording (required)")
		set.BoolVar(&force, "force", false, "replace the recording that is there")
	}
	v.run = func(_ context.Context, args []string) error {
		if out == "" {
			return harness.Usage(errors.New("--out is missing"), "name the folder of the new recording")
		}
		ids, err := a.identities(r)
		if err != nil {
			return err
		}
		rec, err := convert(args[0], out, force, ids...)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.out, "%s: %s in %s form, %s\n", out, harness.Count(rec.Len(), "exchange"), rec.Form(), rec.Digest())
		return err
	}
	return v
}

func (a *app) fixturesPackVerb() verb {
	return a.converter(verb{
		use: "pack RECORDING", short: "write a recording in bulk form",
		long: "Pack writes the exchanges of a recording into compressed segments. Digest, counts and certificate stay, and\n" +
			"unpack gives the same bytes again.",
		example: "rehearse fixtures pack fixtures/rosters --out archive/rosters",
	}, fixtures.Pack)
}

func (a *app) fixturesUnpackVerb() verb {
	open := false
	return a.converter(verb{
		use: "unpack RECORDING", short: "write a recording in git form, for people and Git", exits: []int{exitRefused},
		long: "Unpack writes every body into a file of its own. Digest, counts and certificate stay. The git form cannot be\n" +
			"encrypted, so of a raw recording it is written only where --in-the-open says that this is meant.",
		example: "rehearse fixtures unpack archive/rosters --out fixtures/rosters",
		flags: func(set *pflag.FlagSet) {
			set.BoolVar(&open, "in-the-open", false, "write what is encrypted, and was never scrubbed, into files that everybody with access to them reads")
		},
	}, func(dir, to string, replace bool, ids ...quarantine.Identities) (*fixtures.Recording, error) {
		if len(ids) > 0 && !open {
			return nil, harness.Refused(fmt.Errorf("unpack %s: it is raw, and would lie in the open", dir),
				"scrub it with `rehearse scrub "+dir+" --identity FILE --out FOLDER`; if it must be read as it is, say --in-the-open")
		}
		return fixtures.Unpack(dir, to, replace, ids...)
	})
}

func (a *app) fixturesRepairVerb() verb {
	var to string
	var r reader
	return verb{
		use: "repair RECORDING", short: "save what can be read of a damaged recording", exits: []int{exitInconclusive},
		long: "Repair writes what can be read of RECORDING into another folder, and lists what cannot. RECORDING may also be\n" +
			"the folder that a recorder left behind. It is never changed. What comes out is marked incomplete, so it cannot\n" +
			"be a baseline, and its certificate is gone. The exit code is 5 when something was lost.",
		example: "rehearse fixtures repair fixtures/crm-sis --to rescued/crm-sis",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&to, "to", "", "`folder` of what is saved (required)")
			r.add(set)
		},
		run: func(_ context.Context, args []string) error {
			if to == "" {
				return harness.Usage(errors.New("fixtures repair: --to is missing"), "name a folder that does not exist yet")
			}
			ids, err := a.identities(r)
			if err != nil {
				return err
			}
			m, losses, err := fixtures.Repair(args[0], to, ids...)
			for _, l := range losses {
				fmt.Fprintf(a.err, "  %s\n", printable(l.String()))
			}
			if err != nil {
				return err
			}
			c := m.Counts
			fmt.Fprintf(a.out, "%s: of %s seen %d whole, %d with a fault, %d lost\n", to, harness.Count(c.Seen, "exchange"), c.Recorded, c.Incomplete, c.Dropped)
			if len(losses) == 0 {
				return nil
			}
			return harness.Inconclusive(fmt.Errorf("repair recording %s: not everything could be read", args[0]), "restore what is lost from a copy, or record again")
		},
	}
}

func (a *app) fixturesRehashVerb() verb {
	return verb{
		use: "rehash RECORDING", short: "vouch for what was edited by hand",
		long: "Rehash takes the files of a recording as they are now, and makes sizes, digests, counts and the checksum of the\n" +
			"manifest true again. Until then, nothing opens what was edited. Where an exchange or a body was changed, seal and\n" +
			"certificate are removed: they were about what stood there before, so scrub the recording again.",
		example: "rehearse fixtures rehash fixtures/crm-sis",
		run: func(_ context.Context, args []string) error {
			done, err := fixtures.Rehash(args[0])
			if err != nil {
				return err
			}
			var what []string
			if done.Manifest {
				what = append(what, "its manifest")
			}
			if done.Lines {
				what = append(what, "its exchanges")
			}
			if done.Bodies > 0 {
				what = append(what, harness.Count(done.Bodies, "body"))
			}
			if len(what) == 0 {
				what = []string{"nothing"}
			}
			fmt.Fprintf(a.out, "%s: %s had been changed\n", args[0], strings.Join(what, ", "))
			if done.Unsealed {
				fmt.Fprintf(a.err, "seal and certificate are removed: what was edited was never scrubbed; run `rehearse scrub %s`\n", args[0])
			}
			return nil
		},
	}
}

func (a *app) fixturesRecoverVerb() verb {
	var r reader
	return verb{
		use: "recover RECORDING", short: "save what a killed recorder left behind",
		long:    "Recover turns the folder RECORDING.partial into the recording RECORDING. Every exchange that was acknowledged\nis in it. It is marked incomplete, so it cannot be a baseline, but it can be read and mocked.",
		example: "rehearse fixtures recover fixtures/crm-sis",
		flags:   r.add,
		run: func(_ context.Context, args []string) error {
			ids, err := a.identities(r)
			if err != nil {
				return err
			}
			m, err := fixtures.Recover(args[0], ids...)
			if err != nil {
				return err
			}
			c := m.Counts
			_, err = fmt.Fprintf(a.out, "%s: of %s seen %d whole, %d with a fault, %d lost\n", args[0], harness.Count(c.Seen, "exchange"), c.Recorded, c.Incomplete, c.Dropped)
			return err
		},
	}
}
