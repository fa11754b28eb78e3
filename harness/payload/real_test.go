package payload

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRealFiles reads every JSON and CSV file of others: it is of its format as encoding/json sees it, or the error
// has a place, and it is written as it was read.
func TestRealFiles(t *testing.T) {
	data := os.Getenv("REHEARSE_REAL_DATA")
	if data == "" {
		t.Skip("REHEARSE_REAL_DATA is not set: it names the folder of real traffic and files")
	}
	read := map[string]int{}
	for _, folder := range []string{"traffic", "flatfiles"} {
		err := filepath.WalkDir(filepath.Join(data, folder), func(file string, e fs.DirEntry, err error) error {
			ext := strings.ToLower(filepath.Ext(file))
			if err != nil || !e.Type().IsRegular() || ext != ".json" && ext != ".har" && ext != ".csv" {
				return err
			}
			source, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			read[ext]++
			name, _ := filepath.Rel(data, file)
			t.Run(filepath.ToSlash(name), func(t *testing.T) {
				if ext == ".csv" {
					editedTablesReadBack(t, source, "x,\"y\"")
				} else if d := agrees(t, source); d != nil {
					again, err := ParseJSON(sameTexts(t, d))
					if err != nil {
						t.Fatal(err)
					}
					sameLeaves(t, d, again)
				}
				unchanged(t, Parse("", filepath.Base(file), source))
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("read %v", read)
	if read[".json"] == 0 || read[".csv"] == 0 || read[".har"] == 0 {
		t.Errorf("read %v: a kind of file is missing", read)
	}
}
