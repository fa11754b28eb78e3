package fakes

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxBody is the most that a service reads of a request or of an answer, in bytes.
const maxBody = 64 << 10

// service wraps the routes of a double: the frozen Date on every answer, and /healthz.
func service(name, release string, now func() time.Time, routes *http.ServeMux) http.Handler {
	routes.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, struct {
			Service string `json:"service"`
			Release string `json:"release"`
			Status  string `json:"status"`
		}{name, release, "up"})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now().UTC().Format(http.TimeFormat))
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		routes.ServeHTTP(w, r)
	})
}

// answer writes v as compact JSON. Members have the order of v's fields.
func answer(w http.ResponseWriter, status int, v any) {
	b, err := encode(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b) //nolint:errcheck // the client has gone
}

// problem is one entry of an error answer, as the products word them.
type problem struct {
	Field   string `json:"field,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// refuse writes an error answer.
func refuse(w http.ResponseWriter, status int, problems ...problem) {
	answer(w, status, struct {
		Errors []problem `json:"errors"`
	}{problems})
}

// encode is JSON without escapes for HTML and without a line end.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decode reads one JSON value strictly: a member that v does not know and anything behind the value are errors.
func decode(r io.Reader, v any) error {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

// readRequest decodes the body of a request, or refuses it.
func readRequest(w http.ResponseWriter, r *http.Request, v any) bool {
	if err := decode(r.Body, v); err != nil {
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			refuse(w, http.StatusRequestEntityTooLarge, problem{"", "too-large", tooLarge.Error()})
			return false
		}
		refuse(w, http.StatusBadRequest, problem{"", "malformed", err.Error()})
		return false
	}
	return true
}

// guid computes an identifier from a name, in the form of a UUID of version 8 (RFC 9562).
func guid(name string) string {
	sum := sha256.Sum256([]byte("harrow-lake:" + name))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// instant writes a moment as all services do: UTC, whole seconds.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }
