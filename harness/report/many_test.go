package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// vastReport has five findings of 4,000 differences each, with all that a finding can have too much of.
func vastReport() *harness.Report {
	r := richReport()
	r.Findings = nil
	for n := range 5 {
		f := newCode()
		f.Number, f.Differences, f.Samples, f.Effects, f.Target = n+1, nil, f.Samples[:3], nil, nil
		for i := range 4000 {
			d := newCode().Differences[0]
			d.Path = mustPath(fmt.Sprintf("request.body[CRN=%05d,ID=H%08d].RSTS", i%97, i))
			d.Was.Text, d.Is.Text = fmt.Sprintf("RE%d", i), fmt.Sprintf("raw-%d-%d", n, i)
			f.Differences = append(f.Differences, d)
		}
		for i := range 300 {
			f.Effects = append(f.Effects, fmt.Sprintf("Effect %d follows.", i))
			f.Target = append(f.Target, fmt.Sprintf("lantern file%d.csv status", i))
		}
		r.Findings = append(r.Findings, f)
	}
	r.Judge()
	return r
}

func TestTextOfAFindingFitsAScreenWhateverIsBehindIt(t *testing.T) {
	got := write(t, "text", vastReport(), Options{})
	for n, finding := range strings.Split(got, "BREAKING  F01")[1:] {
		if lines := strings.Count(strings.Split(finding, "\n\n")[0], "\n"); lines > 40 {
			t.Errorf("finding %d takes %d lines, want at most 40", n+1, lines)
		}
	}
	for _, want := range []string{"and 294 more effects", "and 294 more fields"} {
		if !strings.Contains(strings.Join(strings.Fields(got), " "), want) {
			t.Errorf("the text does not say %q", want)
		}
	}
	if strings.Contains(got, "raw-0-5") {
		t.Error("raw differences are shown without being asked for")
	}
}

func TestVerboseTextIsBoundedAndCounted(t *testing.T) {
	got := write(t, "text", vastReport(), Options{Verbose: true})
	if strings.Count(got, "raw-") > 5*510 || !strings.Contains(got, "3,500 more differences; the JSON report has all of them.") {
		t.Errorf("%d raw values; the rest is not counted", strings.Count(got, "raw-"))
	}
}

func TestMarkdownLeavesOutRawDifferencesFirst(t *testing.T) {
	r := vastReport()
	short, long := write(t, "markdown", r, Options{}), write(t, "markdown", r, Options{Verbose: true})
	if len(long) > maxComment || strings.Contains(short, "raw-0-5") || !strings.Contains(long, "raw-0-5") {
		t.Errorf("%d bytes; raw differences are to be in the verbose comment alone", len(long))
	}
	for _, want := range []string{"<summary>5. BREAKING", "Versions and digests", "Not tested", "more differences in the JSON report"} {
		if !strings.Contains(long, want) {
			t.Errorf("%q had to give way to raw differences", want)
		}
	}
	if strings.Index(long, "raw-0-5") < strings.Index(long, "Versions and digests") {
		t.Error("raw differences stand before the rest")
	}
}

func TestPageFoldsRawDifferencesAndLeadsFromFindingToFinding(t *testing.T) {
	got := write(t, "html", vastReport(), Options{})
	if n := strings.Count(got, "<details><summary>The first 200 of 4,000 differences behind this finding</summary>"); n != 5 {
		t.Errorf("%d findings fold their differences, want 5", n)
	}
	if strings.Count(got, "3,800 more differences in the JSON report") != 5 {
		t.Error("what is left out is not counted")
	}
	for _, want := range []string{
		`<a href="#f1" aria-label="previous finding">`, `<a href="#f3" aria-label="next finding">`, `<nav aria-label="Findings">`, `tabindex="-1"`, "<kbd>n</kbd>",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("page lacks %s", want)
		}
	}
	if len(got) > 3<<20 {
		t.Errorf("the page takes %d bytes", len(got))
	}
}
