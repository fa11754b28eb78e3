package fakes

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/rehearse-dev/rehearse/harness"
)

// lineRequest and lineReply are what this program knows of a line that Rehearse writes to a command in mode jsonl, and of
// the one that it answers.
type lineRequest struct {
	ID    string `json:"id"`
	Input struct {
		Method      string `json:"method"`
		Path        string `json:"path"`
		ContentType string `json:"contentType"`
		Body        string `json:"body"`
	} `json:"input"`
}

type lineReply struct {
	ID          string `json:"id"`
	Output      string `json:"output"`
	Status      int    `json:"status"`
	ContentType string `json:"contentType"`
}

// Lines runs the double of that name as a program that answers a line of JSON with one, until the input ends.
func Lines(ctx context.Context, name string, options Options, in io.Reader, out io.Writer) error {
	handler, err := Handler(name, options)
	if err != nil {
		return err
	}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return harness.CannotRun(fmt.Errorf("read a line: %w", err), "")
		}
		var asked lineRequest
		if err := json.Unmarshal(line, &asked); err != nil {
			return harness.CannotRun(fmt.Errorf("read a line: %w", err), "it is started by a target in mode jsonl")
		}
		reply, err := asked.ask(ctx, handler)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(reply); err != nil {
			return harness.CannotRun(fmt.Errorf("write a line: %w", err), "")
		}
	}
}

// ask calls the double as if the line had come over HTTP.
func (l lineRequest) ask(ctx context.Context, double http.Handler) (lineReply, error) {
	r, err := http.NewRequestWithContext(ctx, l.Input.Method, l.Input.Path, bytes.NewReader([]byte(l.Input.Body)))
	if err != nil {
		return lineReply{}, harness.CannotRun(fmt.Errorf("map %s: %w", l.ID, err), "")
	}
	r.Header.Set("Content-Type", l.Input.ContentType)
	w := &kept{head: http.Header{}, status: http.StatusOK}
	double.ServeHTTP(w, r)
	return lineReply{l.ID, w.body.String(), w.status, w.head.Get("Content-Type")}, nil
}

// kept is an answer that is kept in memory.
type kept struct {
	head   http.Header
	status int
	body   bytes.Buffer
}

func (k *kept) Header() http.Header         { return k.head }
func (k *kept) WriteHeader(status int)      { k.status = status }
func (k *kept) Write(p []byte) (int, error) { return k.body.Write(p) }
