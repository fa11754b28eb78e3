package sign

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rsa"
	_ "crypto/sha1" //nolint:gosec // what senders use
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"math/big"
	"slices"
	"strings"
)

const (
	namespaceDSig = "http://www.w3.org/2000/09/xmldsig#"
	more          = "http://www.w3.org/2001/04/xmldsig-more#"
	methodIn      = namespaceDSig + "enveloped-signature"
)

// xmlDigests are the methods of DigestMethod.
var xmlDigests = map[string]crypto.Hash{
	namespaceDSig + "sha1": crypto.SHA1, "http://www.w3.org/2001/04/xmlenc#sha256": crypto.SHA256,
	more + "sha384": crypto.SHA384, "http://www.w3.org/2001/04/xmlenc#sha512": crypto.SHA512,
}

// xmlMethods are the methods of SignatureMethod: a kind of key as JWS names it, and a hash.
var xmlMethods = map[string]struct {
	kind string
	hash crypto.Hash
}{
	namespaceDSig + "rsa-sha1": {"RS", crypto.SHA1}, more + "rsa-sha256": {"RS", crypto.SHA256},
	more + "rsa-sha384": {"RS", crypto.SHA384}, more + "rsa-sha512": {"RS", crypto.SHA512},
	more + "ecdsa-sha1": {"ES", crypto.SHA1}, more + "ecdsa-sha256": {"ES", crypto.SHA256},
	more + "ecdsa-sha384": {"ES", crypto.SHA384}, more + "ecdsa-sha512": {"ES", crypto.SHA512},
	namespaceDSig + "hmac-sha1": {"HS", crypto.SHA1}, more + "hmac-sha256": {"HS", crypto.SHA256},
	more + "hmac-sha384": {"HS", crypto.SHA384}, more + "hmac-sha512": {"HS", crypto.SHA512},
}

// XML is the keys with which XML Signatures are made anew.
type XML struct {
	RSA         *rsa.PrivateKey
	EC          func(bits int) *ecdsa.PrivateKey // for curves of 256, 384 and 521 bits
	Secret      []byte                           // for keyed hashes
	Certificate func(key crypto.Signer) (*x509.Certificate, error)
}

// XMLSignature is what became of one signature.
type XMLSignature struct {
	Made bool
	Why  string // it was not made anew
}

// HasXML reports whether a document may hold an XML Signature, or a certificate of one.
func HasXML(doc []byte) bool {
	return bytes.Contains(doc, []byte("SignatureValue")) || bytes.Contains(doc, []byte("X509Certificate"))
}

// Document makes the signatures of a document anew that were right in it: digests, values, and the keys and certificates
// that tell who signed (XML Signature Syntax and Processing 1.1, WS-Security X.509 Token Profile). Was is the document
// that was signed, now what became of it: the same elements with other texts. A signature that was not right, or that
// covers what is not known here, stays as it is in now, and the result says why, in the order of the document. The error
// is about a document as a whole, and holds nothing of it.
func (x XML) Document(was, now []byte) (out []byte, results []XMLSignature, err error) {
	before, err := x.read(was)
	if err != nil {
		return nil, nil, fmt.Errorf("sign XML: %w", err)
	}
	after, err := x.read(now)
	if err != nil {
		return nil, nil, fmt.Errorf("sign XML: %w", err)
	}
	if len(before.all) != len(after.all) {
		return nil, nil, errors.New("sign XML: other elements than were signed")
	}
	for i, n := range before.all {
		if n.name != after.all[i].name {
			return nil, nil, errors.New("sign XML: other elements than were signed")
		}
	}
	results = make([]XMLSignature, 0, len(before.signatures))
	whys := map[int]string{}
	for _, s := range before.signatures {
		if err := before.check(s); err != nil {
			whys[s.at.order] = err.Error()
		}
	}
	after.refer(before)
	after.certify(x, before, whys)
	for _, s := range before.inOrder() {
		if whys[s.at.order] == "" {
			if err := after.sign(x, s.at.order, before.key(s)); err != nil {
				whys[s.at.order] = err.Error()
			}
		}
	}
	for _, s := range before.signatures {
		results = append(results, XMLSignature{whys[s.at.order] == "", whys[s.at.order]})
	}
	for _, n := range before.all {
		if n.is("SignatureValue") && !n.up.is("Signature", namespaceDSig) {
			results = append(results, XMLSignature{Why: "it is not in the namespace of XML Signature"})
		}
	}
	return after.rewritten(), results, nil
}

