package payload

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	isaHead = "ISA*00*          *00*          *ZZ*HARROWLAKE     *ZZ*FIRSTPRAIRIE   *261005*2330*^*00501*000000001*0*T*:~"
	x12File = isaHead + `
GS*HC*HLU*FPB*20261005*2330*7*X*005010~
ST*837*0001*005010X222~
NM1*41*2*HARROW LAKE*****46*4961~
HL*1**20*1~
NM1*85*2*CLINIC~
HL*2*1*22*0~
CLM*26*40***11:B:1*Y~
AK3*NM1*A^B:C**~
HL*3*1*22*0~
SE*9*0001~
GE*1*7~
IEA*1*000000001~
`
	edifactFile = "UNA:+.? 'UNB+UNOA:3+HLU:1+FPB:1+261005:2330+77'UNH+1+INVOIC:D:97B:UN'BGM+380+34?'5+9'FTX+AAI+++what??'NAD+BY+12::16'UNT+5+1'UNZ+1+77'\r\n"
)

func TestEDITreeHasUsualNames(t *testing.T) {
	x, err := ParseX12([]byte(x12File))
	if err != nil {
		t.Fatal(err)
	}
	e, err := ParseEDIFACT([]byte(edifactFile))
	if err != nil {
		t.Fatal(err)
	}
	const transaction, message = "[0].groups[0].transactions[0]", "[0].messages[0]"
	for _, c := range []struct {
		d             *Doc
		at, want, why string
	}{
		{x, "", "array of 1", "an interchange"},
		{x, "[0].ISA06", "HARROWLAKE     ", "an element of fixed width, as it is"},
		{x, "[0].ISA16", ":", "a separator is an element too"},
		{x, "[0].IEA01", "1", "the closing segment belongs to the envelope"},
		{x, "[0].groups[0].GS08", "005010", "a group"},
		{x, transaction + ".ST02", "0001", "a transaction"},
		{x, transaction + ".segments", "array of 1", "segments in front of the first loop"},
		{x, transaction + ".segments[0].tag", "NM1", "the tag"},
		{x, transaction + ".segments[0].NM109", "4961", "an element by its name"},
		{x, transaction + ".segments[0].NM104", "", "an empty element"},
		{x, transaction + ".loops", "array of 1", "one loop has no parent"},
		{x, transaction + ".loops[HL01=1].loops", "array of 2", "two loops are below it"},
		{x, transaction + ".loops[0].loops[HL01=2].segments[0].CLM05.2", "B", "a component"},
		{x, transaction + ".loops[0].loops[0].segments[1].AK302[1].2", "C", "a component of a repetition"},
		{x, transaction + ".loops[0].loops[0].segments[1].AK304", "", "an empty element at the end"},
		{x, transaction + ".SE01", "9", "the count"},
		{e, "[0].UNB01.2", "3", "an interchange"},
		{e, message + ".UNH02.1", "INVOIC", "a message"},
		{e, message + ".segments[0].BGM02", "34'5", "a released separator"},
		{e, message + ".segments[1].FTX04", "what?", "a released release character"},
		{e, message + ".segments[2].NAD02.3", "16", "a component"},
		{e, "[0].UNZ02", "77", "the closing segment"},
	} {
		if got := textAt(t, c.d, c.at); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.why, c.at, got, c.want)
		}
	}
}

func TestEDIFactsSayWhatDoesNotAgree(t *testing.T) {
	for _, c := range []struct{ from, to, fact, want, why string }{
		{"", "", "counts", "", "all counts hold"},
		{"", "", "control numbers", "", "all control numbers agree"},
		{"", "", "separators", `element '*', component ':', repetition '^', segment "~"`, "of ISA"},
		{"", "", "between segments", "LF", "line ends"},
		{"~\nGS", "~GS", "between segments", "LF × 12, nothing × 1", "mixed line ends"},
		{"SE*9*", "SE*12*", "counts", `SE01 in segment 11 says "12", 9 are there`, "segments are missing"},
		{"SE*9*", "SE*x*", "counts", `SE01 in segment 11 says "x", 9 are there`, "no number"},
		{"GE*1*7", "GE*2*7", "counts", `GE01 in segment 12 says "2", 1 are there`, "a transaction is missing"},
		{"SE*9*0001", "SE*9*0002", "control numbers", "SE02 in segment 11 is not ST02 in segment 3", "of a transaction"},
		{"GE*1*7", "GE*1*8", "control numbers", "GE02 in segment 12 is not GS06 in segment 2", "of a group"},
		{"IEA*1*000000001", "IEA*1*1", "control numbers", "IEA02 in segment 13 is not ISA13 in segment 1", "zeros count"},
		{"IEA*1*000000001~\n", "", "envelopes", "ISA in segment 1 is never closed", "a file that was cut"},
		{"GE*1*7~\n", "", "envelopes", "GS in segment 2 is never closed", "a lost segment"},
		{"ST*837*0001*005010X222~\n", "", "envelopes", "SE in segment 10 closes nothing", "a lost segment"},
		{"IEA*1*000000001~", "IEA*1*000000001", "last segment", "has no terminator", "the last byte is lost"},
		{"HARROWLAKE     ", "HARROWLAKE", "ISA widths", "ISA06 has 10 bytes instead of 15", "blanks were cut"},
		{"HL*3*1*", "HL*3*9*", "loops", "HL in segment 10 names a parent that is not open", "no such loop"},
		{"NM1*85*2*CLINIC", "BIN*9*ab", "binary lengths", "BIN in segment 6 has another length than it says", "data is missing"},
		{"NM1*85*2*CLINIC", "BIN*3*a~b", "binary lengths", "", "data may hold separators"},
		{"CLINIC", "CL\xcdNIC", "encoding", "not UTF-8", "Latin-1"},
	} {
		d, err := ParseX12([]byte(strings.Replace(x12File, c.from, c.to, 1)))
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
		} else if got := d.Fact(c.fact); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.why, c.fact, got, c.want)
		}
	}
}

