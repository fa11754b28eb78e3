package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// awsScheme begins the value of the Authorization field of a request that is signed by AWS Signature Version 4.
const awsScheme = "AWS4-HMAC-SHA256"

// awsTime is the form of X-Amz-Date.
const awsTime = "20060102T150405Z"

// awsValue has the parts of the field: key id, scope (date/region/service/aws4_request), signed fields, signature.
var awsValue = regexp.MustCompile(`^` + awsScheme + ` +Credential=([^/,\s]+)/(\d{8})/([^/,\s]+/([^/,\s]+)/aws4_request), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})$`)

// MayAWS reports whether a text begins like the Authorization of a request to AWS.
func MayAWS(text string) bool { return strings.HasPrefix(text, awsScheme+" ") }

// AWS is the credentials with which requests and URLs are signed, as the AWS General Reference says for Signature Version 4.
type AWS struct {
	ID     string // of the key; empty: that of the request
	Secret string
	Token  string // of the session; empty: that of the request, if it has one
}

// AWSParts are those of the Authorization of a signed request, and of the credentials in a URL.
type AWSParts struct {
	ID, Date, Rest, Service string // Date/Rest is the scope
	Signed                  string // names of fields between semicolons
}

// AWSPartsOf takes the value of an Authorization field apart. The signature begins at the byte that is returned.
func AWSPartsOf(value string) (p AWSParts, signature int, ok bool) {
	at := awsValue.FindStringSubmatchIndex(value)
	if at == nil {
		return p, 0, false
	}
	part := func(i int) string { return value[at[2*i]:at[2*i+1]] }
	return AWSParts{part(1), part(2), part(3), part(4), part(5)}, at[12], true
}

// String is the value without its signature.
func (p AWSParts) String() string {
	return awsScheme + " Credential=" + p.ID + "/" + p.scope() + ", SignedHeaders=" + p.Signed + ", Signature="
}

func (p AWSParts) scope() string { return p.Date + "/" + p.Rest }

// Value is the Authorization of a request that has one, under its own date, scope and fields.
func (a AWS) Value(m harness.Message, body []byte) (string, bool) {
	parts, from, ok := AWSPartsOf(m.Head.Get("Authorization"))
	at := m.Head.Get("X-Amz-Date")
	if !ok || at == "" {
		return "", false
	}
	path, query, _ := strings.Cut(m.Head.Get(harness.FieldPath), "?")
	sum := m.Head.Get("X-Amz-Content-SHA256")
	if sum == "" {
		of := sha256.Sum256(body)
		sum = hex.EncodeToString(of[:])
	}
	request := parts.request(m.Head.Get(harness.FieldMethod), path, query, sum, func(name string) string { return AWSField(m.Head, name) })
	return m.Head.Get("Authorization")[:from] + parts.signature(a.Secret, at, request), true
}

// signature signs a canonical request.
func (p AWSParts) signature(secret, at, request string) string {
	sum := sha256.Sum256([]byte(request))
	text := strings.Join([]string{awsScheme, at, p.scope(), hex.EncodeToString(sum[:])}, "\n")
	key := []byte("AWS4" + secret)
	for part := range strings.SplitSeq(p.scope(), "/") {
		key = hmacSHA256(key, part)
	}
	return hex.EncodeToString(hmacSHA256(key, text))
}

func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// request is the canonical request. Paths are encoded once more than they were sent, but for S3.
func (p AWSParts) request(method, path, query, sum string, field func(name string) string) string {
	if path == "" {
		path = "/"
	}
	if p.Service != "s3" {
		segments := strings.Split(path, "/")
		for i, s := range segments {
			segments[i] = awsEscape(s)
		}
		path = strings.Join(segments, "/")
	}
	lines := []string{method, path, awsQuery(query)}
	for name := range strings.SplitSeq(p.Signed, ";") {
		lines = append(lines, name+":"+field(name))
	}
	return strings.Join(append(lines, "", p.Signed, sum), "\n")
}

// AWSField is the values of a field of the head as a signature covers them. The host may be a pseudo-field.
func AWSField(head harness.Head, name string) string {
	values := head.Values(name)
	if name == "host" && len(values) == 0 {
		values = head.Values(":authority")
	}
	for i, v := range values {
		values[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(values, ",")
}

// awsQuery sorts the pairs of a query by their names and values in percent encoding. The signature is none of them.
func awsQuery(query string) string {
	if query == "" {
		return ""
	}
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name != presignature {
			pairs = append(pairs, awsAgain(name)+"="+awsAgain(value))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// awsAgain encodes what was encoded by other rules.
func awsAgain(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	return awsEscape(text)
}

// awsEscape is percent encoding of all but the unreserved characters of RFC 3986.
func awsEscape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

// Signer signs requests that are signed in their head or in their target, for the moment.
func (a AWS) Signer() Signer {
	return func(m *harness.Message, body []byte, at time.Time) (bool, error) {
		if target := m.Head.Get(harness.FieldPath); IsPresigned(target) {
			now, ok := a.Presigned(m.Head.Get(harness.FieldMethod), a.moved(target, at), func(name string) string { return AWSField(m.Head, name) })
			if ok {
				m.Head = m.Head.With(harness.FieldPath, now)
			}
			return ok, nil
		}
		parts, _, ok := AWSPartsOf(m.Head.Get("Authorization"))
		if !ok {
			return false, nil
		}
		if parts.Date = at.UTC().Format("20060102"); a.ID != "" {
			parts.ID = a.ID
		}
		head := m.Head.With("Authorization", parts.String()+strings.Repeat("0", 2*sha256.Size)).With("X-Amz-Date", at.UTC().Format(awsTime))
		if a.Token != "" {
			head = head.With("X-Amz-Security-Token", a.Token)
		}
		if sum := head.Get("X-Amz-Content-SHA256"); len(sum) == 2*sha256.Size {
			of := sha256.Sum256(body)
			head = head.With("X-Amz-Content-SHA256", hex.EncodeToString(of[:]))
		}
		value, ok := a.Value(harness.Message{Head: head}, body)
		if ok {
			m.Head = head.With("Authorization", value)
		}
		return ok, nil
	}
}
