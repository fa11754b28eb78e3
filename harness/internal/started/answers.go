package started

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

// Answers reports whether a server answers now at the address, host:port: below status 500 to the path, or, without a path,
// by accepting a connection. It takes at most a second.
func Answers(ctx context.Context, address, path string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	dialer := &net.Dialer{}
	if path == "" {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return false
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	io.CopyN(io.Discard, response.Body, 64<<10) //nolint:errcheck // the status decides
	return response.StatusCode < http.StatusInternalServerError
}
