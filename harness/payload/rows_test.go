package payload

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// rowsOf reads a table as a stream: the header's cells, then each row's.
func rowsOf(t interface{ Fatal(...any) }, source string) [][]string {
	rows, err := NewRows(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows.Header) == 0 {
		return nil
	}
	all := [][]string{rows.Cells(rows.Header)}
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rows.Cells(bytes.Clone(row)))
	}
}

// TestRowsAreThoseOfTheWholeTable holds for every table that ParseCSV reads: the stream has the same rows.
func TestRowsAreThoseOfTheWholeTable(t *testing.T) {
	cell := rapid.SampledFrom([]string{"", "a", "00417", `"a,b"`, `"say ""hi"""`, "\"two\nlines\"", `"crlf\r\n"`, "Zo\xc3\xab", "5\" disk", " x "})
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(1, 6).Draw(t, "rows") {
			b.WriteString(strings.Join(rapid.SliceOfN(cell, 2, 4).Draw(t, "cells"), ","))
			b.WriteString(rapid.SampledFrom([]string{"\n", "\r\n", "\n\n"}).Draw(t, "end"))
		}
		doc, err := ParseCSV([]byte(b.String()))
		if err != nil {
			t.Skip("no table")
		}
		var whole [][]string
		for row := range doc.Root().Children() {
			var cells []string
			for c := range row.Children() {
				cells = append(cells, c.Text())
			}
			whole = append(whole, cells)
		}
		streamed := rowsOf(t, b.String())
		if len(streamed) > 0 {
			streamed = streamed[1:]
		}
		if !slices.EqualFunc(whole, streamed, slices.Equal[[]string]) {
			t.Fatalf("%q\nwhole    %q\nstreamed %q", b.String(), whole, streamed)
		}
	})
}

func TestRowsEndWithAPlace(t *testing.T) {
	for _, tc := range []struct{ name, source, want, why string }{
		{"open quote", "id,n\na,\"never\nclosed", "read table at byte 5: quote is never closed", "the row is named by where it begins"},
		{"endless row", "id\n" + strings.Repeat("x", MaxRow+1), "read table at byte 3: row is longer than", "a row is bounded"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rows, err := NewRows(strings.NewReader(tc.source))
			for err == nil {
				_, err = rows.Next()
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: %v", tc.why, err)
			}
		})
	}
}
