package explain

import (
	"strings"
	"testing"
)

// western spells Latin-1 letters as one byte each.
func western(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r))
	}
	return b.String()
}

func encodingCases() []acceptance {
	const header = "ID,NAME\n"
	plain := header + "H1,José Núñez\nH2,Ola Strand\nH3,François Lefèvre\n"
	users := "user_id,name\nH1,José Núñez\nH2,Ola Strand\nH3,François Lefèvre\n"
	return []acceptance{
		{
			name: "file became Windows-1252", why: "one finding, with the output that carries the bytes on",
			before: xs(in(plain), out(users)), after: xs(in(western(plain)), out(western(users))),
			want: []string{"F11 breaking 2/3 rows ×6"},
		},
		{
			name: "file became UTF-8", why: "the other way is as bad for a mapping that expects the old one",
			before: xs(in(western(plain))), after: xs(in(plain)),
			want: []string{"F11 breaking 2/3 rows ×3"},
		},
		{
			name: "encoded twice", why: "Ã© for é",
			before: xs(in(plain)), after: xs(in(header + "H1,JosÃ© NÃºÃ±ez\nH2,Ola Strand\nH3,FranÃ§ois LefÃ¨vre\n")),
			want: []string{"F11 breaking 2/3 rows ×3"},
		},
		{
			name: "letters lost", why: "a question mark for each letter",
			before: xs(in(plain)), after: xs(in(header + "H1,Jos? N??ez\nH2,Ola Strand\nH3,Fran?ois Lef?vre\n")),
			want: []string{"F11 breaking 2/3 rows ×2"},
		},
		{
			name: "composed differently", why: "looks the same, is not; no byte is lost",
			before: xs(in(header + "H1,Jos\u00e9\nH2,Ola\n")), after: xs(in(header + "H1,Jose\u0301\nH2,Ola\n")),
			want: []string{"F11 review 1/2 rows ×1"},
		},
	}
}

func TestOtherChangesAreNoRecoding(t *testing.T) {
	for _, tc := range []struct{ was, is, why string }{
		{"José", "Josef", "another name"},
		{"Ola", "Ola", "nothing changed"},
		{"what?", "why?", "a question mark of its own"},
		{"José", "Jos", "the letter is gone without a stand-in"},
		{"Ola", "Ol\xe1", "a letter came in that was not there"},
	} {
		for _, r := range recodings {
			if r.did(tc.was, tc.is) {
				t.Errorf("%q → %q is called %s: %s", tc.was, tc.is, r.sentence, tc.why)
			}
		}
	}
}
