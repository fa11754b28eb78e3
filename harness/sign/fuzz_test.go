package sign

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// FuzzSignatures holds everything that reads a signature to what it writes: a value that is signed anew is read again, and
// signed anew once more it stays.
func FuzzSignatures(f *testing.F) {
	aws := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + strings.Repeat("0a", 32)
	url := "https://bucket.s3.example/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
		"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=" + strings.Repeat("0a", 32)
	f.Add(aws, url, []byte("{}"))
	f.Add("sha256="+strings.Repeat("0a", 32), "/a?b", []byte("\xff"))
	f.Add("t=1600000000,v1=0a", url+"#top", []byte{})
	f.Add("v1,AAAA= v1,BBBB=", "?X-Amz-Signature=&X-Amz-Credential=", []byte("a"))
	f.Fuzz(func(t *testing.T, value, target string, body []byte) {
		if p, from, ok := AWSPartsOf(value); ok {
			if again, _, ok := AWSPartsOf(p.String() + value[from:]); !ok || again != p {
				t.Errorf("%q is read as %+v, and that as %+v", value, p, again)
			}
		}
		head := harness.Head{{Name: harness.FieldMethod, Value: "GET"}, {Name: harness.FieldPath, Value: target}, {Name: "X-Amz-Date", Value: "20150830T123600Z"}}
		m := harness.Message{Head: append(head, harness.Field{Name: "Authorization", Value: value}), Body: harness.BytesBody(body)}
		key := AWS{ID: "AKIDOTHER", Secret: "secret", Token: "token"}
		if now, ok := key.Presigned("GET", target, func(string) string { return "bucket.s3.example" }); ok {
			again, ok := key.Presigned("GET", now, func(string) string { return "bucket.s3.example" })
			if _, reads := PresignatureOf(now); !ok || !reads || len(again) != len(now) {
				t.Errorf("%q is signed as %q, and that as %q", target, now, again)
			}
		}
		signers := []Signer{key.Signer()}
		for _, h := range Usual {
			signers = append(signers, h.Signer("secret"))
			if now, ok := h.Value("secret", value, m, body); ok {
				if again, ok := h.Value("secret", now, m, body); !ok || again != now {
					t.Errorf("%s: %q is signed as %q, and that as %q", h.Head, value, now, again)
				}
			}
			m.Head = append(m.Head, harness.Field{Name: h.Head, Value: value})
		}
		All(signers...)(&m, body, time.Unix(1_700_000_000, 0)) //nolint:errcheck // hostile input may be refused
	})
}

// FuzzTokens signs tokens; what comes out is a token that signed once more stays.
func FuzzTokens(f *testing.F) {
	for _, claims := range []string{`{"exp":1600000000,"sub":"a"}`, `{ "iat" : 1.5 , "nbf":-0, "auth_time":1600000000000}`, `{"exp":"soon"}`, `[]`, `{"a":{"exp":1}}x`} {
		for _, header := range []string{`{"alg":"HS256","kid":"1"}`, `{"alg":"none"}`, `{}`} {
			f.Add(header, claims, "c2ln", int64(3600))
		}
	}
	f.Fuzz(func(t *testing.T, header, claims, signature string, later int64) {
		encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
		key := Key{Key: []byte("secret"), ID: "2"}
		now, err := key.Token(encode(header)+"."+encode(claims)+"."+signature, time.Duration(later)*time.Second)
		if err != nil {
			return
		}
		again, err := key.Token(now, 0)
		if err != nil || again != now {
			t.Errorf("%q %q is signed as %q, and that as %q: %v", header, claims, now, again, err)
		}
	})
}
