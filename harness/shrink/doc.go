// Package shrink finds the smallest part of a recording that still makes the target fail in the same way.
//
// It is delta debugging (A. Zeller, R. Hildebrandt: Simplifying and Isolating Failure-Inducing Input, 2002), applied
// level by level as G. Misherghi and Z. Su do (HDD, 2006): first whole exchanges, then header fields, then members,
// elements and rows of the bodies that go to the target, then the ends of their texts. After each step the target is
// fed anew, and a step counts only when the same [Failure] happens: the same operation, the same status, the same
// error in other words than those of the request.
//
// Nothing is invented: what remains are pieces of what was recorded, so that what was scrubbed stays scrubbed. Numbers,
// names of members and the order of exchanges stay as they are. A part is smallest in the sense that no single further
// exchange, field, member, element or row can be taken away; texts are cut from both ends by halves and need not be
// smallest. The result is the same in every run as long as the target is deterministic. Memory holds the recording's
// exchanges once, bodies up to harness.MaxBodyInMemory.
package shrink
