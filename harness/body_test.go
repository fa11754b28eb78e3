package harness

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func opener(text string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

func TestBodiesAreReadAgainAndAgain(t *testing.T) {
	const text = "CRN,ID\r\n00417,H00000001\r\n"
	for name, b := range map[string]Body{
		"inline": BytesBody([]byte(text)),
		"stored": StoredBody(int64(len(text)), Digest([]byte(text)), opener(text)),
		"slow":   StoredBody(int64(len(text)), Digest([]byte(text)), func() (io.ReadCloser, error) { return io.NopCloser(iotest.OneByteReader(strings.NewReader(text))), nil }),
	} {
		for range 2 {
			got, err := b.Bytes()
			if err != nil || string(got) != text {
				t.Errorf("%s: bytes %q, %v", name, got, err)
			}
			r, err := b.Open()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			streamed, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(streamed, got) {
				t.Errorf("%s: stream %q, %v", name, streamed, err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		if b.Size() != int64(len(text)) || b.Digest() != Digest([]byte(text)) {
			t.Errorf("%s: size %d, digest %s", name, b.Size(), b.Digest())
		}
	}
}

func TestTheEmptyBody(t *testing.T) {
	for name, b := range map[string]Body{"zero": {}, "no bytes": BytesBody(nil), "stored": StoredBody(0, "", opener(""))} {
		got, err := b.Bytes()
		if err != nil || len(got) != 0 || b.Size() != 0 || b.Digest() != "" {
			t.Errorf("%s: %q, %v, size %d, digest %q", name, got, err, b.Size(), b.Digest())
		}
		if r, err := b.Open(); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if rest, _ := io.ReadAll(r); len(rest) != 0 {
			t.Errorf("%s: %q", name, rest)
		}
	}
}

func TestBodiesThatCannotBeHeld(t *testing.T) {
	gone := errors.New("the disk is gone")
	for _, c := range []struct {
		why  string
		body Body
		want string
	}{
		{"too large for memory, and not even opened", StoredBody(MaxBodyInMemory+1, "", func() (io.ReadCloser, error) { t.Error("opened"); return nil, gone }), "larger than 268435456"},
		{"cannot be opened", StoredBody(3, "", func() (io.ReadCloser, error) { return nil, gone }), "the disk is gone"},
		{"ends early", StoredBody(5, "", opener("abc")), "read body of 5 bytes: unexpected EOF"},
		{"nothing there", StoredBody(5, "", opener("")), "read body of 5 bytes: EOF"},
	} {
		if b, err := c.body.Bytes(); err == nil || b != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q, %v; want %q", c.why, b, err, c.want)
		}
	}
}

func TestDigestNamesContent(t *testing.T) {
	// SHA-256 of "abc", FIPS 180-4.
	const want = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := Digest([]byte("abc")); got != want {
		t.Errorf("%s", got)
	}
}
