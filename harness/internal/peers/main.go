//go:build linux

package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// parts are what the program does: the tables, and the processes that are measured for them.
var parts = []struct {
	name string
	args int
	run  func(args []string) error
}{
	{"differs", 0, func([]string) error { return printDiffers(os.Stdout) }},
	{"senders", 0, func([]string) error { return printSenders(os.Stdout) }},
	{"compare", 3, compare},
	{"serve", 0, func([]string) error { return serve(os.Stdin, os.Stdout) }},
	{"send", 2, func(args []string) error { return send(args, os.Stdout) }},
}

// run prints all tables; with the name of a part and its arguments it does that.
func run(args []string) error {
	if len(args) == 0 {
		if err := printDiffers(os.Stdout); err != nil {
			return err
		}
		fmt.Println()
		return printSenders(os.Stdout)
	}
	for _, p := range parts {
		if p.name == args[0] && p.args == len(args)-1 {
			return p.run(args[1:])
		}
	}
	return fmt.Errorf("nothing is called %q with %d arguments", args[0], len(args)-1)
}
