package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"net/url"
	"strings"
)

// redirectNames are the pairs of a query that the redirect binding of SAML 2.0 signs, in the order in which it does.
var redirectNames = []string{"SAMLRequest", "SAMLResponse", "RelayState", redirectMethod}

// Pairs of such a query beside the message.
const (
	redirectMethod    = "SigAlg"
	redirectSignature = "Signature"
)

// IsRedirect reports whether a URL, or the target of a request, hands over a signed message of SAML by redirect.
func IsRedirect(target string) bool {
	_, query, _ := strings.Cut(target, "?")
	values := rawValues(query)
	_, asked := values["SAMLRequest"]
	_, answered := values["SAMLResponse"]
	return asked != answered && values[redirectMethod] != "" && values[redirectSignature] != ""
}

// rawValues are the pairs of a query as they are written.
func rawValues(query string) map[string]string {
	query, _, _ = strings.Cut(query, "#")
	values := map[string]string{}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		values[name] = value
	}
	return values
}

// Redirect is a URL, or the target of a request, by which a message of SAML is handed over, with its signature made anew: that
// of the message, its state and the method, as they are written. It is false when it holds no signature, or one of a method
// that is not known.
func (x XML) Redirect(target string) (string, bool) {
	if !IsRedirect(target) {
		return "", false
	}
	front, query, _ := strings.Cut(target, "?")
	values := rawValues(query)
	name, _ := url.QueryUnescape(values[redirectMethod])
	method, ok := xmlMethods[name]
	if !ok || method.kind == "HS" {
		return "", false
	}
	var signed []string
	for _, name := range redirectNames {
		if value, ok := values[name]; ok {
			signed = append(signed, name+"="+value)
		}
	}
	value, err := x.value(method.kind, curveOfSignature(values[redirectSignature]), method.hash, []byte(strings.Join(signed, "&")))
	if err != nil {
		return "", false
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, was, _ := strings.Cut(pair, "=")
		if name == redirectSignature {
			_, fragment, found := strings.Cut(was, "#")
			if pairs[i] = name + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(value)); found {
				pairs[i] += "#" + fragment
			}
		}
	}
	return front + "?" + strings.Join(pairs, "&"), true
}

// curveOfSignature tells by the length of a signature, which is that of two numbers, on which curve it was made.
func curveOfSignature(text string) crypto.PublicKey {
	text, _, _ = strings.Cut(text, "#")
	plain, _ := url.QueryUnescape(text)
	size := 3 * (len(strings.TrimRight(plain, "=")) / 4)
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		if bytes := 2 * ((curve.Params().BitSize + 7) / 8); size >= bytes-2 && size <= bytes+2 {
			return &ecdsa.PublicKey{Curve: curve}
		}
	}
	return nil
}
