package recorders

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/ldap"
	"github.com/rehearse-dev/rehearse/recorders/sftp"
	"github.com/rehearse-dev/rehearse/recorders/smtp"
)

// StandInOptions are what stand-ins need beside a recording.
type StandInOptions struct {
	Listen  string // loopback address
	Scratch string // folder for files, which is emptied by its owner
	HostKey string // file of the key of an SFTP server; made when there is none
	Secure  *tls.Config
	Scrub   func(harness.Exchange) (harness.Exchange, error) // of what clients say before it is compared; nil: nothing
	Held    bool                                             // messages wait for Serving.Deliver; else they go to whoever listens

	From string       // name of who speaks to them; empty: client
	Sink harness.Sink // gets what crosses, as the recorders of these channels see it; nil: nobody does
}

func (o StandInOptions) from() string { return cmp.Or(o.From, "client") }

// StandIn is a row of the table of what answers for a system on other channels than HTTP.
type StandIn struct {
	Name    string // scheme of its address
	Channel string
	Summary string
	Folder  bool // it needs the scratch folder
	Named   bool // the recording does not tell which of two systems it stood for
	Shared  bool // one for all systems, as a broker is
	open    func(rec harness.Recording, systems []string, o StandInOptions) (*Serving, error)
}

// StandIns is the table of them.
var StandIns = []StandIn{
	{"ldap", harness.ChannelDirectory, "answers the operations of the recording", false, false, false, each(standInDirectory)},
	{"sftp", harness.ChannelFile, "serves the files that the system gave, and takes those that it got", true, true, false, each(standInFiles)},
	{"smtp", harness.ChannelMail, "takes mails and delivers none", false, false, false, each(standInMail)},
	{"sqlite", harness.ChannelTable, "holds the rows that were there when the recording began", true, false, false, each(standInTables)},
	{"amqp", harness.ChannelMessage, "delivers the messages that the system published, and takes those that it got", false, true, true, standInBroker("amqp")},
	{"kafka", harness.ChannelMessage, "the same for Kafka 2.8, each topic as one partition", false, true, true, standInBroker("kafka")},
	{"mqtt", harness.ChannelMessage, "the same for MQTT 3.1.1", false, true, true, standInBroker("mqtt")},
	{"nats", harness.ChannelMessage, "the same for NATS, without JetStream", false, true, true, standInBroker("nats")},
}

// each is how a stand-in for one system is opened.
func each(open func(harness.Recording, string, StandInOptions) (*Serving, error)) func(harness.Recording, []string, StandInOptions) (*Serving, error) {
	return func(rec harness.Recording, systems []string, o StandInOptions) (*Serving, error) {
		serving, err := open(rec, systems[0], o)
		if serving != nil {
			serving.Systems = systems[:1]
		}
		return serving, err
	}
}

// Groups are the systems, each of whose groups has a stand-in of its own.
func (s StandIn) Groups(systems []string) (groups [][]string) {
	if s.Shared && len(systems) > 0 {
		return [][]string{systems}
	}
	for _, system := range systems {
		groups = append(groups, []string{system})
	}
	return groups
}

// Open lets it listen for a group of systems; nil when the recording holds nothing of them on its channel.
func (s StandIn) Open(rec harness.Recording, systems []string, o StandInOptions) (*Serving, error) {
	serving, err := s.open(rec, systems, o)
	if err != nil {
		return nil, fmt.Errorf("stand in for %s: %w", strings.Join(systems, ", "), err)
	}
	return serving, nil
}

// Account is what came of a stand-in.
type Account struct {
	Served int      // operations, files or mails
	Misses []string // what was never recorded
	Unused []string // what was recorded and nobody asked for or sent
	Notes  []string
}

// Serving is a stand-in that listens.
type Serving struct {
	URL     string
	Systems []string // for whom
	File    string   // that it consists of; empty: it is a server

	// Deliver hands over a message of one of the systems, where they are held: to whoever listens until the context is done.
	// Nil: it hands over nothing.
	Deliver func(ctx context.Context, x harness.Exchange) error

	stop    context.CancelFunc
	done    chan error
	account func() (Account, error)
}

// Close ends it, waits for its end and says what came of it.
func (s *Serving) Close() (Account, error) {
	s.stop()
	if err := <-s.done; err != nil {
		return Account{}, err
	}
	return s.account()
}

// begin runs a stand-in until it is closed.
func begin(url string, run func(context.Context) error, account func() (Account, error)) *Serving {
	ctx, stop := context.WithCancel(context.Background())
	s := &Serving{URL: url, stop: stop, done: make(chan error, 1), account: account}
	go func() { s.done <- run(ctx) }() // ends with Close
	return s
}

func standInDirectory(rec harness.Recording, system string, o StandInOptions) (*Serving, error) {
	s, err := ldap.NewStandIn(rec, system)
	if err != nil || s.Len() == 0 {
		return nil, err
	}
	s.Secure, s.Scrub = o.Secure, o.Scrub
	addr, err := s.Listen(o.Listen)
	if err != nil {
		return nil, err
	}
	account := func() (a Account, err error) {
		a.Served, a.Misses, a.Unused = s.Account()
		return a, nil
	}
	if o.Sink == nil {
		return begin("ldap://"+addr.String(), s.Serve, account), nil
	}
	return watchedDirectory(s, addr.String(), system, o, account)
}

// watchedDirectory stands a recorder in front of a stand-in.
func watchedDirectory(s *ldap.StandIn, behind, system string, o StandInOptions, account func() (Account, error)) (*Serving, error) {
	inner := begin("", s.Serve, account)
	tap := &ldap.Tap{Upstream: ldap.Upstream{Address: behind}, From: o.from(), To: system, Secure: o.Secure}
	addr, err := tap.Listen(o.Listen)
	if err != nil {
		_, closing := inner.Close()
		return nil, errors.Join(err, closing)
	}
	run := func(ctx context.Context) error { return tap.Record(ctx, o.Sink) }
	return begin("ldap://"+addr.String(), run, inner.Close), nil
}

