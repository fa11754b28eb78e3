// Package export is what the exporters have in common: it takes exchanges apart for another tool, writes one file or a
// folder whole or not at all, and counts what a format cannot carry.
//
// The scheme of a URL is https, unless the recording says otherwise: by the field :scheme, or because the host is
// loopback.
//
// Memory: the heads of all exchanges, and the bodies of one.
package export

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
)

// ErrLoss says that the format cannot carry all of a recording, and that nothing was written.
var ErrLoss = errors.New("the format cannot carry everything")

// Losses that several formats have.
const (
	LossChannel  departure.Kind = "exchanges: are no HTTP and were left out"
	LossFault    departure.Kind = "exchanges: ended in a fault, which the format has no word for, and were left out"
	LossSystems  departure.Kind = "exchanges: the names of the systems are not kept"
	LossSession  departure.Kind = "exchanges: the session is not kept"
	LossTime     departure.Kind = "exchanges: when they began is not kept"
	LossTook     departure.Kind = "exchanges: how long they took is not kept"
	LossHost     departure.Kind = "requests: have no Host field; the URL has the name of the system"
	LossFields   departure.Kind = "messages: order, letter case or repetition of fields is not kept"
	LossPseudo   departure.Kind = "messages: protocol versions and facts of the connection are not kept"
	LossUnpacked departure.Kind = "bodies: were packed on the wire and are written unpacked"
	LossBinary   departure.Kind = "bodies: are no text and were left out"
	LossHead     departure.Kind = "requests: header fields are not kept, because they would have to match"
	LossFraming  departure.Kind = "messages: Transfer-Encoding and Content-Length are left to the other tool"
)

// Format is how exchanges are written for a tool.
type Format struct {
	Extension string // of a file, with the dot
	// Write writes one file.
	Write func(w io.Writer, xs []harness.Exchange, l *Losses) error
	// Folder writes a folder; nil: a file for each session.
	Folder func(root *os.Root, xs []harness.Exchange, l *Losses) error
}

// Options of an export.
type Options struct {
	Strict bool // a loss is [ErrLoss], and nothing is written
	Force  bool // a file that is there is replaced
}

// Losses counts what the format does not carry.
type Losses struct {
	notes departure.Notes
	place string
}

// In says which exchange the next losses are of.
func (l *Losses) In(x harness.Exchange) { l.place = x.ID }

// Add counts a loss.
func (l *Losses) Add(k departure.Kind) { l.notes.Add(k, l.place) }

// Export writes the exchanges to a file, when out has the extension of the format, and otherwise into a new folder. It
// says what was lost.
func (f Format) Export(out string, xs []harness.Exchange, o Options) (losses []string, err error) {
	l := &Losses{}
	if xs = only(xs, l); len(xs) == 0 {
		return nil, harness.Usage(errors.New("export: no exchange of the recording is HTTP"), "export a recording of HTTP traffic; files are in its folder bodies as they are")
	}
	isFile := strings.EqualFold(filepath.Ext(out), f.Extension)
	if err := checkPlace(out, isFile, o.Force); err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp(filepath.Dir(out), ".export-*")
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("export to %s: %w", out, err), "choose a place in a folder that exists")
	}
	defer os.RemoveAll(temp) //nolint:errcheck // what stays is empty or hidden
	whole := filepath.Join(temp, "whole")
	if isFile {
		err = f.writeFile(whole, xs, l)
	} else {
		err = f.writeFolder(whole, xs, l)
	}
	if err != nil {
		return nil, fmt.Errorf("export to %s: %w", out, err)
	}
	losses = l.notes.Lines()
	if o.Strict && len(losses) > 0 {
		return losses, ErrLoss
	}
	if err := os.Rename(whole, out); err != nil {
		return nil, fmt.Errorf("export to %s: %w", out, err)
	}
	return losses, nil
}

// checkPlace refuses to write over what is there. A folder that holds something is never replaced.
func checkPlace(out string, isFile, force bool) error {
	info, err := os.Lstat(out)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return harness.Usage(fmt.Errorf("export: %w", err), "choose another place")
	case isFile && info.Mode().IsRegular() && force:
		return nil
	case isFile:
		return harness.Usage(fmt.Errorf("export: %s is there already", out), "choose another name, or --force to replace a file")
	}
	if os.Remove(out) == nil { // an empty folder goes
		return nil
	}
	return harness.Usage(fmt.Errorf("export: %s is there already", out), "choose a folder that does not exist yet")
}

// only are the exchanges of HTTP.
func only(xs []harness.Exchange, l *Losses) []harness.Exchange {
	return slices.DeleteFunc(slices.Clone(xs), func(x harness.Exchange) bool {
		if x.Channel == harness.ChannelHTTP {
			return false
		}
		l.In(x)
		l.Add(LossChannel)
		return true
	})
}

func (f Format) writeFile(name string, xs []harness.Exchange, l *Losses) error {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	err = f.Write(file, xs, l)
	return errors.Join(err, file.Sync(), file.Close())
}

func (f Format) writeFolder(dir string, xs []harness.Exchange, l *Losses) error {
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	if f.Folder != nil {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return err
		}
		return errors.Join(f.Folder(root, xs, l), root.Close())
	}
	taken := map[string]bool{}
	for _, session := range Sessions(xs) {
		name := unique(FileName(strings.TrimSuffix(session, filepath.Ext(session))), taken) + f.Extension
		own := slices.DeleteFunc(slices.Clone(xs), func(x harness.Exchange) bool { return x.Session != session })
		if err := f.writeFile(filepath.Join(dir, name), own, l); err != nil {
			return err
		}
	}
	return nil
}

// Sessions are the names of the sessions in the order in which they begin.
func Sessions(xs []harness.Exchange) (names []string) {
	known := map[string]bool{}
	for _, x := range xs {
		if !known[x.Session] {
			known[x.Session] = true
			names = append(names, x.Session)
		}
	}
	return names
}

// longestName of a file, in bytes, without its extension.
const longestName = 100

// FileName makes a name for a file of any text: letters, digits, dots, dashes and underscores stay.
func FileName(text string) string {
	name := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, text)
	name = strings.Trim(name, ".-")
	return cmp.Or(name[:min(len(name), longestName)], "session")
}

func unique(name string, taken map[string]bool) string {
	candidate := name
	for i := 2; taken[strings.ToLower(candidate)]; i++ {
		candidate = fmt.Sprintf("%s-%d", name, i)
	}
	taken[strings.ToLower(candidate)] = true
	return candidate
}

// isLoopback reports whether a host, with or without a port, is this machine.
func isLoopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}
