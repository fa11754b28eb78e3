package harness

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// MaxBodyInMemory is the most that Body.Bytes reads, in bytes. Larger bodies are read as streams.
const MaxBodyInMemory = 256 << 20

// Body is the bytes of a message exactly as they crossed, content encoding kept. The zero Body is empty. A Body may be
// opened any number of times, also concurrently.
type Body struct {
	size   int64
	digest string
	open   func() (io.ReadCloser, error)
	inline []byte
}

// BytesBody holds b, which must not change afterwards.
func BytesBody(b []byte) Body { return Body{size: int64(len(b)), inline: b} }

// StoredBody is kept elsewhere: size in bytes, digest as [Digest] writes it, open for a fresh reader each time.
func StoredBody(size int64, digest string, open func() (io.ReadCloser, error)) Body {
	return Body{size: size, digest: digest, open: open}
}

// Size in bytes.
func (b Body) Size() int64 { return b.size }

// Digest of the bytes, "sha256:" and 64 hex digits; empty for an empty body.
func (b Body) Digest() string {
	if b.digest == "" && b.size > 0 {
		return Digest(b.inline)
	}
	return b.digest
}

// Open returns a fresh reader over the bytes. The caller closes it.
func (b Body) Open() (io.ReadCloser, error) {
	if b.open == nil {
		return io.NopCloser(bytes.NewReader(b.inline)), nil
	}
	return b.open()
}

// Held returns the bytes of a body that is in memory, which must not be changed; false for one that is kept elsewhere.
func (b Body) Held() ([]byte, bool) { return b.inline, b.open == nil }

// Bytes reads the whole body. The result must not be changed. A body above MaxBodyInMemory is an error.
func (b Body) Bytes() ([]byte, error) {
	if b.open == nil {
		return b.inline, nil
	}
	if b.size > MaxBodyInMemory {
		return nil, fmt.Errorf("read body of %d bytes: larger than %d, which is the most that is held in memory", b.size, int64(MaxBodyInMemory))
	}
	r, err := b.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	buf := make([]byte, b.size)
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, fmt.Errorf("read body of %d bytes: %w", b.size, err)
	}
	return buf, nil
}

// Load returns the body with its bytes in memory. A body above MaxBodyInMemory is an error.
func (b Body) Load() (Body, error) {
	held, err := b.Bytes()
	return Body{size: b.size, digest: b.digest, inline: held}, err
}

// Digest names bytes by their content: "sha256:" and 64 hex digits; empty for no bytes.
func Digest(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
