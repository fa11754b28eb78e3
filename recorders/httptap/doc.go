// Package httptap records HTTP traffic: as a reverse proxy in front of one upstream, as a forward proxy, and inside of Go
// programs.
//
// # What the client notices
//
// Nothing but the address. Every piece of an answer is passed on and flushed as it arrives, so a server-sent event does
// not wait for the next one; bodies are copied aside while they pass. Content encodings are neither asked for nor
// undone: gzip stays gzip. No X-Forwarded field is added unless [Tap.AddForwarded] says so, an absent User-Agent stays
// absent, an absent Date or Content-Type of an answer too. Fields of one hop (Connection and what it names, Keep-Alive,
// Transfer-Encoding and so on) end at the tap, as RFC 9110 section 7.6.1 demands. net/http sorts the fields that it
// sends; their case and their duplicates are kept. An upstream that breaks breaks the client too: an answer that was
// cut never ends cleanly. Where there is no answer, the tap gives one, with the kind of fault in X-Rehearse-Fault.
//
// With [Tap.Secure] clients speak TLS, HTTP/2 or HTTP/1.1. An upstream is spoken to as the client speaks, as far as it
// knows that version. TLS is undone below net/http, which sees plain connections on both sides.
//
// # What is recorded
//
// The head of a request as it came from the client, and the head of an answer as it came from the upstream: pseudo-fields
// first, then order, case and duplicates of the wire, hop-by-hop fields included; of HTTP/2 the pseudo-fields of the wire
// in their order. net/http keeps none of that, so the tap reads the heads from the connections themselves ([net.Conn] of
// the listener and of the transport) and holds each against net/http's own reading. Where the two disagree, or where
// there is no connection to read (a [Tap.Handler] inside another server, a [Tap.Transport] that is not an
// [http.Transport], more than 512 fields), net/http's view is recorded instead: canonical case, sorted by name,
// duplicates in order. Requests beside one another on one connection of HTTP/2 are told apart by what they say; of two
// that are equal but for the order of their fields, either may get the head of the other.
//
// Of a connection to the upstream that speaks TLS, the head of the answer also holds the version and cipher, and the
// SHA-256 and the end of the upstream's certificate.
//
// Bodies are recorded after the transfer coding (chunks) and before the content coding (gzip) is undone. Trailer fields
// stand at the end of the head, after [harness.FieldTrailer]. Of answers that stream (events, lines of JSON, gRPC) the head
// holds when each piece came, in [harness.FieldArrivals]; what is compared does not heed it. Informational answers (1xx)
// pass; the head of the answer that they announce holds their statuses, in [harness.FieldInterim], 100 left aside, and the
// moments of all of them. Their own fields are not recorded.
//
// The messages of a web socket (RFC 6455) are exchanges of [harness.ChannelMessage]: frames put together, in the direction
// and at the moment in which they crossed, the path as topic. What crossed compressed (RFC 7692) is recorded unpacked,
// for it may refer to messages before it. Pings and pongs are not recorded. Of a switch to another protocol the two heads
// are recorded, with a Fault of kind truncated, because what crosses afterwards is not.
//
// # When it is recorded
//
// An exchange is put into the sink before the client sees the end of its answer: what the client has, the sink has. An
// exchange is whole only when both bodies ended cleanly; everything else carries a Fault. If the sink refuses an
// exchange, the client's traffic goes on, the exchange is counted as dropped, and [Tap.Err] tells. Requests that net/http
// refuses before they reach the upstream, and TLS handshakes of clients that fail, are counted as dropped too. What a
// [Filter] leaves out, and the tunnels of a [Proxy] that are not opened, pass and are counted by [Tap.LeftOut], and by
// reason in the manifest.
//
// Memory: each exchange in flight holds at most 1 MiB of each body and its heads, at most 1 MiB each. A longer body, up to
// [Tap.MaxBody], is held in a file without a name, encrypted under a key that only this process knows. A message of a web
// socket is held in memory, up to [Tap.MaxBody].
package httptap
