package recorders_test

import (
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// oddExchanges hold what is hard to carry: repeated and empty fields, binary and packed bodies, texts that look like
// something else, faults, a file, calls that are alike.
func oddExchanges() []harness.Exchange {
	zipped, err := payload.Pack("gzip", []byte(`{"id":"H00000417"}`))
	if err != nil {
		panic(err)
	}
	at := time.Date(2026, 3, 2, 6, 30, 0, 250e6, time.UTC)
	var xs []harness.Exchange
	add := func(method, path, sent string, head harness.Head, status, got string, answer harness.Head, fault *harness.Fault) {
		x := harness.Exchange{
			ID: harness.SequenceID(len(xs) + 1), Session: "night/run 1.har", Channel: harness.ChannelHTTP, From: "hubline", To: "crm", At: at, Took: 1234567 * time.Nanosecond,
			Request: message(append(harness.Head{{Name: ":method", Value: method}, {Name: ":path", Value: path}, {Name: ":proto", Value: "HTTP/1.1"}, {Name: "host", Value: "crm.hlu.example:8443"}}, head...), sent),
			Fault:   fault,
		}
		if status != "" {
			x.Response = message(append(harness.Head{{Name: ":status", Value: status}, {Name: ":proto", Value: "HTTP/2"}, {Name: ":tls", Value: "TLS 1.3"}}, answer...), got)
		}
		at = at.Add(time.Second)
		xs = append(xs, x)
	}
	json := harness.Head{{Name: "Content-Type", Value: "application/json"}}
	add("GET", "/a?b=2&a=1&a=x%20y&c", "", harness.Head{{Name: "X-Twice", Value: "1"}, {Name: "Accept", Value: "*/*"}, {Name: "x-twice", Value: "2"}, {Name: "X-Empty", Value: ""}}, "200", `{"n": 1.0, "t": "<&>\u2028"}`, json, nil)
	add("POST", "/binary", "\x00\x01\xff'\"", json, "201", "\x89PNG\r\n\x1a\n", harness.Head{{Name: "Content-Type", Value: "image/png"}, {Name: "Set-Cookie", Value: "a=b"}, {Name: "Set-Cookie", Value: "c=d; Path=/"}}, nil)
	add("GET", "/zipped", "", nil, "200", string(zipped), harness.Head{{Name: "Content-Type", Value: "application/json"}, {Name: "Content-Encoding", Value: "gzip"}, {Name: "Transfer-Encoding", Value: "chunked"}}, nil)
	add("GET", "/broken", "", nil, "200", string(zipped[:9]), harness.Head{{Name: "Content-Encoding", Value: "gzip"}}, nil)
	add("PUT", "/text", "it's\r\n{{not}} a `$template` \\ <%= x %> - : #\t", harness.Head{{Name: "Content-Type", Value: "text/plain"}}, "200", "true", harness.Head{{Name: "Content-Type", Value: "text/plain; charset=iso-8859-1"}}, nil)
	add("GET", "/latin", "", nil, "200", "Zo\xeb", harness.Head{{Name: "Content-Type", Value: "text/csv; charset=ISO-8859-1"}, {Name: "Content-Length", Value: "3"}}, nil)
	add("GET", "/said-latin", "", nil, "200", "Zoë", harness.Head{{Name: "Content-Type", Value: "text/csv; charset=ISO-8859-1"}}, nil)
	for _, answer := range []string{"queued", "running", "done"} {
		add("GET", "/job/7", "", nil, "200", answer, nil, nil)
	}
	add("HEAD", "/a", "", nil, "200", "", harness.Head{{Name: "Content-Length", Value: "44"}}, nil)
	add("DELETE", "/a", "", nil, "204", "", nil, nil)
	add("GET", "/reset", "", nil, "", "", nil, &harness.Fault{Kind: harness.FaultReset, Detail: "the connection broke"})
	add("GET", "/cut", "", nil, "200", "half of", harness.Head{{Name: "Content-Length", Value: "99"}}, &harness.Fault{Kind: harness.FaultTruncated, Detail: "cut"})
	add("GET", "/slow", "", nil, "", "", nil, &harness.Fault{Kind: harness.FaultTimeout, Detail: "no answer"})
	add("GET", "/"+strings.Repeat("long/", 60), "", nil, "404", "[\"AAEC\"]", json, nil)
	xs = append(xs, harness.Exchange{ID: harness.SequenceID(len(xs) + 1), Channel: harness.ChannelFile, From: "sis", To: "lms", At: at, Request: message(harness.Head{{Name: ":name", Value: "a.csv"}}, "a;b\n")})
	return xs
}

func message(head harness.Head, body string) harness.Message {
	media, _, _ := strings.Cut(head.Get("Content-Type"), ";")
	return harness.Message{Head: head, Media: media, Body: harness.BytesBody([]byte(body))}
}
