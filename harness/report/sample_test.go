package report

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

var monday = time.Date(2026, 10, 5, 14, 0, 0, 0, time.UTC)

func mustPath(s string) harness.Path {
	p, err := harness.ParsePath(s)
	if err != nil {
		panic(err)
	}
	return p
}

func text(s string) harness.Value { return harness.Value{Kind: harness.KindString, Text: s} }

func day(s string) (d harness.Date) {
	if err := d.UnmarshalText([]byte(s)); err != nil {
		panic(err)
	}
	return d
}

// cleanReport is a baseline against itself.
func cleanReport() *harness.Report {
	manifest := harness.Manifest{
		Origin: "filedrop", Tool: "rehearse 1.0.0", Systems: []string{"atrium", "hubline", "lantern"},
		From: monday.Add(-7 * time.Hour), To: monday.Add(-6*time.Hour - 58*time.Minute),
		Scrub:  harness.ScrubSeal{Policy: "sha256:6f1e0c", Key: "hlu-2026", Masked: 560},
		Counts: harness.Counts{Seen: 6, Recorded: 6, Bytes: 48211},
	}
	r := &harness.Report{
		Run: "20261005T140000-7c1d", Scenario: "baseline", Integration: "sis-lms-enrollment",
		Title: "Nightly enrolment to the LMS", Owner: "Dana Ortiz", Steward: "Leon Achebe", Tool: "rehearse 1.0.0",
		Started: monday, Took: 820 * time.Millisecond, Clock: monday, Target: "the jq mapping of HubLine, in this process", Vouched: true,
		Before: harness.Side{Name: "fixtures/harrow-lake/sis-lms-enrollment", Digest: "sha256:0f6f7e1d5a", Exchanges: 6, Manifest: manifest},
		After:  harness.Side{Name: "this run", Digest: "sha256:0f6f7e1d5a", Exchanges: 6, Manifest: harness.Manifest{Origin: "replay"}},
		Records: []harness.RecordCount{
			{Operation: "registrations.csv", From: "atrium", To: "hubline", Path: mustPath("request.body"), Was: 240, Is: 240},
			{Operation: "enrollments.csv", From: "hubline", To: "lantern", Path: mustPath("request.body"), Was: 230, Is: 230},
		},
		Suppressed: []harness.Suppression{
			{Rule: harness.Rule{At: mustPath("request.head.:mtime"), Compare: "ignore", Reason: "time of the file on disk", BuiltIn: true}, Count: 6},
		},
		NotTested: []string{"Upload of the files to the LMS: it is a mock."},
		Egress:    []harness.Connection{{Address: "127.0.0.1:43111", IP: "127.0.0.1", Allowed: true, Reason: "loopback", Count: 3}},
	}
	r.Judge()
	return r
}

// richReport holds the first six planted findings of Harrow Lake in one report.
func richReport() *harness.Report {
	r := cleanReport()
	r.Run, r.Scenario, r.Change = "20261005T140000-a41f", "scenarios/harrow-lake/sis-9.32.yaml", "Atrium SIS 9.32"
	r.Took, r.Verdict, r.Reason = 1284*time.Millisecond, "", ""
	r.After.Digest = "sha256:77b1c02e9d"
	r.File = "scenarios/harrow-lake/sis-9.32.yaml"
	r.Findings = []harness.Finding{newCode(), renamed(), leadingZeros(), addedColumn(), otherOrder(), auditors()}
	for i := range r.Findings {
		r.Findings[i].Number = i + 1
	}
	r.Records = append(r.Records[:1],
		harness.RecordCount{Operation: "enrollments.csv", From: "hubline", To: "lantern", Path: mustPath("request.body"), Was: 230, Is: 223},
		harness.RecordCount{Session: "poll", Operation: "GET /api/v2/applications", From: "hubline", To: "prospekt", Path: mustPath("response.body.items"), Was: 74, Is: 74})
	r.Suppressed = append(r.Suppressed, harness.Suppression{
		Rule: harness.Rule{
			At: mustPath("response.body.updated_at"), Operation: "GET /api/v2/applications/{}", Compare: "instant", Tolerance: "5s",
			Reason: "server clock", Ticket: "INT-77", Until: day("2026-12-31"),
		},
		Count:  48,
		Sample: harness.Difference{Path: mustPath("response.body.updated_at"), Class: harness.Changed, Was: text("2026-10-05T13:59:58Z"), Is: text("2026-10-05T14:00:01Z"), Count: 1},
	})
	r.Expired = []harness.Rule{{At: mustPath("response.head.etag"), Compare: "ignore", Reason: "changes with every build of the preview", Until: day("2026-09-30")}}
	r.Unused = []harness.Rule{{At: mustPath("request.body[*].SECTION_NOTE"), Compare: "ignore", Reason: "free text of the department"}}
	r.Notes = []string{"registrations.csv was aligned by TERM, CRN and ID."}
	r.NotTested = append(r.NotTested, "Withdrawals after the census: the recorded night has none.")
	r.Egress = append(r.Egress, harness.Connection{Address: "api.prospekt.example:443", Reason: "not on the list of this scenario", Count: 2})
	r.Logs = []harness.Log{{System: "hubline", Text: "read 240 registrations\nwrote 223 enrolments\n"}}
	r.Judge()
	return r
}

