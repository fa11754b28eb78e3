package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// statusChange is one row of the table of what another status means.
type statusChange struct {
	fits    func(s *state, d *harness.Difference) bool
	title   string
	verdict harness.Verdict
	says    string // of the operation, the system, the old status, the new status, the share
	next    string
	whole   bool // all that differs in the answer belongs to it
}

// statusChanges is the table; the first row that fits speaks. Success that turns into an error without a cause is not
// here: its cause is looked for first.
var statusChanges = []statusChange{
	{isErrorForm, "errors told in another way", harness.Breaking,
		"%[1]s of %[2]s told its errors inside an answer %[3]s, and tells them with %[4]s now (%[5]s).",
		"Let the caller look at the status as well as into the answer; a client that throws on such a status never sees the list of errors.", true},
	{isHiddenError, "error behind success", harness.Breaking,
		"%[1]s of %[2]s answers %[4]s where it answered %[3]s, and still tells an error inside (%[5]s).",
		"Let the caller look into the answer: the status alone says success.", true},
	{isRedirect, "redirected", harness.Breaking,
		"%[1]s of %[2]s sends the caller elsewhere now: %[4]s instead of %[3]s (%[5]s).",
		"Let the caller follow the redirect, or give it the new address; a redirected write may arrive as a read.", true},
	{isOtherError, "other error", harness.Review,
		"%[1]s of %[2]s refuses with %[4]s instead of %[3]s (%[5]s).",
		"Check what the integration does with each of the two: retries and reports may go by the status.", true},
	{isErrorGone, "error gone", harness.Review,
		"%[1]s of %[2]s succeeds with %[4]s where it failed with %[3]s (%[5]s).",
		"Find out whether the refusal was meant: what was kept out before goes in now.", true},
	{isOtherSuccess, "other success", harness.Review,
		"%[1]s of %[2]s answers %[4]s instead of %[3]s (%[5]s).",
		"Check whether the integration asks for this one status; both mean success.", false},
}

// detectStatus claims answers with another status, of which the caller must know.
func detectStatus(s *state) {
	lists := map[int]map[string][]int{}
	for i, open := range s.open {
		d := s.at(i)
		if !open || !isAnswer(d) || headField(d) != harness.FieldStatus || d.Class != harness.Changed {
			continue
		}
		row := slices.IndexFunc(statusChanges, func(c statusChange) bool { return c.fits(s, d) })
		if row < 0 {
			continue
		}
		if lists[row] == nil {
			lists[row] = map[string][]int{}
		}
		k := d.To + "\x00" + d.Operation + "\x00" + d.Was.Text + d.Is.Text
		lists[row][k] = append(lists[row][k], i)
	}
	for row := range statusChanges {
		keys := make([]string, 0, len(lists[row]))
		for k := range lists[row] {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			s.claimStatus(statusChanges[row], lists[row][k])
		}
	}
}

func (s *state) claimStatus(c statusChange, list []int) {
	d := s.at(list[0])
	f := s.sized(list)
	f.Verdict, f.Hit, f.NextStep = c.verdict, s.hits(list), c.next
	f.Sentence = fmt.Sprintf(c.says, d.Operation, s.side(d.To), d.Was.Text, d.Is.Text, s.share(list))
	s.kind.Title = c.title
	own := list
	if c.whole {
		own = s.answersWhole(list)
	}
	if told := s.errorTold(d); told != "" {
		f.Effects = append(f.Effects, fmt.Sprintf("It says: %s.", strings.TrimSuffix(told, ".")))
	}
	if redirectTo := s.now(d).Response.Head.Get("Location"); redirectTo != "" && isRedirect(s, d) {
		f.Effects = append(f.Effects, fmt.Sprintf("The new place is %s.", short(redirectTo)))
		follow := s.followed(list)
		if len(follow) >= len(list) {
			f.Verdict = harness.Review
			f.Effects = append(f.Effects, fmt.Sprintf("The target follows it (%s more).", count(len(follow), "call")))
		}
		own = append(own, follow...)
	}
	own = s.take(own)
	if c.whole {
		calls := s.consequences(own)
		calls.addTo(&f)
		own = append(own, calls.list...)
	}
	s.claim(f, own)
}

