package recorders

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/s3"
)

// S3Options of the recorder of a bucket.
type S3Options struct {
	Endpoint   string // URL of the service; empty: Amazon's of the region
	Region     string // empty: the recorder's own choice
	Key        s3.Credentials
	Every      time.Duration // how often to look
	MaxObjects int           // most objects below the prefix
	MaxBody    int64         // most bytes kept of one object
}

func openS3(o LiveOptions) (harness.Recorder, string, error) {
	rest, ok := strings.CutPrefix(o.Source, "s3://")
	bucket, prefix, _ := strings.Cut(rest, "/")
	if !ok || bucket == "" {
		return nil, "", harness.Usage(fmt.Errorf("record s3: %q is not a bucket", o.Source), "write it as s3://BUCKET[/PREFIX], and name the service with --endpoint")
	}
	region := cmp.Or(o.S3.Region, s3.DefaultRegion)
	r := &s3.Recorder{
		Endpoint: cmp.Or(o.S3.Endpoint, "https://s3."+region+".amazonaws.com"), Bucket: bucket, Prefix: prefix, Region: region, Credentials: o.S3.Key,
		From: o.From, To: o.To, Existing: o.Existing, Every: o.S3.Every, MaxBody: o.S3.MaxBody, MaxObjects: o.S3.MaxObjects,
	}
	if err := r.Open(context.Background()); err != nil {
		return nil, "", err
	}
	return r, fmt.Sprintf("watching %s at %s", o.Source, r.Endpoint), nil
}
