package httptap_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/recorders/httptap"
)

// A client of a Go program is recorded without a proxy, and is answered from the recording afterwards.
func ExampleTransport() {
	sis := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"student":"H00000117","plan":"3.50"}`)
	}))
	recording := harness.NewMemory(harness.Manifest{})
	client := &http.Client{Transport: httptap.Transport(nil, httptap.Inside{Sink: recording, From: "hubline", To: "sis"})}
	ask(client, sis.URL+"/students/H00000117")
	sis.Close()

	answers, err := mock.New(recording, mock.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	stand := httptest.NewServer(answers)
	defer stand.Close()
	fmt.Println(ask(http.DefaultClient, stand.URL+"/students/H00000117"))
	// Output: {"student":"H00000117","plan":"3.50"}
}

// A server of a Go program is recorded by what stands in front of its handler.
func ExampleMiddleware() {
	recording := harness.NewMemory(harness.Manifest{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	server := httptest.NewServer(httptap.Middleware(handler, httptap.Inside{Sink: recording, From: "crm", To: "hubline"}))
	ask(http.DefaultClient, server.URL+"/v1/events")
	server.Close() // waits for its handlers

	for x := range recording.Exchanges() {
		fmt.Println(x.Title(), x.Status(), "from", x.From, "to", x.To)
	}
	// Output: GET /v1/events 204 from crm to hubline
}

func ask(client *http.Client, url string) string {
	resp, err := client.Get(url)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}
