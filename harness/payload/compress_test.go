package payload

import (
	"bytes"
	"compress/flate"
	"strings"
	"testing"
)

const roster = "CRN,ID,RSTS\r\n00417,H00000001,RE\r\n00417,H00000002,DW\r\n"

func pack(t testing.TB, encoding, text string) []byte {
	t.Helper()
	b, err := Pack(encoding, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func rawDeflate(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWhatIsPackedIsUnpacked(t *testing.T) {
	for _, encoding := range []string{"", "identity", "gzip", "x-gzip", "GZIP", " gzip ", "deflate", "gzip, deflate", "deflate,gzip", "identity, gzip", "gzip,,", "gzip,gzip,gzip,gzip"} {
		for _, text := range []string{roster, "x", strings.Repeat(roster, 1000)} {
			got, err := Unpack(encoding, pack(t, encoding, text))
			if err != nil || string(got) != text {
				t.Errorf("%q: %.40q, %v", encoding, got, err)
			}
		}
	}
	if bytes.Equal(pack(t, "gzip,deflate", roster), pack(t, "deflate,gzip", roster)) {
		t.Error("encodings are applied in order")
	}
}

func TestUnpackTakesWhatServersSend(t *testing.T) {
	for _, c := range []struct {
		encoding string
		packed   []byte
		want     string
		why      string
	}{
		{"deflate", rawDeflate(t, roster), roster, "deflate without the zlib frame"},
		{"gzip", append(pack(t, "gzip", "a"), pack(t, "gzip", "b")...), "ab", "two gzip members, one after the other"},
		{"gzip", nil, "", "no bytes, as answers to HEAD have"},
		{"compress", nil, "", "no bytes in an encoding that is not known"},
		{"identity", []byte{0x1f, 0x8b}, "\x1f\x8b", "bytes that look packed and are not said to be"},
	} {
		if got, err := Unpack(c.encoding, c.packed); err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v", c.why, got, err)
		}
	}
}

func TestUnpackRefuses(t *testing.T) {
	zipped := pack(t, "gzip", strings.Repeat(roster, 100))
	flipped := bytes.Clone(zipped)
	flipped[len(flipped)-5] ^= 1 // checksum
	for _, c := range []struct {
		encoding string
		packed   []byte
		want     string
		why      string
	}{
		{"gzip", zipped[:len(zipped)-1], "unexpected EOF", "the end is missing"},
		{"gzip", zipped[:20], "unexpected EOF", "most is missing"},
		{"gzip", []byte(roster), "unpack gzip of 53 bytes", "not packed at all"},
		{"gzip", flipped, "checksum", "damaged"},
		{"gzip", append(bytes.Clone(zipped), "trailing"...), "unpack gzip", "more bytes behind the end"},
		{"deflate", []byte("not packed at all"), "unpack deflate", "not packed at all"},
		{"compress", []byte("x"), `content encoding "compress" is not known`, "an encoding that is not known"},
		{"gzip, compress", []byte("x"), `content encoding "compress" is not known`, "among others"},
		{strings.Repeat("gzip,", 5), zipped, "more than 4 content encodings", "a list without end"},
		{"gzip", pack(t, "gzip", strings.Repeat("\x00", 10<<20)), "more than", "a bomb"},
		{"deflate", pack(t, "deflate", strings.Repeat("\x00", 10<<20)), "more than", "a bomb of another kind"},
		{"gzip, gzip", pack(t, "gzip, gzip", strings.Repeat("\x00", 30<<20)), "bytes come out", "a bomb in a bomb"},
	} {
		got, err := Unpack(c.encoding, c.packed)
		if err == nil || got != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d bytes, %v; want %q", c.why, len(got), err, c.want)
		}
	}
	if _, err := Pack("compress", []byte("x")); err == nil {
		t.Error("packed in an encoding that is not known")
	}
	if _, err := Pack(strings.Repeat("gzip,", 5), []byte("x")); err == nil {
		t.Error("packed without end")
	}
}

func TestWhatMayComeOutIsBounded(t *testing.T) {
	for n, want := range map[int]int{0: 1 << 20, 1: 1 << 20, 5242: 1 << 20, 10_000: 2_000_000, 1_342_177: 268_435_400, 1_342_178: 256 << 20, 1 << 30: 256 << 20} {
		if got := allowed(n); got != want {
			t.Errorf("%d bytes may become %d, want %d", n, got, want)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	for _, encoding := range []string{"gzip", "deflate", "gzip,deflate", "identity", "br", ",,"} {
		packed, _ := Pack(encoding, []byte(roster))
		f.Add(encoding, packed)
	}
	f.Fuzz(func(t *testing.T, encoding string, b []byte) {
		out, err := Unpack(encoding, b)
		if err != nil {
			if out != nil {
				t.Fatal("bytes and an error")
			}
			return
		}
		if names, _ := splitEncodings(encoding); len(names) == 1 && len(out) > allowed(len(b)) {
			t.Fatalf("%d bytes became %d", len(b), len(out))
		}
		if len(b) == 0 {
			return
		}
		packed, err := Pack(encoding, out)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Unpack(encoding, packed); err != nil || !bytes.Equal(again, out) {
			t.Fatalf("packed and unpacked again: %v", err)
		}
	})
}
