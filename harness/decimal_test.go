package harness

import "testing"

func TestParseDecimal(t *testing.T) {
	for _, tt := range []struct{ why, text, want string }{
		{"leading zeros", "0000060", "60"},
		{"cents", "3.50", "7/2"},
		{"beyond what floating point holds", "9007199254740993", "9007199254740993"},
		{"a sign", "-0.01", "-1/100"},
		{"an exponent", "1.5e3", "1500"},
		{"the largest exponent", "1e400", "1" + zeros(400)},
		{"too large an exponent", "1e401", ""},
		{"an exponent that no machine holds", "1e99999999999999999999", ""},
		{"a fraction is no decimal", "1/2", ""},
		{"nor is a number of another base", "0x10", ""},
		{"nor with separators of thousands", "1_000", ""},
		{"nor infinity", "Inf", ""},
		{"nor nothing", "", ""},
	} {
		r, ok := ParseDecimal(tt.text)
		got := ""
		if ok {
			got = r.RatString()
		}
		if got != tt.want {
			t.Errorf("%s: %s is read as %q, want %q", tt.why, tt.text, got, tt.want)
		}
	}
}

func zeros(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = '0'
	}
	return string(b)
}
