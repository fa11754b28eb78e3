//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay"
	"github.com/rehearse-dev/rehearse/harness/target"
)

// What every sender sends, and how many at a time. None follows redirects, all reuse their connections, and all keep every
// answer with its header and its body in memory.
const (
	senderRequests = 10_000
	senderUsers    = 16
)

// senderFields are in each request.
var senderFields = map[string]string{"Accept": "application/json", "Authorization": "Bearer 2YotnFZFEjr1zCsicMWpAA"}

func senderPath(i int) string { return fmt.Sprintf("/students/%d?fields=all", i) }

// sender is one row of the table of those that are measured.
type sender struct {
	name string
	// prepare makes everything ready that does not belong to sending. What it returns sends all requests, and returns how
	// many answers came and how many bytes of bodies were kept.
	prepare func(base string) (func() (answers int, bytes int64, err error), error)
}

var senders = []sender{
	{"rehearse", sendRehearse},
	{"vegeta", sendVegeta},
	{"net/http", sendBare},
}

func sendRehearse(base string) (func() (int, int64, error), error) {
	recorded := harness.NewMemory(harness.Manifest{})
	for i := range senderRequests {
		head := harness.Head{{Name: harness.FieldMethod, Value: "GET"}, {Name: harness.FieldPath, Value: senderPath(i)}}
		for name, value := range senderFields {
			head = append(head, harness.Field{Name: name, Value: value})
		}
		recorded.Put(harness.Exchange{ //nolint:errcheck // memory keeps everything
			Session: fmt.Sprint(i % senderUsers), Channel: harness.ChannelHTTP, From: "crm", To: "vendor", At: time.Unix(int64(i), 0),
			Request: harness.Message{Head: head},
		})
	}
	sessions, err := replay.Group(recorded, "vendor")
	if err != nil {
		return nil, err
	}
	server, err := target.New(harness.TargetSpec{System: "vendor", URL: &harness.URLSpec{Base: base}})
	if err != nil {
		return nil, err
	}
	return func() (answers int, bytes int64, err error) {
		stage, err := server.Start(context.Background(), harness.StageEnv{})
		if err != nil {
			return 0, 0, err
		}
		kept := harness.NewMemory(harness.Manifest{})
		if _, err := replay.Feed(context.Background(), stage, sessions, kept, replay.Options{Replay: harness.Replay{Concurrency: senderUsers}}); err != nil {
			return 0, 0, err
		}
		for x := range kept.Exchanges() {
			if x.Status() == http.StatusOK {
				answers, bytes = answers+1, bytes+x.Response.Body.Size()
			}
		}
		return answers, bytes, stage.Close()
	}, nil
}

// sendVegeta attacks without a rate, as with -rate=0 -workers=16 -max-workers=16 -redirects=-1, with targets that were read
// before.
func sendVegeta(base string) (func() (int, int64, error), error) {
	targets := make([]vegeta.Target, senderRequests)
	for i := range targets {
		targets[i] = vegeta.Target{Method: "GET", URL: base + senderPath(i), Header: http.Header{}}
		for name, value := range senderFields {
			targets[i].Header.Set(name, value)
		}
	}
	var next atomic.Int64
	each := func(t *vegeta.Target) error {
		i := next.Add(1)
		if i > senderRequests {
			return vegeta.ErrNoTargets
		}
		*t = targets[i-1]
		return nil
	}
	attacker := vegeta.NewAttacker(vegeta.Workers(senderUsers), vegeta.MaxWorkers(senderUsers), vegeta.Redirects(vegeta.NoFollow))
	return func() (answers int, bytes int64, err error) {
		var kept vegeta.Results
		for result := range attacker.Attack(each, vegeta.Rate{}, 0, "") {
			kept.Add(result)
		}
		for _, result := range kept {
			if result.Code == http.StatusOK {
				answers, bytes = answers+1, bytes+int64(len(result.Body))
			}
		}
		return answers, bytes, nil
	}, nil
}

// sendBare is the least that a client of net/http can do.
func sendBare(base string) (func() (int, int64, error), error) {
	type answer struct {
		header http.Header
		body   []byte
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senderUsers}}
	get := func(i int) (answer, error) {
		request, err := http.NewRequest("GET", base+senderPath(i), nil)
		if err != nil {
			return answer{}, err
		}
		for name, value := range senderFields {
			request.Header.Set(name, value)
		}
		response, err := client.Do(request)
		if err != nil {
			return answer{}, err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return answer{response.Header, body}, err
	}
	return func() (int, int64, error) {
		kept := make([]answer, senderRequests)
		var bytes atomic.Int64
		var failed atomic.Pointer[error]
		var users sync.WaitGroup
		for u := range senderUsers {
			users.Go(func() {
				for i := u; i < senderRequests; i += senderUsers {
					got, err := get(i)
					if err != nil {
						failed.Store(&err)
						return
					}
					kept[i] = got
					bytes.Add(int64(len(got.body)))
				}
			})
		}
		users.Wait()
		if err := failed.Load(); err != nil {
			return 0, 0, *err
		}
		return len(kept), bytes.Load(), nil
	}, nil
}
