// Package ldap records the operations of clients on a directory, in front of which it stands: LDAP version 3, RFC 4511.
//
// The bytes of client and directory are passed on as they came. Each operation and its result are one exchange on the
// directory channel, from [Tap.From] to [Tap.To]. The session is the client's connection: conn-1, conn-2 and so on, in
// order of arrival.
//
//	request head    :method        BIND, SEARCH, ADD, MODIFY, DELETE, MODIFYDN, COMPARE or EXTENDED
//	                :path          distinguished name, or the OID of an extended operation
//	                auth           of a BIND: simple, anonymous, or sasl and the mechanism
//	                scope deref size-limit time-limit types-only filter attribute   of a SEARCH; limits where there are some
//	                new-rdn delete-old-rdn new-superior                             of a MODIFYDN
//	                control        OID of a control, followed by critical where it is; its value is not recorded
//	response head   :status        result code, a number: 0 is success, 32 noSuchObject, 49 invalidCredentials
//	                matched-dn diagnostic referral control                          where the directory sends them
//
// Bodies are JSON, attributes in the order of the wire. An ADD and a COMPARE are an object of attributes; a MODIFY is a
// list of changes; the result of a SEARCH is a list of entries, one a line, as the directory sent them:
//
//	{"objectClass":["person"],"cn":["Hana Park"]}
//	[{"replace":{"mail":["hana.park@harrowlake.example"]}},{"delete":{"fax":[]}}]
//	[{"dn":"uid=hpark,ou=people,dc=harrowlake,dc=example","mail":["hana.park@harrowlake.example"]},
//	{"reference":["ldap://other.harrowlake.example/"]}]
//
// A value that is no text is {"base64":"…"}; the value of an extended operation stands in {"value":…}.
//
// # What is never recorded
//
// Passwords: of simple binds, of SASL, of the operation that changes them (RFC 3062), and the values of attributes that
// hold some, in whatever operation and in filters (userPassword, unicodePwd and others). {"withheld":true} stands in
// their place, and the word withheld in a filter.
//
// # What is lost
//
// Unbind has no result and Abandon is none; neither is an exchange. An operation without a result is kept with a fault:
// [harness.FaultClientGone] when the client abandoned it, used its number again or went away, [harness.FaultReset] when the
// directory did, [harness.FaultTruncated] when more than [Tap.MaxBody] came. An operation of a form that RFC 4511 does not
// have passes and is counted as dropped, and so is what is not LDAP at all, such as what SASL encrypts: from there on the
// connection passes unread.
//
// A client's StartTLS is answered by the tap, since behind it nothing could be seen: with success when the tap has
// [Tap.Secure], with unavailable otherwise. Clients may begin with TLS at once as well (LDAPS). StartTLS and LDAPS towards
// the directory are the tap's own, see [Upstream].
//
// # Memory
//
// For each connection at most [Tap.MaxBody] for the operations without a result, and as much for one message.
package ldap
