package target

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

func commandSpec(mode string, run ...string) *harness.CommandSpec {
	return &harness.CommandSpec{Run: append([]string{"rehearse"}, run...), Mode: mode}
}

// outcomes is the answer or the fault of each exchange.
func outcomes(t *testing.T, xs []harness.Exchange) []string {
	var all []string
	for _, x := range xs {
		if x.Fault != nil {
			all = append(all, x.Fault.Kind+": "+x.Fault.Detail)
			continue
		}
		all = append(all, text(t, x.Response))
	}
	return all
}

func TestCommandOnce(t *testing.T) {
	var log bytes.Buffer
	env := testEnv(t)
	env.Log = &log
	stage := start(t, harness.TargetSpec{Command: commandSpec("", "as-mapper")}, env)
	got := outcomes(t, feed(t, stage, request("POST", "/a", "one\r\n"), request("POST", "/a", "")))
	if diff := cmp.Diff([]string{"ONE\r\n", ""}, got); diff != "" {
		t.Error(diff)
	}
	if log.String() != "mapping\nmapping\n" {
		t.Errorf("log %q", log.String())
	}

	spec := commandSpec("once", "as-mapper")
	spec.To, spec.Output = "lms", "users.csv"
	xs := feed(t, start(t, harness.TargetSpec{Command: spec}, env), drop("persons.csv", "a,b\n"))
	want := "000001 nightly sis→hubline 2026-10-05T14:00:00Z persons.csv | [{:name persons.csv} {:mtime 2026-10-05T07:15:00Z}] \"a,b\\n\" | [] \"\" | <nil>\n" +
		"000002 nightly hubline→lms 2026-10-05T14:00:00Z users.csv | [{:name users.csv} {:mtime 2026-10-05T14:00:00Z}] \"A,B\\n\" | [] \"\" | <nil>\n"
	if diff := cmp.Diff(want, outline(t, xs)); diff != "" {
		t.Error(diff)
	}
}

func TestCommandOnceThatFails(t *testing.T) {
	stage := start(t, harness.TargetSpec{Command: commandSpec("once", "as-failing-mapper")}, testEnv(t))
	got := outcomes(t, feed(t, stage, request("POST", "/a", "one"), request("POST", "/b", "two")))
	want := `failed: rehearse: exit status 3: no such\x1b[31m field`
	if diff := cmp.Diff([]string{want, want}, got); diff != "" {
		t.Error(diff)
	}

	spec := commandSpec("once", "as-failing-mapper")
	spec.To, spec.Output = "lms", "users.csv"
	xs := feed(t, start(t, harness.TargetSpec{Command: spec}, testEnv(t)), drop("persons.csv", "a"))
	if len(xs) != 2 || xs[0].Fault != nil || xs[1].Fault == nil || xs[1].Fault.Kind != FaultFailed {
		t.Errorf("the output that could not be made has the fault: %v", outline(t, xs))
	}

	spec = commandSpec("once", "as-sleeper")
	spec.Timeout = harness.Duration(100 * time.Millisecond)
	xs = feed(t, start(t, harness.TargetSpec{Command: spec}, testEnv(t)), request("POST", "/a", "x"))
	if xs[0].Fault == nil || xs[0].Fault.Kind != harness.FaultTimeout {
		t.Errorf("fault %v, want a timeout", xs[0].Fault)
	}

	xs = feed(t, start(t, harness.TargetSpec{Command: commandSpec("once", "as-chatterer")}, testEnv(t)), request("POST", "/a", "x"))
	if xs[0].Fault == nil || !strings.Contains(xs[0].Fault.Detail, "more than") {
		t.Errorf("fault %v, want too much output", xs[0].Fault)
	}
}

func TestCommandEndsWithTheContext(t *testing.T) {
	for _, spec := range []*harness.CommandSpec{commandSpec("once", "as-sleeper"), commandSpec("jsonl", "as-line-mapper")} {
		stage := start(t, harness.TargetSpec{Command: spec}, testEnv(t))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := stage.Feed(ctx, []harness.Exchange{request("POST", "/a", "hang")}, harness.NewMemory(harness.Manifest{}))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: err %v", spec.Mode, err)
		}
	}
}

