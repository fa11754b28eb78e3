// Package target starts the system under test and feeds it: a server that runs already, a process, a command, a mapping that
// runs inside, a code table, SQL scripts, a remote job or a batch job. A kind is one file and one row in [Kinds]; a language for
// mappings is one row less, because mappings in all languages feed and hand over alike.
//
// What a stage puts into the sink has no ID, so that the sink numbers everything that crosses in order of arrival, and
// begins at the frozen clock of the run, so that two runs make the same recording. Took is measured for the kinds that
// are reached over HTTP and zero for the others.
//
// A program that is started gets a minimal environment: PATH, HOME, LANG and TZ of the caller, what the scenario says,
// and REHEARSE_NOW (the frozen clock, RFC 3339), REHEARSE_LISTEN (host:port to serve on) and REHEARSE_URL_<SYSTEM> (base
// URL of each watched system, its name in upper case with _ for everything that is no letter or digit). It runs in
// its own process group, and the whole group has ended when Close returns.
//
// A target that does not come up is a Problem of ClassCannotRun. A target that came up and fails on one exchange is an
// outcome: the exchange has a [harness.Fault], [FaultFailed] when a program or mapping gave up, and the run goes on.
//
// Memory: one exchange at a time; answers and outputs are at most 64 MiB each and are held inline, outputs of a batch job
// stay on disk in the scratch folder of the run.
package target
