package sftp

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/crypto/ssh"

	"github.com/rehearse-dev/rehearse/harness"
)

// HostKey reads the key by which clients know this server, and makes one (Ed25519) when the file is not there. The file is
// readable by its owner only.
func HostKey(file string) (ssh.Signer, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = makeHostKey(file)
	}
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("read host key: %w", err), "name a file of your own, or one that can be made")
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("read host key %s: %w", file, err), "remove the file: a new one is made")
	}
	return key, nil
}

func makeHostKey(file string) ([]byte, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(block)
	err = harness.CreateSecret(file, text)
	if errors.Is(err, fs.ErrExist) { // another recording made it just now
		return os.ReadFile(file)
	}
	return text, err
}