func TestCommandEnvironment(t *testing.T) {
	t.Setenv("SECRET_TOKEN", "do-not-pass")
	env := testEnv(t)
	spec := commandSpec("once", "as-printer", "--root={root}", "{now}", "{url.sis-test}/x", "{}")
	got := outcomes(t, feed(t, start(t, harness.TargetSpec{Command: spec}, env), request("POST", "/a", "")))[0]
	if strings.Contains(got, "do-not-pass") || strings.Contains(got, "REHEARSE_LISTEN") {
		t.Errorf("the environment passes too much: %s", got)
	}
	if want := "--root=" + env.Root + " 2026-10-05T14:00:00Z http://127.0.0.1:9/x {}\n"; !strings.HasSuffix(got, want) {
		t.Errorf("arguments: %s, want at the end %s", got, want)
	}
}

func TestAnswerKeepsTheRecordedHead(t *testing.T) {
	x := request("POST", "/a", "one")
	x.Response = harness.Message{Media: "application/json", Head: harness.Head{{Name: ":status", Value: "201"}, {Name: "content-encoding", Value: "gzip"}, {Name: "Content-Length", Value: "7"}}}
	rejected := request("POST", "/a", "two")
	rejected.Response.Head = harness.Head{{Name: ":status", Value: "422"}, {Name: "X-Reason", Value: "term"}}
	xs := feed(t, start(t, harness.TargetSpec{Command: commandSpec("", "as-mapper")}, testEnv(t)), x, rejected)
	packed, err := xs[0].Response.Body.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := payload.Unpack("gzip", packed)
	if err != nil || string(plain) != "ONE" {
		t.Errorf("answer %q, %v", plain, err)
	}
	if h := xs[0].Response.Head; h.Get(":status") != "201" || h.Get("Content-Length") == "7" || len(h) != 3 {
		t.Errorf("head %v", h)
	}
	if diff := cmp.Diff(harness.Head{{Name: ":status", Value: "200"}}, xs[1].Response.Head); diff != "" {
		t.Errorf("where a refusal was recorded: %s", diff)
	}
}

