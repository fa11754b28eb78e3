package replay

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// stored is a body that is kept elsewhere, and counts how often it is read.
func stored(size int, opened *int) harness.Body {
	text := strings.Repeat("x", size)
	return harness.StoredBody(int64(size), harness.Digest([]byte(text)), func() (io.ReadCloser, error) {
		*opened++
		return io.NopCloser(strings.NewReader(text)), nil
	})
}

func TestLoadedSessionsReadShortBodiesOnce(t *testing.T) {
	var short, long int
	was := Sessions{{Name: "a", Exchanges: []harness.Exchange{{
		ID: "000001", Request: harness.Message{Body: stored(mostLoaded, &short)}, Response: harness.Message{Body: stored(mostLoaded+1, &long)},
	}}}}
	is, err := was.Load()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, body := range []harness.Body{is[0].Exchanges[0].Request.Body, is[0].Exchanges[0].Response.Body} {
			if b, err := body.Bytes(); err != nil || harness.Digest(b) != body.Digest() || int64(len(b)) != body.Size() {
				t.Errorf("%d bytes, %v", len(b), err)
			}
		}
	}
	if short != 1 || long != 3 {
		t.Errorf("the short body was read %d times and the long one %d times, want 1 and 3", short, long)
	}
	if _, held := was[0].Exchanges[0].Request.Body.Held(); held {
		t.Error("the sessions that were loaded changed")
	}
}

func TestLoadedSessionsNameABodyThatIsGone(t *testing.T) {
	gone := errors.New("gone")
	_, err := Sessions{{Exchanges: []harness.Exchange{{ID: "000007", Response: harness.Message{
		Body: harness.StoredBody(1, "", func() (io.ReadCloser, error) { return nil, gone }),
	}}}}}.Load()
	if !errors.Is(err, gone) || !strings.Contains(err.Error(), "000007") {
		t.Errorf("%v", err)
	}
}
