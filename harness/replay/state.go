package replay

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// sign is one thing that tells the end state of a poll from the states before it.
type sign struct {
	at   string // place of a leaf of the body; empty: the status
	path harness.Path
	want string // its text; the empty text: that it is there and not null
}

func (s sign) String() string {
	switch {
	case s.at == "":
		return "status " + s.want
	case s.want == "":
		return "a value at response.body." + s.at
	}
	return "response.body." + s.at + " = " + s.want
}

func describe(signs []sign) string {
	words := make([]string, len(signs))
	for i, s := range signs {
		words[i] = s.String()
	}
	return strings.Join(words, " and ")
}

// leafText is a scalar of an answer.
type leafText struct {
	path harness.Path
	kind harness.ValueKind
	text string
}

// answerState is the status and the leaves of an answer.
type answerState struct {
	status int
	leaves map[string]leafText
	order  []string
}

// most leaves of an answer that is looked at for a state; lists of records are none.
const mostLeaves = 2000

func stateOf(x *harness.Exchange) answerState {
	state := answerState{status: x.Status(), leaves: map[string]leafText{}}
	doc, err := payload.Of(x.Response)
	if err != nil || doc == nil {
		return state
	}
	for path, n := range doc.Root().Leaves() {
		if len(state.order) >= mostLeaves {
			break
		}
		at := path.String()
		state.leaves[at] = leafText{slices.Clone(path), n.Kind(), n.Text()}
		state.order = append(state.order, at)
	}
	return state
}

// endState cuts the rounds behind the first answer that is as the last one, and says how that answer is told from those
// before it; no signs when these are no rounds of a poll.
func endState(rounds []*step) ([]*step, []sign) {
	states := make([]answerState, len(rounds))
	for i, s := range rounds {
		states[i] = stateOf(&s.Exchange)
	}
	last := states[len(states)-1]
	signs := signsOf(states[:len(states)-1], last)
	if len(signs) == 0 { // the last rounds may have the end state already
		first := 1
		for ; first < len(states)-1; first++ {
			if signs = signsOf(states[:first], states[first]); len(signs) > 0 && allReached(signs, states[first:]) {
				return rounds[:first+1], signs
			}
		}
		return nil, nil
	}
	return rounds, signs
}

func allReached(signs []sign, states []answerState) bool {
	return !slices.ContainsFunc(states, func(s answerState) bool { return !s.has(signs) })
}

// has reports whether the answer has the end state.
func (s answerState) has(signs []sign) bool {
	for _, sign := range signs {
		if sign.at == "" {
			if strconv.Itoa(s.status) != sign.want {
				return false
			}
			continue
		}
		leaf, there := s.leaves[sign.at]
		if !there || leaf.kind == harness.KindNull || sign.want != "" && leaf.text != sign.want {
			return false
		}
	}
	return true
}

// signsOf compares the end with what was before: the status and the words of state first; only where these say nothing
// that a value came to be there, and then that a number came to its end.
func signsOf(before []answerState, end answerState) []sign {
	var signs []sign
	if !slices.ContainsFunc(before, func(s answerState) bool { return s.status == end.status }) {
		signs = append(signs, sign{want: strconv.Itoa(end.status)})
	}
	for _, kind := range []func([]answerState, answerState, string) (sign, bool){word, presence, fullNumber} {
		for _, at := range end.order {
			if s, ok := kind(before, end, at); ok {
				signs = append(signs, s)
			}
		}
		if len(signs) > 0 {
			return signs
		}
	}
	return nil
}

var (
	stateName  = regexp.MustCompile(`(?i)(status|state|phase|stage|progress|done|ready|complete|finish|result|outcome|available|success|pending|running|active|healthy)`)
	stateValue = regexp.MustCompile(`(?i)^(new|pending|queued|waiting|scheduled|submitted|accepted|received|created|started|starting|running|processing|in[ _-]?progress|working|building|creating|provisioning|initiali[sz]ing|uploading|uploaded|importing|exporting|syncing|validating|open)$`)
	wordText   = regexp.MustCompile(`^[\pL][\pL _.-]{0,39}$`)
)

