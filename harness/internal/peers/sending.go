//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/cputime"
)

// senderRounds is how often each sender sends. The senders take turns, so that what else the machine does hits all alike.
const senderRounds = 15

// answerSize is that of the body of each answer, in bytes.
const answerSize = 2048

// serve answers every request alike until the input ends; its base URL is the first line of the output.
func serve(in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	body := []byte(strings.Repeat("x", answerSize))
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(body) //nolint:errcheck // the sender sees it
	})}
	go func() {
		io.Copy(io.Discard, in) //nolint:errcheck // ended is ended
		server.Close()
	}()
	fmt.Fprintf(out, "http://%s\n", listener.Addr())
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// sending is what one sender did in one round.
type sending struct {
	Answers int
	Bytes   int64 // of bodies
	Took    time.Duration
	CPU     time.Duration // of the sender alone
}

// send is one sender in one round: its name and the base URL of the server.
func send(args []string, out io.Writer) error {
	i := slices.IndexFunc(senders, func(s sender) bool { return s.name == args[0] })
	if i < 0 {
		return fmt.Errorf("no sender is called %q", args[0])
	}
	run, err := senders[i].prepare(args[1])
	if err != nil {
		return err
	}
	var s sending
	began, used := time.Now(), cputime.Used()
	if s.Answers, s.Bytes, err = run(); err != nil {
		return err
	}
	s.Took, s.CPU = time.Since(began), cputime.Used()-used
	return json.NewEncoder(out).Encode(s)
}

// printSenders lets all senders take turns at one server, each in a process of its own.
func printSenders(out io.Writer) error {
	base, stop, err := startServer()
	if err != nil {
		return err
	}
	defer stop()
	rounds := make([][]sending, senderRounds+1)
	for r := range rounds {
		rounds[r] = make([]sending, len(senders))
		for n := range senders {
			i := (n + r) % len(senders) // nobody is always first
			if rounds[r][i], err = sendOnce(senders[i].name, base); err != nil {
				return err
			}
		}
	}
	return writeSenders(out, rounds[1:]) // the first round warms the server up
}

// startServer starts the server as a process of its own.
func startServer() (base string, stop func(), err error) {
	cmd := exec.Command(os.Args[0], "serve")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		in.Close()
		cmd.Wait() //nolint:errcheck // it ends with its input
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("start the server: %w", err)
	}
	return strings.TrimSpace(line), stop, nil
}

func sendOnce(name, base string) (s sending, err error) {
	cmd := exec.Command(os.Args[0], "send", name, base)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return s, fmt.Errorf("%s: %w", name, err)
	}
	if err := json.Unmarshal(out, &s); err != nil {
		return s, fmt.Errorf("%s: %w", name, err)
	}
	if s.Answers != senderRequests || s.Bytes != senderRequests*answerSize {
		return s, fmt.Errorf("%s kept %d answers with %d bytes of %d with %d", name, s.Answers, s.Bytes, senderRequests, senderRequests*answerSize)
	}
	return s, nil
}

// writeSenders prints the medians of the rounds; the ratios to vegeta are taken round by round.
func writeSenders(out io.Writer, rounds [][]sending) error {
	vegeta := slices.IndexFunc(senders, func(s sender) bool { return s.name == "vegeta" })
	lines := []string{
		"| sender | requests/s | CPU of the sender | rate against vegeta | CPU against vegeta |",
		"|---|---:|---:|---:|---:|",
	}
	for i, s := range senders {
		each := func(figure func(now, peer sending) float64) []float64 {
			var list []float64
			for _, round := range rounds {
				list = append(list, figure(round[i], round[vegeta]))
			}
			slices.Sort(list)
			return list
		}
		rates := each(func(s, _ sending) float64 { return senderRequests / s.Took.Seconds() })
		cpu := each(func(s, _ sending) float64 { return s.CPU.Seconds() * 1e6 / senderRequests })
		faster := each(func(s, peer sending) float64 { return peer.Took.Seconds() / s.Took.Seconds() })
		cheaper := each(func(s, peer sending) float64 { return s.CPU.Seconds() / peer.CPU.Seconds() })
		lines = append(lines, fmt.Sprintf("| %s | %.0f (%.0f–%.0f) | %.0f µs | %.2f (%.2f–%.2f) | %.2f |", s.name, median(rates), rates[0], rates[len(rates)-1],
			median(cpu), median(faster), faster[0], faster[len(faster)-1], median(cheaper)))
	}
	_, err := fmt.Fprintln(out, strings.Join(lines, "\n"))
	return err
}

// median of a sorted list.
func median(sorted []float64) float64 { return sorted[len(sorted)/2] }
