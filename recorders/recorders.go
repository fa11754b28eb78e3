// Package recorders is the table of what can watch a crossing or read what others recorded.
package recorders

import (
	"fmt"
	"os"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/filedrop"
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
	HTTP     HTTPOptions   // of http and proxy
	From, To string        // names of the systems
	Session  string        // "header:NAME", "cookie:NAME" or "connection"; empty: the recorder's own choice
	Existing bool          // files that are there at the start count, too
	Settle   time.Duration // for which a file must not change before it is finished; 0: the recorder's own choice
	SFTP     SFTPOptions
	Table    TableOptions
	Messages MessageOptions
	LDAP     LDAPOptions
	S3       S3Options
	Mail     MailOptions
}

// MessageOptions of the recorder of messages.
type MessageOptions struct {
	Topics   []string // in the broker's own form
	Password string
}

// TableOptions of the recorder of tables.
type TableOptions struct {
	Names    []string            // of the tables; empty: all
	Keys     map[string][]string // columns that tell rows apart, by table, where that is not the primary key
	Password string
	Every    time.Duration // how often to look; 0: at the start and at the end only
	MaxBytes int64         // most text of rows that is held
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
	{"proxy", "forward proxy that opens connections to named hosts", "list of these hosts, separated by commas", openProxy},
	{"files", "watched folder", "folder", openDrop},
	{"sftp", "server for SFTP in front of a folder, or of a real server", "folder, or the server as sftp://[USER@]HOST[:PORT]", openSFTP},
	{"table", "comparison of the rows of a database, at the start and at the end", "database, as postgres://USER@HOST/DATABASE, mysql://USER@HOST/DATABASE or sqlite:FILE", openTable},
	{"messages", "listener at a broker: AMQP 0-9-1, Kafka, NATS or MQTT", "broker, as amqp://, kafka://, nats:// or mqtt://[USER@]HOST[:PORT]", openMessages},
	{"ldap", "proxy for LDAP in front of a directory", "directory, as ldap://HOST[:PORT] or ldaps://HOST[:PORT]", openLDAP},
	{"s3", "watched bucket of S3, MinIO, Ceph or others", "bucket, as s3://BUCKET[/PREFIX]", openS3},
	{"mail", "server for SMTP that takes every mail, or stands in front of a real one", "server, as smtp://HOST[:PORT] or smtps://HOST[:PORT], or the word sink: nobody gets the mails", openMail},
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
