package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Limits of what a server may answer.
const (
	longestList  = 16 << 20 // bytes of a page of the list
	longestError = 64 << 10
)

// object is one of the list.
type object struct {
	Key          string
	LastModified time.Time
	ETag         string
	Size         int64
}

// page is the answer to ListObjectsV2.
type page struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	IsTruncated           bool
	NextContinuationToken string
	EncodingType          string
	Contents              []object
}

// answerError is an answer that is none of the wanted ones.
type answerError struct {
	status        int
	code, message string
}

func (e *answerError) Error() string {
	if e.code == "" {
		return fmt.Sprintf("status %d", e.status)
	}
	return fmt.Sprintf("status %d: %s: %.200q", e.status, e.code, e.message)
}

func isStatus(err error, status int) bool {
	e, ok := errors.AsType[*answerError](err)
	return ok && e.status == status
}

// get asks for a path of the bucket. The body is the caller's to close.
func (r *Recorder) get(ctx context.Context, key, rawQuery, ifMatch string) (*http.Response, error) {
	u := *r.endpoint
	u.Path += "/" + r.Bucket
	if key != "" {
		u.Path += "/" + key
	}
	u.RawPath, u.RawQuery = encode(u.Path, true), rawQuery
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if ifMatch != "" {
		q.Header.Set("If-Match", ifMatch)
	}
	r.Credentials.sign(q, r.region(), time.Now())
	q.Header.Set("Accept-Encoding", "identity") // else the transport unpacks what was stored packed
	answer, err := r.client.Do(q)
	if err != nil {
		return nil, withoutURL(err)
	}
	if answer.StatusCode == http.StatusOK {
		return answer, nil
	}
	defer answer.Body.Close()
	e := &answerError{status: answer.StatusCode}
	var told struct{ Code, Message string }
	if xml.NewDecoder(io.LimitReader(answer.Body, longestError)).Decode(&told) == nil {
		e.code, e.message = told.Code, told.Message
	}
	return nil, e
}

// withoutURL drops the URL from an error, which the caller names.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// list returns a page of the bucket, and where the next one begins: empty at the end.
func (r *Recorder) list(ctx context.Context, from string) ([]object, string, error) {
	answer, err := r.get(ctx, "", query([2]string{"list-type", "2"}, [2]string{"encoding-type", "url"}, [2]string{"prefix", r.Prefix}, [2]string{"continuation-token", from}), "")
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, longestList+1))
	var p page
	switch {
	case err != nil:
		return nil, "", err
	case len(text) > longestList:
		return nil, "", fmt.Errorf("a page of the list has more than %d bytes", longestList)
	}
	if err := xml.Unmarshal(text, &p); err != nil {
		return nil, "", fmt.Errorf("the answer is no list of objects: %w", err)
	}
	if p.EncodingType == "url" {
		for i := range p.Contents {
			if p.Contents[i].Key, err = url.QueryUnescape(p.Contents[i].Key); err != nil {
				return nil, "", fmt.Errorf("the list has a key in wrong form: %w", err)
			}
		}
	}
	if p.IsTruncated && p.NextContinuationToken == "" {
		return nil, "", errors.New("the list is cut, and does not say where it goes on")
	}
	if !p.IsTruncated {
		p.NextContinuationToken = ""
	}
	return p.Contents, p.NextContinuationToken, nil
}