func TestCommandReadsThePlainPayload(t *testing.T) {
	packed, err := payload.Pack("gzip", []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	stage := start(t, harness.TargetSpec{Command: commandSpec("", "as-mapper")}, testEnv(t))
	if got := outcomes(t, feed(t, stage, request("POST", "/a", string(packed), "Content-Encoding", "gzip"))); got[0] != "ONE" {
		t.Errorf("answer %q", got)
	}
	if err := stage.Feed(t.Context(), []harness.Exchange{request("POST", "/a", "no gzip", "Content-Encoding", "gzip")}, harness.NewMemory(harness.Manifest{})); err == nil {
		t.Error("damaged gzip is mapped")
	}
}

func TestLines(t *testing.T) {
	var log bytes.Buffer
	env := testEnv(t)
	env.Log = &log
	stage := start(t, harness.TargetSpec{Command: commandSpec("jsonl", "as-line-mapper")}, env)
	got := outcomes(t, feed(t, stage,
		request("POST", "/a", "<one> é"), request("POST", "/a", "\xff\xfe"), request("POST", "/a", "value"), request("POST", "/a", "refuse"),
		request("POST", "/a", "die"), request("POST", "/a", "two")))
	program := stage.(mapping).mapper.(*lines)
	program.spec.Timeout = harness.Duration(100 * time.Millisecond) // only for the one that never replies
	got = append(got, outcomes(t, feed(t, stage, request("POST", "/a", "hang")))...)
	program.spec.Timeout = 0
	got = append(got, outcomes(t, feed(t, stage, request("POST", "/a", "three"), request("POST", "/a", "nothing")))...)
	tail := " application/json 2026-10-05T14:00:00Z"
	want := []string{"<ONE> É" + tail, "\xff\xfe", `{"gpa": 3.50}`, "failed: rehearse: term unknown",
		"failed: rehearse ended without a reply: exit status 3: segmentation fault", "TWO" + tail, "timeout: rehearse did not reply within 100ms", "THREE" + tail, ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(log.String(), "mapped\nbytes\n") {
		t.Errorf("log %q", log.String())
	}
}

// TestLinesTellAStatus feeds requests that were recorded with and without success to a mapping that refuses them.
func TestLinesTellAStatus(t *testing.T) {
	stage := start(t, harness.TargetSpec{Command: commandSpec("jsonl", "as-line-mapper")}, testEnv(t))
	answered := func(status string) harness.Exchange {
		x := request("POST", "/a?b=c", "bad gateway")
		x.Response = harness.Message{Media: "application/json", Head: harness.Head{{Name: ":status", Value: status}, {Name: "Content-Type", Value: "application/json"}, {Name: "X-Reason", Value: "term"}}}
		return x
	}
	xs := feed(t, stage, answered("200"), answered("502"))
	text := harness.Field{Name: "Content-Type", Value: "text/plain; charset=utf-8"}
	want := []harness.Head{
		{{Name: ":status", Value: "502"}, text},
		{{Name: ":status", Value: "502"}, text, {Name: "X-Reason", Value: "term"}},
	}
	if diff := cmp.Diff(want, []harness.Head{xs[0].Response.Head, xs[1].Response.Head}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"POST /a?b=c", "POST /a?b=c"}, outcomes(t, xs)); diff != "" || xs[0].Response.Media != "text/plain" || xs[1].Response.Media != "text/plain" {
		t.Errorf("%s, media %s and %s", diff, xs[0].Response.Media, xs[1].Response.Media)
	}
}

// TestMediaOfAnAnswerIsNotThatOfAnotherFormat maps requests without a recorded answer.
func TestMediaOfAnAnswerIsNotThatOfAnotherFormat(t *testing.T) {
	for _, test := range []struct{ request, body, want string }{
		{"text/xml", `{"id":7}`, ""},
		{"application/scim+json", `{"id":7}`, "application/scim+json"},
		{"text/csv", "a,b\n1,2\n", "text/csv"},
		{"application/json", "", "application/json"},
	} {
		for _, channel := range []string{harness.ChannelHTTP, harness.ChannelMessage} {
			x := request("POST", "/a", "x")
			x.Channel, x.Request.Media = channel, test.request
			say := func(context.Context, harness.Exchange) (harness.Handed, error) {
				return harness.Handed{Answer: []byte(test.body)}, nil
			}
			got := feed(t, start(t, harness.TargetSpec{Func: say}, testEnv(t)), x)[0].Response.Media
			if got != test.want {
				t.Errorf("%s over %s is answered with %q: media type %q, want %q", test.request, channel, test.body, got, test.want)
			}
		}
	}
}

func TestLinesThatBreakTheProtocol(t *testing.T) {
	tests := []struct {
		body, want string
		args       []string
	}{
		{"other id", `id "m-0"`, nil},
		{"talk", "not a line of the protocol", nil},
		{"status 1", "status 1", nil},
		{"x", "module not found", []string{"dead"}},
		{"die", "segmentation fault", nil},
	}
	for _, test := range tests {
		stage := start(t, harness.TargetSpec{Command: commandSpec("jsonl", append([]string{"as-line-mapper"}, test.args...)...)}, testEnv(t))
		err := stage.Feed(t.Context(), []harness.Exchange{request("POST", "/a", test.body)}, harness.NewMemory(harness.Manifest{}))
		if harness.ClassOf(err) != harness.ClassCannotRun || harness.HintOf(err) == "" || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "000007") {
			t.Errorf("%s: err %v, want %q and the exchange", test.body, err, test.want)
		}
	}
	spec := commandSpec("jsonl", "as-line-mapper")
	spec.To, spec.Output = "lms", "users.csv"
	err := start(t, harness.TargetSpec{Command: spec}, testEnv(t)).Feed(t.Context(), []harness.Exchange{drop("a.txt", "bad gateway")}, harness.NewMemory(harness.Manifest{}))
	if harness.ClassOf(err) != harness.ClassCannotRun || !strings.Contains(err.Error(), "only an answer over HTTP has") {
		t.Errorf("a file has a status: %v", err)
	}
}
