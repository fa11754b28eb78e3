package rehearsal

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Limits of a question before the run.
const (
	questionTimeout = 30 * time.Second
	maxAnswer       = 1 << 20 // bytes that are searched for a text
)

// require asks the live systems what they must hold. The first answer that is another one makes the run inconclusive;
// so does none at all. Questions pass the guard of the run and are in its receipt; they are not recorded.
func (s *stage) require(ctx context.Context, list []harness.Precondition) error {
	if len(list) == 0 {
		return nil
	}
	transport := s.guard.Transport()
	defer transport.CloseIdleConnections()
	client := &http.Client{
		Transport: transport, Timeout: questionTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for _, p := range list {
		base, live := s.bases[p.System]
		if !live {
			return harness.Usage(fmt.Errorf("precondition GET %s: %s is not a live upstream of this run", p.Get, p.System),
				"name the system under upstreams, or drop the precondition")
		}
		if err := ask(ctx, client, base, p); err != nil {
			return err
		}
	}
	return nil
}

// ask puts one question.
func ask(ctx context.Context, client *http.Client, base string, p harness.Precondition) error {
	unmet := func(format string, args ...any) error {
		return harness.Inconclusive(fmt.Errorf("precondition: GET %s of %s %s: %s", p.Get, p.System, fmt.Sprintf(format, args...), strings.TrimSuffix(p.Reason, ".")),
			"the test data moved; bring it back, or record a new baseline after a refresh, then run again")
	}
	u, err := url.Parse(strings.TrimSuffix(base, "/") + p.Get)
	if err != nil {
		return harness.Usage(fmt.Errorf("precondition GET %s: %w", p.Get, err), "write path and query as a URL has them")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return harness.Usage(fmt.Errorf("precondition GET %s: %w", p.Get, err), "write path and query as a URL has them")
	}
	for name, value := range p.Head {
		r.Header.Set(name, value)
	}
	answer, err := client.Do(r)
	if err != nil {
		if harness.ClassOf(err) == harness.ClassRefused {
			return fmt.Errorf("precondition GET %s of %s: %w", p.Get, p.System, err)
		}
		return unmet("is not answered (%v)", err)
	}
	defer answer.Body.Close()
	if want := cmp.Or(p.Status, http.StatusOK); answer.StatusCode != want {
		return unmet("is answered %d, want %d", answer.StatusCode, want)
	}
	if p.Holds == "" {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return unmet("breaks off (%v)", err)
	}
	if !bytes.Contains(body, []byte(p.Holds)) {
		return unmet("does not hold %q in its answer", p.Holds)
	}
	return nil
}
