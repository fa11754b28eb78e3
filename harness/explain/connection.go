package explain

import (
	"fmt"
	"regexp"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// breakdown is one row of the table of why a connection does not come about: what the error says, and what it means.
type breakdown struct {
	says     *regexp.Regexp
	kind     string
	title    string
	sentence string // of the system
	next     string
}

// breakdowns is the table; the first row that fits speaks.
var breakdowns = []breakdown{
	{regexp.MustCompile(`(?i)certificate has expired|certificate expired|not yet valid`), "F10", "certificate expired",
		"the certificate of %s is not valid at this time", "Ask %s for a renewed certificate, and put the day on which it ends into the calendar."},
	{regexp.MustCompile(`(?i)unknown authority|unknown_ca|self-signed|self signed|certificate is valid for|not trusted|verify certificate`), "F10", "certificate not trusted",
		"the certificate of %s is not one that is trusted here", "Find out from %s whether the certificate or its issuer was exchanged, and add the new issuer where it is trusted."},
	{regexp.MustCompile(`(?i)host key|knownhosts|known_hosts`), "F10", "host key changed",
		"%s shows another host key than the one that is known", "Ask %s for the fingerprint of the new host key by another way than this connection, then replace the old one."},
	{regexp.MustCompile(`(?i)bad certificate|bad_certificate|certificate required|certificate_required|client certificate`), "F10", "client certificate refused",
		"%s does not take the certificate that the integration shows", "Renew the client certificate with %s."},
	{regexp.MustCompile(`(?i)handshake failure|handshake_failure|protocol version|no cipher|insufficient security|unsupported versions?|no common algorithm|unable to negotiate|key exchange|no mutual`), "F09", "no common encryption",
		"%s and the integration have no version or cipher in common any more", "Ask %s which TLS versions, ciphers or key exchanges it takes now, and bring the client up to one of them."},
	{regexp.MustCompile(`(?i)\btls:|\bx509:|\bssh:`), "F09", "no secure connection",
		"no secure connection to %s comes about any more", "Read what the error says, and ask %s what changed in its certificates or encryption."},
}

// cause is a system that is not reached any more, and the row that explains it.
type cause struct {
	system string
	row    *breakdown
}

// detectConnection names why no connection comes about: what the error says of certificates, keys and encryption, and
// credentials of the client that are not known any more.
func detectConnection(s *state) {
	faults := s.unclaimed(func(d *harness.Difference) bool { return isNewFault(s, d) && breakdownOf(d) != nil })
	for _, list := range partition(faults, func(i int) cause { return cause{s.at(i).To, breakdownOf(s.at(i))} }) {
		s.claimBreakdown(breakdownOf(s.at(list[0])), list)
	}
	unknown := s.refusals(func(d *harness.Difference, now harness.Exchange) bool {
		return (d.Is.Text == "401" || d.Is.Text == "400") && bodyHolds(now, "invalid_client")
	})
	for _, list := range s.bySystem(unknown) {
		s.claimUnknownClient(list)
	}
}

// detectSecured finds connections that came about with another certificate or another encryption.
func detectSecured(s *state) {
	for _, list := range s.bySystem(s.unclaimed(func(d *harness.Difference) bool {
		return headField(d) == harness.FieldCert || headField(d) == harness.FieldCertEnd
	})) {
		s.claimCertificate(list)
	}
	for _, list := range s.bySystem(s.unclaimed(func(d *harness.Difference) bool { return headField(d) == harness.FieldTLS })) {
		d := s.at(list[0])
		f := s.sized(list)
		f.Verdict, f.Source, f.Of = harness.Review, s.side(d.To), s.before.callsTo(d.To)
		f.Sentence = fmt.Sprintf("The connection to %s is encrypted in another way: %s instead of %s (%d of %s).", s.side(d.To), d.Is.Text, d.Was.Text, f.Count, count(f.Of, "call"))
		f.NextStep = fmt.Sprintf("Ask %s which versions and ciphers stay, and whether every client of the integration speaks one of them.", s.side(d.To))
		if d.Is.Text[:min(len(d.Is.Text), tlsName)] < d.Was.Text[:min(len(d.Was.Text), tlsName)] {
			f.Verdict = harness.Breaking
			f.Effects = []string{"This is about security: the version is an older one."}
		}
		s.kind.Kind, s.kind.Title = "F09", "other encryption"
		s.claim(f, list)
	}
}

// tlsName is the length of the name of a version, such as TLS 1.2.
const tlsName = 7

func (s *state) claimCertificate(list []int) {
	d := s.at(list[0])
	calls := map[string]bool{}
	for _, i := range list {
		calls[s.at(i).Exchange] = true
	}
	f := s.sized(list)
	f.Verdict, f.Unit, f.Count, f.Of, f.Source = harness.Review, "calls", len(calls), s.before.callsTo(d.To), s.side(d.To)
	f.Sentence = fmt.Sprintf("%s shows another certificate (%d of %s).", s.side(d.To), f.Count, count(f.Of, "call"))
	if end, err := time.Parse(time.RFC3339, s.now(d).Response.Head.Get(harness.FieldCertEnd)); err == nil {
		f.Sentence = fmt.Sprintf("%s shows another certificate, which ends on %s (%d of %s).", s.side(d.To), end.Format(time.DateOnly), f.Count, count(f.Of, "call"))
		if days := int(end.Sub(s.Now).Hours() / 24); !s.Now.IsZero() && days >= 0 && days <= certificateWarning {
			f.Effects = append(f.Effects, fmt.Sprintf("That is in %s.", count(days, "day")))
		}
	}
	f.NextStep = "Where the certificate or its issuer is pinned, bring the new one there, and put its end into the calendar."
	s.kind.Kind, s.kind.Title = "F10", "certificate exchanged"
	s.claim(f, list)
}

// certificateWarning is how many days before its end a certificate is spoken of.
const certificateWarning = 45

func breakdownOf(d *harness.Difference) *breakdown {
	detail, _ := d.Is.Field("detail")
	for i := range breakdowns {
		if breakdowns[i].says.MatchString(detail) {
			return &breakdowns[i]
		}
	}
	return nil
}

func (s *state) claimBreakdown(b *breakdown, list []int) {
	d := s.at(list[0])
	detail, _ := d.Is.Field("detail")
	system := s.side(d.To)
	f := s.sized(list)
	f.Verdict, f.Hit, f.Source, f.Of = harness.Breaking, s.hits(list), system, s.before.callsTo(d.To)
	f.Sentence = fmt.Sprintf("No connection: "+b.sentence+" (%d of %s).", system, f.Count, count(f.Of, "call"))
	f.Effects = []string{fmt.Sprintf("The error says: %s.", detail), "This is about the connection, not about data: nothing crossed, so nothing was compared."}
	f.NextStep = fmt.Sprintf(b.next, system)
	s.kind.Kind, s.kind.Title = b.kind, b.title
	own := s.take(list)
	calls := s.otherCalls(s.sessions(list), true)
	calls.addTo(&f)
	s.claim(f, append(own, calls.list...))
}

func (s *state) claimUnknownClient(list []int) {
	d := s.at(list[0])
	f := s.sized(list)
	f.Verdict, f.Hit = harness.Breaking, s.hits(list)
	f.Sentence = fmt.Sprintf("%s does not know the client or its secret any more: %s answers %s, invalid_client (%s).",
		s.side(d.To), d.Operation, d.Is.Text, s.share(list))
	f.NextStep = fmt.Sprintf("Find out whether the secret was exchanged or has expired at %s, and put the new one where the integration reads it.", s.side(d.To))
	s.kind.Kind, s.kind.Title = "F10", "client secret refused"
	own := s.answersOf(list)
	calls := s.otherCalls(s.sessions(list), true)
	calls.addTo(&f)
	s.claim(f, append(own, calls.list...))
}
