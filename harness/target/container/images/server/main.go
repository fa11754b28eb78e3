// Command server is what tests put into containers. Its first argument says what it does:
//
//	serve     (default) answers on port 8080 with what it got: /env its environment, /file?name= a file,
//	          /fetch?url= what that URL answers, /checked whether it was asked for /health before: 200 or 503,
//	          /die ends it with exit code 4, /eat takes memory without end
//	check     asks the URL of its second argument once, and ends with exit code 3 when the answer is not 200
//	after     does that, and then serves
//	map       writes its standard input in upper case to its standard output
//	lines     answers lines of JSON: {"id", "input": {"body"}} by {"id", "output"}; the body "die" ends it
//	fail      ends at once with exit code 3
//	sleep     does nothing
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

var modes = map[string]func() error{"serve": serve, "check": check, "after": after, "map": upper, "lines": lines, "fail": fail, "sleep": sleep}

func main() {
	mode := "serve"
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	run, ok := modes[mode]
	if !ok {
		run = func() error { return errors.New("no such mode: " + mode) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

// checked is whether the health of this server was asked for.
var checked atomic.Bool

func check() error {
	resp, err := http.Get(os.Args[2])
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

func after() error {
	if err := check(); err != nil {
		return err
	}
	return serve()
}

func serve() error {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"method":%q,"target":%q}`, r.Method, r.RequestURI)
	})
	http.HandleFunc("/env", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, strings.Join(os.Environ(), "\n")) })
	http.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		info, err := os.Stat(r.FormValue("name"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		content, _ := os.ReadFile(r.FormValue("name"))
		fmt.Fprintf(w, "%v %d %s", info.Mode(), os.Getuid(), content)
	})
	http.HandleFunc("/fetch", fetch)
	http.HandleFunc("/health", func(http.ResponseWriter, *http.Request) { checked.Store(true) })
	http.HandleFunc("/checked", func(w http.ResponseWriter, _ *http.Request) {
		if !checked.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/die", func(http.ResponseWriter, *http.Request) {
		fmt.Println("dying as asked")
		os.Exit(4)
	})
	http.HandleFunc("/eat", eat)
	fmt.Println("server is up")
	return http.ListenAndServe(":8080", nil)
}

func fetch(w http.ResponseWriter, r *http.Request) {
	client := &http.Client{Timeout: 3 * time.Second}
	resp, err := client.Get(r.FormValue("url"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.WriteHeader(resp.StatusCode)
	io.Copy(w, resp.Body) //nolint:errcheck // the client sees what comes
}

func eat(http.ResponseWriter, *http.Request) {
	debug.SetGCPercent(-1)
	for kept := [][]byte{}; ; {
		kept = append(kept, bytes.Repeat([]byte{1}, 1<<20))
	}
}

func upper() error {
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "mapping")
	if string(in) == "die" {
		return errors.New("no such field")
	}
	_, err = os.Stdout.Write(bytes.ToUpper(in))
	return err
}

func lines() error {
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		var r struct {
			ID    string
			Input struct{ Body string }
		}
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		if r.Input.Body == "die" {
			return errors.New("segmentation fault")
		}
		if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"id": r.ID, "output": strings.ToUpper(r.Input.Body)}); err != nil {
			return err
		}
	}
}

func fail() error { return errors.New("no licence") }

func sleep() error {
	time.Sleep(math.MaxInt64) // an empty select would be a deadlock, which ends the program
	return nil
}
