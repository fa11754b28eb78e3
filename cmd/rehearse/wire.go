package main

// verbs is the table of commands, in the order of the help text.
func (a *app) verbs() []verb {
	return []verb{
		a.demoVerb(),
		a.initVerb(),
		a.recordVerb(),
		a.importVerb(),
		a.exportVerb(),
		a.scrubVerb(),
		a.scanVerb(),
		a.mockVerb(),
		a.runVerb(),
		a.diffVerb(),
		a.acceptVerb(),
		a.captureVerb(),
		a.shrinkVerb(),
		a.whatIfVerb(),
		a.ruleVerb(),
		a.calendarVerb(),
		a.fixturesVerb(),
		a.doctorVerb(),
		a.watchContainersVerb(),
		a.completionVerb(),
		a.helpVerb(),
		a.versionVerb(),
	}
}
