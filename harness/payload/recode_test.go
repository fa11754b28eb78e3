package payload

import (
	"strings"
	"testing"
)

func TestToUTF8ReadsWhatItIsTold(t *testing.T) {
	for _, tc := range []struct{ encoding, source, want, fails, why string }{
		{"windows-1252", "Jos\xe9 \x80", "José €", "", "one byte a letter, the euro sign among them"},
		{"ISO-8859-1", "Jos\xe9", "José", "", "names in any case"},
		{"utf-8", "\xef\xbb\xbfJosé", "José", "", "the mark is no text"},
		{"utf-8", "Jos\xe9,1", "", "byte E9 at offset 3 is no UTF-8", "never guessed"},
		{"utf-16le", "\xff\xfeJ\x00\xe9\x00", "Jé", "", "two bytes a letter"},
		{"utf-16be", "\x00J\x00", "", "odd number", "half a letter"},
		{"ebcdic", "x", "", `encoding "ebcdic" is not known`, "says what is"},
	} {
		got, err := ToUTF8(tc.encoding, []byte(tc.source))
		if tc.fails != "" {
			if err == nil || !strings.Contains(err.Error(), tc.fails) {
				t.Errorf("%s (%s): %v", tc.encoding, tc.why, err)
			}
			continue
		}
		if err != nil || string(got) != tc.want {
			t.Errorf("%s (%s): %q, %v", tc.encoding, tc.why, got, err)
		}
	}
}
