package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestProblemsKeepClassCauseAndHint(t *testing.T) {
	cause := fmt.Errorf("read fixtures/sis: %w", fs.ErrNotExist)
	wrap := func(err error) error { return fmt.Errorf("run nightly: %w", err) }
	for _, c := range []struct {
		why   string
		err   error
		class Class
		hint  string
	}{
		{"no error", nil, ClassUsage, ""},
		{"an error without a class is about usage", cause, ClassUsage, ""},
		{"usage", Usage(cause, "name a folder"), ClassUsage, "name a folder"},
		{"cannot run", CannotRun(cause, "start it"), ClassCannotRun, "start it"},
		{"refused", Refused(cause, "allow it"), ClassRefused, "allow it"},
		{"inconclusive", Inconclusive(cause, "record more"), ClassInconclusive, "record more"},
		{"below a wrapping", wrap(Refused(cause, "allow it")), ClassRefused, "allow it"},
		{"the outermost class counts", CannotRun(wrap(Refused(cause, "allow it")), "start it"), ClassCannotRun, "start it"},
		{"an inner hint serves when the outer has none", CannotRun(wrap(Refused(cause, "allow it")), ""), ClassCannotRun, "allow it"},
		{"no hint at all", CannotRun(wrap(Refused(cause, "")), ""), ClassCannotRun, ""},
		{"among joined errors", errors.Join(cause, Refused(cause, "allow it")), ClassRefused, "allow it"},
	} {
		if got := ClassOf(c.err); got != c.class {
			t.Errorf("%s: class %d, want %d", c.why, got, c.class)
		}
		if got := HintOf(c.err); got != c.hint {
			t.Errorf("%s: hint %q, want %q", c.why, got, c.hint)
		}
		if c.err != nil && !errors.Is(c.err, fs.ErrNotExist) {
			t.Errorf("%s: the cause is lost", c.why)
		}
	}
	if got := Usage(cause, "a hint").Error(); got != cause.Error() {
		t.Errorf("the text of a problem is that of its cause, not %q", got)
	}
}

func ExampleUsage() {
	err := fmt.Errorf("load scenario: %w", Usage(errors.New("scenarios/crm.yaml:7: unknown key tagret"), "did you mean target?"))
	fmt.Println(err)
	fmt.Println("hint:", HintOf(err))
	// Output:
	// load scenario: scenarios/crm.yaml:7: unknown key tagret
	// hint: did you mean target?
}