// signedXML is a document with its signatures, and the texts that are to be put into it.
type signedXML struct {
	source     []byte
	top        *xmlNode
	all        []*xmlNode
	ids        map[string]*xmlNode // nil: two elements have the identity
	signatures []*xmlSignature
	edits      map[int]string // texts of elements by their order
	links      map[int]map[string]string
}

// xmlSignature is a Signature element and what it refers to.
type xmlSignature struct {
	at, info   *xmlNode
	references []*xmlNode
	targets    []*xmlNode // of the references
}

// isXMLID are the attributes that identify an element without a schema.
func isXMLID(name string) bool {
	switch _, local := splitName(name); local {
	case "ID", "Id", "id", "AssertionID", "ResponseID", "RequestID":
		return true
	}
	return false
}

func (XML) read(source []byte) (*signedXML, error) {
	top, all, err := readXML(source)
	if err != nil {
		return nil, err
	}
	d := &signedXML{source: source, top: top, all: all, ids: map[string]*xmlNode{}, edits: map[int]string{}, links: map[int]map[string]string{}}
	for _, n := range all {
		for _, a := range n.attributes {
			if isXMLID(a.name) {
				if _, twice := d.ids[a.value]; twice {
					n = nil
				}
				d.ids[a.value] = n
				break
			}
		}
	}
	for _, n := range all {
		if n.is("Signature", namespaceDSig) {
			s := &xmlSignature{at: n, info: n.child("SignedInfo")}
			s.references = s.info.children("Reference")
			for _, r := range s.references {
				s.targets = append(s.targets, d.target(r))
			}
			d.signatures = append(d.signatures, s)
		}
	}
	return d, nil
}

// target is what a reference is to: the document, one element, or nil.
func (d *signedXML) target(reference *xmlNode) *xmlNode {
	uri := reference.attribute("URI")
	if id, ok := strings.CutPrefix(uri, "#"); ok {
		return d.ids[id]
	}
	if uri == "" && slices.ContainsFunc(reference.attributes, func(a xmlAttribute) bool { return a.name == "URI" }) {
		return d.top
	}
	return nil
}

// inOrder is the signatures with those first that others cover.
func (d *signedXML) inOrder() []*xmlSignature {
	covers := func(s, other *xmlSignature) bool {
		return slices.ContainsFunc(s.targets, func(t *xmlNode) bool { return t != nil && other.at.isWithin(t) })
	}
	var list []*xmlSignature
	for rest := slices.Clone(d.signatures); len(rest) > 0; {
		next := slices.IndexFunc(rest, func(s *xmlSignature) bool {
			return !slices.ContainsFunc(rest, func(other *xmlSignature) bool { return other != s && covers(s, other) })
		})
		next = max(next, 0) // around in a circle: no order is right
		list = append(list, rest[next])
		rest = slices.Delete(rest, next, next+1)
	}
	return list
}

// check says why a signature is not made anew: it was not right, or it is of a kind that is not known.
func (d *signedXML) check(s *xmlSignature) error {
	if s.info == nil || s.at.child("SignatureValue") == nil || len(s.references) == 0 {
		return errors.New("it is not complete")
	}
	for i, r := range s.references {
		sum, err := d.digest(s, i)
		if err != nil {
			return err
		}
		if was, err := unwrapped(r.child("DigestValue").content()); err != nil || !bytes.Equal(was, sum) {
			return errors.New("its digest was not right")
		}
	}
	text, err := s.text()
	if err != nil {
		return err
	}
	return d.verify(s, text)
}

