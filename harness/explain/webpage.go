package explain

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectWebPage claims answers that are a page for people now, under a status of success, where data was: of maintenance,
// of a gateway, or one to sign in. Nothing in it means anything, and what needed the data follows from it.
func detectWebPage(s *state) {
	var ids []string
	for _, id := range s.before.order {
		x := s.before.byID[id]
		if now, made := s.after.byID[s.Comparison.Partner[id]]; made && now.Status()/100 == 2 && isWebPage(&now) && !isWebPage(&x) {
			ids = append(ids, id)
		}
	}
	for _, ids := range partition(ids, func(id string) string { return s.before.byID[id].To }) {
		s.claimWebPage(ids)
	}
}

func isWebPage(x *harness.Exchange) bool {
	return x.Channel == harness.ChannelHTTP && strings.HasPrefix(strings.ToLower(x.Response.Head.Get("Content-Type")), "text/html")
}

// claimWebPage makes one finding of the answers of a system that are pages.
func (s *state) claimWebPage(ids []string) {
	var first, rest []int // of each answer its media type or what else differs, and all others
	pages := map[string]bool{}
	for _, id := range ids {
		pages[id] = true
		if list := s.take(s.answerOf(id)); len(list) > 0 {
			at := max(0, slices.IndexFunc(list, s.isMediaType))
			first, rest = append(first, list[at]), append(rest, slices.Delete(list, at, at+1)...)
		}
	}
	if len(first) == 0 {
		return // rules took it away
	}
	d, operations := s.at(first[0]), s.operationsOf(first)
	system := s.side(d.To)
	f := s.brokenCalls(first)
	f.Samples = samplesOf(s.differences(first))
	page := readPage(s.now(d))
	f.Sentence = fmt.Sprintf("%s answers with a web page%s where it answered with data: in %s (%d of %s).", system, page.called(),
		count(len(operations), "operation"), f.Count, count(f.Of, "call"))
	f.Effects = append(f.Effects, fmt.Sprintf("These get it: %s.", listSome(operations, maxFewCodes)))
	f.NextStep = fmt.Sprintf("Read the page: it may be one of maintenance, of a gateway before %s, or of another address than that of the interface. Mend that, and repeat the run; nothing in these answers was compared.", system)
	if page.login {
		f.NextStep = fmt.Sprintf("The page asks to sign in: see that requests bring credentials that %s takes (`access` in the scenario), and repeat the run; nothing in these answers was compared.", system)
	}
	s.claimWithEffects(f, slices.Concat(first, rest, s.unsentWithout(&f, pages)))
}

// answerOf is what differs in the answer of the exchange, its end before its time included.
func (s *state) answerOf(id string) (list []int) {
	for _, i := range s.facts.within[id] {
		if d := s.at(i); isAnswer(d) || isNewFault(s, d) {
			list = append(list, i)
		}
	}
	return list
}

func (s *state) isMediaType(i int) bool { return inAnswerHead(s.at(i), "content-type") }

// namedExchange is how the reason of a request that was not sent names the exchange that gave no value.
var namedExchange = regexp.MustCompile(`exchange (\S+) \(`)

// unsentWithout claims the requests that could not be sent for want of a value of those exchanges, or of one that was not
// sent for that.
func (s *state) unsentWithout(f *harness.Finding, ids map[string]bool) []int {
	var list []int
	for {
		more := s.take(s.unclaimed(func(d *harness.Difference) bool {
			return isNotSent(s, d) && namesOneOf(detailOf(d), ids)
		}))
		if len(more) == 0 {
			break
		}
		for _, i := range more {
			ids[s.at(i).Exchange] = true
		}
		list = append(list, more...)
	}
	if len(list) > 0 {
		f.Effects = append(f.Effects, fmt.Sprintf("%s could not be sent for want of values of these answers: %s.", count(len(list), "request"),
			listSome(s.operationsOf(list), maxFewCodes)))
	}
	return list
}

// namesOneOf reports whether the reason names one of the exchanges, the request itself aside, which comes first.
func namesOneOf(reason string, ids map[string]bool) bool {
	named := namedExchange.FindAllStringSubmatch(reason, -1)
	return slices.ContainsFunc(named[min(1, len(named)):], func(m []string) bool { return ids[m[1]] })
}

// page is what is told of a web page.
type page struct {
	title string
	login bool // it asks for a password, or says so in its title
}

var (
	titleOfPage   = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title`)
	passwordField = regexp.MustCompile(`(?i)<input[^>]*type=["']?password`)
	signIn        = regexp.MustCompile(`(?i)\b(sign|log)[ -]?in\b`)
)

// readPage reads the page in an answer; a large one is not searched.
func readPage(x harness.Exchange) (p page) {
	body := smallBody(x)
	if title := titleOfPage.FindSubmatch(body); title != nil {
		p.title = strings.Join(strings.Fields(html.UnescapeString(string(title[1]))), " ")
	}
	p.login = passwordField.Match(body) || signIn.MatchString(p.title)
	return p
}

func (p page) called() string {
	if p.title == "" {
		return ""
	}
	return " (" + inQuotes(short(p.title)) + ")"
}
