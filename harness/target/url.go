package target

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/rehearse-dev/rehearse/harness"
)

// urlTarget is a server that runs already.
type urlTarget struct{ base *url.URL }

func newURL(spec harness.TargetSpec) (harness.Target, error) {
	base, err := parseBase(spec.URL.Base)
	if err != nil {
		return nil, err
	}
	return urlTarget{base}, nil
}

// parseBase reads scheme, host and optional path of a server.
func parseBase(text string) (*url.URL, error) {
	const hint = "write it like http://127.0.0.1:8080/prefix"
	base, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, harness.Usage(errors.New("base is not a URL"), hint)
	case base.Scheme != "http" && base.Scheme != "https" || base.Host == "":
		return nil, harness.Usage(fmt.Errorf("base %q has no http scheme or no host", base.Redacted()), hint)
	case base.User != nil:
		return nil, harness.Usage(fmt.Errorf("base %q holds credentials", base.Redacted()), "leave them out; credentials belong into header fields")
	case base.RawQuery != "" || base.Fragment != "":
		return nil, harness.Usage(fmt.Errorf("base %q has a query or fragment", base), hint)
	}
	return base, nil
}

func describeURL(spec harness.TargetSpec) string { return "server at " + spec.URL.Base }

// Start connects nothing: the first exchange shows whether the server is there.
func (t urlTarget) Start(ctx context.Context, env harness.StageEnv) (harness.Stage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return newFeeder(t.base, env), nil
}
