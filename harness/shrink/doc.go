// Package shrink finds the smallest part of a recording that still makes the target fail in the same way.
//
// It is delta debugging (A. Zeller, R. Hildebrandt: Simplifying and Isolating Failure-Inducing Input, 2002), applied
// level by level as G. Misherghi and Z. Su do (HDD, 2006). Exchanges first: what came behind the failure, then all that
// neither stands in its session nor gives it values, then the beginning by halves, sessions, exchanges with those that
// need them, single exchanges. Then fields of heads and queries, then members, elements, rows, columns, records and
// segments of the bodies that go to the target, then the ends of their texts. What is cut stays of its format: the table
// [cutters] says how, and counts and totals that were right are right again.
//
// # The signature of a failure
//
// Two failures are the same when three things are equal: the operation, as [harness.Exchange.Operation] names it; the
// status of the answer, 0 when the exchange broke off or the target gave up; and the error, which is the kind of fault of a
// connection, what a target says that gave up, or the values of the answer's body in order. Of an error is taken away what cannot stay equal: texts of
// three characters and more that the request holds, identifiers in hexadecimal digits, and numbers. A candidate that
// fails in another way is not followed, and is told in the result.
//
// # Properties
//
// Nothing is invented: what remains are pieces of what was recorded, so that what was scrubbed stays scrubbed. Numbers,
// names of members and the order of exchanges stay as they are. A part is smallest in the sense that no single further
// exchange, field, member, element, row or column can be taken away; texts are cut from both ends by halves and need not
// be smallest. The result is the same in every run and with any number of workers, as long as the target is
// deterministic; the number of replays grows with the workers, because candidates are tried before it is known that they
// are needed. With a [Journal] a search that was killed goes on: it takes the same way, and what was tried is not tried
// again. Memory holds the recording's exchanges once, and for each worker what crossed in its run; bodies up to
// harness.MaxBodyInMemory.
package shrink