func TestEDIErrorsNameTheSegment(t *testing.T) {
	for _, c := range []struct {
		source, want string
		parse        func([]byte) (*Doc, error)
	}{
		{"", "byte 0 (line 1): segment 1: ends where an interchange should begin", ParseX12},
		{"GS*HC~", "byte 0 (line 1): segment 1: want ISA", ParseX12},
		{"ISA*00*", "segment 1: ends inside ISA02", ParseX12},
		{isaHead + "\nGS*HC~\n?*x~", "byte 114 (line 3): segment 3: \"?*\" is no tag", ParseX12},
		{isaHead + strings.ReplaceAll(isaHead, ":", ">"), "segment 2: the separators are", ParseX12},
		{isaHead + "A1" + strings.Repeat("*", 2000), "segment 2: more than 1000 elements", ParseX12},
		{"UNH+1'", "segment 1: want UNA or UNB", ParseEDIFACT},
		{"UNA:+", "segment 1: ends inside UNA", ParseEDIFACT},
		{"UNA++.? '", "are no separators", ParseEDIFACT},
	} {
		_, err := c.parse([]byte(c.source))
		if _, ok := errors.AsType[*SyntaxError](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.30q: %v, want %q", c.source, err, c.want)
		}
	}
	deep := isaHead + "GS~ST~" + strings.Repeat("HL*1*1~", 2000)
	if _, err := ParseX12([]byte(deep)); err == nil || !strings.Contains(err.Error(), "nested deeper than 1000 levels") {
		t.Errorf("loops without end: %v", err)
	}
}

func TestEDIEditsKeepTheStructure(t *testing.T) {
	for _, c := range []struct{ source, at, text, want, why string }{
		{x12File, "[0].groups[0].transactions[0].segments[0].NM103", "A*B~C:D", "NM1*41*2*A B C D*****46*4961~", "X12 cannot spell a separator"},
		{x12File, "[0].ISA06", "HLU", "*ZZ*HLU            *ZZ*", "ISA keeps its widths"},
		{x12File, "[0].ISA16", "x", "*T*:~", "a separator stays"},
		{edifactFile, "[0].messages[0].segments[0].BGM02", "a+b?'c", "BGM+380+a?+b???'c+9'", "EDIFACT releases them"},
	} {
		parse := ParseX12
		if strings.HasPrefix(c.source, "UNA") {
			parse = ParseEDIFACT
		}
		d, err := parse([]byte(c.source))
		if err != nil {
			t.Fatal(err)
		}
		var edits []Edit
		for p, n := range d.Root().Leaves() {
			if p.String() == c.at {
				edits = append(edits, Edit{Node: n, Text: c.text})
			}
		}
		out, err := d.Rewrite(edits)
		if err != nil || len(edits) != 1 || !bytes.Contains(out, []byte(c.want)) {
			t.Errorf("%s: %s, %v", c.why, out, err)
		}
	}
}

func TestWrappedInterchangesReadAsIfInOneLine(t *testing.T) {
	oneLine := strings.ReplaceAll(x12File, "\n", "")
	var wrapped strings.Builder
	for rest := oneLine; rest != ""; {
		n := min(80, len(rest))
		wrapped.WriteString(rest[:n] + "\r\n")
		rest = rest[n:]
	}
	a, err := ParseX12([]byte(oneLine))
	if err != nil {
		t.Fatal(err)
	}
	b, err := ParseX12([]byte(wrapped.String()))
	if err != nil {
		t.Fatal(err)
	}
	sameLeaves(t, a, b)
	keepsBytes(t, b)
	if got := b.Fact("lines"); got != "broken after 80 columns" {
		t.Errorf("lines: %q", got)
	}
}

