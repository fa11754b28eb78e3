package explain

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// guardText says whether the receiver's guard would have stopped the loss.
func (s *state) guardText(r harness.RecordCount) string {
	for _, g := range s.Integration.Guards {
		limit, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(g.Lost), "%")), 64)
		if ok, matchErr := path.Match(g.Operation, r.Operation); !ok || matchErr != nil || err != nil || g.System != "" && g.System != r.To {
			continue
		}
		if 100*lostShare(r) > limit {
			return fmt.Sprintf(", over the guard of %g %% at %s, which refuses the file", limit, s.side(r.To))
		}
		return fmt.Sprintf(", under the guard of %g %% at %s, which lets it pass", limit, s.side(r.To))
	}
	return ""
}