// crossed is the whole exchanges of a channel that a system took part in.
func crossed(rec harness.Recording, channel, system string) (gave, got []harness.Exchange, err error) {
	for x, err := range rec.Exchanges() {
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("read recording: %w", err)
		case x.Channel != channel || x.Fault != nil:
		case x.From == system:
			gave = append(gave, x)
		case x.To == system:
			got = append(got, x)
		}
	}
	return gave, got, nil
}

func standInFiles(rec harness.Recording, system string, o StandInOptions) (*Serving, error) {
	gave, got, err := crossed(rec, harness.ChannelFile, system)
	if err != nil || len(gave)+len(got) == 0 {
		return nil, err
	}
	for _, x := range gave {
		if err := layOut(o.Scratch, x); err != nil {
			return nil, err
		}
	}
	tap := &sftp.Tap{Dir: o.Scratch, From: o.from(), To: system}
	if tap.HostKey, err = sftp.HostKey(o.HostKey); err != nil {
		return nil, err
	}
	addr, err := tap.Listen(o.Listen)
	if err != nil {
		return nil, err
	}
	mem := harness.NewMemory(harness.Manifest{})
	run := func(ctx context.Context) error { return tap.Record(ctx, both{mem, o.Sink}) }
	return begin("sftp://"+addr.String(), run, func() (Account, error) { return accountFor(mem, system, gave, got, o.Scrub) }), nil
}

// both is a sink in front of two; the second may be missing.
type both struct{ first, second harness.Sink }

func (b both) Put(x harness.Exchange) error {
	if b.second != nil {
		if err := b.second.Put(x); err != nil {
			return err
		}
	}
	return b.first.Put(x)
}

func (b both) Drop(reason string) {
	if b.second != nil {
		b.second.Drop(reason)
	}
	b.first.Drop(reason)
}

func (b both) LeaveOut(reason string) {
	if b.second != nil {
		b.second.LeaveOut(reason)
	}
	b.first.LeaveOut(reason)
}

// layOut writes a recorded file where clients find it. A name that leads elsewhere is refused.
func layOut(dir string, x harness.Exchange) error {
	name := filepath.FromSlash(x.Request.Head.Get(harness.FieldName))
	if !filepath.IsLocal(name) {
		return harness.Refused(fmt.Errorf("lay out exchange %s: the name %q leads out of the folder", x.ID, name), "the recording was made elsewhere, or somebody changed it")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // nothing is written through it
	if folder := filepath.Dir(name); folder != "." {
		if err := root.MkdirAll(folder, 0o700); err != nil {
			return err
		}
	}
	body, err := x.Request.Body.Open()
	if err != nil {
		return fmt.Errorf("read exchange %s: %w", x.ID, err)
	}
	defer body.Close() //nolint:errcheck // it was read
	file, err := root.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, body)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("lay out exchange %s: %w", x.ID, err)
	}
	if at, err := time.Parse(time.RFC3339Nano, x.Request.Head.Get(harness.FieldModified)); err == nil {
		return root.Chtimes(name, at, at)
	}
	return nil
}

// accountFor compares what crossed with what had crossed when it was recorded: files by name, mails by subject.
func accountFor(mem *harness.Memory, system string, gave, got []harness.Exchange, scrub func(harness.Exchange) (harness.Exchange, error)) (a Account, err error) {
	sent, fetched := map[string][]string{}, map[string]bool{}
	for x, err := range mem.Exchanges() {
		if err != nil {
			return a, err
		}
		a.Served++
		if x.From == system {
			fetched[x.Request.Head.Get(harness.FieldName)] = true
			continue
		}
		if scrub != nil {
			if x, err = scrub(x); err != nil {
				return a, err
			}
		}
		sent[x.Operation()] = append(sent[x.Operation()], x.Request.Body.Digest())
	}
	for _, x := range gave {
		if !fetched[x.Request.Head.Get(harness.FieldName)] {
			a.Unused = append(a.Unused, x.ID+" "+x.Operation())
		}
	}
	for _, x := range got {
		name := x.Operation()
		digests := sent[name]
		if len(digests) == 0 {
			a.Unused = append(a.Unused, x.ID+" "+name)
			continue
		}
		word := "other bytes than recorded"
		at := max(slices.Index(digests, x.Request.Body.Digest()), 0)
		if digests[at] == x.Request.Body.Digest() {
			word = "the bytes that were recorded"
		}
		sent[name] = slices.Delete(digests, at, at+1)
		a.Notes = append(a.Notes, fmt.Sprintf("took %s: %s", name, word))
	}
	for name, rest := range sent {
		for range rest {
			a.Misses = append(a.Misses, fmt.Sprintf("took %s, which was never recorded", name))
		}
	}
	slices.Sort(a.Misses)
	return a, nil
}

func standInMail(rec harness.Recording, system string, o StandInOptions) (*Serving, error) {
	_, got, err := crossed(rec, harness.ChannelMail, system)
	if err != nil || len(got) == 0 {
		return nil, err
	}
	tap := &smtp.Tap{From: o.from(), To: system, Secure: o.Secure}
	addr, err := tap.Listen(o.Listen)
	if err != nil {
		return nil, err
	}
	mem := harness.NewMemory(harness.Manifest{})
	run := func(ctx context.Context) error { return tap.Record(ctx, both{mem, o.Sink}) }
	return begin("smtp://"+addr.String(), run, func() (Account, error) { return accountFor(mem, system, nil, got, o.Scrub) }), nil
}
