package payload

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// Limits of unpacking: what comes out is at most maxRatio times what went in, and at most maxUnpacked bytes.
const (
	maxUnpacked = 256 << 20
	maxRatio    = 200
	minAllowed  = 1 << 20 // small inputs may expand to this much whatever their ratio
)

// coding is one row of the table of content encodings.
type coding struct {
	name   string
	unpack func(io.Reader) (io.ReadCloser, error)
	pack   func(io.Writer) (io.WriteCloser, error)
}

var codings = []coding{
	{"gzip", func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) },
		func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }},
	{"deflate", unpackDeflate,
		func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil }},
	{"br", func(r io.Reader) (io.ReadCloser, error) { return io.NopCloser(brotli.NewReader(r)), nil },
		func(w io.Writer) (io.WriteCloser, error) { return brotli.NewWriter(w), nil }},
	{"zstd", unpackZstd,
		func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)) }},
}

// maxWindow is the largest window that a zstd frame may ask for. RFC 9659 allows 8 MiB in HTTP; files have more.
const maxWindow = 64 << 20

// unpackZstd reads as a stream, because the whole at once would take what a frame says it needs.
func unpackZstd(r io.Reader) (io.ReadCloser, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderMaxMemory(maxWindow), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

// unpackDeflate reads zlib, as RFC 9110 says, or a bare deflate stream, as some servers send.
func unpackDeflate(r io.Reader) (io.ReadCloser, error) {
	buf, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if z, err := zlib.NewReader(bytes.NewReader(buf)); err == nil {
		return z, nil
	}
	return flate.NewReader(bytes.NewReader(buf)), nil
}

// Unpack removes the content encodings that a Content-Encoding value lists, last applied first. The empty value and
// identity change nothing. An unknown encoding, damaged data and a bomb are errors.
func Unpack(encoding string, b []byte) ([]byte, error) {
	names, err := splitEncodings(encoding)
	if err != nil {
		return nil, err
	}
	for i := len(names) - 1; i >= 0 && len(b) > 0; i-- {
		c, err := codingOf(names[i])
		if err != nil {
			return nil, err
		}
		if b, err = c.unpackAll(b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Pack applies the content encodings that a Content-Encoding value lists, in order.
func Pack(encoding string, b []byte) ([]byte, error) {
	names, err := splitEncodings(encoding)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		c, err := codingOf(name)
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		w, err := c.pack(&out)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(b); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		b = out.Bytes()
	}
	return b, nil
}

func (c coding) unpackAll(b []byte) ([]byte, error) {
	limit := int64(allowed(len(b)))
	r, err := c.unpack(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("unpack %s of %d bytes: %w", c.name, len(b), err)
	}
	defer r.Close()
	out, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("unpack %s of %d bytes: %w", c.name, len(b), err)
	}
	if int64(len(out)) > limit {
		return nil, fmt.Errorf("unpack %s of %d bytes: more than %d bytes come out", c.name, len(b), limit)
	}
	return out, nil
}

// allowed is how many bytes may come out of n.
func allowed(n int) int { return max(minAllowed, min(maxUnpacked, n*maxRatio)) }

// maxEncodings bounds a list of encodings; real ones have one or two.
const maxEncodings = 4

func splitEncodings(value string) (names []string, err error) {
	for name := range strings.SplitSeq(value, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "" && name != "identity" {
			names = append(names, strings.TrimPrefix(name, "x-"))
		}
		if len(names) > maxEncodings {
			return nil, fmt.Errorf("more than %d content encodings", maxEncodings)
		}
	}
	return names, nil
}

func codingOf(name string) (coding, error) {
	for _, c := range codings {
		if c.name == name {
			return c, nil
		}
	}
	return coding{}, fmt.Errorf("content encoding %q is not known", name)
}
