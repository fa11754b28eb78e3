package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
)

func (a *app) scrubVerb() verb {
	var f storeFlags
	return verb{
		use: "scrub RECORDING", short: "anonymize a recording under a policy", exits: []int{exitRefused},
		long: "Scrub reads a recording, replaces personal data as the policy says and writes a new recording. The same\n" +
			"value becomes the same stand-in everywhere under one key. A field that no rule covers is masked, or stops\n" +
			"the run, as the policy says; it is never passed on by default.",
		example: "rehearse scrub fixtures/crm-sis --policy policy.yaml --out fixtures/crm-sis-anonymous",
		flags:   f.add,
		run: func(ctx context.Context, args []string) error {
			rec, err := fixtures.Open(args[0])
			if err != nil {
				return err
			}
			s, err := a.openStore("scrub", rec.Manifest().Origin, f)
			if err != nil {
				return err
			}
			if err := s.learn(ctx, replayed{rec}); err != nil {
				return err
			}
			if err := s.fill(ctx, replayed{rec}, true); err != nil {
				return err
			}
			return a.summary(s, nil)
		},
		below: []verb{a.scrubKeyVerb(), a.scrubPolicyVerb()},
	}
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

func (a *app) scrubKeyVerb() verb {
	var file string
	return verb{
		use: "key", short: "make a key for pseudonyms", exits: []int{exitRefused},
		long:    "Key writes a new random key that only you can read. Without --file it lies in your configuration folder.",
		example: "rehearse scrub key --file ~/keys/rehearse.key",
		flags:   func(set *pflag.FlagSet) { set.StringVar(&file, "file", "", "`file` to write") },
		run: func(context.Context, []string) error {
			if file == "" {
				var err error
				if file, err = scrub.DefaultKeyPath(); err != nil {
					return err
				}
			}
			key, err := scrub.CreateKey(file)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "%s: key %s\n", file, key.ID())
			return err
		},
	}
}

func (a *app) scrubPolicyVerb() verb {
	var out string
	return verb{
		use: "policy", short: "print the built-in policy, to begin your own",
		example: "rehearse scrub policy --out policy.yaml",
		flags:   func(set *pflag.FlagSet) { set.StringVar(&out, "out", "", "write it to this new `file`") },
		run: func(context.Context, []string) error {
			if out == "" {
				_, err := a.out.Write(defaultPolicy)
				return err
			}
			file, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if err != nil {
				return harness.Usage(fmt.Errorf("write policy: %w", err), "choose a file that does not exist yet")
			}
			if _, err := file.Write(defaultPolicy); err != nil {
				return err
			}
			return file.Close()
		},
	}
}
