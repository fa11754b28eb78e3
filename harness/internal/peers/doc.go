// Command peers compares the differ with others on planted workloads: CPU time, peak memory, and what is reported beside
// what was planted. It is a module of its own, so that the product does not depend on the others.
//
// Each cell of the table is a process of its own with a limit of CPU time and of memory, so that one that does not end
// costs little. A peer that reached a limit is not run on harder workloads of the same size or larger.
package main
