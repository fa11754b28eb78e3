package explain

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// versionSign is one row of the table of where a release of an interface shows.
type versionSign struct {
	what string // for people
	fits func(*harness.Difference) bool
	hard bool // readers refuse what they do not know here
	mere bool // the same document in another writing, whatever the release
}

// versionSigns is the table; the first row that fits speaks.
var versionSigns = []versionSign{
	{"the version in the path", inVersionedPath, false, false},
	{"the version in the media type", inMediaVersion, false, false},
	{"the version in the message", inVersionMember, false, false},
	{"the version in a header", inVersionHeader, false, false},
	{"the SOAP action", func(d *harness.Difference) bool { return !isAnswer(d) && headField(d) == "soapaction" }, false, false},
	{"the namespace", isNamespace, true, false},
	{"the binding of prefixes", func(d *harness.Difference) bool { return factOf(d) == "prefixes" }, false, true},
	{"the writing of the XML", isWritingOfXML, false, true},
}

func signOf(d *harness.Difference) *versionSign {
	for i := range versionSigns {
		if versionSigns[i].fits(d) {
			return &versionSigns[i]
		}
	}
	return nil
}

// digits of a version: 2, v43.0, 2026-10.
var versionDigits = regexp.MustCompile(`[vV]?\d+([.-]\d+)*(alpha|beta)?\d*`)

// versionText is a version as a value: more than a bare number that could be a count is not asked of a field of that name.
var versionText = regexp.MustCompile(`^[vVrR]?\d+([.-]\d+)*((alpha|beta|rc)\d*)?$`)

// sameButVersion reports whether both texts differ in versions only.
func sameButVersion(was, is string) bool {
	return was != is && versionDigits.ReplaceAllString(was, "") == versionDigits.ReplaceAllString(is, "")
}

func inVersionedPath(d *harness.Difference) bool {
	if headField(d) != harness.FieldPath || d.Class != harness.Changed {
		return false
	}
	was, is := strings.FieldsFunc(d.Was.Text, isPathMark), strings.FieldsFunc(d.Is.Text, isPathMark)
	if len(was) != len(is) {
		return false
	}
	for i := range was {
		if was[i] != is[i] && !(isVersionSegment(was[i]) && isVersionSegment(is[i])) && !isVersionParameter(was[i], is[i]) {
			return false
		}
	}
	return true
}

func isPathMark(r rune) bool { return r == '/' || r == '?' || r == '&' }

var versionSegment = regexp.MustCompile(`^([vV]\d+([._-]\d+)*((alpha|beta)\d*)?|\d{1,3}\.\d{1,3}|\d{4}-\d\d(-\d\d)?)$`)

// isVersionSegment reports whether a segment of a path is a version; a number alone is an identifier.
func isVersionSegment(s string) bool { return versionSegment.MatchString(s) }

// isVersionParameter reports whether both are the same parameter of a query, one that holds a version.
func isVersionParameter(was, is string) bool {
	name, _, ok := strings.Cut(was, "=")
	other, _, okToo := strings.Cut(is, "=")
	return ok && okToo && name == other && strings.Contains(strings.ToLower(name), "version")
}

func inMediaVersion(d *harness.Difference) bool {
	name := headField(d)
	return (name == "content-type" || name == "accept") && d.Class == harness.Changed && sameButVersion(d.Was.Text, d.Is.Text)
}

func inVersionHeader(d *harness.Difference) bool {
	name := headField(d)
	return strings.Contains(name, "version") && !strings.HasPrefix(name, ":") && d.Class == harness.Changed && sameButVersion(d.Was.Text, d.Is.Text)
}

// inVersionMember reports whether the place is the version that a message states of itself, outside of its records.
func inVersionMember(d *harness.Difference) bool {
	if !inBody(d) || d.Class != harness.Changed || hasElement(d.Path) {
		return false
	}
	name := strings.ToLower(strings.TrimPrefix(d.Path.Leaf(), "@"))
	switch name {
	case "version", "schemaversion", "schema_version", "apiversion", "api_version":
		return versionText.MatchString(d.Was.Text) && versionText.MatchString(d.Is.Text)
	}
	return false
}

