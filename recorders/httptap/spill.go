package httptap

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"io/fs"
	"os"
	"runtime"

	"github.com/rehearse-dev/rehearse/harness"
)

// memoryBody is the most of a body, in bytes, that is held in memory. A longer one goes to a file.
const memoryBody = 1 << 20

// spill holds a long body outside of memory until nobody refers to it any more. Raw bytes must not reach the disk in the
// open, so they are encrypted under a key that only this process knows; the file has no name where the system allows it.
type spill struct {
	file   *os.File
	block  cipher.Block
	out    *bufio.Writer
	stream cipher.Stream
	sum    hash.Hash
	size   int64
}

func newSpill() (*spill, error) {
	key := make([]byte, 32)
	rand.Read(key) //nolint:errcheck // never fails since Go 1.24
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp("", "rehearse-body-")
	if err != nil {
		return nil, err
	}
	name := f.Name()
	s := &spill{file: f, block: block, sum: sha256.New(), out: bufio.NewWriterSize(f, chunkSize)}
	s.stream = s.fromStart()
	if os.Remove(name) != nil { // Windows keeps the name while the file is open
		runtime.AddCleanup(s, func(f *os.File) { f.Close(); os.Remove(name) }, f) //nolint:errcheck // the folder is a temporary one
		return s, nil
	}
	runtime.AddCleanup(s, func(f *os.File) { f.Close() }, f) //nolint:errcheck // nothing is left to lose
	return s, nil
}

// fromStart is the key stream; the key is used for one file only, so the counter begins at nought.
func (s *spill) fromStart() cipher.Stream {
	return cipher.NewCTR(s.block, make([]byte, s.block.BlockSize()))
}

// Write appends p.
func (s *spill) Write(p []byte) (int, error) {
	s.sum.Write(p)
	s.size += int64(len(p))
	var sealed [chunkSize]byte
	written := 0
	for len(p) > 0 {
		n := min(len(p), chunkSize)
		s.stream.XORKeyStream(sealed[:n], p[:n])
		if _, err := s.out.Write(sealed[:n]); err != nil {
			return written, err
		}
		written += n
		p = p[n:]
	}
	return written, nil
}

// body is what was written.
func (s *spill) body() (harness.Body, error) {
	if err := s.out.Flush(); err != nil {
		return harness.Body{}, err
	}
	return harness.StoredBody(s.size, "sha256:"+hex.EncodeToString(s.sum.Sum(nil)), func() (io.ReadCloser, error) {
		return &spillReader{s, io.NewSectionReader(s.file, 0, s.size), s.fromStart()}, nil
	}), nil
}

// spillReader reads the body from its begin. It keeps the spill alive.
type spillReader struct {
	spill  *spill
	sealed *io.SectionReader
	stream cipher.Stream
}

func (r *spillReader) Read(p []byte) (int, error) {
	n, err := r.sealed.Read(p)
	r.stream.XORKeyStream(p[:n], p[:n])
	return n, err
}

// Close ends the reading.
func (r *spillReader) Close() error {
	if r.spill == nil {
		return fs.ErrClosed
	}
	r.spill = nil
	return nil
}
