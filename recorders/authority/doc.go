// Package authority is the certificate authority of this installation: it lets a tap or a mock speak TLS to clients that
// were told to trust it, and nothing else.
//
// Each installation makes a key of its own, on first use, readable by its owner only; none is shipped. The certificate
// of the authority may sign for no other authority (path length 0) and, by its critical name constraints, only for the
// hosts that were named: a client that trusts it trusts it for them and nobody else. It ends after [Lifetime], the
// certificates that it signs after [LeafLifetime]; a successor with a new key is made when less than [renewBefore] is
// left, and a successor with the same key when a host is added. Either must be trusted anew. Nothing here touches the
// trust store of the system.
//
// A name constraint on a DNS name covers the names below it as well (RFC 5280 section 4.2.1.10).
package authority
