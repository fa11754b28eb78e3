package explain

import (
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// volatility is one row of the table of values that differ from run to run by nature, known by their place or by how
// they run on. The rule that it proposes keeps the form of the value, so that another form still shows.
type volatility struct {
	name string
	fits func(s *state, g group) bool
	rule func(s *state, g group) string // the rest of the rule, behind its place
}

// volatilities is the table; the first row that fits speaks.
var volatilities = []volatility{
	{"identifiers of single calls", allOf(isCallID), patternOf},
	{"tokens under the same scheme", allOf(isToken), func(s *state, g group) string {
		return patternRule(regexp.QuoteMeta(scheme(s.at(g.list[0]).Is.Text)) + " .+")
	}},
	{"values of a cookie", allOf(isCookieValue), func(s *state, g group) string { return patternRule(cookiePattern(s.at(g.list[0]).Is.Text)) }},
	{"counters", isCounter, func(*state, group) string { return patternRule(`\d+`) }},
	{"the last digits of binary fractions", allOf(isFloatNoise), func(*state, group) string { return "compare: number, tolerance: 0.000000001" }},
}

// detectVolatile claims values that differ from run to run by nature, and proposes the rule. It comes before rules that
// would explain a counter as an offset. A field of the head of several operations is one finding.
func detectVolatile(s *state) {
	var found []volatile
	for _, g := range s.groups(func(d *harness.Difference) bool { return d.Class == harness.Changed && isField(d) }) {
		if at := slices.IndexFunc(volatilities, func(v volatility) bool { return v.fits(s, g) }); at >= 0 {
			found = append(found, volatile{at, g})
		}
	}
	for _, same := range partition(found, func(v volatile) volatileKey {
		d := s.at(v.place.list[0])
		k := volatileKey{row: v.row, field: s.keyOfField(v.place), half: d.Path[0].Name}
		if headField(d) == "" {
			k.slot, k.pattern = v.place.slot, d.Pattern.String()
		}
		return k
	}) {
		s.claimVolatile(same)
	}
	s.claimSameCalls()
}

// volatile is a place that a row of the table fits.
type volatile struct {
	row   int
	place group
}

// volatileKey is what places have in common that are one finding.
type volatileKey struct {
	row     int
	field   fieldKey
	half    string
	slot    slot   // outside of heads
	pattern string // outside of heads
}

func (s *state) claimVolatile(same []volatile) {
	v, first := volatilities[same[0].row], same[0].place
	all, others := group{slot: first.slot}, []group{}
	for i, each := range same {
		all.list = append(all.list, each.place.list...)
		if i > 0 {
			others = append(others, each.place)
		}
	}
	d := s.at(first.list[0])
	f := s.sized(first.list)
	f.Verdict = harness.Review
	f.Sentence = fmt.Sprintf("%q in %s from %s looks like noise: %s, which differ in %s; their form is the same, and no rule covers them.",
		fieldName(d), d.Operation, s.side(answerer(d)), v.name, s.share(first.list))
	f.Effects = s.alsoIn(others)
	operation := ""
	if len(others) == 0 {
		operation = "operation: " + strconv.Quote(d.Operation) + ", "
	}
	f.NextStep = fmt.Sprintf("If it is noise, add a rule to the scenario: {at: %s, %s%s, reason: …}", strconv.Quote(d.Pattern.String()), operation, v.rule(s, all))
	s.claim(f, all.list)
}

// allOf makes a test of a group of a test of its differences.
func allOf(fits func(*harness.Difference) bool) func(*state, group) bool {
	return func(s *state, g group) bool {
		return !slices.ContainsFunc(g.list, func(i int) bool { return !fits(s.at(i)) })
	}
}

// callIDs is the header fields that tell one call from another, in lower case.
var callIDs = []string{"x-request-id", "x-correlation-id", "x-trace-id", "traceparent", "request-id", "x-amzn-trace-id", "x-amzn-requestid", "cf-ray",
	"x-runtime", "x-response-time", "server-timing", "age", "x-served-by", "x-b3-traceid", "x-b3-spanid"}

func isCallID(d *harness.Difference) bool {
	return slices.Contains(callIDs, headField(d)) && (alphabet(d.Was.Text) == anyLetter) == (alphabet(d.Is.Text) == anyLetter)
}

func isToken(d *harness.Difference) bool {
	return headField(d) == "authorization" && scheme(d.Was.Text) == scheme(d.Is.Text) && strings.Contains(d.Was.Text, " ")
}

func isCookieValue(d *harness.Difference) bool {
	return inAnswerHead(d, "set-cookie") && cookiePattern(d.Was.Text) == cookiePattern(d.Is.Text)
}

// runningAttributes is the attributes of a cookie that follow the clock.
var runningAttributes = []string{"expires", "max-age"}

// cookiePattern is the pattern of a Set-Cookie field with its value and its end left open.
func cookiePattern(text string) string {
	parts := strings.Split(text, ";")
	for i, part := range parts {
		name, _, valued := strings.Cut(strings.TrimSpace(part), "=")
		if i == 0 || valued && slices.Contains(runningAttributes, strings.ToLower(name)) {
			parts[i] = regexp.QuoteMeta(name) + "=[^;]*"
		} else {
			parts[i] = regexp.QuoteMeta(strings.TrimSpace(part))
		}
	}
	return strings.Join(parts, "; ")
}

// alphabets is the kinds of letters that tokens are made of, from narrow to wide.
var alphabets = []struct{ name, letters string }{
	{`\d`, "0123456789"},
	{`[0-9a-f]`, "0123456789abcdef"},
	{`[0-9A-F]`, "0123456789ABCDEF"},
	{`[0-9a-f-]`, "0123456789abcdef-"},
	{`[0-9.]`, "0123456789."},
	{`[0-9A-Za-z]`, lettersAndDigits},
	{`[0-9A-Za-z_-]`, lettersAndDigits + "_-"},
	{`[0-9A-Za-z+/=]`, lettersAndDigits + "+/="},
}

const lettersAndDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// anyLetter stands for all printable ones.
const anyLetter = `[!-~ ]`

// alphabet is the narrowest of them that holds the text.
func alphabet(text string) string {
	for _, a := range alphabets {
		if strings.Trim(text, a.letters) == "" {
			return a.name
		}
	}
	return anyLetter
}

// patternOf is the pattern that all values of a group match: their letters, and how many.
func patternOf(s *state, g group) string {
	const longest = 12 // digits of a number; a longer one is taken for hexadecimal
	least, most := 1<<30, 0
	var all strings.Builder
	for _, i := range g.list {
		for _, text := range []string{s.at(i).Was.Text, s.at(i).Is.Text} {
			least, most = min(least, len(text)), max(most, len(text))
			all.WriteString(text)
		}
	}
	letters := alphabet(all.String())
	if letters == `\d` && least > longest {
		letters = `[0-9a-f]`
	}
	times := fmt.Sprintf("{%d,%d}", least, most)
	if least == most {
		times = fmt.Sprintf("{%d}", least)
	}
	return patternRule(letters + times)
}

func patternRule(pattern string) string {
	return "compare: pattern, pattern: " + strconv.Quote(pattern)
}

// counterWords is the words in the names of fields that count up from run to run.
var counterWords = []string{"batch", "sequence", "seq", "serial", "counter", "run", "control"}

// minConsecutive is how many consecutive numbers on both sides show a counter whose name says nothing.
const minConsecutive = 3

// isCounter reports whether the values are whole numbers that go up by one from place to place on both sides, or whose
// name says that they count and that are all higher now.
func isCounter(s *state, g group) bool {
	d := s.at(g.list[0])
	if g.slot.channel == harness.ChannelHTTP && d.Path[1].Name == "head" && isPseudo(d) {
		return false
	}
	named := slices.ContainsFunc(wordsOfName(d.Pattern.Leaf()), func(w string) bool { return slices.Contains(counterWords, w) })
	consecutive, higher := true, true
	var was, is int64
	for n, i := range g.list {
		a, errA := strconv.ParseInt(s.at(i).Was.Text, 10, 64)
		b, errB := strconv.ParseInt(s.at(i).Is.Text, 10, 64)
		if errA != nil || errB != nil || a < 0 || b < 0 {
			return false
		}
		consecutive = consecutive && (n == 0 || a == was+1 && b == is+1)
		higher = higher && b > a
		was, is = a, b
	}
	return named && higher || consecutive && len(g.list) >= minConsecutive && len(g.list) == s.population(d)
}

// isFloatNoise reports whether both numbers are one value that binary fractions cannot hold: they agree but for the last
// digits, of which one side has very many.
func isFloatNoise(d *harness.Difference) bool {
	const longNumber = 16 // digits, as many as a binary fraction holds
	a, okA := new(big.Rat).SetString(d.Was.Text)
	b, okB := new(big.Rat).SetString(d.Is.Text)
	if !okA || !okB || d.Was.Kind != d.Is.Kind || max(len(d.Was.Text), len(d.Is.Text)) < longNumber || !strings.Contains(d.Was.Text+d.Is.Text, ".") {
		return false
	}
	distance := new(big.Rat).Sub(a, b)
	return distance.Abs(distance).Cmp(big.NewRat(1, 1_000_000_000)) < 0 &&
		distance.Cmp(new(big.Rat).Mul(new(big.Rat).Abs(a), big.NewRat(1, 1_000_000_000_000))) <= 0
}

// claimSameCalls claims what is written in another way and says the same to every receiver: a query in another order or
// another escape, a list of a header in another order.
func (s *state) claimSameCalls() {
	for _, g := range s.groups(func(d *harness.Difference) bool { return d.Class == harness.Changed && isSameCall(d) }) {
		d := s.at(g.list[0])
		f := s.sized(g.list)
		f.Verdict = harness.Benign
		f.Sentence = fmt.Sprintf("%q in %s from %s says the same in another order or writing (%s).", fieldName(d), d.Operation, s.side(answerer(d)), s.share(g.list))
		f.NextStep = "Nothing to do, unless a cache, a signature or a mock goes by the letters."
		s.kind.Title = "same in another order"
		s.claim(f, g.list)
	}
}

func isSameCall(d *harness.Difference) bool {
	switch headField(d) {
	case harness.FieldPath:
		return sameQuery(d.Was.Text, d.Is.Text)
	case "accept", "accept-encoding", "accept-language", "allow", "vary", "cache-control", "content-type":
		return sameList(d.Was.Text, d.Is.Text)
	}
	return false
}

// sameQuery reports whether both targets have one path, and the same parameters with the same values in their order.
func sameQuery(was, is string) bool {
	a, errA := url.ParseRequestURI(was)
	b, errB := url.ParseRequestURI(is)
	return errA == nil && errB == nil && a.Path == b.Path && a.Query().Encode() == b.Query().Encode()
}

// sameList reports whether both lists hold the same words, letter case, blanks and quotes aside.
func sameList(was, is string) bool {
	words := func(text string) []string {
		list := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(`,; "`, r) })
		slices.Sort(list)
		return list
	}
	return slices.Equal(words(was), words(is))
}
