package world

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// refundLines is the file as the bank's format demands it, but for the lines of nines.
const refundLines = `101 99990000412345678902610061500A094101FIRST PRAIRIE BANK     HARROW LAKE UNIV               
5220HARROW LAKE UNIV                    1234567890PPDREFUND    OCT 06261007   1999900000000001
622999900017000123456789     0000025000H00000142      NUNEZ JOSE              0999900000000001
622999900130778899001        0000118875H00000977      ADEYEMI FUNMI           0999900000000002
822000000201999800140000000000000000001438751234567890                         999900000000001
9000001000001000000020199980014000000000000000000143875                                       
`

func textIn(t *testing.T, x harness.Exchange) string {
	t.Helper()
	return strings.Join(linesOf(t, x), "\n") + "\n"
}

func TestRefundsAreWrittenAsTheBankWantsThem(t *testing.T) {
	nines := strings.Repeat(strings.Repeat("9", achWidth)+"\n", 4)
	if d := cmp.Diff(refundLines+nines, textIn(t, Refunds()[0])); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestPayFilesDifferInTheDescriptionAlone(t *testing.T) {
	before := textIn(t, Pay()[0])
	for _, line := range strings.SplitAfter(strings.TrimSuffix(before, "\n"), "\n") {
		if len(strings.TrimSuffix(line, "\n")) != achWidth {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	if n := strings.Count(before, "\n"); n != achBlock {
		t.Errorf("%d records, want %d", n, achBlock)
	}
	for description, after := range map[string]string{"PAYROLL   ": textIn(t, PayByRule()[0]), "Payroll   ": textIn(t, PayInMixedCase()[0])} {
		if want := strings.Replace(before, "SALARY    ", description, 1); after != want {
			t.Errorf("%q: %s", description, cmp.Diff(want, after))
		}
	}
}

func TestCutFeedLacksTheLastThreeDetails(t *testing.T) {
	whole, cut := linesOf(t, Ledger()[0]), linesOf(t, LedgerCut()[0])
	want := append(whole[:len(whole)-4:len(whole)-4], whole[len(whole)-1])
	if d := cmp.Diff(want, cut); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}
