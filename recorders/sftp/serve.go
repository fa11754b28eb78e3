package sftp

import (
	"net"
	"sync"
	"time"

	wire "github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// serve talks to one client until it goes away.
func (t *Tap) serve(conn net.Conn, session string) {
	var seen files
	defer func() {
		if seen != nil {
			seen.Close() //nolint:errcheck // the client is gone
		}
	}()
	conn.SetDeadline(time.Now().Add(handshakeTime)) //nolint:errcheck // then the handshake says so
	server, channels, requests, err := ssh.NewServerConn(conn, t.rules(&seen))
	if err != nil {
		return // the client could not log in, or speaks something else
	}
	defer server.Close()             //nolint:errcheck // it has ended
	conn.SetDeadline(time.Time{})    //nolint:errcheck // a client may be idle for as long as it likes
	go ssh.DiscardRequests(requests) // ends with the connection
	var talks sync.WaitGroup
	defer talks.Wait()
	for offer := range channels {
		if offer.ChannelType() != "session" {
			offer.Reject(ssh.UnknownChannelType, "only SFTP is served here") //nolint:errcheck // the client is gone
			continue
		}
		channel, requests, err := offer.Accept()
		if err != nil {
			return
		}
		talks.Go(func() {
			answer(requests, func() { talks.Go(func() { t.talk(channel, seen, session) }) })
		})
	}
}

// rules are how clients log in. The last attempt that was let in sets what the client sees.
func (t *Tap) rules(seen *files) *ssh.ServerConfig {
	try := func(user string, password []byte, key ssh.PublicKey) (*ssh.Permissions, error) {
		mine, err := t.open.login(t.Login, user, password, key)
		if err != nil {
			return nil, err
		}
		if *seen != nil {
			(*seen).Close() //nolint:errcheck // of an attempt that the client did not go on with
		}
		*seen = mine
		return nil, nil
	}
	config := &ssh.ServerConfig{
		PasswordCallback: func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return try(c.User(), password, nil)
		},
		VerifiedPublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey, _ *ssh.Permissions, _ string) (*ssh.Permissions, error) {
			return try(c.User(), nil, key)
		},
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if !t.Login.isOpen() && !t.Login.accepts(key) {
				return nil, errLogin
			}
			return nil, nil
		},
	}
	if t.Login.isOpen() && (t.Upstream == nil || t.Upstream.hasOwn()) {
		config.NoClientAuth = true
		config.NoClientAuthCallback = func(c ssh.ConnMetadata) (*ssh.Permissions, error) { return try(c.User(), nil, nil) }
	}
	config.AddHostKey(t.HostKey)
	return config
}

// answer grants what a channel asks for when it is SFTP, once, until the channel ends.
func answer(requests <-chan *ssh.Request, start func()) {
	started := false
	for r := range requests {
		wanted := r.Type == "subsystem" && !started && len(r.Payload) > 4 && string(r.Payload[4:]) == "sftp"
		if r.WantReply {
			r.Reply(wanted, nil) //nolint:errcheck // the client is gone
		}
		if wanted {
			started = true
			start()
		}
	}
}

// talk speaks SFTP over a channel.
func (t *Tap) talk(channel ssh.Channel, seen files, session string) {
	h := &handlers{files: seen, ledger: t.ledger, session: session}
	h.home, _ = seen.realPath(".") //nolint:errcheck // without one, names are recorded from the root on
	server := wire.NewRequestServer(channel, wire.Handlers{FileGet: h, FilePut: h, FileCmd: h, FileList: h})
	server.Serve()  //nolint:errcheck // what was open knows that it was cut off
	channel.Close() //nolint:errcheck // it has ended
}
