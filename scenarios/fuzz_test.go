package scenarios

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Whatever a file holds, the reader ends soon, and says either what the file means or what is wrong with it in lines
// that a terminal can print.
func FuzzScenario(f *testing.F) {
	for _, pattern := range []string{"testdata/world/bad/*", "testdata/world/scenarios/*/*.yaml", "starter/scenarios/*/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatal(pattern, err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	w := worldWith(f, nil)
	file := filepath.Join(w.Root(), "s.yaml")
	f.Fuzz(func(t *testing.T, src []byte) {
		if err := os.WriteFile(file, src, 0o644); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		s, err := w.Scenario(file)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%d bytes took %v", len(src), took)
		}
		if err != nil {
			checkProblem(t, err)
			return
		}
		if s.Name == "" || s.Integration == "" || s.Recording == "" || s.Target.System == "" {
			t.Errorf("accepted without what is required: %+v", s)
		}
		for _, r := range s.Rules {
			if r.Reason == "" || r.Compare == "" {
				t.Errorf("accepted rule %+v", r)
			}
		}
	})
}

// Appending to any expect file either refuses and leaves it, or keeps its bytes and reads back.
func FuzzAccept(f *testing.F) {
	f.Add([]byte("expect:\n"), "x")
	f.Add([]byte("expect:\n- {change: D1, at: a, reason: r}\n# end"), "${A}")
	f.Add([]byte("\ufeffexpect:\r\n  - change: >+\n      D1\n\n    at: a\n    reason: r\r\n"), "\x00")
	file := filepath.Join(f.TempDir(), "expect.yaml")
	f.Fuzz(func(t *testing.T, old []byte, text string) {
		if err := os.WriteFile(file, old, 0o644); err != nil {
			t.Fatal(err)
		}
		e := expectation("D9", "x")
		e.To = &text
		err := AcceptInto(file, []harness.Expectation{e})
		now, readErr := os.ReadFile(file)
		if readErr != nil {
			t.Fatal(readErr)
		}
		switch {
		case err != nil && string(now) != string(old):
			t.Errorf("refused with %v and changed to %q", err, now)
		case err == nil && (len(now) <= len(old) || string(now[:len(old)]) != string(old)):
			t.Errorf("%q became %q", old, now)
		}
	})
}
