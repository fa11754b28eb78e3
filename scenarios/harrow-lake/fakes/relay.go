package fakes

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness"
)

// cut is columns that the runner takes out of records of fixed width, both ends among them, from 1.
type cut struct {
	record   string // what the record begins with
	from, to int
}

// Relay hands a feed on as it is. With a layout file, which names columns to take out by record, it hands on the rest;
// columns that are not blank are an error, because they would be lost.
func Relay(out io.Writer, in io.Reader, layoutFile string) error {
	if layoutFile == "" {
		_, err := io.Copy(out, in)
		return err
	}
	cuts, err := readLayout(layoutFile)
	if err != nil {
		return err
	}
	lines := bufio.NewReader(in)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			if line, err := cutLine(line, cuts); err != nil {
				return harness.CannotRun(fmt.Errorf("relay line %d: %w", n, err), "correct "+layoutFile)
			} else if _, err := out.Write(line); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func readLayout(file string) ([]cut, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("read layout: %w", err), "name the layout file with --layout")
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("read layout %s: %w", file, err), "write each row with as many columns as the header")
	}
	var cuts []cut
	for n, row := range rows[min(1, len(rows)):] {
		c := cut{}
		if len(row) >= 3 {
			c.record = row[0]
			c.from, _ = strconv.Atoi(row[1])
			c.to, _ = strconv.Atoi(row[2])
		}
		if c.from < 1 || c.to < c.from {
			return nil, harness.Usage(fmt.Errorf("read layout %s line %d: no columns from and to", file, n+2), "write record,from,to with columns from 1")
		}
		cuts = append(cuts, c)
	}
	return cuts, nil
}

// cutLine takes the columns of a record out. What a record is too short for stays.
func cutLine(line []byte, cuts []cut) ([]byte, error) {
	for _, c := range cuts {
		if !bytes.HasPrefix(line, []byte(c.record)) || len(line) < c.to {
			continue
		}
		if gone := line[c.from-1 : c.to]; len(bytes.TrimSpace(gone)) > 0 {
			return nil, fmt.Errorf("columns %d to %d are not blank", c.from, c.to)
		}
		line = append(line[:c.from-1:c.from-1], line[c.to:]...)
	}
	return line, nil
}
