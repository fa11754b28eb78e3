package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// TestHardCasesOfScrubbingAllHaveATest reads the names of the tests: the cases are numbered from 1 to 35.
func TestHardCasesOfScrubbingAllHaveATest(t *testing.T) {
	const cases = 35
	named := regexp.MustCompile(`(?m)^func TestHardCase(\d\d)`)
	tested := map[int]bool{}
	for _, pattern := range []string{"scrub/*_test.go", "scan/*_test.go"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "fixtures", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range named.FindAllSubmatch(text, -1) {
				n, _ := strconv.Atoi(string(m[1])) // two digits
				tested[n] = true
			}
		}
	}
	for n := 1; n <= cases; n++ {
		if !tested[n] {
			t.Errorf("case %d has no test that begins with TestHardCase%02d", n, n)
		}
	}
}
