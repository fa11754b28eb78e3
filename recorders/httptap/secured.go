package httptap

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// secured is how the connection to the upstream is secured, so that another certificate or cipher is seen before it
// breaks something; nothing on plain connections.
func (x *exchange) secured(resp *http.Response) harness.Head {
	if own := x.carrier.state(); own != nil {
		return securedState(own)
	}
	return securedState(resp.TLS)
}

// securedState is what a state of TLS says; nothing when there is none.
func securedState(state *tls.ConnectionState) harness.Head {
	if state == nil {
		return nil
	}
	h := harness.Head{{Name: harness.FieldTLS, Value: tls.VersionName(state.Version) + " " + tls.CipherSuiteName(state.CipherSuite)}}
	if len(state.PeerCertificates) == 0 {
		return h
	}
	leaf := state.PeerCertificates[0]
	sum := sha256.Sum256(leaf.Raw)
	return append(h,
		harness.Field{Name: harness.FieldCert, Value: hex.EncodeToString(sum[:])},
		harness.Field{Name: harness.FieldCertEnd, Value: leaf.NotAfter.UTC().Format(time.RFC3339)})
}
