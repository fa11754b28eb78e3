// Package fakes is the working doubles of the Harrow Lake systems: Prospekt CRM, Atrium SIS, Keystone Identity and the
// runner HubLine, as HTTP services that are strict where the real products are; and the runner's relay of files.
//
// They are deterministic: identifiers are computed from what is asked, every moment comes from the given clock, also
// the Date header, and members of a JSON answer have a fixed order. State lives in memory, a map for each service,
// bounded by the applications that exist; handlers are safe for concurrent use. Nothing here is meant for data that is
// not invented.
//
//	CRM      GET  /api/v2/applications/{id}        the application; 2026.3 says entry_term instead of start_term
//	         PATCH /api/v2/applications/{id}       sis_id and sis_synced_at, nothing else
//	SIS      POST /api/persons/match               none, or match with personId and studentId
//	         POST /api/admission-applications      201 with applicationId and studentId; 422 names the bad field
//	Identity POST /scim/v2/Users                   201 with the account; 400 names what has the wrong type
//	         PATCH /scim/v2/Users/{id}             replaces active, department or affiliation, types checked
//	         POST /directory/modify                an operation on the directory: what LDAP would carry, as JSON
//	HubLine  POST /hooks/application               runs one application from CRM to SIS and back
//	         POST /jobs/poll                       asks the CRM what waits
//	         POST /reports/workers                 passes the workers of a report on to accounts and directory
//	all      GET  /healthz                         service and release
//
// [Serve] runs one of them on a loopback listener; [Services] is the table of them.
package fakes
