package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/authority"
)

// clientRuntime is a row of the table of what speaks TLS in its own way.
type clientRuntime struct {
	name    string
	program string // that asks, looked for on PATH; empty: this program asks
	// arguments let the program fetch the URL and end with 0 only when it trusts the certificate. Files that it needs go
	// into the folder.
	arguments func(url, dir string) ([]string, error)
	cure      func(ca string) string // what lets it trust the file of the authority
}

// runtimes is the table of what doctor tls asks, in order.
var runtimes = []clientRuntime{
	{"Go", "", nil, func(ca string) string {
		return "export SSL_CERT_DIR=" + filepath.Dir(ca) + "   (beside the certificates of the system; on macOS and Windows: RootCAs in tls.Config)"
	}},
	{"curl", "curl", func(url, _ string) ([]string, error) {
		return []string{"--silent", "--show-error", "--fail", "--noproxy", "*", "--output", os.DevNull, url}, nil
	}, func(ca string) string { return "export CURL_CA_BUNDLE=" + ca + "   (or --cacert)" }},
	{"OpenSSL", "openssl", func(url, _ string) ([]string, error) {
		address := strings.TrimPrefix(url, "https://")
		return []string{"s_client", "-connect", address, "-servername", "localhost", "-verify_hostname", "localhost", "-verify_return_error", "-brief"}, nil
	}, func(ca string) string {
		return "export SSL_CERT_FILE=" + ca + "   (Ruby, PHP and Perl follow it, too; it takes the place of the system's certificates)"
	}},
	{"Python", "python3", func(url, _ string) ([]string, error) {
		return []string{"-c", "import sys, urllib.request as u\nu.build_opener(u.ProxyHandler({})).open(sys.argv[1]).read()", url}, nil
	}, func(ca string) string { return "export SSL_CERT_FILE=" + ca + " REQUESTS_CA_BUNDLE=" + ca }},
	{"Node", "node", func(url, _ string) ([]string, error) {
		return []string{"-e", "require('https').get(process.argv[1], r => r.resume()).on('error', e => { console.error(e.message); process.exit(1) })", url}, nil
	}, func(ca string) string {
		return "export NODE_EXTRA_CA_CERTS=" + ca + "   (beside the certificates that Node brings)"
	}},
	{"Java", "java", func(url, dir string) ([]string, error) {
		source := filepath.Join(dir, "Ask.java")
		return []string{source, url}, os.WriteFile(source, []byte(askJava), 0o600)
	}, func(ca string) string {
		store := filepath.Join(filepath.Dir(ca), "ca.p12")
		return "keytool -importcert -noprompt -alias rehearse -file " + ca + " -keystore " + store + " -storepass changeit && " +
			"export JAVA_TOOL_OPTIONS='-Djavax.net.ssl.trustStore=" + store + " -Djavax.net.ssl.trustStorePassword=changeit'"
	}},
}

// askJava is run from its source, which needs a JDK of version 11 or newer.
const askJava = `public class Ask {
    public static void main(String[] args) throws Exception {
        new java.net.URL(args[0]).openConnection(java.net.Proxy.NO_PROXY).getInputStream().readAllBytes();
    }
}
`

func (a *app) doctorTLSVerb() verb {
	return verb{
		use: "tls [RUNTIME]...", short: "test which runtimes trust the taps and mocks of this user", exits: []int{exitCannotRun},
		long: "TLS serves a certificate of your authority on loopback and lets each runtime that is installed fetch it, as it\n" +
			"is set up here and now. For each that does not trust it, the cure is printed: a variable or a command. Nothing\n" +
			"is changed. The authority is made when there is none.",
		example: "rehearse doctor tls curl",
		values:  runtimeNames(),
		run:     func(ctx context.Context, args []string) error { return a.doctorTLS(ctx, args) },
	}
}

// runtimeNames are the names of the table, as they are written on the command line.
func runtimeNames() []string {
	names := make([]string, len(runtimes))
	for i, r := range runtimes {
		names[i] = strings.ToLower(r.name)
	}
	return names
}