// isNamespace reports whether the difference is the URI of an XML namespace.
func isNamespace(d *harness.Difference) bool { return inBody(d) && d.Path.Leaf() == "@xmlns" }

// factOf is the name of the fact of form that differs, empty for other differences.
func factOf(d *harness.Difference) string {
	if len(d.Path) == 3 && d.Path[1].Name == "form" {
		return d.Path[2].Name
	}
	return ""
}

// xmlWritings is the facts of form that carry no meaning in XML.
var xmlWritings = []string{"document type", "namespace declarations", "attribute quotes", emptyElements, "CDATA sections", "comments", "processing instructions", "declaration"}

func isWritingOfXML(d *harness.Difference) bool {
	encoding := func(declaration string) string {
		_, rest, _ := strings.Cut(declaration, "encoding")
		return rest
	}
	return slices.Contains(xmlWritings, factOf(d)) && encoding(d.Was.Text) == encoding(d.Is.Text)
}

// detectVersion finds another release of an interface, by system: one finding for all places where it shows. Messages
// that are merely written otherwise, such as with other prefixes, show no release: they are another finding. What else
// differs in the messages stays with other findings.
func detectVersion(s *state) {
	signs := s.unclaimed(func(d *harness.Difference) bool { return signOf(d) != nil && !s.followsEmptied(d) })
	released := map[slot]bool{}
	for _, i := range signs {
		if !signOf(s.at(i)).mere {
			released[slotOf(s.at(i))] = true
		}
	}
	type interfaceKey struct {
		system   string
		released bool
	}
	for _, list := range partition(signs, func(i int) interfaceKey {
		d := s.at(i)
		return interfaceKey{s.otherThanTarget(d), released[slotOf(d)]}
	}) {
		s.claimVersion(s.otherThanTarget(s.at(list[0])), list)
	}
}

// emptyElements is the fact about how elements without content are written.
const emptyElements = "empty elements"

// isEmptied reports whether a value of a body is gone or became empty.
func isEmptied(d *harness.Difference) bool {
	return inBody(d) && !isEmpty(d.Was) && !d.Was.IsAbsent() && (d.Is.IsAbsent() || isEmpty(d.Is))
}

// followsEmptied reports whether the difference is how empty elements are written, in a message some of whose values were
// emptied: it has such elements for that reason.
func (s *state) followsEmptied(d *harness.Difference) bool {
	return factOf(d) == emptyElements && slices.ContainsFunc(s.facts.within[d.Exchange], func(i int) bool {
		return isEmptied(s.at(i)) && s.at(i).Path[0].Name == d.Path[0].Name
	})
}

// writtenEmpty claims how empty elements are written in the messages whose values the cause emptied.
func (s *state) writtenEmpty(cause []int) consequence {
	emptied := map[half]bool{}
	for _, i := range cause {
		if d := s.at(i); isEmptied(d) {
			emptied[half{d.Exchange, d.Path[0].Name}] = true
		}
	}
	if len(emptied) == 0 {
		return consequence{}
	}
	return consequence{list: s.take(s.unclaimed(func(d *harness.Difference) bool {
		return factOf(d) == emptyElements && emptied[half{d.Exchange, d.Path[0].Name}]
	}))}
}

// otherThanTarget is the system at the other end of the call.
func (s *state) otherThanTarget(d *harness.Difference) string {
	if d.To == s.Scenario.Target.System {
		return d.From
	}
	return d.To
}

