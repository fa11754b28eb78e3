package payload

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
)

func TestEveryCodingIsAnInverse(t *testing.T) {
	body := []byte(strings.Repeat(`{"id":"H001","status":"RE"}`+"\n", 1000))
	for _, c := range []struct{ encoding, why string }{
		{"gzip", "the usual one"}, {"deflate", "zlib"}, {"br", "browsers"}, {"zstd", "newer servers"},
		{"br, gzip", "a chain"}, {"gzip,zstd,br", "three in a row"}, {"identity, ZSTD", "names in any case"},
	} {
		packed, err := Pack(c.encoding, body)
		if err != nil || len(packed) >= len(body) {
			t.Errorf("%s: %d bytes, %v", c.why, len(packed), err)
		}
		if got, err := Unpack(c.encoding, packed); err != nil || !bytes.Equal(got, body) {
			t.Errorf("%s: %.40q, %v", c.why, got, err)
		}
		if got, err := Unpack(c.encoding, packed[:len(packed)/2]); err == nil {
			t.Errorf("%s: half of it makes %d bytes", c.why, len(got))
		}
	}
}

// TestABombOfEachCodingIsRefused packs zeros far beyond the ratio and looks at what refusing them takes.
func TestABombOfEachCodingIsRefused(t *testing.T) {
	zeros := make([]byte, 128<<20)
	for _, encoding := range []string{"gzip", "deflate", "br", "zstd"} {
		bomb, err := Pack(encoding, zeros)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = Unpack(encoding, bomb)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "bytes come out") {
			t.Errorf("%s: a bomb of %d bytes: %v", encoding, len(bomb), err)
		}
		const most = 160 << 20 // the limit of the largest packed form, grown by doubling, and a window
		if took := after.TotalAlloc - before.TotalAlloc; took > most {
			t.Errorf("%s: refusing a bomb of %d bytes took %d", encoding, len(bomb), took)
		}
	}
	if _, err := Unpack("br,br,br,br,br", []byte("x")); err == nil {
		t.Error("five encodings in a row")
	}
}
