// Package started watches over programs that a run has started, on this machine or in a container: what they say, and
// whether they answer.
package started