// text is the bytes that are signed.
func (s *xmlSignature) text() ([]byte, error) {
	c, ok := canonicalOf(s.info.child("CanonicalizationMethod"))
	if !ok {
		return nil, errors.New("its method of canonicalization is not known")
	}
	return c.write(s.info, nil), nil
}

// digest is that of what a reference is to.
func (d *signedXML) digest(s *xmlSignature, i int) ([]byte, error) {
	reference, target := s.references[i], s.targets[i]
	if target == nil {
		return nil, errors.New("it covers what is not in the document, or is there twice")
	}
	hash, ok := xmlDigests[reference.child("DigestMethod").attribute("Algorithm")]
	if !ok {
		return nil, errors.New("its method of digests is not known")
	}
	c, omit := canonical{}, (*xmlNode)(nil)
	for _, t := range reference.child("Transforms").children("Transform") {
		if t.attribute("Algorithm") == methodIn {
			omit = s.at
			continue
		}
		if c, ok = canonicalOf(t); !ok {
			return nil, errors.New("it covers something by a transform that is not known")
		}
	}
	c.comments = false // a reference within the document selects none
	return digestOf(hash, c.write(target, omit)), nil
}

// key is the public key that a signature brings along, or nil.
func (d *signedXML) key(s *xmlSignature) crypto.PublicKey {
	var list []*xmlNode
	for _, n := range d.all {
		if n.is("X509Certificate", namespaceDSig) && n.isWithin(s.at) {
			list = append(list, n)
		}
	}
	for _, n := range d.all {
		if n.is("Reference") && n.isWithin(s.at) && !n.is("Reference", namespaceDSig) {
			if token := d.target(n); token != nil && token.is("BinarySecurityToken") {
				list = append(list, token)
			}
		}
	}
	for _, n := range list {
		if der, err := unwrapped(n.content()); err == nil {
			if c, err := x509.ParseCertificate(der); err == nil {
				return c.PublicKey
			}
		}
	}
	return nil
}

// verify checks a value against the key that the signature brings along. One without is taken for right, because its
// digests are.
func (d *signedXML) verify(s *xmlSignature, text []byte) error {
	method := s.info.child("SignatureMethod")
	row, ok := xmlMethods[method.attribute("Algorithm")]
	if !ok || slices.ContainsFunc(method.kids, func(n *xmlNode) bool { return n.kind == xmlElement }) { // such as HMACOutputLength
		return errors.New("its algorithm is not known")
	}
	value, err := unwrapped(s.at.child("SignatureValue").content())
	if err != nil {
		return errors.New("its value is no base64")
	}
	sum := digestOf(row.hash, text)
	right := true
	switch key := d.key(s).(type) {
	case *rsa.PublicKey:
		right = row.kind == "RS" && rsa.VerifyPKCS1v15(key, row.hash, sum, value) == nil
	case *ecdsa.PublicKey:
		half := len(value) / 2
		right = row.kind == "ES" && ecdsa.Verify(key, sum, new(big.Int).SetBytes(value[:half]), new(big.Int).SetBytes(value[half:]))
	}
	if !right {
		return errors.New("it was not right")
	}
	return nil
}

// refer has references follow the identities of the elements that they are to.
func (d *signedXML) refer(before *signedXML) {
	for i, n := range before.all {
		id, ok := strings.CutPrefix(n.attribute("URI"), "#")
		if target := before.ids[id]; ok && target != nil && n.is("Reference") {
			for j, a := range target.attributes {
				if isXMLID(a.name) {
					now := d.all[target.order].attributes[j].value
					d.link(d.all[i], "URI", "#"+now)
				}
			}
		}
	}
	for _, s := range d.signatures { // under their new names
		for i := range s.references {
			was := before.signatureAt(s.at.order).targets[i]
			switch {
			case was == nil:
				s.targets[i] = nil
			case was.up == nil:
				s.targets[i] = d.top
			default:
				s.targets[i] = d.all[was.order]
			}
		}
	}
}

