package main

import "runtime/debug"

// thriftyPercent is how far the heap grows between collections while recordings are compared, in percent.
const thriftyPercent = 50

// thrifty collects garbage earlier until undo is called: a comparison holds documents whole, and what is left of one
// step should be gone before the next. It takes a quarter off the peak of memory and adds little time. GOGC has
// precedence.
func (a *app) thrifty() (undo func()) {
	if a.getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(thriftyPercent)
	return func() { debug.SetGCPercent(before) }
}