func newCode() harness.Finding {
	f := harness.Finding{
		Kind: "F01", Title: "New code", Verdict: harness.Breaking, Severity: "S08: the mapping drops or guesses what it does not know",
		Sentence: "Status RH is new at registrations.csv RSTS (7 rows). No row in crosswalk reg-status.csv.",
		Effects: []string{
			"enrollments.csv shrinks from 230 to 223 rows (3.04 %), which is under the 5 % guard of the LMS: nobody would be warned.",
			"7 students lose their sections in the LMS.",
		},
		Proof: "All 7 enrolments that are missing come from rows with RH, and no other row is missing.",
		Count: 7, Of: 240, Unit: "rows",
		Hit: []harness.Group{
			{Field: "CRN", Values: []string{"00892", "10271", "10419", "10567", "10715"}, Total: 5},
			{Field: "ID", Values: []string{"H00000109", "H00000117", "H00000133"}, Total: 7},
		},
		Source: "atrium registrations.csv RSTS", Target: []string{"lantern enrollments.csv status"},
		Owner: "Dana Ortiz", Steward: "Leon Achebe",
		NextStep:   "Ask Leon Achebe what RH means, then add a row for it to crosswalks/reg-status.csv.",
		Places:     []harness.FileLine{{File: "crosswalks/reg-status.csv", Line: 9}},
		Operations: []string{"enrollments.csv", "registrations.csv"},
	}
	for i, crn := range []string{"00892", "10271", "10419", "10567", "10715", "10271", "00892"} {
		record := fmt.Sprintf("CRN=%s ID=H%08d", crn, 109+8*i)
		d := harness.Difference{
			Exchange: "000003", Channel: harness.ChannelFile, Operation: "registrations.csv", From: "atrium", To: "hubline",
			Path:    mustPath(fmt.Sprintf("request.body[CRN=%s,ID=H%08d].RSTS", crn, 109+8*i)),
			Pattern: mustPath("request.body[*].RSTS"), Class: harness.Changed, Was: text("RE"), Is: text("RH"), Count: 1, Record: record,
		}
		f.Differences = append(f.Differences, d)
		if i < 3 {
			f.Samples = append(f.Samples, harness.Sample{Where: "registrations.csv " + record, Field: "RSTS", Was: "RE", Is: "RH", Source: d})
		}
	}
	return f
}

