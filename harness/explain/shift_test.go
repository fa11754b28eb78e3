package explain

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// ledger is a file in the layout HLU-GL-132 with ten detail lines, whose description has the width.
func ledger(width int, line func(i int, text string) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-132s\n", "HATRIUMAR20261005233000GL00004711")
	for i := range 10 {
		b.WriteString(line(i, fmt.Sprintf("DATRIUMARF%07d000120261005CHG1H110001210500113010000000%-*s%013dDH%08d202640%10s", 12345+i, width, "Tuition Fall 2026", 101375+i, 101+i, "")) + "\n")
	}
	fmt.Fprintf(&b, "%-132s\n", "TATRIUMAR0000010000000001013795000000000000000")
	return b.String()
}

// unnamed takes the media type away, as files have none.
func unnamed(x harness.Exchange) harness.Exchange {
	x.Request.Media = ""
	return x
}

func asIs(_ int, text string) string { return text }

func shiftCases() []acceptance {
	fed := func(body string) harness.Exchange { return unnamed(fileOf("night", "sis", target, "gl.dat", body)) }
	handed := func(body string) harness.Exchange {
		return unnamed(fileOf("night", target, "finance", "ledger/gl.dat", body))
	}
	keyed := []harness.Rule{{At: at("request.body"), Compare: "keyed", Key: []string{"document", "sequence"}, Reason: "one line for each side"}}
	return []acceptance{
		{
			name: "description grew", why: "one finding for ten records and every field behind, in both files",
			before: xs(fed(ledger(35, asIs)), handed(ledger(35, asIs))), after: xs(fed(ledger(40, asIs)), handed(ledger(40, asIs))), rules: keyed,
			want: []string{"F16 breaking 10/12 records ×"},
		},
		{
			name: "description shrank", why: "the other way moves the fields as well",
			before: xs(fed(ledger(35, asIs))), after: xs(fed(ledger(30, asIs))), rules: keyed,
			want: []string{"F16 breaking 10/12 records ×"},
		},
	}
}

func TestShiftsAreOneFinding(t *testing.T) {
	for _, tc := range shiftCases() {
		t.Run(tc.name, func(t *testing.T) {
			findings, c := explained(t, tc.before, tc.after, tc.rules, tc.setup)
			claimedOnce(t, c, findings)
			got := briefs(findings)
			if len(got) != len(tc.want) || !strings.HasPrefix(got[0], tc.want[0]) {
				t.Fatalf("%s: %v, want %v\n%s", tc.why, got, tc.want, words(findings))
			}
			golden(t, strings.ReplaceAll(tc.name, " ", "-"), words(findings))
		})
	}
}

func TestLinesThatChangedOtherwiseAreNoShift(t *testing.T) {
	split := func(text string) [][]byte {
		var lines [][]byte
		for l := range strings.SplitSeq(text, "\n") {
			lines = append(lines, []byte(l))
		}
		return lines
	}
	for _, tc := range []struct {
		name, was, is, why string
		restored           int
	}{
		{"one column", "aaXbb\nccXdd", "aa..Xbb\ncc..Xdd", "the same two bytes at one place", 2},
		{"at different columns", "aaaabbbb\nccccdddd", "aa..aabbbb\nccccdd..dd", "no single column restores both", 0},
		{"a value changed, too", "aabb\nccdd", "aa.bX\ncc.dd", "half is less than nearly all", 0},
		{"a line more", "aa\nbb", "aa\nbb\ncc", "another number of lines is no shift", 0},
		{"same length", "aa", "bb", "nothing moved", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			restored := 0
			if sh := findShift(split(tc.was), split(tc.is)); sh != nil {
				restored = sh.restored
			}
			if restored != tc.restored {
				t.Errorf("%d restored, want %d: %s", restored, tc.restored, tc.why)
			}
		})
	}
}

func TestRecordThatTheShiftDoesNotRestoreStaysOpen(t *testing.T) {
	keyed := []harness.Rule{{At: at("request.body"), Compare: "keyed", Key: []string{"document", "sequence"}, Reason: "one line for each side"}}
	var many []string
	for i := range 40 {
		many = append(many, fmt.Sprintf("DATRIUMARF%07d000120261005CHG1H110001210500113010000000%%-*s%013dDH%08d202640%%10s", 12345+i, 101375+i, 101+i))
	}
	file := func(width int, spoil bool) string {
		text := fmt.Sprintf("%-132s\n", "HATRIUMAR20261005233000GL00004711")
		for i, l := range many {
			line := fmt.Sprintf(l, width, "Tuition Fall 2026", "")
			if spoil && i == 7 {
				line = strings.Replace(line, "202640", "202710", 1)
			}
			text += line + "\n"
		}
		return text
	}
	before, after := unnamed(fileOf("night", "sis", target, "gl.dat", file(35, false))), unnamed(fileOf("night", "sis", target, "gl.dat", file(40, true)))
	findings, _ := explained(t, xs(before), xs(after), keyed, nil)
	if len(findings) < 2 || findings[0].Kind != "F16" || findings[0].Count != 39 {
		t.Errorf("the spoilt record is swallowed: %v", briefs(findings))
	}
}
