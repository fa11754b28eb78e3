package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/fakes/vendor"
)

func (s script) vendor(args []string) {
	seed, err := strconv.ParseUint(args[1], 10, 64)
	s.Check(err)
	server := httptest.NewServer(vendor.New(seed, time.Millisecond))
	s.Defer(server.Close)
	s.Setenv(args[0], server.URL)
}

func (s script) works(args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	errs := make([]error, len(args))
	var users sync.WaitGroup
	for i, user := range args[1:] {
		users.Go(func() {
			c := &vendor.Client{Base: args[0], User: user, Session: user, HTTP: &http.Client{Transport: &http.Transport{}}}
			errs[i] = c.Work(ctx)
		})
	}
	users.Wait()
	for _, err := range errs {
		s.Check(err)
	}
}
