package scenarios

import (
	"errors"
	"testing"
)

func TestSuggestionNeedsNearness(t *testing.T) {
	list := []string{"recording", "reason", "rules", "at"}
	for _, tt := range []struct{ why, word, want string }{
		{"neighbours changed places", "recroding", "recording"},
		{"a letter too many", "rulles", "rules"},
		{"a letter too few", "reson", "reason"},
		{"letter case", "Rules", "rules"},
		{"short words may differ by one letter", "it", "at"},
		{"another word", "zebra", ""},
		{"too long to be a typo", string(make([]byte, 1<<20)), ""},
	} {
		if got := nearest(tt.word, list); got != tt.want {
			t.Errorf("%s: %.20q suggests %q, want %q", tt.why, tt.word, got, tt.want)
		}
	}
}

func TestProblemsAreOfUsage(t *testing.T) {
	var none Problems
	if none.err() != nil {
		t.Error("no problems are an error")
	}
	ps := Problems{{File: "b", Line: 2, Text: "x"}, {File: "a", Line: 1, Column: 3, Text: "y\x1b"}, {File: "b", Line: 1, Text: "z"}}
	err := ps.err()
	if want := "b:1:0: z\nb:2:0: x\na:1:3: y\\x1b"; err.Error() != want {
		t.Errorf("got %q", err)
	}
	if _, ok := errors.AsType[Problems](err); !ok {
		t.Error("no Problems in the chain")
	}
}
