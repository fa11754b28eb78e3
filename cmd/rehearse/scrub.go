package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
)

func (a *app) scrubVerb() verb {
	var f storeFlags
	var r reader
	return verb{
		use: "scrub RECORDING", short: "anonymize a recording under a policy", exits: []int{exitRefused},
		long: "Scrub reads a recording, replaces personal data as the policy says and writes a new recording. The same\n" +
			"value becomes the same stand-in everywhere under one key. A field that no rule covers is masked, or stops\n" +
			"the run, as the policy says; it is never passed on by default. The recording is read twice: first to learn\n" +
			"what propagates, then to replace it.",
		example: "rehearse scrub fixtures/crm-sis --policy policy.yaml --out fixtures/crm-sis-anonymous",
		flags: func(set *pflag.FlagSet) {
			f.add(set)
			r.add(set)
		},
		run: func(ctx context.Context, args []string) error {
			rec, err := a.open(args[0], r)
			if err != nil {
				return err
			}
			s, err := a.openStore("scrub", rec.Manifest(), f)
			if err != nil {
				return err
			}
			if s.isSealed(rec.Manifest().Scrub) {
				fmt.Fprintf(a.err, "%s was scrubbed under this policy and key: it is copied as it is\n", args[0])
				return s.copyOf(ctx, rec)
			}
			if was, now := rec.Manifest().Scrub.Key, s.scrubber.Seal().Key; was != "" && was != now {
				fmt.Fprintf(a.err, "note: %s holds stand-ins of key %s, which get stand-ins of key %s; `rehearse scrub key rotate` says so in the recording\n", args[0], was, now)
			}
			return a.scrub(ctx, s, rec)
		},
		below: []verb{a.scrubKeyVerb(), a.scrubVaultVerb(), a.scrubPolicyVerb(), a.scrubSuggestVerb(), a.scrubClassesVerb()},
	}
}

// scrub learns from the recording, then scrubs it into the store.
func (a *app) scrub(ctx context.Context, s *store, rec harness.Recording) error {
	if err := s.learn(ctx, replayed{rec}); err != nil {
		return err
	}
	if err := s.fill(ctx, replayed{rec}, true); err != nil {
		return err
	}
	return a.summary(s, nil)
}

// isSealed reports whether a recording was scrubbed, or rotated, under the policy and key of the store, so that scrubbing
// it again would only put stand-ins into the places of stand-ins.
func (s *store) isSealed(seal harness.ScrubSeal) bool {
	now := s.scrubber.Seal()
	return seal.Policy == now.Policy && lastKey(seal) == now.Key
}

// over stands in a seal between the key and that of the stand-ins that were replaced under it.
const over = " over "

// lastKey is the key under which a recording was scrubbed last.
func lastKey(seal harness.ScrubSeal) string {
	key, _, _ := strings.Cut(seal.Key, over)
	return key
}

// copyOf stores a recording with its seal.
func (s *store) copyOf(ctx context.Context, rec harness.Recording) error {
	m := rec.Manifest()
	s.proof.copied = &m
	err := replayed{rec}.Record(ctx, s.Writer)
	if err == nil {
		err = s.Seal(rec.Manifest().Scrub)
	}
	if err != nil {
		return errors.Join(err, s.Abort())
	}
	return s.Close()
}

// replayed is a Recorder that puts an existing recording.
type replayed struct{ harness.Recording }

func (r replayed) Record(ctx context.Context, sink harness.Sink) error {
	for x, err := range r.Exchanges() {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := sink.Put(x); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) scrubPolicyVerb() verb {
	var out string
	return verb{
		use: "policy", short: "print the built-in policy, to begin your own",
		example: "rehearse scrub policy --out policy.yaml",
		flags:   func(set *pflag.FlagSet) { set.StringVar(&out, "out", "", "write it to this new `file`") },
		run:     func(context.Context, []string) error { return a.writePolicy(out, defaultPolicy) },
	}
}

// writePolicy writes a policy to standard output, or to a file that must not be there yet.
func (a *app) writePolicy(file string, text []byte) error {
	if file == "" {
		_, err := a.out.Write(text)
		return err
	}
	return writeNew("policy", file, text)
}

// writeNew writes a file that must not exist yet.
func writeNew(what, file string, text []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return harness.Usage(fmt.Errorf("write %s: %w", what, err), "choose a file that does not exist yet")
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
