package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
)

func (a *app) scrubKeyVerb() verb {
	var file string
	return verb{
		use: "key", short: "make a key for pseudonyms", exits: []int{exitRefused},
		long: "Key writes a new random key that only you can read. Without --file it lies in your configuration folder.\n" +
			"A key that is lost costs one thing: new stand-ins do not fit old ones. What was scrubbed stays scrubbed and\n" +
			"can still be replayed. Who has the key can test guesses: keep it out of repositories.",
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
		below: []verb{a.scrubKeyShowVerb(), a.scrubKeyRotateVerb(), a.scrubKeySecretVerb(), a.scrubKeyCertificateVerb()},
	}
}

func (a *app) scrubKeyShowVerb() verb {
	var ref string
	return verb{
		use: "show", short: "print the identity of a key, never the key", exits: []int{exitRefused},
		example: "rehearse scrub key show --key env:REHEARSE_KEY",
		flags:   func(set *pflag.FlagSet) { set.StringVar(&ref, "key", "", keyUsage) },
		run: func(context.Context, []string) error {
			key, err := a.existingKey(ref)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.out, key.ID())
			return err
		},
	}
}

// existingKey is loadKey that makes none.
func (a *app) existingKey(ref string) (*scrub.Key, error) {
	if ref == "" {
		ref = a.keyFile()
	}
	return scrub.OpenKey(ref, a.getenv)
}

func (a *app) scrubKeyRotateVerb() verb {
	var f storeFlags
	return verb{
		use: "rotate RECORDING", short: "replace the stand-ins of a recording under a new key", exits: []int{exitRefused},
		long: "Rotate takes the stand-ins of a recording for originals and replaces them once more, under --key. Who knows the\n" +
			"old key cannot link the result; joins within it, and with recordings that were rotated from the same key to\n" +
			"the same key, are kept. It does not fit what is recorded under the new key from now on, and a mock of it matches\n" +
			"stand-ins only: for that, scrub the raw source again. The old key is not needed.",
		example: "rehearse scrub key rotate fixtures/crm-sis --policy policy.yaml --key new.key --out fixtures/crm-sis-rotated",
		flags:   f.add,
		run: func(ctx context.Context, args []string) error {
			rec, err := fixtures.Open(args[0])
			if err != nil {
				return err
			}
			was := rec.Manifest().Scrub
			if f.key == "" || f.vault != "" {
				return harness.Usage(errors.New("rotate: want --key, and no --vault"), "name the new key")
			}
			s, err := a.openStore("rotate", rec.Manifest(), f)
			if err != nil {
				return err
			}
			now := s.scrubber.Seal()
			switch {
			case was.Policy != now.Policy:
				err = harness.Usage(fmt.Errorf("rotate: %s was not scrubbed under this policy", args[0]), "name the policy of the recording with --policy")
			case lastKey(was) == now.Key:
				err = harness.Usage(fmt.Errorf("rotate: %s was scrubbed under this key already", args[0]), "name the new key with --key")
			}
			if err != nil {
				return errors.Join(err, s.Abort())
			}
			s.over = over + was.Key
			return a.scrub(ctx, s, rec)
		},
	}
}

func (a *app) scrubKeySecretVerb() verb {
	var ref, out string
	return verb{
		use: "secret NAME", short: "write the test secret of a signature to a file", exits: []int{exitRefused},
		long: "Secret writes the secret with which recorded signatures are made anew: the one that an entry of signatures: in a\n" +
			"policy names. It is derived from the key. Give it to the test instance that verifies them.",
		example: "rehearse scrub key secret webhooks --out webhooks.secret",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&ref, "key", "", keyUsage)
			set.StringVar(&out, "out", "", "new `file` to write, which only you can read (required)")
		},
		run: func(_ context.Context, args []string) error {
			if out == "" {
				return harness.Usage(errors.New("secret: --out is missing"), "name a new file: secrets are not printed")
			}
			key, err := a.existingKey(ref)
			if err != nil {
				return err
			}
			if err := harness.CreateSecret(out, []byte(key.TestSecret(args[0])+"\n")); err != nil {
				return harness.Usage(fmt.Errorf("write secret %s: %w", out, err), "choose a file that does not exist yet")
			}
			return nil
		},
	}
}

func (a *app) scrubKeyCertificateVerb() verb {
	var ref, out string
	return verb{
		use: "certificate", short: "write the certificate with which recorded XML is signed", exits: []int{exitRefused},
		long: "Certificate writes the certificate of the RSA key with which recorded XML is signed anew, such as assertions of SAML\n" +
			"and messages of SOAP, in PEM. It is derived from the key, and it is no secret. Give it to the test instance that\n" +
			"verifies them: as that of the identity provider, or of the sender.",
		example: "rehearse scrub key certificate --out idp.pem",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&ref, "key", "", keyUsage)
			set.StringVar(&out, "out", "", "new `file` to write (default standard output)")
		},
		run: func(context.Context, []string) error {
			key, err := a.existingKey(ref)
			if err != nil {
				return err
			}
			c, err := key.TestCertificate()
			if err != nil {
				return err
			}
			text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
			if out == "" {
				_, err = a.out.Write(text)
				return err
			}
			return writeNew("certificate", out, text)
		},
	}
}

func (a *app) scrubVaultVerb() verb {
	var ref, merge string
	return verb{
		use: "vault FILE", short: "tell what a vault holds, or merge another one into it", exits: []int{exitRefused},
		long: "A vault is what --vault writes: which stand-in each value got, as keyed hashes, encrypted under the key. It holds\n" +
			"no original. Merge it with that of a colleague who uses the same key; values that both assigned differently\n" +
			"keep the stand-in of FILE and are counted.",
		example: "rehearse scrub vault team.vault --merge mine.vault",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&ref, "key", "", keyUsage)
			set.StringVar(&merge, "merge", "", "`file` of the vault to add")
		},
		run: func(_ context.Context, args []string) error {
			key, err := a.existingKey(ref)
			if err != nil {
				return err
			}
			vault, err := openVault(args[0], key)
			if err != nil {
				return err
			}
			if merge != "" {
				other, err := openVault(merge, key)
				if err != nil {
					return err
				}
				fmt.Fprintf(a.out, "%s in conflict\n", harness.Count(vault.Merge(other), "value"))
				if err := vault.Save(args[0]); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintf(a.out, "%s: key %s, %s\n", args[0], key.ID(), harness.Count(vault.Len(), "stand-in"))
			return err
		},
	}
}

// openVault is LoadVault for a file that must be there.
func openVault(file string, key *scrub.Key) (*scrub.Vault, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, harness.Usage(fmt.Errorf("load vault: %w", err), "name the file that --vault wrote")
	}
	return scrub.LoadVault(file, key)
}
