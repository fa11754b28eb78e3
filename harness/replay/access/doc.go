// Package access gives requests the credentials of the instance that they are fed to.
//
// A recording holds credentials of the day and the system where it was made, or stand-ins for them. A scenario says with
// which recipe of the table [Recipes] they are replaced: a fixed key, a login, a token that is got and renewed, or a
// signature for the moment. Only what was recorded is replaced: a request without credentials stays one, and a request
// that was refused for its credentials keeps them, because the refusal is what was recorded.
//
// Credentials of now are sent and nothing else: they are in no recording, report or error.
package access
