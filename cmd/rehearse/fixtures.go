package main

import (
	"context"
	"fmt"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
)

func (a *app) fixturesVerb() verb {
	return verb{
		use: "fixtures", short: "check recordings, and recover one that was cut off",
		long:    "Fixtures looks after recordings on disk.",
		example: "rehearse fixtures check fixtures/crm-sis",
		below:   []verb{a.fixturesCheckVerb(), a.fixturesRecoverVerb()},
	}
}

func (a *app) fixturesCheckVerb() verb {
	return verb{
		use: "check RECORDING...", short: "verify every byte of recordings", exits: []int{exitRefused, exitInconclusive},
		long:    "Check reads recordings whole: manifest, exchanges, digests of all bodies. A recording that is not sealed is\nrefused, and one that lost something is inconclusive, because neither can be a baseline.",
		example: "rehearse fixtures check fixtures/crm-sis fixtures/rosters",
		run: func(_ context.Context, dirs []string) error {
			var worst error
			for _, dir := range dirs {
				rec, err := fixtures.Open(dir)
				if err == nil {
					err = rec.RequireBaseline()
				}
				if err != nil {
					explainError(a.err, err)
					worst = weightier(worst, reported{err})
					continue
				}
				fmt.Fprintf(a.out, "ok    %s: %s, %s\n", dir, harness.Count(rec.Len(), "exchange"), rec.Digest())
			}
			return worst
		},
	}
}

func (a *app) fixturesRecoverVerb() verb {
	return verb{
		use: "recover RECORDING", short: "save what a killed recorder left behind",
		long:    "Recover turns the folder RECORDING.partial into the recording RECORDING. Every exchange that was acknowledged\nis in it. It is marked incomplete, so it cannot be a baseline, but it can be read and mocked.",
		example: "rehearse fixtures recover fixtures/crm-sis",
		run: func(_ context.Context, args []string) error {
			m, err := fixtures.Recover(args[0])
			if err != nil {
				return err
			}
			c := m.Counts
			_, err = fmt.Fprintf(a.out, "%s: of %s seen %d whole, %d with a fault, %d lost\n", args[0], harness.Count(c.Seen, "exchange"), c.Recorded, c.Incomplete, c.Dropped)
			return err
		},
	}
}
