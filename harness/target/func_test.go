package target

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestFunc(t *testing.T) {
	fail := errors.New("term unknown")
	stage := start(t, harness.TargetSpec{Func: func(_ context.Context, x harness.Exchange) (harness.Handed, error) {
		switch x.Request.Head.Get(harness.FieldPath) {
		case "/fail":
			return harness.Handed{}, fail
		case "/late":
			return harness.Handed{}, context.DeadlineExceeded
		}
		return harness.Handed{Answer: []byte("{}"), Outputs: []harness.Output{{Name: "a.csv", To: "lms", Body: []byte("a\n")}}}, nil
	}}, testEnv(t))
	want := `000001 A-20481 crm→hubline 2026-10-05T14:00:00Z GET /a | [{:method GET} {:path /a}] "" | [{:status 200}] "{}" | <nil>
000002 A-20481 hubline→lms 2026-10-05T14:00:00Z a.csv | [{:name a.csv} {:mtime 2026-10-05T14:00:00Z}] "a\n" | [] "" | <nil>
000003 A-20481 crm→hubline 2026-10-05T14:00:00Z GET /fail | [{:method GET} {:path /fail}] "" | [] "" | &{failed term unknown}
000004 A-20481 crm→hubline 2026-10-05T14:00:00Z GET /late | [{:method GET} {:path /late}] "" | [] "" | &{timeout context deadline exceeded}
`
	if diff := cmp.Diff(want, outline(t, feed(t, stage, request("GET", "/a", ""), request("GET", "/fail", ""), request("GET", "/late", "")))); diff != "" {
		t.Error(diff)
	}
}
