// Package cputime tells what a process has used of the processors. Benchmarks measure with it where a machine is shared
// with others, so that time on the clock says little. Systems other than Unix have no [Used].
package cputime