// word is a leaf of few letters, or true and false, whose name or values speak of a state, with a value at the end that
// it had not before.
func word(before []answerState, end answerState, at string) (sign, bool) {
	leaf := end.leaves[at]
	if !isWord(leaf) {
		return sign{}, false
	}
	speaks, seen := stateName.MatchString(leaf.path.Leaf()), false
	for _, b := range before {
		was, there := b.leaves[at]
		if !there {
			continue
		}
		if !isWord(was) || was.text == leaf.text {
			return sign{}, false
		}
		seen, speaks = true, speaks || stateValue.MatchString(was.text)
	}
	return sign{at, leaf.path, leaf.text}, speaks && seen
}

func isWord(l leafText) bool {
	return l.kind == harness.KindBool || l.kind == harness.KindString && wordText.MatchString(l.text)
}

// presence is a member of the answer itself, or one level below, whose name speaks of a result, and that was missing or
// null before and is there now.
func presence(before []answerState, end answerState, at string) (sign, bool) {
	leaf := end.leaves[at]
	if leaf.kind == harness.KindNull || len(leaf.path) == 0 || len(leaf.path) > 2 || leaf.path[0].IsElement() || !resultName.MatchString(leaf.path.Leaf()) {
		return sign{}, false
	}
	for _, b := range before {
		if was, there := b.leaves[at]; len(b.order) == 0 || there && was.kind != harness.KindNull {
			return sign{}, false
		}
	}
	return sign{at, leaf.path, ""}, true
}

// fullNumber is a number whose name speaks of progress, and which grew to 1 or 100 or shrank to 0.
func fullNumber(before []answerState, end answerState, at string) (sign, bool) {
	leaf := end.leaves[at]
	if leaf.kind != harness.KindNumber || !slices.Contains([]string{"0", "1", "1.0", "100", "100.0"}, leaf.text) || !progressName.MatchString(leaf.path.Leaf()) {
		return sign{}, false
	}
	for _, b := range before {
		if was, there := b.leaves[at]; !there || was.kind != harness.KindNumber || was.text == leaf.text {
			return sign{}, false
		}
	}
	return sign{at, leaf.path, leaf.text}, true
}

var resultName = regexp.MustCompile(`(?i)(result|output|report|download|artifact|url|href|link|location|file|finished|completed|ended)`)

var progressName = regexp.MustCompile(`(?i)(progress|percent|ratio|complete|done|remaining|left|pending|queued)`)

// missing says which signs an answer lacks.
func (s answerState) missing(signs []sign) string {
	var lacks []string
	for i := range signs {
		if !s.has(signs[i : i+1]) {
			lacks = append(lacks, signs[i].String())
		}
	}
	return fmt.Sprintf("still without %s", strings.Join(lacks, " and "))
}

// SaysTheSame reports whether an answer of now is one like the rounds of a recorded poll before the last: it has the status
// of one of them and its places, and the values of it that are the same in all rounds.
func SaysTheSame(rounds []harness.Exchange, live harness.Exchange) bool {
	if live.Fault != nil {
		return false
	}
	states := make([]answerState, len(rounds))
	for i := range rounds {
		states[i] = stateOf(&rounds[i])
	}
	is := stateOf(&live)
	for _, was := range states[:len(states)-1] {
		if was.status == is.status && len(was.order) == len(is.order) && !slices.ContainsFunc(was.order, func(at string) bool {
			leaf, there := is.leaves[at]
			return !there || leaf.kind != was.leaves[at].kind || leaf.text != was.leaves[at].text && isSteady(states, at)
		}) {
			return true
		}
	}
	return false
}

// isSteady reports whether all answers that have the place have the same value there.
func isSteady(states []answerState, at string) bool {
	var first *leafText
	for _, s := range states {
		leaf, there := s.leaves[at]
		if !there {
			continue
		}
		if first == nil {
			first = &leaf
		}
		if leaf.text != first.text {
			return false
		}
	}
	return true
}
