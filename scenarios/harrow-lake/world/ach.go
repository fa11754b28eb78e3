package world

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Bank is First Prairie Bank.
const Bank = "bank"

// Sessions of the ACH files, each the one of its recording.
const (
	RefundSession = "2026-10-06 15:00"
	PaySession    = "2026-03-06 15:00"
)

// Descriptions of the pay batch: before the rule of 20 March 2026, as it demands, and as somebody understood it.
const (
	payBefore = "SALARY"
	payRuled  = "PAYROLL"
	payWrong  = "Payroll"
)

// Parts of an ACH file that do not change.
const (
	achWidth   = 94
	achBlock   = 10 // records of a block, filled up with nines
	originator = "99990000"
	company    = "1234567890"
)

// credit is one entry of an ACH file: money to an account.
type credit struct {
	bank       int // routing number without check digit
	check      int
	account    string
	cents      int
	student    int
	individual string
}

// achFile is one batch of credits in the layout NACHA-94.
type achFile struct {
	made        time.Time // local time of the file
	description string
	credits     []credit
}

// text writes the records, each ended by LF, filled up to a block.
func (f achFile) text() []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, "%-*s\n", achWidth, fmt.Sprintf(format, args...)) }
	line("101 %s4%s%sA094101%-23s%-23s", originator, company, f.made.Format("0601021504"), "FIRST PRAIRIE BANK", "HARROW LAKE UNIV")
	line("5220%-16s%20s%sPPD%-10s%s%s   1%s%07d", "HARROW LAKE UNIV", "", company, f.description,
		strings.ToUpper(f.made.Format("Jan 02")), f.made.AddDate(0, 0, 1).Format("060102"), originator, 1)
	hash, cents := 0, 0
	for i, c := range f.credits {
		line("622%08d%d%-17s%010d%-15s%-22s  0%s%07d", c.bank, c.check, c.account, c.cents, StudentID(c.student), c.individual, originator, i+1)
		hash, cents = hash+c.bank, cents+c.cents
	}
	line("8220%06d%010d%012d%012d%s%25s%s%07d", len(f.credits), hash, 0, cents, company, "", originator, 1)
	line("9%06d%06d%08d%010d%012d%012d", 1, 1, len(f.credits), hash, 0, cents)
	for range achBlock - len(f.credits) - 4 {
		line("%s", strings.Repeat("9", achWidth))
	}
	return b.Bytes()
}

// Refunds returns the baseline of one Tuesday's refunds: the file that the SIS leaves for the bank, one session.
func Refunds() []harness.Exchange {
	made := time.Date(2026, 10, 6, 15, 0, 0, 0, time.UTC)
	return []harness.Exchange{achExchange(RefundSession, "refunds_20261006.ach", made, achFile{made, "REFUND", []credit{
		{99990001, 7, "000123456789", 25_000, 142, "NUNEZ JOSE"},
		{99990013, 0, "778899001", 118_875, 977, "ADEYEMI FUNMI"},
	}})}
}

// Pay returns the baseline of the pay of student workers, from before the rule about descriptions: one session.
func Pay() []harness.Exchange { return []harness.Exchange{pay(payBefore)} }

// PayByRule returns the pay of student workers with the description that the rule demands.
func PayByRule() []harness.Exchange { return []harness.Exchange{pay(payRuled)} }

// PayInMixedCase returns the pay of student workers with a description that the rule refuses.
func PayInMixedCase() []harness.Exchange { return []harness.Exchange{pay(payWrong)} }

func pay(description string) harness.Exchange {
	made := time.Date(2026, 3, 6, 15, 0, 0, 0, time.UTC)
	return achExchange(PaySession, "pay_20260306.ach", made, achFile{made, description, []credit{
		{99990001, 7, "000123456789", 31_250, 142, "NUNEZ JOSE"},
		{99990013, 0, "778899001", 28_400, 977, "ADEYEMI FUNMI"},
		{99990001, 7, "000987650012", 45_600, 163, "BRANNSTROM ZOE"},
	}})
}

// achExchange is the file on its way to the runner; made is its local time in America/Chicago.
func achExchange(session, name string, made time.Time, f achFile) harness.Exchange {
	chicago := 5 * time.Hour // behind UTC in summer
	if made.Month() < time.April {
		chicago = 6 * time.Hour // before the switch on 8 March
	}
	at := made.Add(chicago)
	return harness.Exchange{
		ID: harness.SequenceID(1), Session: session, Channel: harness.ChannelFile, From: SIS, To: HubLine, At: at,
		Request: harness.Message{
			Head: harness.Head{{Name: harness.FieldName, Value: name}, {Name: harness.FieldModified, Value: at.Format(time.RFC3339Nano)}},
			Body: harness.BytesBody(f.text()),
		},
	}
}
