package world

import (
	"bytes"
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Finance is LedgerOne.
const Finance = "finance"

// LedgerSession is the one session of the nightly ledger feed.
const LedgerSession = "2026-10-05 23:30"

const (
	charges       = 30 // each one debit and one credit
	firstDocument = 12345
	firstCharge   = 100_000 // cents
	chargeStep    = 1_375   // cents
	oldWidth      = 35      // of the description
	newWidth      = 40
)

// feed is one night's file in the layout HLU-GL-132.
type feed struct {
	time, batch string
	width       int // of the description
	cut         int // detail lines at the end that are missing
}

// text writes header, details and trailer, each line ended by LF.
func (f feed) text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%-132s\n", "HATRIUMAR20261005"+f.time+f.batch)
	var details [][]byte
	total := 0
	for i := 1; i <= charges; i++ {
		cents := firstCharge + chargeStep*i
		total += cents
		for n, side := range []struct{ account, mark string }{{"210500113010000000", "D"}, {"210500511010100100", "C"}} {
			details = append(details, fmt.Appendf(nil, "DATRIUMARF%07d%04d20261005CHG1H110001%s%-*s%013d%s%s%s%10s\n",
				firstDocument+i-1, n+1, side.account, f.width, "Tuition Fall 2026", cents, side.mark, StudentID(firstStudent+i), Fall, ""))
		}
	}
	b.Write(bytes.Join(details[:len(details)-f.cut], nil))
	fmt.Fprintf(&b, "%-132s\n", fmt.Sprintf("TATRIUMAR%07d%015d%015d", 2*charges, total, total))
	return b.Bytes()
}

// Ledger returns the baseline of one night's ledger feed: the file that the SIS leaves for the runner, one session.
func Ledger() []harness.Exchange {
	return []harness.Exchange{ledgerFile("gl_20261005.dat", feed{time: "233000", batch: "GL00004711", width: oldWidth})}
}

// LedgerCandidate932 returns what SIS 9.32 leaves instead: a description of 40 columns, in a batch of another time and
// number.
func LedgerCandidate932() []harness.Exchange {
	return []harness.Exchange{ledgerFile("gl_20261006.dat", feed{time: "233104", batch: "GL00004718", width: newWidth})}
}

// LedgerCut returns a feed whose last three detail lines are missing; its trailer still counts them.
func LedgerCut() []harness.Exchange {
	return []harness.Exchange{ledgerFile("gl_20261005.dat", feed{time: "233000", batch: "GL00004711", width: oldWidth, cut: 3})}
}

func ledgerFile(name string, f feed) harness.Exchange {
	at := time.Date(2026, 10, 6, 4, 30, 0, 0, time.UTC) // 23:30 America/Chicago
	return harness.Exchange{
		ID: harness.SequenceID(1), Session: LedgerSession, Channel: harness.ChannelFile, From: SIS, To: HubLine, At: at,
		Request: harness.Message{
			Head: harness.Head{{Name: harness.FieldName, Value: name}, {Name: harness.FieldModified, Value: at.Format(time.RFC3339Nano)}},
			Body: harness.BytesBody(f.text()),
		},
	}
}
