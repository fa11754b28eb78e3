package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // what the standard says
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"strings"
)

// certify has the keys and certificates in a document be those of the tests: in signatures that are made anew, and in
// metadata that say who signs. What tells of the key of a signature that is not made anew stays as it is in the document.
func (d *signedXML) certify(x XML, before *signedXML, whys map[int]string) {
	for i, was := range before.all {
		for up := was; up != nil; up = up.up {
			if up.is("Signature", namespaceDSig) && whys[up.order] != "" {
				was = nil
				break
			}
		}
		if was != nil {
			d.certifyAt(x, before, was, d.all[i])
		}
	}
}

// certifyAt puts what tells of a key into one element.
func (d *signedXML) certifyAt(x XML, before *signedXML, was, now *xmlNode) {
	tell := told[localOf(was.name)]
	if tell == nil || !was.is(localOf(was.name), namespaceDSig) && !strings.Contains(was.namespace(prefixOf(was.name)), "wss") {
		return
	}
	signer := x.signerFor(before.publicAround(was))
	certificate, err := x.Certificate(signer)
	if err != nil {
		return
	}
	if text := tell(was, certificate, signer.Public()); text != "" {
		d.put(now, likeLines(was.content(), text))
	}
}

func localOf(name string) string  { _, local := splitName(name); return local }
func prefixOf(name string) string { prefix, _ := splitName(name); return prefix }

// publicAround is the key that an element tells of: that of its own certificate, or of the signature around it.
func (d *signedXML) publicAround(n *xmlNode) crypto.PublicKey {
	if der, err := unwrapped(n.content()); err == nil {
		if c, err := x509.ParseCertificate(der); err == nil {
			return c.PublicKey
		}
	}
	for up := n; up != nil; up = up.up {
		if up.is("Signature", namespaceDSig) {
			return d.key(d.signatureAt(up.order))
		}
	}
	return nil
}

// signerFor is the test key in place of a real one.
func (x XML) signerFor(public crypto.PublicKey) crypto.Signer {
	if _, ok := public.(*ecdsa.PublicKey); ok {
		return x.EC(bitsOf(public))
	}
	return x.RSA
}

// told are the elements that tell of a key, and what they say of a certificate and its key. An empty text leaves them.
var told = map[string]func(was *xmlNode, c *x509.Certificate, key crypto.PublicKey) string{
	"X509Certificate":  func(_ *xmlNode, c *x509.Certificate, _ crypto.PublicKey) string { return base64Of(c.Raw) },
	"X509SKI":          func(_ *xmlNode, c *x509.Certificate, _ crypto.PublicKey) string { return base64Of(c.SubjectKeyId) },
	"X509SubjectName":  func(_ *xmlNode, c *x509.Certificate, _ crypto.PublicKey) string { return c.Subject.String() },
	"X509IssuerName":   func(_ *xmlNode, c *x509.Certificate, _ crypto.PublicKey) string { return c.Issuer.String() },
	"X509SerialNumber": func(_ *xmlNode, c *x509.Certificate, _ crypto.PublicKey) string { return c.SerialNumber.String() },
	"Modulus": func(_ *xmlNode, _ *x509.Certificate, key crypto.PublicKey) string {
		if pair, ok := key.(*rsa.PublicKey); ok {
			return base64Of(pair.N.Bytes())
		}
		return ""
	},
	"Exponent": func(_ *xmlNode, _ *x509.Certificate, key crypto.PublicKey) string {
		if pair, ok := key.(*rsa.PublicKey); ok {
			return base64Of(big.NewInt(int64(pair.E)).Bytes())
		}
		return ""
	},
	"BinarySecurityToken": func(was *xmlNode, c *x509.Certificate, _ crypto.PublicKey) string {
		if strings.HasSuffix(was.attribute("ValueType"), "#X509v3") {
			return base64Of(c.Raw)
		}
		return ""
	},
	"KeyIdentifier": func(was *xmlNode, c *x509.Certificate, _ crypto.PublicKey) string {
		switch _, kind, _ := strings.Cut(was.attribute("ValueType"), "#"); kind {
		case "ThumbprintSHA1":
			sum := sha1.Sum(c.Raw)
			return base64Of(sum[:])
		case "X509v3":
			return base64Of(c.Raw)
		case "X509SubjectKeyIdentifier":
			return base64Of(c.SubjectKeyId)
		}
		return ""
	},
}

func base64Of(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
