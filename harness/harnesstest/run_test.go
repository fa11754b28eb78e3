package harnesstest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/harnesstest"
)

// scenarioOfRun names the scenario for TestRunAsOthersDo, which does nothing in a plain run of the tests.
const scenarioOfRun = "REHEARSE_TEST_SCENARIO"

func TestRunAsOthersDo(t *testing.T) {
	if path := os.Getenv(scenarioOfRun); path != "" {
		harnesstest.Run(t, path)
	}
}

// ran runs this test program with one scenario and returns what it prints.
func ran(t *testing.T, path string, flags ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-test.run=^TestRunAsOthersDo$", "-test.v"}, flags...)...)
	cmd.Env = append(os.Environ(), scenarioOfRun+"="+path)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestRunShowsEachFindingAsASubtestAndAcceptsIt(t *testing.T) {
	scenario := filepath.Join(harrowLake(t), "i1-sis-lms-enrollment", "sis-9.32.yaml")
	out, err := ran(t, scenario)
	if err == nil {
		t.Fatalf("the run passes:\n%s", out)
	}
	for _, want := range []string{"--- FAIL: TestRunAsOthersDo/F", "BREAKING: ", "next: "} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
	const reason = "the release notes of 9.32 say so"
	if out, err = ran(t, scenario, "-rehearse.accept="+reason); err == nil && !strings.Contains(out, "declared in ") || err != nil && !strings.Contains(out, "lists no expect-files") {
		t.Fatalf("accept: %v\n%s", err, out)
	}
	if err != nil { // as its message says
		text, readErr := os.ReadFile(scenario)
		if readErr != nil {
			t.Fatal(readErr)
		}
		if err := os.WriteFile(scenario, append(text, "expect-files:\n  - scenarios/accepted.yaml\n"...), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(filepath.Dir(scenario), "..", "..", "accepted.yaml"), []byte("expect:\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err = ran(t, scenario, "-rehearse.accept="+reason); err != nil {
			t.Fatalf("accept into a new file: %v\n%s", err, out)
		}
	}
	if out, err = ran(t, scenario); err != nil {
		t.Errorf("after everything was accepted: %v\n%s", err, out)
	}
}

func TestRuledComparesExchangesAsTheScenarioDoes(t *testing.T) {
	x := func(body string) harness.Exchange {
		return harness.Exchange{Channel: harness.ChannelHTTP, From: "a", To: "b", Request: harness.Message{Head: harness.Head{{Name: ":method", Value: "GET"}, {Name: ":path", Value: "/"}}},
			Response: harness.Message{Head: harness.Head{{Name: ":status", Value: "200"}}, Media: "application/json", Body: harness.BytesBody([]byte(body))}}
	}
	rule := harness.Rule{At: harnesstest.Place("response.body.at"), Compare: "ignore", Reason: "clock"}
	tests := []struct {
		a, b string
		same bool
	}{
		{`{"at":1,"n":2}`, `{"at":3,"n":2}`, true},
		{`{"at":1,"n":2}`, `{"at":1,"n":3}`, false},
	}
	for _, test := range tests {
		if same := cmp.Equal(x(test.a), x(test.b), harnesstest.Ruled(rule)); same != test.same {
			t.Errorf("%s and %s: same %v, want %v", test.a, test.b, same, test.same)
		}
	}
	if cmp.Equal(x(tests[0].a), x(tests[0].b), harnesstest.Ruled()) {
		t.Error("without the rule they are the same")
	}
}