func (a *app) doctorTLS(ctx context.Context, names []string) error {
	for _, name := range names {
		if !slices.Contains(runtimeNames(), strings.ToLower(name)) {
			return harness.Usage(fmt.Errorf("doctor tls: runtime %q is not known", name), "runtimes are "+strings.Join(runtimeNames(), ", "))
		}
	}
	dir, err := authority.Dir()
	if err != nil {
		return err
	}
	ca, _, err := authority.Open(dir, nil, time.Now)
	if err != nil {
		return err
	}
	url, stop, err := serveTrusted(ca)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Fprintf(a.out, "authority: %s, until %s\n", printable(ca.File), ca.Certificate().NotAfter.UTC().Format(time.DateOnly))
	asked, failed := 0, 0
	for _, r := range runtimes {
		if len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, r.name) }) {
			continue
		}
		why, installed := r.ask(ctx, url)
		if !installed {
			continue
		}
		asked++
		if why == "" {
			fmt.Fprintf(a.out, "ok    %-8s trusts it\n", r.name)
			continue
		}
		failed++
		fmt.Fprintf(a.out, "FAIL  %-8s %s\n      cure:    %s\n", r.name, printable(why), printable(r.cure(ca.File)))
	}
	if failed > 0 {
		return harness.CannotRun(fmt.Errorf("doctor tls: %d of %s do not trust the authority", failed, harness.Count(asked, "runtime")),
			"the cures stand above; set them where the client runs, not for the whole machine")
	}
	return nil
}

// serveTrusted answers on loopback under a certificate of the authority.
func serveTrusted(ca *authority.Authority) (url string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, harness.CannotRun(err, "allow listening on 127.0.0.1")
	}
	server := &http.Server{
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "trusted\n") }), //nolint:errcheck // the status says it all
		TLSConfig: ca.Config(), ReadHeaderTimeout: runtimePatience, ErrorLog: log.New(io.Discard, "", 0),
	}
	served := make(chan error, 1)
	go func() { served <- server.ServeTLS(listener, "", "") }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	stop = func() { server.Close(); <-served } //nolint:errcheck // nobody asks any more
	return "https://localhost:" + port, stop, err
}

// runtimePatience is how long one runtime may take to start and to ask.
const runtimePatience = 60 * time.Second

// ask lets the runtime fetch the URL. It returns why it does not trust the answer, empty when it does.
func (r clientRuntime) ask(ctx context.Context, url string) (why string, installed bool) {
	ctx, cancel := context.WithTimeout(ctx, runtimePatience)
	defer cancel()
	if r.program == "" {
		conn, err := (&tls.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(url, "https://"))
		if err != nil {
			return err.Error(), true
		}
		return "", conn.Close() == nil
	}
	program, err := exec.LookPath(r.program)
	if err != nil {
		return "", false
	}
	dir, err := os.MkdirTemp("", "rehearse-")
	if err != nil {
		return err.Error(), true
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it holds a source of ours
	args, err := r.arguments(url, dir)
	if err != nil {
		return err.Error(), true
	}
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		return lastWords(string(out), err), true
	}
	return "", true
}

// aboutTrust is what runtimes say about certificates.
var aboutTrust = regexp.MustCompile(`(?i)certif|verif|pkix`)

// lastWords are the line of the output that says most about the failure.
func lastWords(out string, err error) string {
	const widest = 160
	said := err.Error()
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if aboutTrust.MatchString(line) && !strings.HasPrefix(line, "at ") { // which are the stack of Java
			said = line
			break
		}
	}
	if runes := []rune(said); len(runes) > widest {
		said = string(runes[:widest]) + "…"
	}
	return said
}

func (a *app) doctorCAVerb() verb {
	at := func(do func(dir string) error) func(context.Context, []string) error {
		return func(context.Context, []string) error {
			dir, err := authority.Dir()
			if err != nil {
				return err
			}
			return do(dir)
		}
	}
	load := func(show func(*authority.Authority)) func(context.Context, []string) error {
		return at(func(dir string) error {
			ca, err := authority.Load(dir, time.Now)
			if err == nil {
				show(ca)
			}
			return err
		})
	}
	return verb{
		use: "ca", short: "show the certificate authority of this user", exits: []int{exitRefused},
		long: "CA shows the authority under which taps and mocks speak TLS: its file, the hosts that it is limited to, and its end.\n" +
			"It is made by the first `record http --tls`, `record proxy`, `mock --tls` or `doctor tls`; its key never leaves\n" +
			"the configuration folder.",
		example: "rehearse doctor ca",
		run: load(func(ca *authority.Authority) {
			fmt.Fprintf(a.out, "file    %s\nsha256  %s\nhosts   %s\nuntil   %s\n", printable(ca.File), ca.Fingerprint(), strings.Join(ca.Hosts(), ", "),
				ca.Certificate().NotAfter.UTC().Format(time.RFC3339))
		}),
		below: []verb{{
			use: "path", short: "print the file of its certificate", exits: []int{exitRefused},
			long:    "Path prints the file that clients are told to trust, and nothing else.",
			example: "rehearse doctor ca path",
			run:     load(func(ca *authority.Authority) { fmt.Fprintln(a.out, ca.File) }),
		}, {
			use: "remove", short: "delete it",
			long: "Remove deletes key and certificate; the next tap that speaks TLS makes another.\n" +
				"Stop telling clients to trust the old one.",
			example: "rehearse doctor ca remove",
			run:     at(authority.Remove),
		}},
	}
}