// answersWhole is all open differences in the answers of the statuses.
func (s *state) answersWhole(statuses []int) []int {
	var list []int
	for _, i := range statuses {
		for _, j := range s.facts.within[s.at(i).Exchange] {
			if s.open[j] && isAnswer(s.at(j)) {
				list = append(list, j)
			}
		}
	}
	return list
}

// followed is the extra calls of the sessions to the places that the answers name in Location.
func (s *state) followed(statuses []int) []int {
	type pointer struct{ session, path string }
	named := map[pointer]bool{}
	for _, i := range statuses {
		d := s.at(i)
		named[pointer{d.Session, pathOfURL(s.now(d).Response.Head.Get("Location"))}] = true
	}
	return s.unclaimed(func(o *harness.Difference) bool {
		return o.Class == harness.ExtraCall && named[pointer{o.Session, s.now(o).Request.Head.Get(harness.FieldPath)}]
	})
}

// pathOfURL is path and query of an absolute or relative URL.
func pathOfURL(text string) string {
	if _, rest, absolute := strings.Cut(text, "://"); absolute {
		if slash := strings.IndexByte(rest, '/'); slash >= 0 {
			return rest[slash:]
		}
		return "/"
	}
	return text
}

func isErrorForm(s *state, d *harness.Difference) bool {
	return turnedBad(d) && s.errorInside(s.before.byID[d.Exchange]) != ""
}

func isHiddenError(s *state, d *harness.Difference) bool {
	return d.Was.Text >= "400" && d.Is.Text < "300" && s.errorInside(s.now(d)) != ""
}

func isRedirect(_ *state, d *harness.Difference) bool {
	return d.Was.Text < "300" && d.Is.Text >= "300" && d.Is.Text < "400" && d.Is.Text != "304"
}

func isOtherError(_ *state, d *harness.Difference) bool {
	return d.Was.Text >= "400" && d.Is.Text >= "400"
}

func isErrorGone(_ *state, d *harness.Difference) bool {
	return d.Was.Text >= "400" && d.Is.Text < "400"
}

func isOtherSuccess(_ *state, d *harness.Difference) bool {
	return d.Was.Text < "400" && d.Is.Text < "400"
}

// errorTold is what the answer of the candidate says went wrong.
func (s *state) errorTold(d *harness.Difference) string {
	if d.Is.Text < "400" && d.Was.Text < "400" {
		return ""
	}
	return s.errorInside(s.now(d))
}

// errorMembers is the names under which answers tell errors, in lower case.
var errorMembers = []string{"errors", "error", "fault", "exception", "error_description", "errormessage", "error_message"}

// errorInside is what the body of an answer says went wrong, empty when it says nothing of the kind.
func (s *state) errorInside(x harness.Exchange) string {
	if size := x.Response.Body.Size(); size == 0 || size > maxErrorBody {
		return ""
	}
	r := s.read(x)
	doc, err := r.doc("response")
	if err != nil {
		s.note(err)
		return ""
	}
	root := doc.Root()
	if soap := root.Member("Envelope").Member("Body").Member("Fault"); !soap.IsZero() {
		return short(soap.Text())
	}
	for n := range root.Children() {
		if isErrorMember(n.Name()) && tellsError(harness.Value{Kind: n.Kind(), Text: n.Text()}) {
			return short(strings.Join(strings.Fields(n.Text()), " "))
		}
	}
	return ""
}

func isErrorMember(name string) bool { return slices.Contains(errorMembers, strings.ToLower(name)) }

// tellsError reports whether the value of such a member says that there is an error.
func tellsError(v harness.Value) bool {
	switch strings.Join(strings.Fields(v.Text), "") {
	case "", "[]", "{}", "null", "false", "0":
		return false
	}
	return !v.IsAbsent() && v.Kind != harness.KindNull
}
