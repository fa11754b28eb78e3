package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/clock"
	"github.com/rehearse-dev/rehearse/recorders/internal/refusals"
)

// Defaults of the fields of Recorder.
const (
	DefaultEvery      = 10 * time.Second
	DefaultMaxBody    = 64 << 20 // bytes
	DefaultMaxObjects = 1_000_000
	DefaultRegion     = "us-east-1"
)

// callTime is how long a page of the list, or an object, may take.
const callTime = 5 * time.Minute

// Reasons with which an object is counted as dropped.
const (
	DropVanished   = "the object vanished before it was read"
	DropUnreadable = "the object could not be read"
	DropSink       = refusals.Reason
)

// Recorder watches a bucket. Its fields must not change once it is used. It is used once: Record ends it.
type Recorder struct {
	Endpoint       string // URL of the service; the bucket stands in its path
	Bucket, Prefix string
	Region         string // empty: DefaultRegion
	Credentials    Credentials
	From, To       string // names of the systems: who writes the objects, and for whom
	Existing       bool   // takes also the objects that are there at the start
	Every          time.Duration
	MaxBody        int64             // most bytes kept of one object
	MaxObjects     int               // most objects below the prefix
	Transport      http.RoundTripper // nil: the default one
	Now            func() time.Time  // the clock of the recording; nil is time.Now

	endpoint *url.URL
	client   *http.Client
	known    map[string]version // by key
	refused  refusals.Refusals
}

// version is what changes when an object is written.
type version struct {
	etag     string
	size     int64
	modified int64
	seen     int // number of the look that saw it last
}

