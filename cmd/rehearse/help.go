package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
)

// helpWidth is the columns that a help text keeps to.
const helpWidth = 100

func (a *app) helpVerb() verb {
	return verb{
		use: "help [COMMAND]...", short: "explain a command",
		long:    "Help prints what `rehearse COMMAND --help` prints.",
		example: "rehearse help record http",
		run: func(_ context.Context, args []string) error {
			c, rest, err := a.root.Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(a.root, strings.Join(args, " "))
			}
			writeHelp(a.out, c)
			return nil
		},
	}
}

func (a *app) versionVerb() verb {
	return verb{
		use: "version", short: "print the version",
		example: "rehearse version",
		run: func(context.Context, []string) error {
			_, err := fmt.Fprintln(a.out, a.tool())
			return err
		},
	}
}

// shells is what completion can be written for.
var shells = []struct {
	name, load string
	write      func(root *cobra.Command, w io.Writer) error
}{
	{"bash", "source <(rehearse completion bash)", func(c *cobra.Command, w io.Writer) error { return c.GenBashCompletionV2(w, true) }},
	{"zsh", "source <(rehearse completion zsh)", func(c *cobra.Command, w io.Writer) error { return c.GenZshCompletion(w) }},
	{"fish", "rehearse completion fish | source", func(c *cobra.Command, w io.Writer) error { return c.GenFishCompletion(w, true) }},
	{"powershell", "rehearse completion powershell | Out-String | Invoke-Expression", func(c *cobra.Command, w io.Writer) error { return c.GenPowerShellCompletionWithDesc(w) }},
}

func (a *app) completionVerb() verb {
	v := verb{
		use: "completion SHELL", short: "print the completion script of a shell",
		long:    "Completion prints a script that lets your shell complete commands, flags and files. Put the line for your\nshell into its start file:\n",
		example: "rehearse completion bash",
	}
	for _, s := range shells {
		v.long += fmt.Sprintf("\n  %-10s  %s", s.name, s.load)
		v.values = append(v.values, s.name)
	}
	v.run = func(_ context.Context, args []string) error {
		for _, s := range shells {
			if s.name == args[0] {
				return s.write(a.root, a.out)
			}
		}
		return harness.Usage(fmt.Errorf("completion: shell %q is not known", args[0]), "shells are "+strings.Join(v.values, ", "))
	}
	return v
}

// writeHelp prints what a person needs to know about a command.
func writeHelp(w io.Writer, c *cobra.Command) {
	text := c.Long
	if text == "" {
		text = strings.ToUpper(c.Short[:1]) + c.Short[1:] + "."
	}
	fmt.Fprintf(w, "%s\n\nUsage:\n", strings.TrimRight(text, "\n"))
	if strings.Contains(c.Use, " ") || !c.HasAvailableSubCommands() {
		fmt.Fprintf(w, "  %s\n", usageLine(c))
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(w, "  %s COMMAND\n", c.CommandPath())
	}
	if c.Example != "" {
		fmt.Fprintf(w, "\nExample:\n%s\n", c.Example)
	}
	writeCommands(w, c)
	writeFlags(w, c.Flags())
	fmt.Fprintf(w, "\nExit codes:\n%s", c.Annotations["exits"])
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\nMore about a command: %s COMMAND --help\n", c.CommandPath())
	}
}

// usageLine is the command with its arguments.
func usageLine(c *cobra.Command) string {
	line := c.CommandPath()
	if _, arguments, some := strings.Cut(c.Use, " "); some {
		line += " " + arguments
	}
	return line + " [flags]"
}

func writeCommands(w io.Writer, c *cobra.Command) {
	if !c.HasAvailableSubCommands() {
		return
	}
	fmt.Fprint(w, "\nCommands:\n")
	for _, b := range c.Commands() {
		if b.IsAvailableCommand() {
			fmt.Fprintf(w, "  %-*s  %s\n", c.Commands()[0].NamePadding(), b.Name(), b.Short)
		}
	}
}

// writeFlags lists the flags in the order in which they were declared.
func writeFlags(w io.Writer, set *pflag.FlagSet) {
	type row struct{ name, usage string }
	var rows []row
	widest := 0
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Value.Type() != "bool" {
			name += " " + value
		}
		if f.DefValue != "" && !slices.Contains([]string{"false", "[]", "0", "0s"}, f.DefValue) {
			usage += " (default " + f.DefValue + ")"
		}
		rows = append(rows, row{name, usage})
		widest = max(widest, len(name))
	})
	fmt.Fprint(w, "\nFlags:\n")
	for _, r := range rows {
		indent := strings.Repeat(" ", widest+4)
		lines := wrapWords(r.usage, helpWidth-len(indent))
		fmt.Fprintf(w, "  %-*s  %s\n", widest, r.name, strings.Join(lines, "\n"+indent))
	}
}

// wrapWords breaks a text into lines of at most so many columns, between words.
func wrapWords(text string, columns int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > columns {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimLeft(line+" "+word, " ")
	}
	return append(lines, line)
}

// unknownCommand is the error for a word that names no command below c, with the one that was probably meant.
func unknownCommand(c *cobra.Command, name string) error {
	err := fmt.Errorf("%scommand %q is not known", prefix(c), name)
	if meant := c.SuggestionsFor(name); len(meant) > 0 {
		err = fmt.Errorf("%w; did you mean %s?", err, strings.Join(meant, " or "))
	}
	return harness.Usage(err, "see `"+c.CommandPath()+" --help`")
}
