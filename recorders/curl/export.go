// Package curl writes requests as commands of curl, in a shell script.
package curl

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/export"
)

// Export writes a POSIX shell script that sends every request again with curl 7.42 or newer. What goes to another place
// than the recorded one is the user's choice: curl reads --connect-to from a configuration file, too.
var Export = export.Format{Extension: ".sh", Write: write}

// Losses that only this format has.
const (
	lossAnswer departure.Kind = "exchanges: the answers are not kept"
	lossBase64 departure.Kind = "requests: the body is written as base64, which the script decodes"
)

func write(w io.Writer, xs []harness.Exchange, l *export.Losses) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "#!/bin/sh")
	session := ""
	for _, x := range xs {
		c, err := export.Take(x, l)
		if err != nil {
			return err
		}
		l.Add(lossAnswer)
		if c.HasPseudo() {
			l.Add(export.LossPseudo)
		}
		if c.Session != session {
			session = c.Session
			fmt.Fprintf(b, "\n# session %s\n", oneLine(session))
		}
		writeCommand(b, &c, l)
	}
	return b.Flush()
}

// framing are fields that curl writes itself.
var framing = []string{"content-length", "transfer-encoding", "connection"}

// longestArgument of a command, in bytes. Systems have a bound; what is longer goes through a pipe.
const longestArgument = 64 << 10

func writeCommand(b *bufio.Writer, c *export.Call, l *export.Losses) {
	args := []string{"curl", "--silent", "--show-error", "--globoff", "--path-as-is", "--request", quoted(c.Method)}
	if c.Method == "HEAD" {
		args = []string{"curl", "--silent", "--show-error", "--globoff", "--path-as-is", "--head"}
	}
	for _, f := range c.Sent.Fields {
		name := strings.ToLower(f.Name)
		switch {
		case slices.Contains(framing, name):
			l.Add(export.LossFraming)
		case name == "host" && f.Value == c.Host:
		case f.Value == "":
			args = append(args, "--header", quoted(f.Name+";")) // an empty field; with a colon curl leaves it out
		default:
			args = append(args, "--header", quoted(f.Name+": "+f.Value))
		}
	}
	for _, own := range []string{"User-Agent", "Accept"} {
		if !c.Sent.Fields.Has(own) {
			args = append(args, "--header", quoted(own+":")) // not sent
		}
	}
	data, pipe := "", ""
	switch {
	case len(c.Sent.Body) == 0:
	case c.Sent.IsText && !c.Sent.Packed && !strings.Contains(c.Sent.Text, "\x00") && len(c.Sent.Text) <= longestArgument:
		data = "--data-raw " + quoted(c.Sent.Text)
	default:
		l.Add(lossBase64)
		data, pipe = "--data-binary @-", "printf %s "+quoted(c.Sent.Base64())+" | base64 -d | "
	}
	if data != "" {
		if args = append(args, data); !c.Sent.Fields.Has("Content-Type") {
			args = append(args, "--header", quoted("Content-Type:"))
		}
	}
	fmt.Fprintf(b, "%s%s %s\n", pipe, strings.Join(args, " "), quoted(c.URL()))
}

// quoted is a word of the shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}
