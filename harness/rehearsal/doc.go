// Package rehearsal is the one composition of the parts: a scenario becomes a report. The command, the web pages and
// the test library all call Run.
package rehearsal
