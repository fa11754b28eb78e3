package payload

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// JWT is a JSON Web Token in compact form (RFC 7519) taken apart. The signature is not verified: it is form, because it
// changes with every claim.
type JWT struct {
	Header, Claims *Doc   // JSON objects
	Signature      string // as written, base64url; empty when the token is not signed
}

// maxToken is the longest token that is taken apart, in bytes; servers take far less in a header.
const maxToken = 1 << 20

// ParseJWT reads a token, with or without the word Bearer before it.
func ParseJWT(token string) (*JWT, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("parse jwt: longer than %d bytes", maxToken)
	}
	if scheme, rest, ok := strings.Cut(token, " "); ok && strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(rest)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("parse jwt: %d parts between dots, want 3", len(parts))
	}
	header, err := tokenPart("header", parts[0])
	if err != nil {
		return nil, err
	}
	claims, err := tokenPart("claims", parts[1])
	if err != nil {
		return nil, err
	}
	return &JWT{header, claims, parts[2]}, nil
}

func tokenPart(name, part string) (*Doc, error) {
	source, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, fmt.Errorf("parse jwt %s: %w", name, err)
	}
	doc, err := ParseJSON(source)
	if err != nil {
		return nil, fmt.Errorf("parse jwt %s: %w", name, err)
	}
	if doc.Root().Kind() != harness.KindObject {
		return nil, fmt.Errorf("parse jwt %s: %s, want an object", name, doc.Root().Kind())
	}
	return doc, nil
}
