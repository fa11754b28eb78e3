package vendor

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A user gets along with it, and nobody gets along with what another instance gave.
func TestEveryInstanceHasValuesOfItsOwn(t *testing.T) {
	one := httptest.NewServer(New(1, 0))
	defer one.Close()
	other := httptest.NewServer(New(2, 0))
	defer other.Close()
	c := &Client{Base: one.URL, User: "ada", Session: "a", HTTP: &http.Client{Transport: &http.Transport{}}}
	if err := c.Work(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Base = other.URL
	if c.call(t.Context(), "GET", "/orders", "", "", 401, nil); c.err != nil {
		t.Error(c.err)
	}
}