func renamed() harness.Finding {
	was := `{"id":"A-20481","start_term":"202710","program":"BIOL-BS","gpa":3.50,"decision":{"code":"AD","date":"2026-10-02"}}`
	is := `{"id":"A-20481","entry_term":"202710","program":"BIOL-BS","gpa":3.5,"decision":{"code":"AD","date":"2026-10-02"}}`
	return harness.Finding{
		Kind: "F02", Title: "Field renamed", Verdict: harness.Breaking,
		Sentence: "start_term looks renamed to entry_term (24 of 24 records, same values); target field termCode is now null.",
		Effects: []string{
			"The SIS answers 422 to all 24 applications.",
			"The CRM is never told the student's id: step 5 is missing, 120 exchanges become 96.",
		},
		Proof: "The values of entry_term are those of start_term in 24 of 24 records.",
		Count: 24, Of: 24, Unit: "applications",
		Hit: []harness.Group{{Field: "id", Values: []string{"A-20481", "A-20482", "A-20483"}, Total: 24}},
		Samples: []harness.Sample{{
			Where: "GET /api/v2/applications/{}", Field: "body", Was: was, Is: is,
			Source: harness.Difference{Was: harness.Value{Kind: harness.KindObject, Text: was}, Is: harness.Value{Kind: harness.KindObject, Text: is}},
		}, {
			Where: "POST /api/admission-applications A-20481", Field: "termCode", Was: "202710", Is: "null",
			Source: harness.Difference{Was: text("202710"), Is: harness.Value{Kind: harness.KindNull, Text: "null"}},
		}},
		Source: "prospekt GET /api/v2/applications/{} start_term", Target: []string{"atrium POST /api/admission-applications termCode"},
		Owner: "Priya Raman", Steward: "Kim Sato", NextStep: "Let the mapping read entry_term, with start_term as a fallback until 10 October.",
		Operations: []string{"GET /api/v2/applications/{}", "POST /api/admission-applications"},
		Differences: []harness.Difference{{
			Exchange: "000002", Session: "A-20481", Channel: harness.ChannelHTTP, Operation: "GET /api/v2/applications/{}", From: "hubline", To: "prospekt",
			Path: mustPath("response.body.start_term"), Pattern: mustPath("response.body.start_term"), Class: harness.Removed, Was: text("202710"), Count: 24,
		}},
	}
}

func leadingZeros() harness.Finding {
	d := harness.Difference{
		Exchange: "000005", Operation: "enrollments.csv", Path: mustPath("request.body[user_id=H00000101].section_id"),
		Pattern: mustPath("request.body[*].section_id"), Class: harness.Changed, Was: text("202640-00417"), Is: text("202640-417"), Count: 1,
	}
	return harness.Finding{
		Kind: "F18", Title: "Leading zeros lost", Verdict: harness.Breaking,
		Sentence: "section_id lost its leading zeros in 46 enrolments and 4 sections: 00417 became 417.",
		Effects:  []string{"The LMS does not know these sections and refuses the rows."},
		Count:    50, Of: 250, Unit: "rows",
		Hit:     []harness.Group{{Field: "CRN", Values: []string{"00417", "00892", "01206", "02045"}, Total: 4}},
		Samples: []harness.Sample{{Where: "enrollments.csv user_id=H00000101", Field: "section_id", Was: "202640-00417", Is: "202640-417", Source: d}},
		Source:  "hubline enrollments.csv section_id", Owner: "Dana Ortiz", Steward: "Leon Achebe",
		NextStep: "Keep CRN as text in mapping/enrollments.jq.", Operations: []string{"enrollments.csv", "sections.csv"}, Differences: []harness.Difference{d},
	}
}

func addedColumn() harness.Finding {
	return harness.Finding{
		Kind: "F13", Title: "Column added", Verdict: harness.Benign,
		Sentence: "Column LAST_ACTIVITY_TS is new at the end of registrations.csv. The file is read by name, so nothing follows from it.",
		Count:    240, Of: 240, Unit: "rows",
		Samples: []harness.Sample{{
			Where: "registrations.csv CRN=00417 ID=H00000101", Field: "LAST_ACTIVITY_TS", Is: "2026-10-04T23:11:09Z",
			Source: harness.Difference{Was: harness.Value{Kind: harness.KindAbsent}, Is: text("2026-10-04T23:11:09Z")},
		}},
		Source: "atrium registrations.csv LAST_ACTIVITY_TS", Owner: "Dana Ortiz", Steward: "Leon Achebe",
		NextStep: "Nothing to do.", Operations: []string{"registrations.csv"},
	}
}

func otherOrder() harness.Finding {
	return harness.Finding{
		Kind: "F24", Title: "Order changed", Verdict: harness.Benign,
		Sentence: "registrations.csv is sorted by CRN instead of ID: the same 240 keys in another order.",
		Count:    240, Of: 240, Unit: "rows", Source: "atrium registrations.csv", Owner: "Dana Ortiz",
		NextStep: "Nothing to do.", Operations: []string{"registrations.csv"},
	}
}

