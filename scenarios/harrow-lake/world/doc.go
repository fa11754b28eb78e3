// Package world generates what crosses between the systems of Harrow Lake University, the invented institution that
// Rehearse is demonstrated and accepted on.
//
// Everything is computed: the same call gives the same bytes on every machine, and no clock, no randomness and no file
// is read. All people are invented, domains end in .example. The numbers are the acceptance oracle's: 80 students, 20
// sections and 240 registrations for the nightly enrolment ([Enrollment]), 24 applicants for the admission webhooks
// ([Webhooks]), 12 workers for the identity feed ([WorkerReport]). Only what is fed to the runner is generated; what the runner makes of it comes from running it.
//
// What a vendor's release changes is a second, smaller recording that takes the place of the baseline's exchanges when
// feeding ([EnrollmentCandidate932]).
package world
