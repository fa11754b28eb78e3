// Package smtp records the mails that a system sends: it is a server for SMTP (RFC 5321) that takes every mail and delivers
// none, or stands in front of a real server, which decides.
//
// Each mail is one exchange on the mail channel, from [Tap.From] to [Tap.To]. The session is the client's connection:
// conn-1, conn-2 and so on, in order of arrival. The head of the request is the envelope (:sender, and :recipient for each
// one), then the fields of the mail in order, with their case and duplicates; folded fields stand in one line. The body is
// every byte behind the empty line, without the dots that SMTP adds. A line among the fields that is none ends them, and
// the body begins with it.
//
// Whoever logs in is let in, and nothing of it is recorded: the sink takes PLAIN and LOGIN, a real server is asked itself.
// Clients may go over to TLS (STARTTLS) when the tap has [Tap.Secure].
//
// # What is a mail
//
// A mail ends with CRLF . CRLF and nothing else. Lines end with CRLF: a mail with a CR or an LF alone is refused (550), as
// RFC 5321 section 2.3.8 wants, because servers do not agree on where it ends (SMTP smuggling). Commands that come behind
// DATA, STARTTLS or AUTH in the same breath are read as what they are there.
//
// # What is lost
//
// A mail that breaks off is kept with the fault [harness.FaultClientGone], one of more than [Tap.MaxBody] with
// [harness.FaultTruncated] and is refused (552), one to which the real server said nothing with [harness.FaultReset]. What
// the real server refuses behind DATA is counted as dropped, and so is a mail with lines of wrong form. CHUNKING (BDAT) is
// not offered.
//
// Memory: at most [Tap.MaxBody] for each connection.
package smtp