func auditors() harness.Finding {
	return harness.Finding{
		Kind: "F01", Title: "Declared change", Verdict: harness.Expected,
		Sentence: "Auditors become observers: role student became observer in 10 rows, exactly as declared.",
		Count:    10, Of: 230, Unit: "rows",
		Samples: []harness.Sample{{Where: "enrollments.csv user_id=H00000101 section_id=202640-00417", Field: "role", Was: "student", Is: "observer"}},
		Source:  "hubline enrollments.csv role", Owner: "Dana Ortiz", Change: "D12", Ticket: "PR-418", Operations: []string{"enrollments.csv"},
	}
}

// hostiles are texts that do something in a terminal, a browser, a CI server or a spreadsheet of test results when
// they are not escaped.
var hostiles = []string{
	"\x1b]52;c;ZXZpbA==\x07", "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "\x1b]0;title\x07", "\x1b[2J\x1b[H", "\x1bPq#0\x1b\\",
	"\u202egnp.exe", "\u2066x\u2069", "zero\u200bwidth\ufeff", "was\rIS", "a\nb\tc\x00\x7f", "\u009b31m", "\xe9\xff", "\U000e0041", "\u3164\u2800\u00ad\u00a0",
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "javascript:alert(1)", `'-alert(1)-'`, "</style><script>alert(1)</script>",
	"--><script>alert(1)</script>", "{{.Run}}", "]]>", "<![CDATA[x", "&amp;&#60;", "\ufffe\uffff", "::set-output name=x::y", "  ::add-mask::x", "a\n::error::x", "##[command]x", "##vso[task.setvariable]x", "###[x",
	"| a | b |", "`code` ``x``", "[x](https://evil.example)", "https://evil.example www.evil.example", "@everyone #1 owner/repo#2", "- item\n# head", "1. x", "![x](https://evil.example/p.png)", "<!-- x -->", "$x^2$", "</details>",
}

// hostileReport has s wherever a text goes.
func hostileReport(s string) *harness.Report {
	v := text(s)
	d := harness.Difference{Exchange: s, Session: s, Operation: s, From: s, To: s, Path: harness.PathOf(harness.Name(s)), Class: harness.ChangeClass(s), Was: v, Is: v, Record: s}
	rule := harness.Rule{At: harness.PathOf(harness.Name(s)), Operation: s, Compare: s, Tolerance: s, Reason: s, Ticket: s}
	all := []string{s}
	return &harness.Report{
		Run: s, Scenario: s, Change: s, Integration: s, Title: s, Owner: s, Steward: s, Verdict: harness.Breaking, Reason: s, Tool: s,
		Target: s, Before: harness.Side{Name: s, Digest: s, Manifest: harness.Manifest{Origin: s, Scrub: harness.ScrubSeal{Policy: s}}},
		After: harness.Side{Name: s, Digest: s}, Vouched: true,
		Findings: []harness.Finding{{
			Number: 1, Kind: s, Title: s, Verdict: harness.Breaking, Sentence: s, Effects: all, Proof: s, Count: 1, Unit: s,
			Hit: []harness.Group{{Field: s, Values: all, Total: 1}}, Samples: []harness.Sample{{Where: s, Field: s, Was: s, Is: s, Source: d}},
			Source: s, Target: all, Owner: s, Steward: s, NextStep: s, Change: s, Ticket: s, Operations: all, Differences: []harness.Difference{d},
		}},
		Records:    []harness.RecordCount{{Session: s, Operation: s, From: s, To: s, Path: harness.PathOf(harness.Name(s)), Was: 1, Is: 2}},
		Suppressed: []harness.Suppression{{Rule: rule, Count: 1, Sample: d}}, Unused: []harness.Rule{rule}, Expired: []harness.Rule{rule},
		Notes: all, NotTested: all, Egress: []harness.Connection{{Address: s, IP: s, Reason: s, Count: 1}}, Logs: []harness.Log{{System: s, Text: s}},
	}
}
