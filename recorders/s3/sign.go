package s3

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Credentials are those of an access key. The zero value signs nothing: the bucket is public.
type Credentials struct {
	ID, Secret string
	Token      string // of a session; empty: none
}

// emptyDigest is the SHA-256 of nothing: requests have no body.
const emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// sign signs a request without a body: Signature Version 4 of AWS, all its fields.
func (c Credentials) sign(r *http.Request, region string, now time.Time) {
	if c.ID == "" {
		return
	}
	moment := now.UTC().Format("20060102T150405Z")
	r.Header.Set("X-Amz-Date", moment)
	r.Header.Set("X-Amz-Content-Sha256", emptyDigest)
	if c.Token != "" {
		r.Header.Set("X-Amz-Security-Token", c.Token)
	}
	names := []string{"host"}
	for name := range r.Header {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	var fields strings.Builder
	for _, name := range names {
		value := strings.Join(r.Header.Values(name), ",")
		if name == "host" {
			value = r.URL.Host
		}
		fmt.Fprintf(&fields, "%s:%s\n", name, strings.TrimSpace(value))
	}
	signed := strings.Join(names, ";")
	canonical := strings.Join([]string{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, fields.String(), signed, emptyDigest}, "\n")
	scope := moment[:8] + "/" + region + "/s3/aws4_request"
	digest := sha256.Sum256([]byte(canonical))
	key := []byte("AWS4" + c.Secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = seal(key, part)
	}
	signature := seal(key, "AWS4-HMAC-SHA256\n"+moment+"\n"+scope+"\n"+hex.EncodeToString(digest[:]))
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,Signature=%x", c.ID, scope, signed, signature))
}

func seal(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text)) //nolint:errcheck // it never fails
	return mac.Sum(nil)
}

// encode escapes as AWS does: everything but letters, digits and - . _ ~, and slashes where they part a path.
func encode(text string, isPath bool) string {
	escaped := strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
	if isPath {
		escaped = strings.ReplaceAll(escaped, "%2F", "/")
	}
	return escaped
}

// query writes pairs in the order of their names, which is that of the signature.
func query(pairs ...[2]string) string {
	slices.SortFunc(pairs, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	var parts []string
	for _, p := range pairs {
		if p[1] != "" {
			parts = append(parts, encode(p[0], false)+"="+encode(p[1], false))
		}
	}
	return strings.Join(parts, "&")
}
