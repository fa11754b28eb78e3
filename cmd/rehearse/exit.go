package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Exit codes. The table is part of every help text.
const (
	exitSafe         = 0
	exitNeedsPerson  = 1
	exitUsage        = 2
	exitCannotRun    = 3
	exitRefused      = 4
	exitInconclusive = 5
	exitInterrupted  = 130
)

var exits = []struct {
	code    int
	meaning string
}{
	{exitSafe, "done; of a comparison: same, expected or benign"},
	{exitNeedsPerson, "a difference that needs a person"},
	{exitUsage, "wrong arguments, or a file that cannot be read or understood"},
	{exitCannotRun, "could not run: target, network, process or full disk"},
	{exitRefused, "refused by policy: unmasked data, or a host that nobody allowed"},
	{exitInconclusive, "inconclusive: a precondition failed, or there was too little to judge"},
	{exitInterrupted, "interrupted"},
}

var exitOfClass = map[harness.Class]int{
	harness.ClassUsage: exitUsage, harness.ClassCannotRun: exitCannotRun, harness.ClassRefused: exitRefused, harness.ClassInconclusive: exitInconclusive,
}

// judged is the error of a verb that came to a verdict which is no success. It was reported already.
type judged struct{ verdict harness.Verdict }

func (j judged) Error() string { return "verdict: " + string(j.verdict) }

// verdictError turns a verdict into an error, or nil when it is a success at the given threshold.
func verdictError(v harness.Verdict, failOn harness.Verdict) error {
	if v == harness.NoConclusion || v.Weight() >= failOn.Weight() {
		return judged{v}
	}
	return nil
}

// exitCode is the code of an error.
func exitCode(err error) int {
	var j judged
	switch {
	case err == nil:
		return exitSafe
	case errors.As(err, &j) && j.verdict == harness.NoConclusion:
		return exitInconclusive
	case errors.As(err, &j):
		return exitNeedsPerson
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case isDiskFull(err):
		return exitCannotRun
	default:
		return exitOfClass[harness.ClassOf(err)]
	}
}

// explainError prints an error with its hint; a verdict was printed already.
func explainError(w io.Writer, err error) {
	var j judged
	var r reported
	if err == nil || errors.As(err, &j) || errors.As(err, &r) {
		return
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "rehearse: interrupted")
		if err = beside(err); err == nil {
			return
		}
	}
	fmt.Fprintf(w, "rehearse: %s\n", printable(err.Error()))
	if hint := harness.HintOf(err); hint != "" {
		fmt.Fprintf(w, "hint: %s\n", printable(hint))
	}
}

// beside is the problem that came up while an interrupted run was ended, such as containers that cannot be removed; nil
// when there was none.
func beside(err error) error {
	if p, ok := errors.AsType[*harness.Problem](err); ok && !errors.Is(p, context.Canceled) {
		return p
	}
	return nil
}

// tellProgress says on stderr what is being done for a scenario.
func (a *app) tellProgress(scenario, what string) {
	fmt.Fprintf(a.err, "%s: %s\n", printable(scenario), printable(what))
}

// printable escapes what a terminal would obey: errors may quote recorded data.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t' || r >= ' ' && r != 0x7f && (r < 0x80 || r >= 0xa0) && !isInvisible(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// isInvisible reports whether the rune changes the direction of text or takes no room.
func isInvisible(r rune) bool {
	return r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2060 && r <= 0x2069 || r == 0xfeff
}
