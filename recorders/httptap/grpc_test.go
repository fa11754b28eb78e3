package httptap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	pb "google.golang.org/grpc/interop/grpc_testing"
	fields "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
)

// rosters is a gRPC service of the four kinds of calls.
type rosters struct {
	pb.UnimplementedTestServiceServer
	unanswered chan struct{} // takes each call that nobody answers
}

func payloadOf(text string) *pb.Payload { return &pb.Payload{Body: []byte(text)} }

func (r rosters) EmptyCall(ctx context.Context, _ *pb.Empty) (*pb.Empty, error) {
	r.unanswered <- struct{}{}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (rosters) UnaryCall(ctx context.Context, r *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	grpc.SetHeader(ctx, fields.Pairs("x-term", "2026-FALL"))                   //nolint:errcheck // the client sees it
	grpc.SetTrailer(ctx, fields.Pairs("x-rows", "2", "x-raw-bin", "\x00\xff")) //nolint:errcheck // the client sees it
	if s := r.GetResponseStatus(); s != nil {
		return nil, status.Error(codes.Code(s.GetCode()), s.GetMessage())
	}
	return &pb.SimpleResponse{Payload: payloadOf("for " + string(r.GetPayload().GetBody()))}, nil
}

func (rosters) StreamingOutputCall(r *pb.StreamingOutputCallRequest, out grpc.ServerStreamingServer[pb.StreamingOutputCallResponse]) error {
	for _, p := range r.GetResponseParameters() {
		if err := out.Send(&pb.StreamingOutputCallResponse{Payload: payloadOf(strings.Repeat("s", int(p.GetSize())))}); err != nil {
			return err
		}
	}
	if s := r.GetResponseStatus(); s != nil {
		return status.Error(codes.Code(s.GetCode()), s.GetMessage())
	}
	return nil
}

func (rosters) StreamingInputCall(in grpc.ClientStreamingServer[pb.StreamingInputCallRequest, pb.StreamingInputCallResponse]) error {
	size := 0
	for {
		r, err := in.Recv()
		if errors.Is(err, io.EOF) {
			return in.SendAndClose(&pb.StreamingInputCallResponse{AggregatedPayloadSize: int32(size)})
		}
		if err != nil {
			return err
		}
		size += len(r.GetPayload().GetBody())
	}
}

func (rosters) FullDuplexCall(both grpc.BidiStreamingServer[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse]) error {
	for {
		r, err := both.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = both.Send(&pb.StreamingOutputCallResponse{Payload: payloadOf("heard " + string(r.GetPayload().GetBody()))})
		}
		if err != nil {
			return err
		}
	}
}

// grpcServer serves the rosters over TLS, and returns its URL and who trusts it.
func grpcServer(t *testing.T, r rosters) (url string, pool *x509.CertPool) {
	t.Helper()
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	t.Cleanup(certified.Close)
	pool = x509.NewCertPool()
	pool.AddCert(certified.Certificate())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&certified.TLS.Certificates[0])))
	pb.RegisterTestServiceServer(s, r)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ln) }()
	t.Cleanup(func() { s.Stop(); <-ended })
	return "https://" + ln.Addr().String(), pool
}

func grpcClient(t *testing.T, url string, pool *x509.CertPool) pb.TestServiceClient {
	t.Helper()
	conn, err := grpc.NewClient(strings.TrimPrefix(url, "https://"), grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(pool, "")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return pb.NewTestServiceClient(conn)
}

// conversation makes calls of the four kinds, each of which says all it has to say before it listens, and tells what was
// heard.
func conversation(t *testing.T, c pb.TestServiceClient) (heard []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tell := func(what string, err error) {
		heard = append(heard, fmt.Sprintf("%s | %v %q", what, status.Code(err), status.Convert(err).Message()))
	}
	var head, trailer fields.MD
	r, err := c.UnaryCall(ctx, &pb.SimpleRequest{Payload: payloadOf("H00000109")}, grpc.Header(&head), grpc.Trailer(&trailer))
	tell(fmt.Sprintf("unary %s, %q, %q %q", r.GetPayload().GetBody(), head["x-term"], trailer["x-rows"], trailer["x-raw-bin"]), err)
	_, err = c.UnaryCall(ctx, &pb.SimpleRequest{ResponseStatus: &pb.EchoStatus{Code: int32(codes.FailedPrecondition), Message: "term is closed: año 2026 %"}})
	tell("refused", err)
	out, err := c.StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{
		ResponseParameters: []*pb.ResponseParameters{{Size: 3}, {Size: 70_000}, {Size: 1}}, ResponseStatus: &pb.EchoStatus{Code: int32(codes.Aborted), Message: "half of it"}})
	if err != nil {
		t.Fatal(err)
	}
	for err = error(nil); err == nil; {
		var m *pb.StreamingOutputCallResponse
		m, err = out.Recv()
		tell(fmt.Sprintf("streamed %d", len(m.GetPayload().GetBody())), err)
	}
	in, err := c.StreamingInputCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"a", "bc", "def"} {
		if err := in.Send(&pb.StreamingInputCallRequest{Payload: payloadOf(text)}); err != nil {
			t.Fatal(err)
		}
	}
	sum, err := in.CloseAndRecv()
	tell(fmt.Sprintf("summed %d", sum.GetAggregatedPayloadSize()), err)
	both, err := c.FullDuplexCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two"} {
		if err := both.Send(&pb.StreamingOutputCallRequest{Payload: payloadOf(text)}); err != nil {
			t.Fatal(err)
		}
	}
	both.CloseSend() //nolint:errcheck // never fails
	for err = error(nil); err == nil; {
		var m *pb.StreamingOutputCallResponse
		m, err = both.Recv()
		tell(fmt.Sprintf("both ways %s", m.GetPayload().GetBody()), err)
	}
	return heard
}

