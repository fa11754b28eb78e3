// Package vendor is a small system of a vendor that never exists twice: every id, token, cookie, cursor and ticket that it
// gives is random. It is what a replay has to get along with, for tests, measurements and for trying things out.
//
// Its interface has what makes sessions hard to replay: a login form with a CSRF field and cookies, bearer tokens that are
// refreshed, created resources with numbers and entity tags, lists in pages behind cursors, jobs that are polled, uploads
// behind tickets, and a SOAP service with sessions of its own. [Server] answers, [Client] is a user of it.
//
// Memory grows with what clients create. A Server is safe for concurrent use.
package vendor
