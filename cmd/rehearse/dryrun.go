package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/rehearsal"
	"github.com/rehearse-dev/rehearse/harness/replay/correlate"
)

// maxFedLines bounds the list of operations in a preview for people.
const maxFedLines = 25

// preview says what a run would do. Its error is the first refusal that the run would end with.
func (a *app) preview(p rehearsal.Plan, output string) error {
	view, err := rehearsal.Look(p)
	if err != nil {
		return err
	}
	switch output {
	case "text":
		writePreview(a.out, view)
	case "json":
		err = json.NewEncoder(a.out).Encode(previewJSON(view))
	default:
		err = harness.Usage(fmt.Errorf("run: --dry-run has no output %q", output), "write text or json")
	}
	if err != nil {
		return err
	}
	return view.Refused()
}

func writePreview(w io.Writer, v *rehearsal.Preview) {
	fmt.Fprintf(w, "DRY RUN  %s\n", printable(v.Scenario))
	fmt.Fprintf(w, "Nothing was started and nothing was reached.\n\n")
	fmt.Fprintf(w, "tests     %s: %s\n", v.Target, printable(v.Tested))
	if v.Integration != "" {
		fmt.Fprintf(w, "concerns  %s, owned by %s\n", printable(v.Integration), printable(v.Owner))
	}
	fmt.Fprintf(w, "feeds     %s in %s%s\n", harness.Count(v.Exchanges, "exchange"), harness.Count(v.Sessions, "session"), spanWords(v.Span))
	for i, f := range v.Fed {
		if i == maxFedLines {
			fmt.Fprintf(w, "          … and %s\n", harness.Count(len(v.Fed)-i, "further operation"))
			break
		}
		fmt.Fprintf(w, "  %6d  %s%s\n", f.Count, printable(f.Operation), fedWords(f))
	}
	writeLinks(w, v.Links)
	for _, answer := range v.Answers {
		fmt.Fprintf(w, "answers   %s: %s\n", answer.System, printable(answer.By))
	}
	if len(v.Reached) == 0 {
		fmt.Fprintln(w, "reaches   nothing outside of this run")
	}
	for _, r := range v.Reached {
		fmt.Fprintf(w, "reaches   %s, the %s %s: %s\n", printable(r.Address), r.As, r.System, reachWords(r))
	}
}

// writeLinks is one line for each place of answers that gives values to later requests.
func writeLinks(w io.Writer, kinds []correlate.Kind) {
	lines := 0
	for i := 0; i < len(kinds); lines++ {
		first, from, places := kinds[i], i, 0
		for ; i < len(kinds) && kinds[i].From.Operation == first.From.Operation && kinds[i].From.At.String() == first.From.At.String(); i++ {
			places += kinds[i].Links
		}
		if lines == maxFedLines {
			fmt.Fprintln(w, "          … and more: see rehearse fixtures links")
			return
		}
		to := first.To.At.String() + " of " + first.To.Operation
		if n := i - from; n > 1 {
			to = harness.Count(n, "kind") + " of places"
		}
		fmt.Fprintf(w, "carries   %s of %s to %s: %s\n", printable(first.From.At.String()), printable(first.From.Operation), printable(to), harness.Count(places, "place"))
	}
}

// spanWords says how long the recording of what is fed took.
func spanWords(span time.Duration) string {
	if span = span.Round(time.Second); span == 0 {
		return ""
	}
	return ", recorded over " + span.String()
}

// fedWords says of how many places the requests are, and whether they only read.
func fedWords(f rehearsal.Fed) string {
	words := ""
	if f.Places > 1 {
		words = ", " + harness.Count(f.Places, "place")
	}
	if f.MayChange {
		words += ", may change data"
	}
	return words
}

// reachWords says what arrives at an address, and what the guard says to it.
func reachWords(r rehearsal.Reach) string {
	var parts []string
	if r.Reads > 0 {
		parts = append(parts, harness.Count(r.Reads, "request")+" that read")
	}
	if r.Writes > 0 {
		parts = append(parts, harness.Count(r.Writes, "request")+" that may change data")
	}
	if len(parts) == 0 {
		parts = append(parts, "what the system under test asks")
	}
	words := strings.Join(parts, ", ")
	if r.Refused != nil {
		return words + "; REFUSED: " + printable(r.Refused.Error())
	}
	return words + "; allowed"
}

// previewJSON is the preview for programs.
func previewJSON(v *rehearsal.Preview) any {
	type fed struct {
		Operation string `json:"operation"`
		Count     int    `json:"count"`
		Places    int    `json:"places"`
		MayChange bool   `json:"mayChange"`
	}
	type reach struct {
		Address string `json:"address"`
		System  string `json:"system"`
		As      string `json:"as"`
		Reads   int    `json:"reads"`
		Writes  int    `json:"writes"`
		Refused string `json:"refused,omitempty"`
	}
	type link struct {
		FromOperation string `json:"fromOperation"`
		From          string `json:"from"`
		ToOperation   string `json:"toOperation"`
		To            string `json:"to"`
		Links         int    `json:"links"`
	}
	type answer struct {
		System string `json:"system"`
		By     string `json:"by"`
	}
	out := struct {
		Scenario  string   `json:"scenario"`
		Target    string   `json:"target"`
		Title     string   `json:"integration,omitempty"`
		Owner     string   `json:"owner,omitempty"`
		Tested    string   `json:"tested"`
		Sessions  int      `json:"sessions"`
		Exchanges int      `json:"exchanges"`
		Seconds   float64  `json:"recordedSeconds"`
		Fed       []fed    `json:"fed"`
		Links     []link   `json:"links"`
		Answers   []answer `json:"answers"`
		Reached   []reach  `json:"reached"`
	}{v.Scenario, v.Target, v.Integration, v.Owner, v.Tested, v.Sessions, v.Exchanges, v.Span.Seconds(), []fed{}, []link{}, []answer{}, []reach{}}
	for _, f := range v.Fed {
		out.Fed = append(out.Fed, fed(f))
	}
	for _, l := range v.Links {
		out.Links = append(out.Links, link{l.From.Operation, l.From.At.String(), l.To.Operation, l.To.At.String(), l.Links})
	}
	for _, a := range v.Answers {
		out.Answers = append(out.Answers, answer(a))
	}
	for _, r := range v.Reached {
		one := reach{Address: r.Address, System: r.System, As: r.As, Reads: r.Reads, Writes: r.Writes}
		if r.Refused != nil {
			one.Refused = r.Refused.Error()
		}
		out.Reached = append(out.Reached, one)
	}
	return out
}
