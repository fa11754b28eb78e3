// Command mutants measures how well differences are explained: it plants known changes into recordings, compares and
// explains, and scores what came out against what went in.
//
// A mutant is a recording with one to five planted changes of the table [operators], each at one site or at all sites of
// one name, in all records or in few, under a condition or not; two of them may share a site. What a change alone makes
// different is its truth: a difference of the mutant belongs to the changes in whose truth it is. Everything follows from
// the seed.
//
//	mutants --mutants 600 --seed 1 --data ../data
//
// The scores: a change is seen when it makes a difference at all, found when one finding holds at least 95 % of its
// differences, or of those that no other change shares, and at least 99 % of what that finding holds are its own, and
// named when the finding has the right kind. Swallowed is a difference of one change that lies in the finding of another;
// a wrong proof is a finding that calls itself proven and holds what is not its own; a false finding holds no difference
// that was planted.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	var o options
	flag.IntVar(&o.mutants, "mutants", 400, "number of mutants")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the first mutant; mutant i has seed + i")
	flag.StringVar(&o.data, "data", os.Getenv("REHEARSE_REAL_DATA"), "folder of real traffic and files; without it only the demo world is used")
	flag.StringVar(&o.only, "only", "", "plant only operators whose name begins so")
	flag.StringVar(&o.world, "world", "", "mutate only this world")
	flag.BoolVar(&o.verbose, "v", false, "list each change that was not found or not named, and every violation")
	flag.Parse()
	if _, err := run(context.Background(), o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// options of a run.
type options struct {
	mutants     int
	seed        uint64
	data        string // folder of real data; empty: none
	only, world string // restrictions, empty: none
	verbose     bool
}

// run plants, explains, scores and prints the table.
func run(ctx context.Context, o options, out io.Writer) (*board, error) {
	worlds, err := openWorlds(ctx, o)
	if err != nil {
		return nil, err
	}
	scores := newBoard()
	for i := range o.mutants {
		m := plant(worlds[i%len(worlds)], o.seed+uint64(i), o.only)
		if m == nil {
			continue
		}
		r, err := judge(m)
		if err != nil {
			return nil, fmt.Errorf("mutant %d of %s: %w", m.seed, m.world.name, err)
		}
		scores.add(r)
		if o.verbose {
			r.tell(out)
		}
	}
	for _, w := range worlds {
		n, err := silent(w)
		if err != nil {
			return nil, err
		}
		scores.silent += n
	}
	scores.print(out)
	return scores, nil
}
