package harnesstest_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
)

// watched is a test whose failures are kept instead of failing.
type watched struct {
	testing.TB
	failures []string
	cleanups []func()
}

// watch runs the function as a test of its own, with its cleanups, and returns how it failed.
func watch(t *testing.T, test func(t testing.TB)) []string {
	w := &watched{TB: t}
	ended := make(chan struct{})
	go func() { // FailNow ends the goroutine, and only it
		defer close(ended)
		test(w)
	}()
	<-ended
	for len(w.cleanups) > 0 {
		last := len(w.cleanups) - 1
		run := w.cleanups[last]
		w.cleanups = w.cleanups[:last]
		run()
	}
	return w.failures
}

func (w *watched) Helper()                        {}
func (w *watched) Cleanup(f func())               { w.cleanups = append(w.cleanups, f) }
func (w *watched) Error(args ...any)              { w.failures = append(w.failures, fmt.Sprint(args...)) }
func (w *watched) Errorf(format string, a ...any) { w.Error(fmt.Sprintf(format, a...)) }
func (w *watched) Fatal(args ...any) {
	w.Error(args...)
	runtime.Goexit()
}
func (w *watched) Fatalf(format string, a ...any) { w.Fatal(fmt.Sprintf(format, a...)) }

// example stands for the *testing.T of a test in the examples: it prints what fails, up to the first blank line.
type example struct {
	testing.TB
	cleanups []func()
	dirs     []string
}

// end does what go test does behind a test.
func (e *example) end() {
	for i := len(e.cleanups) - 1; i >= 0; i-- {
		e.cleanups[i]()
	}
	for _, dir := range e.dirs {
		os.RemoveAll(dir)
	}
}

func (e *example) Helper()                  {}
func (e *example) Name() string             { return "Example" }
func (e *example) Context() context.Context { return context.Background() }
func (e *example) Logf(string, ...any)      {}
func (e *example) Cleanup(f func())         { e.cleanups = append(e.cleanups, f) }

func (e *example) TempDir() string {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	e.dirs = append(e.dirs, dir)
	return dir
}

func (e *example) Errorf(format string, a ...any) {
	text, _, _ := strings.Cut(fmt.Sprintf(format, a...), "\n\n")
	fmt.Println(text)
}

func (e *example) Fatal(args ...any) { panic(fmt.Sprint(args...)) }
