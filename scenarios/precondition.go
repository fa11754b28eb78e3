package scenarios

import (
	"net/http"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// checkPrecondition looks at what the types of a precondition cannot say. Whether the system is a live one shows when
// the run begins: a scenario may extend another that names it.
func (c *checker) checkPrecondition(label string, p harness.Precondition) {
	checkKnown(c.decoder, label+".system", "system", p.System, c.w.catalogue.Systems)
	if slices.Contains(c.s.Mocks, p.System) {
		c.problem(label+".system", "%s is answered by a mock, which always holds what was recorded; ask a live system", quoted(p.System))
	}
	if p.Get != "" && !strings.HasPrefix(p.Get, "/") {
		c.problem(label+".get", "%s is not a path that begins with a slash", quoted(p.Get))
	}
	if p.Status != 0 && http.StatusText(p.Status) == "" {
		c.problem(label+".status", "%d is not a status of HTTP", p.Status)
	}
}
