// Package replay feeds the recorded exchanges of a system to its target in order, and guards what a run may reach on
// the network while that happens.
//
// [Group] takes from a recording what is fed, [Substitute] puts the exchanges of a candidate in the place of recorded
// ones, [Feed] delivers them to a started [harness.Stage], one session after the other.
//
// A [Guard] stands before every connection of a run. It denies by default: loopback is open, everything else must be
// named. Memory is bounded by the number of fed exchanges, whose bodies stay where they are but for 64 MiB of short ones
// that [Sessions.Load] holds, and by 4096 addresses of the guard.
package replay
