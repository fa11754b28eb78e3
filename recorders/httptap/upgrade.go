package httptap

import (
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
)

// tunnel passes a protocol switch: the answer's head, and then bytes in both directions until one side ends or the
// recorder stops. The exchange is put before the client sees the switch. The messages of a web socket are recorded as
// they cross; of another protocol nothing is.
func (x *exchange) tunnel(resp *http.Response) {
	raw, _ := x.note(resp)
	upstream, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		x.refuse(io.ErrUnexpectedEOF)
		return
	}
	if isWebSocket(resp) {
		x.finish(nil)
	} else {
		x.finish(&harness.Fault{Kind: harness.FaultTruncated, Detail: "the connection switched to " + upgrade(resp.Header) + "; what crossed afterwards is not recorded"})
	}
	if c := clientConnOf(x.r); c != nil {
		c.leave()
	}
	client, buffered, err := x.ctl.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	end := sync.OnceFunc(func() {
		client.Close()   //nolint:errcheck // both ends are done
		upstream.Close() //nolint:errcheck // it ends either way
	})
	defer end()
	defer context.AfterFunc(x.r.Context(), end)()
	head := &http.Response{StatusCode: resp.StatusCode, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}}
	passOn(head.Header, raw, resp.Header)
	head.Header.Set("Connection", "Upgrade")
	head.Header.Set("Upgrade", resp.Header.Get("Upgrade"))
	if head.Write(buffered) != nil || buffered.Flush() != nil {
		return
	}
	var fromClient, fromUpstream io.Reader = buffered, upstream
	if isWebSocket(resp) {
		s := newSocket(x, resp)
		fromClient, fromUpstream = s.follow(buffered, x.rec.From, x.rec.To), s.follow(upstream, x.rec.To, x.rec.From)
	}
	var both sync.WaitGroup
	both.Go(func() { defer end(); io.Copy(upstream, fromClient) }) //nolint:errcheck // an end of either side ends both
	both.Go(func() { defer end(); io.Copy(client, fromUpstream) }) //nolint:errcheck // the tunnel ends either way
	both.Wait()
}