func (d *signedXML) signatureAt(order int) *xmlSignature {
	i := slices.IndexFunc(d.signatures, func(s *xmlSignature) bool { return s.at.order == order })
	return d.signatures[i]
}

// link puts another value into an attribute.
func (d *signedXML) link(n *xmlNode, name, value string) {
	for i := range n.attributes {
		if n.attributes[i].name == name {
			n.attributes[i].value = value
			if d.links[n.order] == nil {
				d.links[n.order] = map[string]string{}
			}
			d.links[n.order][name] = value
		}
	}
}

// put puts another text into an element.
func (d *signedXML) put(n *xmlNode, text string) {
	n.kids = []*xmlNode{{kind: xmlText, text: text, up: n}}
	d.edits[n.order] = text
}

// sign makes a signature anew; public is the key with which it was made.
func (d *signedXML) sign(x XML, order int, public crypto.PublicKey) error {
	s := d.signatureAt(order)
	for i, r := range s.references {
		sum, err := d.digest(s, i)
		if err != nil {
			return err
		}
		d.put(r.child("DigestValue"), base64.StdEncoding.EncodeToString(sum))
	}
	text, err := s.text()
	if err != nil {
		return err
	}
	method := xmlMethods[s.info.child("SignatureMethod").attribute("Algorithm")]
	value, err := x.value(method.kind, public, method.hash, text)
	if err != nil {
		return err
	}
	at := s.at.child("SignatureValue")
	d.put(at, likeLines(at.content(), base64.StdEncoding.EncodeToString(value)))
	return nil
}

func (x XML) value(kind string, public crypto.PublicKey, hash crypto.Hash, text []byte) ([]byte, error) {
	switch kind {
	case "RS":
		return signRSA(x.RSA, hash, nil, text)
	case "ES":
		return signEC(x.EC(bitsOf(public)), hash, nil, text)
	}
	mac := hmac.New(hash.New, x.Secret)
	mac.Write(text)
	return mac.Sum(nil), nil
}

// bitsOf is the size of a curve; without a key the usual one.
func bitsOf(public crypto.PublicKey) int {
	if key, ok := public.(*ecdsa.PublicKey); ok && key.Params().BitSize != 224 {
		return key.Params().BitSize
	}
	return 256
}

// unwrapped is base64 in lines, as bytes.
func unwrapped(text string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
}

// likeLines breaks a text as another one is broken, and keeps what stands around that.
func likeLines(was, text string) string {
	const blanks = " \t\r\n"
	inner := strings.Trim(was, blanks)
	front, back := "", ""
	if inner != "" {
		front, back, _ = strings.Cut(was, inner)
	}
	size := strings.IndexAny(inner, blanks)
	if size <= 0 {
		return front + text + back
	}
	rest := inner[size:]
	between := rest[:len(rest)-len(strings.TrimLeft(rest, blanks))]
	var lines []string
	for line := range slices.Chunk([]byte(text), size) {
		lines = append(lines, string(line))
	}
	return front + strings.Join(lines, between) + back
}

// rewritten is the source with the new texts and values.
func (d *signedXML) rewritten() []byte {
	type piece struct {
		from, to int
		text     string
	}
	var pieces []piece
	for order, text := range d.edits {
		n := d.all[order]
		pieces = append(pieces, piece{n.inner, n.end, html.EscapeString(text)})
	}
	for order, values := range d.links {
		for _, a := range d.all[order].attributes {
			if value, ok := values[a.name]; ok {
				pieces = append(pieces, piece{a.at, a.to, html.EscapeString(value)})
			}
		}
	}
	slices.SortFunc(pieces, func(a, b piece) int { return cmp.Compare(a.from, b.from) })
	var out []byte
	done := 0
	for _, p := range pieces {
		out = append(append(out, d.source[done:p.from]...), p.text...)
		done = p.to
	}
	return append(out, d.source[done:]...)
}
