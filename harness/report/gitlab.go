package report

import (
	"cmp"
	"io"

	"github.com/rehearse-dev/rehearse/harness"
)

// The shape of GitLab's Code Quality report, a part of the Code Climate format.
type (
	gitlabIssue struct {
		Description string         `json:"description"`
		CheckName   string         `json:"check_name"`
		Fingerprint string         `json:"fingerprint"`
		Severity    string         `json:"severity"`
		Location    gitlabLocation `json:"location"`
	}
	gitlabLocation struct {
		Path  string      `json:"path"`
		Lines gitlabLines `json:"lines"`
	}
	gitlabLines struct {
		Begin int `json:"begin"`
	}
)

// writeGitLab writes an issue for each finding. GitLab compares fingerprints of all reports of a pipeline, so the
// scenario is a part of them.
func writeGitLab(w io.Writer, r *harness.Report, o Options) error {
	v := newView(r, bounds{})
	issues := each(alerts(r, v, o), func(a alert) gitlabIssue {
		return gitlabIssue{
			Description: join(" ", a.ID, a.Title) + ": " + a.Message, CheckName: a.ID, Fingerprint: hashOf(r.Scenario, a.Print), Severity: a.Level.gitlab,
			Location: gitlabLocation{cmp.Or(a.File, "rehearse.yaml"), gitlabLines{a.Line}}, // the path must not be empty
		}
	})
	return encodeJSON(w, "gitlab", issues)
}
