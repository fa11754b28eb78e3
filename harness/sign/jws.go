package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	_ "crypto/sha256" // hash of the table
	_ "crypto/sha512" // hash of the table
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// algorithm is one row of the table of algorithms of RFC 7518 and RFC 8037.
type algorithm struct {
	hash crypto.Hash
	sign func(key any, hash crypto.Hash, salt io.Reader, text []byte) ([]byte, error)
}

var algorithms = map[string]algorithm{
	"HS256": {crypto.SHA256, signHMAC}, "HS384": {crypto.SHA384, signHMAC}, "HS512": {crypto.SHA512, signHMAC},
	"RS256": {crypto.SHA256, signRSA}, "RS384": {crypto.SHA384, signRSA}, "RS512": {crypto.SHA512, signRSA},
	"PS256": {crypto.SHA256, signPSS}, "PS384": {crypto.SHA384, signPSS}, "PS512": {crypto.SHA512, signPSS},
	"ES256": {crypto.SHA256, signEC}, "ES384": {crypto.SHA384, signEC}, "ES512": {crypto.SHA512, signEC},
	"EdDSA": {0, signEd25519},
}

// IsAlgorithm reports whether JWS knows an algorithm.
func IsAlgorithm(name string) bool { _, ok := algorithms[name]; return ok }

// JWS is the signature of a text by an algorithm of JSON Web Signature, as bytes. The key is a []byte for HS…, an
// *rsa.PrivateKey for RS… and PS…, an *ecdsa.PrivateKey for ES…, an ed25519.PrivateKey for EdDSA. Salt is read for PS…
// only; all others sign the same text alike.
func JWS(name string, key any, salt io.Reader, text []byte) ([]byte, error) {
	a, ok := algorithms[name]
	if !ok {
		return nil, fmt.Errorf("sign: no algorithm %q", name)
	}
	sum, err := a.sign(key, a.hash, salt, text)
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", name, err)
	}
	return sum, nil
}

// errKey is a key of another kind.
var errKey = errors.New("the key is of another kind")

func signHMAC(key any, hash crypto.Hash, _ io.Reader, text []byte) ([]byte, error) {
	secret, ok := key.([]byte)
	if !ok {
		return nil, errKey
	}
	mac := hmac.New(hash.New, secret)
	mac.Write(text)
	return mac.Sum(nil), nil
}

func digestOf(hash crypto.Hash, text []byte) []byte {
	h := hash.New()
	h.Write(text)
	return h.Sum(nil)
}

func signRSA(key any, hash crypto.Hash, _ io.Reader, text []byte) ([]byte, error) {
	pair, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errKey
	}
	return rsa.SignPKCS1v15(nil, pair, hash, digestOf(hash, text))
}

func signPSS(key any, hash crypto.Hash, salt io.Reader, text []byte) ([]byte, error) {
	pair, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errKey
	}
	return rsa.SignPSS(salt, pair, hash, digestOf(hash, text), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
}

// signEC signs by RFC 6979 and writes both numbers in full length.
func signEC(key any, hash crypto.Hash, _ io.Reader, text []byte) ([]byte, error) {
	pair, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errKey
	}
	der, err := pair.Sign(nil, digestOf(hash, text), hash)
	if err != nil {
		return nil, err
	}
	var numbers struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &numbers); err != nil {
		return nil, err
	}
	size := (pair.Params().BitSize + 7) / 8
	out := make([]byte, 2*size)
	numbers.R.FillBytes(out[:size])
	numbers.S.FillBytes(out[size:])
	return out, nil
}

func signEd25519(key any, _ crypto.Hash, _ io.Reader, text []byte) ([]byte, error) {
	pair, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, errKey
	}
	return ed25519.Sign(pair, text), nil
}
