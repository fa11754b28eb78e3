package payload

import (
	"strings"
	"testing"
)

const hl7File = "FHS|^~\\&|LAB\rBHS|^~\\&|LAB\r" +
	"MSH|^~\\&|LAB|HLU|EHR|HLU|20261005||ORU^R01|77|T|2.6\r" +
	"PID|1||H00000142^^^HLU&1.2.3&ISO~S-1||LAKE^HARRIET\rNTE|1||a \\T\\ b \\F\\ \\X0D0A\\c\\.br\\d \\H\\e\\\r" +
	"BTS|1\rFTS|1\r"

func TestHL7TreeHasUsualNames(t *testing.T) {
	d, err := ParseHL7([]byte(hl7File))
	if err != nil {
		t.Fatal(err)
	}
	const message = "[0].batches[0].messages[0]"
	for _, c := range []struct{ at, want, why string }{
		{"", "array of 1", "a file"},
		{"[0].FHS-3", "LAB", "a field of the file"},
		{"[0].FTS-1", "1", "the closing segment"},
		{message + ".MSH-1", "|", "the separator is the first field"},
		{message + ".MSH-2", `^~\&`, "encoding characters are no components"},
		{message + ".MSH-9.2", "R01", "a component"},
		{message + ".segments[0].tag", "PID", "the tag"},
		{message + ".segments[0].PID-2", "", "an empty field"},
		{message + ".segments[0].PID-3[0].1", "H00000142", "a component of a repetition"},
		{message + ".segments[0].PID-3[0].4.2", "1.2.3", "a subcomponent"},
		{message + ".segments[0].PID-3[1]", "S-1", "a repetition without components"},
		{message + ".segments[1].NTE-3", "a & b | \r\nc\nd \\H\\e\\", "escapes, and what only looks like one"},
	} {
		if got := textAt(t, d, c.at); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.why, c.at, got, c.want)
		}
	}
	keepsBytes(t, d)
}

func TestHL7FactsAndErrors(t *testing.T) {
	for _, c := range []struct{ from, to, fact, want, why string }{
		{"", "", "line ends", "CR", "of the standard"},
		{"\r", "\r\n", "line ends", "CRLF", "of another system"},
		{"", "", "counts", "", "all counts hold"},
		{"BTS|1", "BTS|2", "counts", `BTS-1 in segment 6 says "2", 1 are there`, "a message is missing"},
		{"BTS|1\r", "", "envelopes", "BHS in segment 2 is never closed", "a lost segment"},
		{"a \\T", "a\nb \\T", "line ends inside fields", "1", "a text of two lines"},
		{"PID|1", "\r\rPID|1", "blank lines", "2", "nothing between segments"},
		{"FHS|^~\\&|LAB\r", "\x0bFHS|^~\\&|LAB\r", "frame", "MLLP", "as it crosses a socket"},
	} {
		d, err := ParseHL7([]byte(strings.ReplaceAll(hl7File, c.from, c.to)))
		if c.from == "" {
			d, err = ParseHL7([]byte(hl7File))
		}
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
		} else if got := d.Fact(c.fact); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.why, c.fact, got, c.want)
		}
	}
	for source, want := range map[string]string{
		"":                                "byte 0 (line 1): segment 1: ends where a message should begin",
		"PID|1\r":                         "segment 1: want MSH, FHS or BHS",
		"MSH|^~\\&|A\r\n\n?|1":            "byte 13 (line 3): segment 2: \"?|1\" is no tag",
		"MSH|^~\\&|A\rMSH#^~\\&#B\r":      "segment 2: the separators are",
		"MSH|" + strings.Repeat("|", 1e4): "more than 1000 elements",
	} {
		if _, err := ParseHL7([]byte(source)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v, want %q", source, err, want)
		}
	}
}

func TestHL7TextsReadBack(t *testing.T) {
	d, err := ParseHL7([]byte(hl7File))
	if err != nil {
		t.Fatal(err)
	}
	const text = "a|b^c~d\\e&f\r\ng \\F\\ \x0b"
	var edits []Edit
	for p, n := range d.Root().Leaves() {
		if strings.HasSuffix(p.String(), "NTE-3") {
			edits = append(edits, Edit{Node: n, Text: text})
		}
	}
	out, err := d.Rewrite(edits)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseHL7(out)
	if err != nil {
		t.Fatal(err)
	}
	if got := textAt(t, again, "[0].batches[0].messages[0].segments[1].NTE-3"); got != text {
		t.Errorf("%q", got)
	}
}

func TestTruncatedHL7NeverPanics(t *testing.T) {
	everyCut(t, ParseHL7, []byte(hl7File))
	everyCut(t, ParseHL7, []byte("\x0b"+strings.ReplaceAll(hl7File, "\r", "\r\n")+"\x1c\r"))
}

func TestRealHL7FilesKeepTheirBytes(t *testing.T) { realFiles(t, "hl7v2", ParseHL7, ".hl7") }

func FuzzParseHL7(f *testing.F) {
	f.Add([]byte(hl7File))
	f.Add([]byte("MSH|^~\\\\&|A|\\r\nNTE|\\X\\|\\"))
	f.Fuzz(func(t *testing.T, source []byte) { parsesOrSaysWhere(t, ParseHL7, source) })
}
