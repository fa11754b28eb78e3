package main

import (
	"database/sql"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The commands of scripts that stand for the world around the program: clients, servers and files.

func (s script) request(args []string) {
	var body io.Reader
	heads := args[2:]
	if len(heads) > 0 && !strings.Contains(heads[0], ":") {
		body, heads = strings.NewReader(s.ReadFile(heads[0])), heads[1:]
	}
	r, err := http.NewRequest(args[0], args[1], body)
	s.Check(err)
	for _, h := range heads {
		name, value, _ := strings.Cut(h, ":")
		r.Header.Set(name, strings.TrimSpace(value))
	}
	transport := &http.Transport{DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: patience}
	answer, err := client.Do(r)
	if err != nil {
		fmt.Fprintf(s.Stderr(), "no answer\n")
		return
	}
	defer answer.Body.Close()
	_, err = io.Copy(s.Stdout(), answer.Body)
	fmt.Fprintf(s.Stderr(), "%s %s\n", answer.Status, answer.Header.Get("Content-Type"))
	if err != nil {
		fmt.Fprintf(s.Stderr(), "cut off\n")
	}
}

func (s script) answers(args []string) {
	content := s.ReadFile(args[1])
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", mime.TypeByExtension(filepath.Ext(args[1])))
		w.Header()["Date"] = nil
		io.WriteString(w, content) //nolint:errcheck // a client that is gone is the script's matter
	}))
	s.Defer(server.Close)
	s.Setenv(args[0], server.URL)
}

func (s script) breaks(args []string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, `{"id":"A-1`) //nolint:errcheck // see above
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	s.Defer(server.Close)
	s.Setenv(args[0], server.URL)
}

func (s script) occupies(args []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	s.Check(err)
	s.Defer(func() { ln.Close() })
	s.Setenv(args[0], ln.Addr().String())
}

func (s script) port(args []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	s.Check(err)
	_, port, err := net.SplitHostPort(ln.Addr().String())
	s.Check(err)
	s.Check(ln.Close())
	s.Setenv(args[0], port)
}

func (s script) repeats(args []string) {
	n, err := strconv.Atoi(args[1])
	s.Check(err)
	args = append(args, "", "")
	text := s.unquote(args[3]) + strings.Repeat(s.unquote(args[2]), n) + s.unquote(args[4])
	s.Check(os.WriteFile(s.MkAbs(args[0]), []byte(text), 0o644))
}

// unquote understands the escapes of Go.
func (s script) unquote(text string) string {
	out, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
	s.Check(err)
	return out
}

func (s script) replaces(args []string) {
	was, is, content := s.unquote(args[1]), s.unquote(args[2]), s.ReadFile(args[0])
	if !strings.Contains(content, was) {
		s.Fatalf("%s does not hold %q", args[0], was)
	}
	s.Check(os.WriteFile(s.MkAbs(args[0]), []byte(strings.ReplaceAll(content, was, is)), 0o644))
}

func (s script) untouched(args []string) {
	for _, path := range args {
		dir, name := filepath.Split(s.MkAbs(path))
		entries, err := os.ReadDir(dir)
		if !os.IsNotExist(err) {
			s.Check(err)
		}
		for _, e := range entries {
			if strings.Contains(e.Name(), name) {
				s.Fatalf("%s is there", filepath.Join(dir, e.Name()))
			}
		}
	}
}

func (s script) database(args []string) {
	db, err := sql.Open("sqlite", s.MkAbs(args[0]))
	s.Check(err)
	_, err = db.Exec(s.ReadFile(args[1]))
	s.Check(err)
	s.Check(db.Close())
}