func grpcTap(t *testing.T, r rosters) (rec recording, tapped pb.TestServiceClient, direct pb.TestServiceClient) {
	t.Helper()
	origin, pool := grpcServer(t, r)
	a, trust := authorityOfTests(t)
	rec = record(t, origin, func(tap *Tap) {
		tap.Secure = a.Config()
		tap.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	})
	return rec, grpcClient(t, strings.Replace(rec.url, "http://", "https://", 1), trust), grpcClient(t, origin, pool)
}

func TestGRPCPassesIsRecordedAndIsAnsweredFromTheRecording(t *testing.T) {
	rec, tapped, direct := grpcTap(t, rosters{})
	want := conversation(t, direct)
	if d := cmp.Diff(want, conversation(t, tapped)); d != "" {
		t.Errorf("through the tap: %s", d)
	}
	if err := rec.stop(); err != nil {
		t.Fatal(err)
	}
	xs, err := harness.Collect(rec.sink)
	if err != nil || len(xs) != 5 {
		t.Fatalf("%d exchanges: %v", len(xs), err)
	}
	for _, x := range xs {
		wantFault(t, x, "")
		if _, trailer := x.Response.Head.CutTrailer(); x.Response.Media != "application/grpc" || !trailer.Has("grpc-status") && !x.Response.Head.Has("grpc-status") {
			t.Errorf("%s: %s, %v", x.Operation(), x.Response.Media, x.Response.Head)
		}
	}
	m, err := mock.New(rec.sink, mock.Options{Repeat: mock.RepeatNever})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(m)
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	if d := cmp.Diff(want, conversation(t, grpcClient(t, s.URL, pool))); d != "" {
		t.Errorf("from the recording: %s\n%v", d, m.Misses())
	}
}

func TestGRPCMessagesPassOneByOneInBothDirections(t *testing.T) {
	rec, tapped, _ := grpcTap(t, rosters{})
	both, err := tapped.FullDuplexCall(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two", "three"} {
		if err := both.Send(&pb.StreamingOutputCallRequest{Payload: payloadOf(text)}); err != nil {
			t.Fatal(err)
		}
		m, err := both.Recv() // before the next one is sent
		if err != nil || string(m.GetPayload().GetBody()) != "heard "+text {
			t.Fatalf("heard %v: %v", m, err)
		}
	}
	both.CloseSend() //nolint:errcheck // never fails
	if _, err := both.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("end: %v", err)
	}
	if x := rec.only(t); x.Fault != nil || len(strings.Fields(x.Response.Head.Get(harness.FieldArrivals))) != 3 {
		t.Errorf("fault %v, moments %q", x.Fault, x.Response.Head.Get(harness.FieldArrivals))
	}
}

// impatient is the context of a client that says it will wait for another minute and gives up before: with a deadline that
// both sides know, the server may be the first to hang up.
type impatient struct {
	context.Context
	gaveUp chan struct{}
}

func (i impatient) Deadline() (time.Time, bool) { return time.Now().Add(time.Minute), true }

func (i impatient) Done() <-chan struct{} { return i.gaveUp }

func (i impatient) Err() error {
	select {
	case <-i.gaveUp:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestGRPCDeadlineThatPassesIsRecordedAsFault(t *testing.T) {
	unanswered := make(chan struct{})
	rec, tapped, _ := grpcTap(t, rosters{unanswered: unanswered})
	ctx := impatient{t.Context(), make(chan struct{})}
	go func() {
		<-unanswered
		close(ctx.gaveUp)
	}()
	if _, err := tapped.EmptyCall(ctx, &pb.Empty{}); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
	x := rec.exchanges(t, 1)[0]
	wantFault(t, x, harness.FaultClientGone)
	if x.Request.Head.Get("grpc-timeout") == "" {
		t.Errorf("head %v", x.Request.Head)
	}
}
