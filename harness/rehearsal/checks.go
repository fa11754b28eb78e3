package rehearsal

import (
	"github.com/rehearse-dev/rehearse/harness/diff"
	"github.com/rehearse-dev/rehearse/harness/explain"
	"github.com/rehearse-dev/rehearse/harness/invariant"
	"github.com/rehearse-dev/rehearse/harness/replay/access"
	"github.com/rehearse-dev/rehearse/harness/replay/shift"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// CheckWith lets the workspace ask those who will act on a scenario whether they understand it, so that a slip shows
// with its line when the scenario is read and not in the middle of a run.
func CheckWith(ws *scenarios.Workspace) {
	ws.CheckRule, ws.CheckCause, ws.CheckInvariant = diff.CheckRule, explain.CheckCause, invariant.Check
	ws.CheckAccess, ws.CheckShift = access.Check, shift.Check
}
