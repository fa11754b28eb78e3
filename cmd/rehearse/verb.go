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
	example string   // one real example
	exits   []int    // codes beside 0, 2 and 130
	values  []string // what the argument can be, for completion; empty: files
	flags   func(*pflag.FlagSet)
	run     func(ctx context.Context, args []string) error
	hidden  bool
	below   []verb
}

// main runs the command line and returns the exit code.
func (a *app) main(ctx context.Context, args []string) int {
	cobra.EnableCommandSorting = false // the table has the order in which the work is done
	a.root = a.command(verb{
		use:   "rehearse",
		short: "know what a vendor release or a mapping change will do, before it goes live",
		long: "Rehearse records real integration traffic, anonymizes it, replays it against test instances or\n" +
			"mocks, and explains what is different, why, who is hit and whether it is safe.\n\n" +
			"Begin with:  rehearse demo",
		below: a.verbs(),
	})
	root := a.root
	root.Version = a.version
	root.InitDefaultVersionFlag()
	root.Flags().Lookup("version").Usage = "print the version"
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetVersionTemplate("rehearse {{.Version}}\n")
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetHelpCommand(root.Commands()[slices.IndexFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == "help" })])
	root.CompletionOptions.DisableDefaultCmd = true
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveDefault)
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { writeHelp(a.out, c) })
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return harness.Usage(fmt.Errorf("%s%w%s", prefix(c), err, suggestFlag(c, err)), "see `"+c.CommandPath()+" --help`")
	})
	err := root.ExecuteContext(ctx)
	explainError(a.err, err)
	return exitCode(err)
}

// command turns a row into a cobra command.
func (a *app) command(v verb) *cobra.Command {
	c := &cobra.Command{Use: v.use, Short: v.short, Long: v.long, Hidden: v.hidden, ValidArgs: v.values}
	c.Annotations = map[string]string{"exits": exitText(v.exits)}
	c.SuggestionsMinimumDistance = 2
	if v.example != "" {
		c.Example = "  " + strings.ReplaceAll(strings.TrimSpace(v.example), "\n", "\n  ")
	}
	if v.flags != nil {
		v.flags(c.Flags())
	}
	c.Flags().SortFlags = false
	c.Flags().BoolP("help", "h", false, "show this text")
	c.Args = checkArguments
	if v.run == nil {
		v.run, c.Args = a.onlyBelow(c), cobra.ArbitraryArgs
	}
	c.RunE = func(c *cobra.Command, args []string) error { return v.run(c.Context(), args) }
	for _, b := range v.below {
		c.AddCommand(a.command(b))
	}
	return c
}

// onlyBelow is what a command does that has nothing but commands below it: the program itself explains itself, any
// other says what is missing.
func (a *app) onlyBelow(c *cobra.Command) func(context.Context, []string) error {
	return func(_ context.Context, args []string) error {
		var names []string
		for _, b := range c.Commands() {
			names = append(names, b.Name())
		}
		switch {
		case len(args) > 0:
			return unknownCommand(c, args[0])
		case !c.HasParent():
			writeHelp(a.out, c)
			return nil
		}
		return harness.Usage(fmt.Errorf("%ssay what: %s", prefix(c), strings.Join(names, " or ")), "see `"+c.CommandPath()+" --help`")
	}
}

// prefix names the command in errors, which begin with the name of the program already.
func prefix(c *cobra.Command) string {
	if _, name, below := strings.Cut(c.CommandPath(), " "); below {
		return name + ": "
	}
	return ""
}

// checkArguments holds the arguments against the usage of the command: NAME is needed, [NAME] is not, and NAME... can
// be repeated.
func checkArguments(c *cobra.Command, args []string) error {
	words := strings.Fields(c.Use)[1:]
	for i, word := range words {
		if i >= len(args) && !strings.HasPrefix(word, "[") {
			return harness.Usage(fmt.Errorf("%s%s is missing", prefix(c), strings.TrimSuffix(word, "...")), "usage: "+usageLine(c))
		}
	}
	repeats := len(words) > 0 && strings.HasSuffix(words[len(words)-1], "...")
	if len(args) > len(words) && !repeats {
		return harness.Usage(fmt.Errorf("%s%q is one argument too many", prefix(c), args[len(words)]), "usage: "+usageLine(c))
	}
	return nil
}

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
		if d := harness.EditDistance(unknown.GetSpecifiedName(), f.Name); d < distance {
			best, distance = f.Name, d
		}
	})
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean --%s?", best)
}
