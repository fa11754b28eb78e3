package shrink

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// fedAs finds an exchange again in what crossed, where exchanges are numbered anew. The target may have been
// given live values in place of recorded ones, so that less and less of it counts.
type fedAs struct{ to, session, title, operation, body string }

func asFed(x *harness.Exchange) fedAs {
	return fedAs{x.To, x.Session, x.Title(), x.Operation(), x.Request.Body.Digest()}
}

// likenesses are what counts, the whole first.
var likenesses = []func(f fedAs) fedAs{
	func(f fedAs) fedAs { return f },
	func(f fedAs) fedAs { f.body = ""; return f },
	func(f fedAs) fedAs { f.body, f.title = "", ""; return f },
}

// find is the index of the first exchange that is most like what crossed; -1 when none is.
func (f fedAs) find(list []harness.Exchange) int {
	for _, like := range likenesses {
		at := slices.IndexFunc(list, func(x harness.Exchange) bool { return like(asFed(&x)) == like(f) })
		if at >= 0 {
			return at
		}
	}
	return -1
}

// withAnswers is the exchanges with what the target answered when they were fed, and behind them what the target was to hand
// on and gave up on.
func withAnswers(list []harness.Exchange, replayed harness.Recording, system string) ([]harness.Exchange, error) {
	crossed, err := harness.Collect(replayed)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(list)
	for i := range out {
		if out[i].To != system {
			continue
		}
		if at := asFed(&out[i]).find(crossed); at >= 0 {
			out[i].Response, out[i].Fault = crossed[at].Response, crossed[at].Fault
			crossed = slices.Delete(crossed, at, at+1)
		}
	}
	for _, x := range crossed {
		if x.From == system && x.Fault != nil {
			out = append(out, x)
		}
	}
	return out, nil
}
