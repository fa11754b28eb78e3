// Package recorders is the table of what can watch a crossing or read what others recorded.
package recorders

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/filedrop"
	"github.com/rehearse-dev/rehearse/recorders/httptap"
)

// Live is one row of the table of recorders that watch while traffic crosses.
type Live struct {
	Name    string
	Summary string
	Source  string // what the source argument is, for the help text
	// Open returns the recorder, which is listening or watching when there is no error, and a line that says where.
	Open func(o LiveOptions) (r harness.Recorder, where string, err error)
}

// LiveOptions of a recorder.
type LiveOptions struct {
	Source   string        // URL of the upstream, or folder
	Listen   string        // address of the tap
	From, To string        // names of the systems
	Session  string        // "header:NAME", "cookie:NAME" or "connection"; empty: the recorder's own choice
	Existing bool          // files that are there at the start count, too
	Settle   time.Duration // for which a file must not change before it is finished; 0: the recorder's own choice
	SFTP     SFTPOptions
}

// SFTPOptions of the SFTP recorder. Secrets come as values; where they lie is for the caller to know.
type SFTPOptions struct {
	HostKey  string // file of the key by which clients know this server; made when it is missing
	Keys     string // file of the public keys that may log in; empty: none
	Password string // that may log in; empty: none

	Known            string // file of the host keys that the real server may have
	Identity         []byte // private key for the real server; nil: none
	UpstreamPassword string // for the real server; empty: the client's
}

// Recorders is the table of live recorders.
var Recorders = []Live{
	{"http", "reverse proxy in front of one upstream", "URL of the upstream", openTap},
	{"files", "watched folder", "folder", openDrop},
	{"sftp", "server for SFTP in front of a folder, or of a real server", "folder, or sftp://[USER@]HOST[:PORT]", openSFTP},
}

func openTap(o LiveOptions) (harness.Recorder, string, error) {
	upstream, err := url.Parse(o.Source)
	if err != nil || upstream.Host == "" || upstream.Scheme != "http" && upstream.Scheme != "https" {
		return nil, "", harness.Usage(fmt.Errorf("record http: %q is not the URL of an upstream", o.Source), "write it as http://host:port or https://host")
	}
	tap := &httptap.Tap{Upstream: upstream, From: o.From, To: o.To}
	kind, name, _ := strings.Cut(o.Session, ":")
	switch kind {
	case "", "connection":
		tap.Session = httptap.SessionByConnection()
	case "header":
		tap.Session = httptap.SessionByHeader(name)
	case "cookie":
		tap.Session = httptap.SessionByCookie(name)
	default:
		return nil, "", harness.Usage(fmt.Errorf("record http: session %q is not known", o.Session), "write header:NAME, cookie:NAME or connection")
	}
	addr, err := tap.Listen(o.Listen)
	if err != nil {
		return nil, "", err
	}
	return tap, fmt.Sprintf("http://%s stands in front of %s", addr, upstream), nil
}

func openDrop(o LiveOptions) (harness.Recorder, string, error) {
	info, err := os.Stat(o.Source)
	if err != nil {
		return nil, "", harness.Usage(fmt.Errorf("record files: %w", err), "name a folder that exists")
	}
	if !info.IsDir() {
		return nil, "", harness.Usage(fmt.Errorf("record files: %s is not a folder", o.Source), "name the folder that files are dropped into")
	}
	drop := &filedrop.Drop{Dir: o.Source, From: o.From, To: o.To, Existing: o.Existing, Settle: o.Settle}
	if err := drop.Watch(); err != nil {
		return nil, "", err
	}
	return drop, "watching " + o.Source, nil
}
