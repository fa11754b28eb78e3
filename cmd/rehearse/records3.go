package main

import (
	"errors"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders"
	"github.com/rehearse-dev/rehearse/recorders/s3"
)

// s3Flags adds the flags of the recorder of a bucket, and returns what reads the secrets that they name. Without flags the
// key is that of the variables that all programs for S3 know.
func s3Flags(a *app, set *pflag.FlagSet, o *recorders.LiveOptions) (prepare func() error) {
	var secret, token string
	set.StringVar(&o.S3.Endpoint, "endpoint", "", "`URL` of the service, such as https://minio.test.example:9000; without it Amazon's")
	set.StringVar(&o.S3.Region, "region", "", "`region` of the bucket (default AWS_REGION, or "+s3.DefaultRegion+")")
	set.StringVar(&o.S3.Key.ID, "access-key", "", "`id` of the access key (default AWS_ACCESS_KEY_ID; without one requests are not signed)")
	set.StringVar(&secret, "secret-key", "", "its secret: a `file`, env:NAME or fd:NUMBER (default env:AWS_SECRET_ACCESS_KEY)")
	set.StringVar(&token, "session-token", "", "token of a session: a `file`, env:NAME or fd:NUMBER (default env:AWS_SESSION_TOKEN, where it is set)")
	set.DurationVar(&o.S3.Every, "every", s3.DefaultEvery, "look at the bucket after each `time`")
	aboveZero(set, "every", &o.S3.Every)
	set.BoolVar(&o.Existing, "existing", false, "objects that are there already count, too")
	set.Int64Var(&o.S3.MaxBody, "max-body", s3.DefaultMaxBody, "keep at most so many `bytes` of one object; a longer one is recorded as incomplete")
	atLeast(set, "max-body", &o.S3.MaxBody, 1)
	set.IntVar(&o.S3.MaxObjects, "max-objects", s3.DefaultMaxObjects, "most `objects` below the prefix")
	atLeast(set, "max-objects", &o.S3.MaxObjects, 1)
	return func() error {
		key := &o.S3.Key
		fromEnv := key.ID == ""
		if fromEnv {
			key.ID = a.getenv("AWS_ACCESS_KEY_ID")
		}
		if o.S3.Region == "" {
			o.S3.Region = a.getenv("AWS_REGION")
		}
		if key.ID == "" && secret != "" {
			return harness.Usage(errors.New("record s3: --secret-key stands without --access-key"), "name the id of the key, too")
		}
		if key.ID != "" && secret == "" {
			secret = "env:AWS_SECRET_ACCESS_KEY"
		}
		if fromEnv && token == "" && a.getenv("AWS_SESSION_TOKEN") != "" {
			token = "env:AWS_SESSION_TOKEN"
		}
		var err error
		if key.Secret, err = a.password(secret); err != nil {
			return err
		}
		key.Token, err = a.password(token)
		return err
	}
}
