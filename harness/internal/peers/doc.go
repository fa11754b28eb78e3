// Command peers compares the product with others: the differ on planted workloads, by CPU time, peak memory, and what is
// reported beside what was planted; and the sender of replays at one server, by rate and CPU time. It is a module of its
// own, so that the product does not depend on the others.
//
// Each cell of the table of differs is a process of its own with a limit of CPU time and of memory, so that one that does
// not end costs little. A peer that reached a limit is not run on harder workloads of the same size or larger. Senders
// take turns, each in a process of its own, against a server in another one.
package main