func (s *state) claimVersion(system string, list []int) {
	var what []string
	calls, asked := map[string]bool{}, map[string]bool{}
	hard := false
	for _, i := range list {
		d := s.at(i)
		sign := signOf(d)
		hard = hard || sign.hard
		what = append(what, s.signText(sign, d))
		calls[d.Exchange] = true
		asked[d.Exchange] = asked[d.Exchange] || !isAnswer(d)
	}
	what = distinct(what)
	f := s.sized(list)
	f.Unit, f.Count, f.Of = "calls", len(calls), max(s.before.callsTo(system), len(calls))
	f.Source = s.side(system)
	f.Sentence = fmt.Sprintf("The interface with %s is another release: %s (%d of %s).", s.side(system), listSome(what, maxFewCodes), f.Count, count(f.Of, "call"))
	f.Verdict, f.NextStep = harness.Benign, "Nothing to do: the content is the same."
	added, other := s.contentOf(calls, list)
	switch {
	case added+other > 0:
		f.Verdict = harness.Review
		f.NextStep = fmt.Sprintf("Read the release notes of %s for what else this version changes.", s.side(system))
		if other == 0 {
			f.Effects = append(f.Effects, fmt.Sprintf("The messages hold more than before (%s); nothing is gone.", count(added, "new place")))
		} else {
			f.Effects = append(f.Effects, "More differs in these messages; the other findings tell what.")
		}
	default:
		f.Effects = append(f.Effects, "Nothing else differs in these messages.")
	}
	if hard {
		f.Verdict = harness.Breaking
		f.Effects = append(f.Effects, "A reader that goes by namespaces finds none of its elements any more.")
		f.NextStep = "Teach the reader the new namespace, or ask for the old one."
	}
	if signed := s.isSigned(list); signed {
		f.Verdict = harness.Breaking
		f.Effects = append(f.Effects, "The message is signed: another writing of the same content breaks its signature.")
	}
	own := s.take(list)
	own = append(own, s.refusedVersion(&f, system, asked)...) // also judges it
	s.claim(f, own)
}

// refusedVersion claims the calls that ask for the new release and are refused, and makes the finding breaking.
func (s *state) refusedVersion(f *harness.Finding, system string, asked map[string]bool) []int {
	refused := s.refusals(func(d *harness.Difference, _ harness.Exchange) bool { return asked[d.Exchange] })
	if len(refused) == 0 {
		return nil
	}
	c := s.failedAnswers(refused)
	c.join(s.otherCalls(s.sessions(refused), true))
	c.addTo(f)
	f.Verdict = harness.Breaking
	f.NextStep = fmt.Sprintf("Ask %s for the description of the new release: it wants something that the call does not bring.", s.side(system))
	return c.list
}

func (s *state) signText(sign *versionSign, d *harness.Difference) string {
	if factOf(d) != "" && factOf(d) != "prefixes" {
		return fmt.Sprintf("%s (%s)", sign.what, factOf(d))
	}
	was, is := short(textOf(d.Was)), short(textOf(d.Is))
	if headField(d) == harness.FieldPath {
		was, is = versionIn(was, is)
	}
	return fmt.Sprintf("%s is %s instead of %s", sign.what, is, was)
}

// versionIn is the first segment or parameter in which both paths differ.
func versionIn(was, is string) (string, string) {
	a, b := strings.FieldsFunc(was, isPathMark), strings.FieldsFunc(is, isPathMark)
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i], b[i]
		}
	}
	return was, is
}

// contentOf counts what else differs in the bodies of the exchanges: places that came, and others.
func (s *state) contentOf(calls map[string]bool, signs []int) (added, other int) {
	own := map[int]bool{}
	for _, i := range signs {
		own[i] = true
	}
	for i := range s.open {
		d := s.at(i)
		if !calls[d.Exchange] || own[i] || len(d.Path) < 2 || d.Path[1].Name != "body" || !s.open[i] {
			continue
		}
		if d.Class == harness.Added {
			added++
		} else {
			other++
		}
	}
	return added, other
}

// isSigned reports whether one of the messages holds an XML signature, which covers its writing.
func (s *state) isSigned(list []int) bool {
	seen := map[half]bool{}
	for _, i := range list {
		d := s.at(i)
		if factOf(d) == "" || seen[half{d.Exchange, d.Path[0].Name}] {
			continue
		}
		seen[half{d.Exchange, d.Path[0].Name}] = true
		body, err := messageOf(s.before.byID[d.Exchange], d).Body.Bytes()
		s.note(err)
		if bytes.Contains(body, []byte("http://www.w3.org/2000/09/xmldsig#")) {
			return true
		}
	}
	return false
}
