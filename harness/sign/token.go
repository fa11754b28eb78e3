package sign

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Key is what JSON web tokens are signed with.
type Key struct {
	Algorithm string // such as ES256; empty: that of the token
	ID        string // kid of the token; empty: that of the token
	Key       any    // as for JWS
}

// ParseKey reads a private key in PEM (PKCS #8, PKCS #1 or SEC 1). Any other text is a secret, but for line ends behind it.
func ParseKey(text []byte) (Key, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		secret := bytes.TrimRight(text, "\r\n")
		if len(secret) == 0 {
			return Key{}, errors.New("read key: it is empty")
		}
		return Key{Key: secret}, nil
	}
	for _, parse := range []func([]byte) (any, error){
		x509.ParsePKCS8PrivateKey,
		func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) },
		func(der []byte) (any, error) { return x509.ParseECPrivateKey(der) },
	} {
		if key, err := parse(block.Bytes); err == nil {
			return Key{Key: key}, nil
		}
	}
	return Key{}, fmt.Errorf("read key: %s is no private key of PKCS #8, PKCS #1 or SEC 1", strings.ToLower(block.Type))
}

// clocks are the claims that hold moments (RFC 7519, OpenID Connect Core).
var clocks = map[string]bool{"exp": true, "iat": true, "nbf": true, "auth_time": true}

// Token is a JSON web token in compact form with its moments later by a duration, and signed with the key. All else
// stays byte for byte; a token without signature stays one. Errors hold no claim.
func (k Key) Token(token string, later time.Duration) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", errors.New("sign token: it has not three parts")
	}
	var head struct{ Alg string }
	header, err := decodePart(parts[0])
	if err != nil || json.Unmarshal(header, &head) != nil {
		return "", errors.New("sign token: its header is no JSON in base64url")
	}
	claims, err := decodePart(parts[1])
	if err != nil {
		return "", errors.New("sign token: its claims are no base64url")
	}
	claims, err = members(claims, func(name string, value []byte) ([]byte, error) {
		if !clocks[name] {
			return value, nil
		}
		return shifted(name, value, later)
	})
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	name := cmp.Or(k.Algorithm, head.Alg)
	if header, err = members(header, k.header); err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	if name == "none" || parts[2] == "" {
		return signed + ".", nil
	}
	sum, err := JWS(name, k.Key, rand.Reader, []byte(signed))
	if err != nil {
		return "", err
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(sum), nil
}

// header is the value of a member of a header.
func (k Key) header(name string, value []byte) ([]byte, error) {
	switch {
	case name == "alg" && k.Algorithm != "":
		return json.Marshal(k.Algorithm)
	case name == "kid" && k.ID != "":
		return json.Marshal(k.ID)
	}
	return value, nil
}

func decodePart(text string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
}

// members rewrites the values of an object, and leaves everything between them as it is.
func members(object []byte, value func(name string, was []byte) ([]byte, error)) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil, errors.New("a part is no object")
	}
	var out []byte
	done := 0
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errors.New("a part is no object")
		}
		var was json.RawMessage
		if err := d.Decode(&was); err != nil {
			return nil, errors.New("a part is no object")
		}
		now, err := value(name.(string), was)
		if err != nil {
			return nil, err
		}
		end := int(d.InputOffset())
		out = append(append(out, object[done:end-len(was)]...), now...)
		done = end
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("a part is no object")
	}
	return append(out, object[done:]...), nil
}

// seconds is how moments are written: since 1970, perhaps with a fraction.
var seconds = regexp.MustCompile(`^(-?\d{1,15})(\.\d+)?$`)

// shifted is a moment later by a duration. Some write milliseconds.
func shifted(name string, value []byte, later time.Duration) ([]byte, error) {
	const firstMillisecond = 1e11 // seconds of the year 5138
	parts := seconds.FindSubmatch(value)
	if parts == nil {
		return nil, fmt.Errorf("claim %s is no number of seconds", name)
	}
	n, _ := strconv.ParseInt(string(parts[1]), 10, 64) // 15 digits fit
	by := int64(later / time.Second)
	if n >= firstMillisecond {
		by = later.Milliseconds()
	}
	return append(strconv.AppendInt(nil, n+by, 10), parts[2]...), nil
}

// Bearer signs the token in a field of the head, such as Authorization, behind its scheme if it has one. Its moments
// become later by as much as the moment at which it is sent is later than the one at which it was recorded.
func (k Key) Bearer(field string, recorded time.Time) Signer {
	return func(m *harness.Message, _ []byte, at time.Time) (bool, error) {
		value := m.Head.Get(field)
		front := value[:strings.LastIndexByte(value, ' ')+1]
		token := value[len(front):]
		if !strings.HasPrefix(token, "ey") || strings.Count(token, ".") != 2 {
			return false, nil
		}
		now, err := k.Token(token, at.Sub(recorded))
		if err != nil {
			return false, err
		}
		m.Head = m.Head.With(field, front+now)
		return true, nil
	}
}
