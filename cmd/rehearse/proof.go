package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/fixtures/locate"
	"github.com/rehearse-dev/rehearse/fixtures/scan"
	"github.com/rehearse-dev/rehearse/harness"
)

// proof is what a recording must pass before it appears.
type proof struct {
	scrubbing
	out    io.Writer
	copied *harness.Manifest // of a recording that is taken over as it is

	doubts []scan.Place // that a person should look at, when the proof holds

	mu    sync.Mutex
	input []string // digests of the exchanges that came in
}

// intake digests what comes in.
func (p *proof) intake(next harness.Sink) harness.Sink { return &intake{p, next} }

type intake struct {
	proof *proof
	next  harness.Sink
}

func (k *intake) Drop(reason string)     { k.next.Drop(reason) }
func (k *intake) LeaveOut(reason string) { k.next.LeaveOut(reason) }

func (k *intake) Put(x harness.Exchange) error {
	if err := k.proof.note(x); err != nil {
		return err
	}
	return k.next.Put(x)
}

// note digests the heads and bodies of an exchange.
func (p *proof) note(x harness.Exchange) error {
	sum := sha256.New()
	for _, m := range []harness.Message{x.Request, x.Response} {
		for _, f := range m.Head {
			fmt.Fprintf(sum, "%d %s %d %s\n", len(f.Name), f.Name, len(f.Value), f.Value)
		}
		r, err := m.Body.Open()
		if err != nil {
			return err
		}
		_, err = io.Copy(sum, r)
		r.Close() //nolint:errcheck // it was only read
		if err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.input = append(p.input, hex.EncodeToString(sum.Sum(nil)))
	return nil
}

// mostPlaces is how many places an error lists; the others are counted.
const mostPlaces = 20

// prove is the Prove of a recording. What is wrong is listed, by place and class, before the error comes.
func (p *proof) prove(files fs.FS) (*harness.Proof, error) {
	defer p.register.Forget()
	if p.copied != nil {
		return p.carried(files)
	}
	options := scan.Options{Register: p.register, Mark: p.key.Mark, IsTestSigned: p.key.HasSigned}
	certificate, result, err := scan.Prove(files, options)
	if err != nil {
		return nil, p.refused(files, result, options, err)
	}
	if certificate.Leaves, err = p.coverage.Leaves(p.scrubber.Account()); err != nil {
		return nil, err
	}
	if p.doubts, err = p.placesOf(files, result, options, scan.Suspicion); err != nil {
		return nil, err
	}
	slices.Sort(p.input)
	certificate.Input = "hmac-sha256:" + p.key.Mark(strings.Join(p.input, "\n"))
	certificate.Account = p.account()
	return certificate, nil
}

// carried is the certificate of a recording that was copied: it holds for the same bytes only.
func (p *proof) carried(files fs.FS) (*harness.Proof, error) {
	was := p.copied.Proof
	if was == nil {
		return nil, nil
	}
	options := scan.Options{IsTestSigned: p.key.HasSigned, StandIns: was.StandIns, Salt: was.Output}
	result, err := scan.Files(files, options)
	if err != nil {
		return nil, err
	}
	if result.Leaks() > 0 || result.Output != was.Output {
		p.refused(files, result, options, nil) //nolint:errcheck // it was told
		return nil, harness.Refused(errors.New("prove the recording: it is not what its certificate says"), "scrub the source again")
	}
	return was, nil
}

// account is what the rules did, with the reasons of those that keep.
func (p *proof) account() []harness.ProofLine {
	reasons := map[string]string{}
	for _, r := range p.policy.Rules {
		reasons[r.String()] = r.Reason
	}
	var lines []harness.ProofLine
	for _, l := range p.scrubber.Account() {
		lines = append(lines, harness.ProofLine{Rule: l.Rule, Class: l.Class, Outcome: string(l.Outcome), Reason: reasons[l.Rule], Count: l.Count})
	}
	return lines
}

// redacted is a note for people, without the place or at all where it repeats what was replaced.
func (p *proof) redacted(note string) string {
	said, _, _ := strings.Cut(note, " (first: ")
	for _, text := range []string{note, said} {
		if !p.register.Holds([]byte(text)) {
			return text
		}
	}
	return "(a note that repeats a replaced value is not shown)"
}

// refused lists the places of what leaked, with rules to paste, and returns the error that says so.
func (p *proof) refused(files fs.FS, result *scan.Result, o scan.Options, err error) error {
	if result == nil {
		return err
	}
	leaks, unread := p.placesOf(files, result, o, scan.Leak)
	if unread != nil {
		return errors.Join(err, unread)
	}
	var list strings.Builder
	scan.ListPlaces(&list, leaks, mostPlaces)
	io.WriteString(p.out, list.String()) //nolint:errcheck // standard error
	return locate.Refused(err, leaks)
}

// placesOf are where the hits of a level stand in the exchanges.
func (p *proof) placesOf(files fs.FS, result *scan.Result, o scan.Options, level scan.Level) ([]scan.Place, error) {
	of := *result
	of.Hits = slices.DeleteFunc(slices.Clone(result.Hits), func(h scan.Hit) bool { return h.Level != level })
	if len(of.Hits) == 0 {
		return nil, nil
	}
	return locate.Hits(files, &of, o, p.policy)
}

func totalOf(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}
