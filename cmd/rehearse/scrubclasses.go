package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
)

func (a *app) scrubClassesVerb() verb {
	var output string
	return verb{
		use: "classes [CLASS]...", short: "list the classes that a policy can name",
		long: "Classes prints what each class of a policy replaces and what of a value stays in its stand-in.\n\n" +
			"  one-to-one   two values never get the same stand-in; others hardly ever do, as the text says\n" +
			"  spreads      a value that was seen once is replaced at places without a rule, too\n" +
			"  weak         stand-ins that can be guessed by whoever knows many pairs, and why",
		example: "rehearse scrub classes ssn card",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&output, "output", "text", "write text or json")
		},
		run: func(_ context.Context, args []string) error {
			write, known := map[string]func(io.Writer, []scrub.Class) error{"text": writeClasses, "json": writeClassesJSON}[output]
			if !known {
				return harness.Usage(fmt.Errorf("classes: --output %q is not known", output), "write text or json")
			}
			classes := scrub.Classes
			if len(args) > 0 {
				classes = nil
			}
			for _, name := range args {
				c, err := scrub.ClassOf(name)
				if err != nil {
					return harness.Usage(err, "run `rehearse scrub classes` for the list")
				}
				classes = append(classes, c)
			}
			return write(a.out, classes)
		},
	}
}

// writeClasses writes a paragraph for each class: a line that says what it is, then what stays and what it promises.
func writeClasses(w io.Writer, classes []scrub.Class) error {
	for _, c := range classes {
		promises := []string{}
		if c.OneToOne {
			promises = append(promises, "one-to-one")
		}
		if c.Propagates {
			promises = append(promises, "spreads")
		}
		if c.Weak != "" {
			promises = append(promises, "weak: "+c.Weak)
		}
		const indent = "                  "
		if _, err := fmt.Fprintf(w, "%-17s %s\n%skeeps %s\n", c.Name, c.Summary, indent, c.Keeps); err != nil {
			return err
		}
		if len(promises) == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s%s\n", indent, strings.Join(promises, "; ")); err != nil {
			return err
		}
	}
	return nil
}

func writeClassesJSON(w io.Writer, classes []scrub.Class) error {
	type row struct {
		Name     string `json:"name"`
		Summary  string `json:"summary"`
		Keeps    string `json:"keeps"`
		OneToOne bool   `json:"one_to_one"`
		Spreads  bool   `json:"spreads"`
		Weak     string `json:"weak,omitempty"`
	}
	rows := make([]row, len(classes))
	for i, c := range classes {
		rows[i] = row{c.Name, c.Summary, c.Keeps, c.OneToOne, c.Propagates, c.Weak}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(rows)
}
