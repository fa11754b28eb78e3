package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
)

// verb is one command: a row of the table that is also the help text.
type verb struct {
	use     string // name and arguments
	short   string
	long    string
	example string // one real example
	exits   []int  // codes beside 0, 2 and 130
	args    cobra.PositionalArgs
	flags   func(*pflag.FlagSet)
	run     func(ctx context.Context, args []string) error
	hidden  bool
	below   []verb
}

// main runs the command line and returns the exit code.
func (a *app) main(ctx context.Context, args []string) int {
	root := a.command(verb{
		use:   "rehearse",
		short: "know what a vendor release or a mapping change will do, before it goes live",
		long: "Rehearse records real integration traffic, anonymizes it, replays it against test instances or\n" +
			"mocks, and explains what is different, why, who is hit and whether it is safe.\n\n" +
			"Begin with:  rehearse demo",
		below: a.verbs(),
	})
	root.Version = a.version
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetVersionTemplate("rehearse {{.Version}}\n")
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SuggestionsMinimumDistance = 2
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveDefault)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return harness.Usage(fmt.Errorf("%s: %w%s", c.CommandPath(), err, suggestFlag(c, err)), "see `"+c.CommandPath()+" --help`")
	})
	err := root.ExecuteContext(ctx)
	if ctx.Err() != nil && err != nil {
		err = ctx.Err()
	}
	if err != nil && harness.HintOf(err) == "" && strings.HasPrefix(err.Error(), "unknown command") {
		err = harness.Usage(errors.New(strings.TrimSpace(err.Error())), "see `rehearse --help`")
	}
	explainError(a.err, err)
	return exitCode(err)
}

// command turns a row into a cobra command.
func (a *app) command(v verb) *cobra.Command {
	c := &cobra.Command{Use: v.use, Short: v.short, Long: v.long, Hidden: v.hidden, Args: v.args}
	c.SetHelpTemplate(helpTemplate)
	c.Annotations = map[string]string{"exits": exitText(v.exits)}
	if v.example != "" {
		c.Example = "  " + strings.ReplaceAll(strings.TrimSpace(v.example), "\n", "\n  ")
	}
	if v.flags != nil {
		v.flags(c.Flags())
	}
	if v.run != nil {
		c.RunE = func(c *cobra.Command, args []string) error { return v.run(c.Context(), args) }
	}
	if v.args != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := v.args(c, args); err != nil {
				return harness.Usage(fmt.Errorf("%s: %w", c.CommandPath(), err), "see `"+c.CommandPath()+" --help`")
			}
			return nil
		}
	}
	c.Flags().SortFlags = false
	for _, b := range v.below {
		c.AddCommand(a.command(b))
	}
	return c
}

const helpTemplate = `{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{if or .Runnable .HasSubCommands}}{{.UsageString}}{{end}}{{with index .Annotations "exits"}}
Exit codes:
{{.}}{{end}}`

// exitText lists the codes that a verb can end with.
func exitText(codes []int) string {
	var b strings.Builder
	for _, e := range exits {
		if e.code == exitSafe || e.code == exitUsage || e.code == exitInterrupted || slices.Contains(codes, e.code) {
			fmt.Fprintf(&b, "  %3d  %s\n", e.code, e.meaning)
		}
	}
	return b.String()
}

// suggestFlag names the flag that was probably meant.
func suggestFlag(c *cobra.Command, err error) string {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return ""
	}
	best, distance := "", 3
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if d := editDistance(f.Name, unknown.GetSpecifiedName()); d < distance {
			best, distance = f.Name, d
		}
	})
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean --%s?", best)
}

// editDistance is the number of letters to change, add or take away (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
