package sign

import (
	"net/url"
	"regexp"
	"strings"
	"time"
)

// presignature is the pair of a query that holds the signature of a URL (AWS Signature Version 4 in query parameters).
const presignature = "X-Amz-Signature"

// IsPresigned reports whether a URL, or the target of a request, is signed for AWS.
func IsPresigned(target string) bool {
	_, query, ok := strings.Cut(target, "?")
	return ok && strings.Contains(query, presignature+"=") && strings.Contains(query, "X-Amz-Credential=")
}

// Presignature is what a signed URL says of its signature.
type Presignature struct {
	Signature string
	Signed    []string // names of the fields of the head that it covers, in lower case
}

// PresignatureOf is the signature of a URL, or of the target of a request. It is false when it is not signed.
func PresignatureOf(target string) (p Presignature, ok bool) {
	if !IsPresigned(target) {
		return p, false
	}
	_, query, _ := strings.Cut(target, "?")
	query, _, _ = strings.Cut(query, "#")
	values := presignedValues(query)
	p.Signature = values[presignature]
	p.Signed = strings.Split(values["X-Amz-SignedHeaders"], ";")
	return p, p.Signature != ""
}

// CredentialOf takes the credential in a query apart: the id of the key, and the scope with a slash in front.
func CredentialOf(value string) (id, scope string, ok bool) {
	found := presignedScope.FindStringSubmatch(value)
	if found == nil {
		return "", "", false
	}
	return found[1], value[len(found[1]):], true
}

// presignedValues are the pairs of a query, decoded.
func presignedValues(query string) map[string]string {
	values := map[string]string{}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if plain, err := url.PathUnescape(value); err == nil {
			value = plain
		}
		values[name] = value
	}
	return values
}

var presignedScope = regexp.MustCompile(`^([^/]+)/(\d{8})/([^/]+/([^/]+)/aws4_request)$`)

// Presigned is a URL, or the target of a request, with its signature made anew under its own date and scope. Field gives
// the fields of the head that are signed. It is false when it is not signed, or holds what no signature can be made of.
func (a AWS) Presigned(method, target string, field func(name string) string) (string, bool) {
	front, query, _ := strings.Cut(target, "?")
	query, fragment, _ := strings.Cut(query, "#")
	values := presignedValues(query)
	found := presignedScope.FindStringSubmatch(values["X-Amz-Credential"])
	was := values[presignature]
	if found == nil || was == "" || values["X-Amz-Date"] == "" || values["X-Amz-SignedHeaders"] == "" || values["X-Amz-Algorithm"] != awsScheme {
		return "", false
	}
	parts := AWSParts{found[1], found[2], found[3], found[4], values["X-Amz-SignedHeaders"]}
	sum := values["X-Amz-Content-Sha256"]
	if sum == "" {
		sum = "UNSIGNED-PAYLOAD"
	}
	path := front
	if _, rest, ok := strings.Cut(front, "://"); ok {
		path = ""
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			path = rest[i:]
		}
	}
	now := parts.signature(a.Secret, values["X-Amz-Date"], parts.request(method, path, query, sum, field))
	out := front + "?" + strings.Replace(query, presignature+"="+was, presignature+"="+now, 1)
	if fragment != "" {
		out += "#" + fragment
	}
	return out, true
}

// PresignedURL is Presigned for a URL that stands in a text: it is for GET, and its host is the only field that is signed.
func (a AWS) PresignedURL(text string) (string, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Query().Get("X-Amz-SignedHeaders") != "host" {
		return "", false
	}
	return a.Presigned("GET", text, func(string) string { return u.Host })
}

// moved is a signed target for another moment and other credentials; its signature is stale.
func (a AWS) moved(target string, at time.Time) string {
	front, query, _ := strings.Cut(target, "?")
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		switch name {
		case "X-Amz-Date":
			pairs[i] = name + "=" + at.UTC().Format(awsTime)
		case "X-Amz-Security-Token":
			if a.Token != "" {
				pairs[i] = name + "=" + awsEscape(a.Token)
			}
		case "X-Amz-Credential":
			plain, _ := url.PathUnescape(value) // what cannot be read is no scope
			if found := presignedScope.FindStringSubmatch(plain); found != nil {
				id := found[1]
				if a.ID != "" {
					id = a.ID
				}
				pairs[i] = name + "=" + awsEscape(id+"/"+at.UTC().Format("20060102")+"/"+found[3])
			}
		}
	}
	return front + "?" + strings.Join(pairs, "&")
}