func TestFlatFormatsAreFoundByTheirFirstBytes(t *testing.T) {
	for _, c := range []struct{ source, want, why string }{
		{x12File, "x12", "ISA"},
		{edifactFile, "edifact", "UNA"},
		{edifactFile[9:], "edifact", "UNB"},
		{hl7File, "hl7v2", "FHS"},
		{"\x0b" + hl7File[strings.Index(hl7File, "MSH"):], "hl7v2", "MSH in its frame"},
		{bai2File, "bai2", "01 and a date"},
		{nacha, "fixed", "a file header of 94 columns"},
		{columns(132, "\n", glHeader, glDebit), "fixed", "a header of 132 columns"},
		{"ISABELLA,UNA\n1,2\n", "csv", "words that begin alike"},
		{"01,2,3,4,5,6,7\n1,2,3,4,5,6,7\n", "csv", "a table of numbers"},
	} {
		for _, name := range []string{"", "in/file.edi", "in/file.dat"} {
			if got := Parse("", name, []byte(c.source)).Format; got != c.want {
				t.Errorf("%s: %q is %s, want %s", c.why, name, got, c.want)
			}
		}
	}
}

func TestTruncatedEDINeverPanics(t *testing.T) {
	everyCut(t, ParseX12, []byte(strings.Replace(x12File, "NM1*85*2*CLINIC", "BIN*3*a~b", 1)))
	everyCut(t, ParseEDIFACT, []byte(edifactFile))
}

func FuzzParseEDI(f *testing.F) {
	f.Add([]byte(x12File), "x")
	f.Add([]byte(edifactFile), "'?")
	f.Fuzz(func(t *testing.T, source []byte, value string) {
		for _, parse := range []func([]byte) (*Doc, error){ParseX12, ParseEDIFACT} {
			parsesOrSaysWhere(t, parse, source)
		}
	})
}

// parsesOrSaysWhere is what every parser owes to any source.
func parsesOrSaysWhere(t *testing.T, parse func([]byte) (*Doc, error), source []byte) {
	t.Helper()
	d, err := parse(source)
	if err == nil {
		keepsBytes(t, d)
		NewHasher().Sum(d.Root())
	} else if e, ok := errors.AsType[*SyntaxError](err); !ok || e.Offset < 0 || e.Offset > len(source) {
		t.Fatalf("error without a place: %v", err)
	}
}

// realFiles runs a check on every file of a folder of real data whose name ends in one of the endings; it says how
// many were read and how many refused.
func realFiles(t *testing.T, folder string, parse func([]byte) (*Doc, error), endings ...string) {
	t.Helper()
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set: no real files to read")
	}
	read, refused := 0, 0
	err := filepath.WalkDir(filepath.Join(root, "flatfiles", folder), func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, ending := range endings {
			if !strings.HasSuffix(file, ending) || len(source) == 0 {
				continue
			}
			read++
			parsesOrSaysWhere(t, parse, source)
			if _, err := parse(source); err != nil {
				refused++
				t.Logf("%s: %v", filepath.Base(file), err)
			}
		}
		return nil
	})
	if err != nil || read == 0 {
		t.Fatalf("read %d files of %s: %v", read, folder, err)
	}
	t.Logf("%s: %d files, %d refused with a place", folder, read, refused)
}

func TestRealEDIFilesKeepTheirBytes(t *testing.T) {
	realFiles(t, "x12-edifact-staedi/src/test/resources/x12", ParseX12, ".edi")
	realFiles(t, "x12-edifact-staedi/src/test/resources/EDIFACT", ParseEDIFACT, ".edi")
}

func BenchmarkParseX12(b *testing.B) {
	head, tail, _ := strings.Cut(x12File, "NM1*41")
	const body = "HL*2*1*22*1~\nSBR*P********BL~\nNM1*IL*1*LAKE*HARRIET****MI*HLU123456789~\nN3*228 HARROW CIRCLE~\nN4*HARROW LAKE*MN*555550100~\nDMG*D8*19630625*M~\nCLM*26463774*100***11:B:1*Y*A*Y*I~\nREF*D9*17312345600006351~\nHI*BK:0340*BF:V7389~\nLX*1~\nSV1*HC:99213*40*UN*1***1~\nDTP*472*D8*20261003~\n"
	_, tail, _ = strings.Cut(tail, "SE*")
	source := []byte(head + strings.Repeat(body, 20_000) + "SE*" + tail)
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		if _, err := ParseX12(source); err != nil {
			b.Fatal(err)
		}
	}
}
