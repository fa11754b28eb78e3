package httptap

import (
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// hopByHop are the fields that end at each hop. RFC 9110 section 7.6.1.
var hopByHop = map[string]bool{
	"Connection": true, "Proxy-Connection": true, "Keep-Alive": true, "Proxy-Authenticate": true, "Proxy-Authorization": true,
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// canonical are the fields that net/http looks up by their canonical name when it writes a message.
var canonical = map[string]bool{
	"Host": true, "Content-Length": true, "Content-Type": true, "Date": true, "User-Agent": true, "Expect": true,
	"Range": true, "Accept-Encoding": true, "Content-Encoding": true,
}

// passOn copies the fields of a message that are for the other end: from raw in the case of the wire, without raw from
// net/http's view.
func passOn(dst http.Header, raw harness.Head, parsed http.Header) {
	named := namedByConnection(parsed)
	if raw == nil {
		for name, values := range parsed {
			if !hopByHop[name] && !named[name] {
				dst[name] = append(dst[name], values...)
			}
		}
		return
	}
	for _, f := range raw {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		if f.IsPseudo() || hopByHop[name] || named[name] || name == "Host" || name == "Content-Length" || name == "Cookie" {
			continue
		}
		if !canonical[name] {
			name = f.Name
		}
		dst[name] = append(dst[name], f.Value)
	}
	for _, name := range [...]string{"Content-Length", "Cookie"} { // HTTP/2 cuts cookies into crumbs, HTTP/1 does not: RFC 9113 section 8.2.3
		if values := parsed[name]; values != nil && !named[name] {
			dst[name] = values
		}
	}
}

// namedByConnection are the fields that Connection declares as hop-by-hop.
func namedByConnection(h http.Header) map[string]bool {
	var named map[string]bool
	for _, v := range h["Connection"] {
		for name := range strings.SplitSeq(v, ",") {
			if name = textproto.TrimString(name); name != "" {
				if named == nil {
					named = map[string]bool{}
				}
				named[textproto.CanonicalMIMEHeaderKey(name)] = true
			}
		}
	}
	return named
}

// upgrade is the protocol that a message switches to, empty for none.
func upgrade(h http.Header) string {
	if namedByConnection(h)["Upgrade"] {
		return h.Get("Upgrade")
	}
	return ""
}

// outbound is the request as the upstream gets it.
func (x *exchange) outbound(ctx context.Context) *http.Request {
	t, r := x.tap, x.r
	h := make(http.Header, len(r.Header)+1)
	var raw harness.Head
	if t.lane.own() {
		raw = x.raw
	}
	passOn(h, raw, r.Header)
	if _, sent := h["User-Agent"]; !sent {
		h["User-Agent"] = nil // or net/http sends its own
	}
	for _, v := range r.Header["Te"] {
		if strings.EqualFold(textproto.TrimString(v), "trailers") {
			h.Set("Te", "trailers")
		}
	}
	if protocol := upgrade(r.Header); protocol != "" {
		h.Set("Connection", "Upgrade")
		h.Set("Upgrade", protocol)
	}
	if t.AddForwarded {
		addForwarded(h, r)
	}
	out := &http.Request{
		Method: r.Method, URL: target(x.to, r), Host: x.to.Host, Header: h,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: r.ContentLength, Trailer: r.Trailer, // filled when the body ends
	}
	if t.KeepHost || t.Proxy != nil {
		out.Host = r.Host
	}
	if x.body != nil {
		out.Body = x.body
	}
	return out.WithContext(httptrace.WithClientTrace(ctx, x.trace()))
}

// target is the URL of the upstream for the request target, byte for byte as the client sent it.
func target(upstream *url.URL, r *http.Request) *url.URL {
	u := &url.URL{Scheme: upstream.Scheme, Host: upstream.Host}
	prefix := strings.TrimSuffix(upstream.EscapedPath(), "/")
	want := r.RequestURI
	switch {
	case want == "*":
		u.Path = "*"
		return u
	case !strings.HasPrefix(want, "/"): // absolute form, as sent to a proxy
		want = r.URL.RequestURI()
	}
	want = prefix + want
	path, query, has := strings.Cut(want, "?")
	u.RawQuery, u.ForceQuery = query, has
	if decoded, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = decoded, path
	}
	if u.RequestURI() != want && !strings.HasPrefix(path, "//") {
		u.Opaque = path // net/url would escape it in another way
	}
	return u
}

func addForwarded(h http.Header, r *http.Request) {
	if ip, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		h.Set("X-Forwarded-For", strings.Join(append(h.Values("X-Forwarded-For"), ip), ", "))
	}
	h.Set("X-Forwarded-Host", r.Host)
	proto := "http"
	if c := clientConnOf(r); r.TLS != nil || c != nil && c.secure != nil {
		proto = "https"
	}
	h.Set("X-Forwarded-Proto", proto)
}
