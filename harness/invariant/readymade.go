package invariant

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Ready is an invariant that comes with the program.
type Ready struct {
	Name    string
	Summary string
	Kind    string
	Check   string
	Says    string
}

// ReadyMade is the table. The control totals of layouts are computed where the layout is read.
var ReadyMade = []Ready{
	{"layout-totals", "the counts, sums and hashes that the layout of a file promises hold (HLU-GL-132, NACHA-94 and layouts of your own)", "F30",
		"size(records) > 0 && !has(facts.totals)", "{has(facts.totals) ? facts.totals : 'file holds no records'}"},
	{"gl-trailer-count", "HLU-GL-132: the trailer counts the detail lines", "F27",
		"size(" + glTrailer + ") == 1 && number(" + glTrailer + "[0].count) == count(of(records, 'detail'))",
		"trailer {size(" + glTrailer + ") == 1 ? 'says ' + text(number(" + glTrailer + "[0].count)) : 'is missing'}, file holds {count(of(records, 'detail'))}"},
	{"gl-balance", "HLU-GL-132: debits are credits", "F30",
		glDebits + " == " + glCredits, "debits − credits = {" + glDebits + " - " + glCredits + "}"},
	{"nacha-control", "NACHA-94: entries, entry hash, debits and credits of batches and of the file are as their controls say", "F30",
		"size(of(records, 'file_control')) == 1 && !has(facts.totals)", "{has(facts.totals) ? facts.totals : 'file control is missing'}"},
	{"nacha-blocking", "NACHA-94: the file is filled up to blocks of ten records, and counts them", "F27",
		"digits(count(records), 1) == 0 && number(of(records, 'file_control')[0].blocks) * 10 == count(records)",
		"file control says {number(of(records, 'file_control')[0].blocks)} blocks of ten, file holds {count(records)} records"},
	{"csv-trailer-count", "CSV: the last row is a trailer, whose second cell counts the rows before it", "F27",
		"number(cell(trailer, 2)) == count(records) - 1", "trailer says {number(cell(trailer, 2))}, file holds {count(records) - 1} rows"},
	{"not-empty", "the body has records", "F27", "size(records) > 0", "file holds no records"},
}

// Parts of a ledger feed.
const (
	glTrailer = "of(records, 'trailer')"
	glDebits  = "sum(of(records, 'detail').filter(r, r.debit_credit == 'D').map(r, r.amount))"
	glCredits = "sum(of(records, 'detail').filter(r, r.debit_credit == 'C').map(r, r.amount))"
)

// complete fills in what an invariant takes from a ready-made one, and the defaults.
func complete(in harness.Invariant) (harness.Invariant, error) {
	if in.Use != "" {
		i := slices.IndexFunc(ReadyMade, func(r Ready) bool { return r.Name == in.Use })
		if i < 0 {
			var names []string
			for _, r := range ReadyMade {
				names = append(names, r.Name)
			}
			return in, fmt.Errorf("use: %q is none of those that come with the program: %s", in.Use, strings.Join(names, ", "))
		}
		r := ReadyMade[i]
		in.Check, in.Says, in.Kind = r.Check, cmp.Or(in.Says, r.Says), cmp.Or(in.Kind, r.Kind)
	}
	in.Kind = cmp.Or(in.Kind, "F30")
	in.Verdict = cmp.Or(in.Verdict, harness.Breaking)
	return in, nil
}