// Open looks at the bucket: what is written after it returns will be recorded, once Record runs. The error is a
// [harness.Problem].
func (r *Recorder) Open(ctx context.Context) error {
	u, err := url.Parse(r.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return harness.Usage(fmt.Errorf("record s3: %q is not the address of a service", r.Endpoint), "write it as https://HOST[:PORT]")
	}
	if r.Bucket == "" || strings.Contains(r.Bucket, "/") {
		return harness.Usage(fmt.Errorf("record s3: %q is not the name of a bucket", r.Bucket), "write the source as s3://BUCKET[/PREFIX]")
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	r.endpoint, r.known = u, map[string]version{}
	r.client = &http.Client{Transport: r.Transport, Timeout: callTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	err = r.look(ctx, 0, func(object) {})
	switch {
	case err == nil:
		if r.Existing {
			clear(r.known)
		}
		return nil
	case isStatus(err, http.StatusForbidden), isStatus(err, http.StatusUnauthorized):
		return harness.CannotRun(fmt.Errorf("list bucket %s: %w", r.Bucket, err), "check the access key, its secret and the region; the key needs s3:ListBucket and s3:GetObject")
	case isStatus(err, http.StatusMovedPermanently), isStatus(err, http.StatusTemporaryRedirect):
		return harness.CannotRun(fmt.Errorf("list bucket %s: %w", r.Bucket, err), "name the region of the bucket, and the endpoint of that region")
	}
	return harness.CannotRun(fmt.Errorf("list bucket %s: %w", r.Bucket, err), "check the endpoint and the name of the bucket")
}

// Record puts every object that is new into the sink until the context is done, and looks a last time then. It returns nil
// unless the last look failed, or the sink refused an exchange.
func (r *Recorder) Record(ctx context.Context, sink harness.Sink) error {
	if r.client == nil {
		if err := r.Open(ctx); err != nil {
			return err
		}
	}
	defer r.client.CloseIdleConnections()
	tick := time.NewTicker(cmp.Or(r.Every, DefaultEvery))
	defer tick.Stop()
	last := context.WithoutCancel(ctx)
	for number := 1; ; number++ {
		isLast := ctx.Err() != nil
		err := r.changed(last, number, sink)
		if isLast {
			if err != nil {
				err = harness.CannotRun(fmt.Errorf("list bucket %s: %w", r.Bucket, err), "what was written since the look before is not recorded")
			}
			return errors.Join(err, r.refused.Err("objects of %s", r.Bucket))
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// look lists the bucket and gives what is new to a function. An object that is gone is forgotten.
func (r *Recorder) look(ctx context.Context, number int, fresh func(object)) error {
	for from, first := "", true; first || from != ""; first = false {
		objects, next, err := r.list(ctx, from)
		if err != nil {
			return err
		}
		for _, o := range objects {
			was, is := r.known[o.Key], version{o.ETag, o.Size, o.LastModified.UnixNano(), number}
			r.known[o.Key] = is
			if was.seen = number; was != is && !o.isFolder() {
				fresh(o)
			}
		}
		if most := cmp.Or(r.MaxObjects, DefaultMaxObjects); len(r.known) > most {
			return fmt.Errorf("more than %d objects", most)
		}
		from = next
	}
	for key, v := range r.known {
		if v.seen != number {
			delete(r.known, key)
		}
	}
	return nil
}

// isFolder reports whether an object only shows a folder in a console.
func (o object) isFolder() bool { return o.Size == 0 && strings.HasSuffix(o.Key, "/") }

// changed records what is new, oldest first.
func (r *Recorder) changed(ctx context.Context, number int, sink harness.Sink) error {
	var fresh []object
	err := r.look(ctx, number, func(o object) { fresh = append(fresh, o) })
	slices.SortStableFunc(fresh, func(a, b object) int { return a.LastModified.Compare(b.LastModified) })
	for _, o := range fresh {
		r.take(ctx, o, sink)
	}
	return err
}

// take records one object.
func (r *Recorder) take(ctx context.Context, o object, sink harness.Sink) {
	at := r.now()
	answer, err := r.get(ctx, o.Key, "", o.ETag)
	switch {
	case isStatus(err, http.StatusPreconditionFailed):
		delete(r.known, o.Key) // the next look sees its new form
		return
	case isStatus(err, http.StatusNotFound):
		sink.Drop(DropVanished)
		return
	case err != nil:
		sink.Drop(DropUnreadable)
		return
	}
	defer answer.Body.Close()
	most := cmp.Or(r.MaxBody, DefaultMaxBody)
	content, err := io.ReadAll(io.LimitReader(answer.Body, min(most, o.Size)))
	x := r.exchange(o, content)
	x.At, x.Took = at, r.now().Sub(at)
	switch {
	case err != nil || int64(len(content)) < min(most, o.Size):
		x.Fault = &harness.Fault{Kind: harness.FaultReset, Detail: fmt.Sprintf("the object has %d bytes, of which %d came", o.Size, len(content))}
	case o.Size > most:
		x.Fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: fmt.Sprintf("the object has %d bytes, of which %d are kept", o.Size, len(content))}
	}
	r.refused.Put(sink, x)
}

func (r *Recorder) exchange(o object, content []byte) harness.Exchange {
	modified := o.LastModified.UTC()
	return harness.Exchange{
		Session: modified.Format(time.DateOnly), Channel: harness.ChannelFile, From: r.From, To: r.To,
		Request: harness.Message{
			Head: harness.Head{{Name: harness.FieldName, Value: nameOf(o.Key)}, {Name: harness.FieldModified, Value: modified.Format(time.RFC3339Nano)}},
			Body: harness.BytesBody(content),
		},
	}
}

// nameOf is a key without control characters, which have no place in a field of a head.
func nameOf(key string) string {
	if !strings.ContainsFunc(key, unicode.IsControl) {
		return key
	}
	var b strings.Builder
	for _, c := range key {
		if unicode.IsControl(c) {
			b.WriteString(url.PathEscape(string(c)))
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

func (r *Recorder) region() string { return cmp.Or(r.Region, DefaultRegion) }

func (r *Recorder) now() time.Time { return clock.Read(r.Now) }
