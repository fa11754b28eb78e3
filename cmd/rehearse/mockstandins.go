package main

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/recorders"
)

// standIns answer for systems on other channels than HTTP, beside a mock.
type standIns struct {
	list    []standIn
	scratch string // folder of files; removed at the end
}

type standIn struct {
	systems, kind string
	*recorders.Serving
}

// openStandIns starts a stand-in for each system and channel of the recording that has one. Where the recording does not tell
// which of two systems it stood for, as with files, there is one for systems that are named only.
func (a *app) openStandIns(rec harness.Recording, f mockFlags, o mock.Options, secure *tls.Config) (s *standIns, err error) {
	s = &standIns{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	addresses, err := standInAddresses(rec, f.standIns)
	if err != nil {
		return s, err
	}
	for _, kind := range recorders.StandIns {
		var wanted []string
		for _, system := range rec.Manifest().Systems {
			named := slices.Contains(f.systems, system)
			if named || len(f.systems) == 0 && !kind.Named {
				wanted = append(wanted, system)
			}
		}
		for _, systems := range kind.Groups(wanted) {
			options := recorders.StandInOptions{Listen: "127.0.0.1:0", Secure: secure, Scrub: o.Scrub}
			for _, system := range systems {
				options.Listen = cmp.Or(addresses[system], options.Listen)
			}
			if err := s.open(rec, systems, kind, options); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

func (s *standIns) open(rec harness.Recording, systems []string, kind recorders.StandIn, o recorders.StandInOptions) error {
	if kind.Folder {
		if err := defaultFile(&o.HostKey, os.UserConfigDir, "rehearse", "sftp-host-key"); err != nil {
			return err
		}
		if s.scratch == "" {
			dir, err := os.MkdirTemp("", "rehearse-mock-")
			if err != nil {
				return fmt.Errorf("make a folder for files: %w", err)
			}
			s.scratch = dir
		}
		var err error
		if o.Scratch, err = os.MkdirTemp(s.scratch, ""); err != nil {
			return fmt.Errorf("make a folder for files: %w", err)
		}
	}
	serving, err := kind.Open(rec, systems, o)
	if err != nil || serving == nil {
		return err
	}
	s.list = append(s.list, standIn{strings.Join(serving.Systems, ", "), kind.Name, serving})
	return nil
}

// standInAddresses reads SYSTEM=ADDRESS; each address is one of this machine.
func standInAddresses(rec harness.Recording, texts []string) (map[string]string, error) {
	addresses := map[string]string{}
	for _, text := range texts {
		system, address, found := strings.Cut(text, "=")
		if !found || !isLoopbackAddress(address) {
			return nil, harness.Usage(fmt.Errorf("mock: --stand-in %q names no address of this machine", text), "write it as SYSTEM=127.0.0.1:2222")
		}
		if err := knownSystem(rec, "--stand-in", system); err != nil {
			return nil, err
		}
		addresses[system] = address
	}
	return addresses, nil
}

// close ends all of them and removes their files.
func (s *standIns) close() error {
	var errs []error
	for _, one := range s.list {
		_, err := one.Close()
		errs = append(errs, err)
	}
	if s.scratch != "" {
		errs = append(errs, os.RemoveAll(s.scratch))
	}
	return errors.Join(errs...)
}

// tell says where they listen.
func (a *app) tellStandIns(s *standIns) {
	for _, one := range s.list {
		fmt.Fprintf(a.err, "  %s answers on %s\n", printable(one.systems), one.URL)
	}
}

// endStandIns ends them, says what came of each, and reports whether something was asked that was never recorded.
func (a *app) endStandIns(s *standIns) (missed bool, err error) {
	var errs []error
	for _, one := range s.list {
		account, err := one.Close()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintf(a.out, "%s over %s: %s, %d missed, %d not asked for\n", printable(one.systems), one.kind, harness.Count(account.Served, "crossing"), len(account.Misses), len(account.Unused))
		for _, line := range account.Notes {
			fmt.Fprintf(a.out, "  %s\n", printable(line))
		}
		for _, miss := range account.Misses {
			fmt.Fprintf(a.out, "missed: %s\n", printable(miss))
		}
		for _, unused := range account.Unused {
			fmt.Fprintf(a.out, "unused: %s\n", printable(unused))
		}
		missed = missed || len(account.Misses) > 0
	}
	if s.scratch != "" {
		errs = append(errs, os.RemoveAll(s.scratch))
	}
	return missed, errors.Join(errs...)
}

// isLoopbackAddress reports whether an address to listen on can be reached from this machine only.
func isLoopbackAddress(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}
