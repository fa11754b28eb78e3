// Package sign makes what the receiver of a message checks: keyed hashes of webhooks, requests and URLs that are signed for
// AWS, JSON web tokens, and XML Signatures.
//
// The scrubber signs what it changed with test secrets; a replay signs what it feeds with the secrets of the instance that
// it feeds, at the moment at which it feeds it. For a replay there is a [Signer] for each kind: it changes the head of a
// message and nothing else, so that it is the last step before the message is sent.
//
// Whether a keyed hash was right is found by making it again; an XML Signature, which brings its key along, is verified
// before it is made anew. Its canonical forms are written here: well-kept libraries build signatures of their own, and a
// recorded one has to keep its form. Everything is a pure function of what
// is given, and safe for concurrent use. No secret gets into an error.
package sign

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Signer makes the signature in a message anew, over the body as it crosses and for a moment. It is false, and changes
// nothing, when the message has no such signature. The head that is given is not changed, the message gets another one.
type Signer func(m *harness.Message, body []byte, at time.Time) (bool, error)

// All is the signers one after the other. It is false when none of them found a signature.
func All(signers ...Signer) Signer {
	return func(m *harness.Message, body []byte, at time.Time) (bool, error) {
		any := false
		for _, s := range signers {
			signed, err := s(m, body, at)
			if err != nil {
				return any, err
			}
			any = any || signed
		}
		return any, nil
	}
}
