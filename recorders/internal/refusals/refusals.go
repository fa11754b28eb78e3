// Package refusals counts what the sink of a live recorder refuses. The traffic goes on: a recorder tells of it at its end.
package refusals

import (
	"fmt"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
)

// Reason with which a refused exchange is counted as dropped.
const Reason = "the sink refused the exchange"

// Refusals are what was refused so far. The zero value has none. It is safe for concurrent use.
type Refusals struct {
	mu    sync.Mutex
	count int
	first error
}

// Put puts an exchange into the sink, and counts it as dropped when it is refused.
func (r *Refusals) Put(sink harness.Sink, x harness.Exchange) {
	err := sink.Put(x)
	if err == nil {
		return
	}
	sink.Drop(Reason)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count++; r.first == nil {
		r.first = err
	}
}

// Err tells how many were refused, and why the first one was; nil when none was. The words say what was recorded.
func (r *Refusals) Err(words string, a ...any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count == 0 {
		return nil
	}
	return fmt.Errorf("record %s: the sink refused %s: %w", fmt.Sprintf(words, a...), harness.Count(r.count, "exchange"), r.first)
}
