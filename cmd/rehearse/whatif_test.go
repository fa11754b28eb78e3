package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	data "github.com/rehearse-dev/rehearse/fixtures/harrow-lake"
	harrowlake "github.com/rehearse-dev/rehearse/scenarios/harrow-lake"
)

// codesOfColumn reads the first column of a crosswalk, by no code of the product.
func codesOfColumn(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, row := range rows[1:] {
		if row[0] != "*" {
			codes = append(codes, row[0])
		}
	}
	return codes
}

// TestWhatIfNamesExactlyWhoRejectsOrDefaultsAValue asks for every code of every crosswalk of the demo world, and for codes
// that are in none: who is hit is what the crosswalk files say, and nobody else.
func TestWhatIfNamesExactlyWhoRejectsOrDefaultsAValue(t *testing.T) {
	dir := t.TempDir()
	if err := harrowlake.Extract(dir, data.FS()); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	const folder = "scenarios/harrow-lake/"
	for _, tc := range []struct{ field, crosswalk, title, owner, edit string }{
		{"registrations.RSTS", "i1-sis-lms-enrollment/crosswalk/reg-status.csv", "Enrolments from Atrium SIS to Lantern LMS", "dana.ortiz@hlu.example", "reg-status.csv:8"},
		{"Worker.Type", "i3-hcm-identity/crosswalk/affiliation.csv", "Workers from Paylark HCM to Keystone Identity", "tom.ekholm@hlu.example", "affiliation.csv:5"},
		{"residency", "i2-crm-sis-applicant/crosswalk/residency.csv", "Applicants from Prospekt CRM to Atrium SIS", "priya.raman@hlu.example", ""},
		{"decision.code", "i2-crm-sis-applicant/crosswalk/decision.csv", "Applicants from Prospekt CRM to Atrium SIS", "priya.raman@hlu.example", ""},
	} {
		codes := codesOfColumn(t, filepath.Join(dir, folder, tc.crosswalk))
		for _, value := range append([]string{"RH", "Q9"}, codes...) {
			t.Run(tc.field+"="+value, func(t *testing.T) {
				var out, said bytes.Buffer
				a := &app{out: &out, err: &said, now: worldClock, getenv: os.Getenv, version: "test"}
				code := a.main(t.Context(), []string{"what-if", "value", tc.field + "=" + value, "--quiet"})
				known := slices.Contains(codes, value)
				var hit []string
				for line := range strings.Lines(out.String()) {
					if word, title, ok := strings.Cut(strings.TrimSpace(line), "      "); ok && word == "HIT" {
						hit = append(hit, title)
					}
				}
				switch {
				case known && (code != 0 || len(hit) > 0):
					t.Errorf("exit code %d, hit %v, and the crosswalk knows it\n%s%s", code, hit, &out, &said)
				case !known && (code != 1 || !slices.Equal(hit, []string{tc.title})):
					t.Errorf("exit code %d, hit %v, want %s\n%s%s", code, hit, tc.title, &out, &said)
				case !known && (!strings.Contains(out.String(), tc.owner) || !strings.Contains(out.String(), tc.edit)):
					t.Errorf("owner %s or file %s is not named:\n%s", tc.owner, tc.edit, &out)
				}
			})
		}
	}
}
