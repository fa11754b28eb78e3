package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Lives of certificates.
const (
	Lifetime     = 30 * 24 * time.Hour
	LeafLifetime = 7 * 24 * time.Hour
	renewBefore  = 3 * 24 * time.Hour
	backdated    = time.Hour // for clocks of clients that are behind
)

// organization is the subject of every certificate.
const organization = "Rehearse"

// maxLeaves is the most certificates that are kept; one more makes room for itself.
const maxLeaves = 1024

// local are the hosts that every authority may sign for: a tap is reached by them.
var local = []string{"127.0.0.1", "::1", "localhost"}

// Authority signs certificates for the hosts that it is limited to. It is safe for concurrent use.
type Authority struct {
	File string // its certificate, PEM: what clients are told to trust

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  func() time.Time

	mu      sync.Mutex
	leafKey *ecdsa.PrivateKey
	leaves  map[string]*tls.Certificate
}

// Certificate is the authority's own.
func (a *Authority) Certificate() *x509.Certificate { return a.cert }

// Fingerprint is the SHA-256 of the authority's certificate, hexadecimal.
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.cert.Raw)
	return hex.EncodeToString(sum[:])
}

// Hosts are the names and addresses that it may sign for, sorted.
func (a *Authority) Hosts() []string {
	hosts := slices.Clone(a.cert.PermittedDNSDomains)
	for _, r := range a.cert.PermittedIPRanges {
		hosts = append(hosts, r.IP.String())
	}
	slices.Sort(hosts)
	return hosts
}

// covers reports whether it may sign for the host.
func (a *Authority) covers(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return slices.ContainsFunc(a.cert.PermittedIPRanges, func(r *net.IPNet) bool { return r.Contains(ip) })
	}
	return slices.ContainsFunc(a.cert.PermittedDNSDomains, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
}

// Config is what a server needs to speak TLS: HTTP/2 and HTTP/1.1, with a certificate for the name that the client asks
// for, or for the address that it came to when it asks for none.
func (a *Authority) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			host := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
			if host == "" {
				addr, _, err := net.SplitHostPort(hello.Conn.LocalAddr().String())
				if err != nil {
					return nil, err
				}
				host = addr
			}
			return a.Leaf(host)
		},
	}
}

// Leaf is a certificate for the host. A host that the authority is not limited to is an error.
func (a *Authority) Leaf(host string) (*tls.Certificate, error) {
	if !a.covers(host) {
		return nil, fmt.Errorf("sign a certificate for %q: the authority is limited to %s", host, strings.Join(a.Hosts(), ", "))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if leaf := a.leaves[host]; leaf != nil && now.Add(renewBefore).Before(leaf.Leaf.NotAfter) {
		return leaf, nil
	}
	leaf, err := a.sign(host, now)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate for %q: %w", host, err)
	}
	if a.leaves == nil || len(a.leaves) >= maxLeaves {
		a.leaves = map[string]*tls.Certificate{}
	}
	a.leaves[host] = leaf
	return leaf, nil
}

// sign makes a certificate for one host, under a key that lives as long as the process.
func (a *Authority) sign(host string, now time.Time) (*tls.Certificate, error) {
	if a.leafKey == nil {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		a.leafKey = key
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{Organization: []string{organization}}, // no common name: OpenSSL takes the one "127.0.0.1" for a DNS name
		NotBefore:    now.Add(-backdated),
		NotAfter:     earlier(now.Add(LeafLifetime-backdated), a.cert.NotAfter),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	names := []string{host}
	if net.ParseIP(host) != nil || host == "localhost" { // Java asks for no name of one label, and no client asks for an address
		names = append(names, local...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &a.leafKey.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: a.leafKey, Leaf: parsed}, nil
}

// issue makes the authority's own certificate for the hosts.
func issue(key *ecdsa.PrivateKey, hosts []string, now time.Time) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber:                serial(),
		Subject:                     pkix.Name{CommonName: "Rehearse on this machine only, " + now.UTC().Format(time.DateOnly), Organization: []string{organization}},
		NotBefore:                   now.Add(-backdated),
		NotAfter:                    now.Add(Lifetime - backdated),
		KeyUsage:                    x509.KeyUsageCertSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true,
	}
	for _, host := range hosts {
		ip := net.ParseIP(host)
		switch {
		case ip == nil:
			template.PermittedDNSDomains = append(template.PermittedDNSDomains, host)
		case ip.To4() != nil:
			template.PermittedIPRanges = append(template.PermittedIPRanges, &net.IPNet{IP: ip.To4(), Mask: net.CIDRMask(32, 32)})
		default:
			template.PermittedIPRanges = append(template.PermittedIPRanges, &net.IPNet{IP: ip, Mask: net.CIDRMask(128, 128)})
		}
	}
	return x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
}

// canonical checks hosts and brings them into one form: lower case, without a port, each once, the local ones among
// them. A leading "*." is dropped, for a constraint covers the names below it.
func canonical(hosts []string) ([]string, error) {
	all := slices.Clone(local)
	for _, given := range hosts {
		host := strings.ToLower(strings.TrimPrefix(strings.TrimSuffix(given, "."), "*."))
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		host = strings.Trim(host, "[]")
		if ip := net.ParseIP(host); ip != nil {
			host = ip.String()
		} else if host == "" || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-._") != "" || !strings.ContainsAny(host, "abcdefghijklmnopqrstuvwxyz") {
			return nil, harness.Usage(fmt.Errorf("limit the authority to %q: not the name or address of a host", given), "write it as api.vendor.example; names beyond ASCII in their xn-- form")
		}
		all = append(all, host)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// serial draws a serial number of 127 bits.
func serial() *big.Int {
	b := make([]byte, 16)
	rand.Read(b) //nolint:errcheck // never fails since Go 1.24
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// errNone is the cause when there is no authority yet.
var errNone = errors.New("there is none yet")
