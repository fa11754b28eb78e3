package scenarios

import (
	"fmt"
	"os"

	"github.com/rehearse-dev/rehearse/harness"
)

// Expectations reads an expect file that no scenario lists. CheckCause says whether the rule of an accepted change can
// be applied. Every error is one of usage; what is wrong in the file is Problems in its chain.
func Expectations(file string, checkCause func(harness.CauseRule) error) ([]harness.Expectation, error) {
	src, err := readWhole(file)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("read expect file: %w", err), "`rehearse accept --into` writes one")
	}
	d, list := decodeExpect(file, src, os.LookupEnv)
	(&checker{decoder: d, w: &Workspace{CheckCause: checkCause}}).checkCauses(list)
	return list, d.problems.err()
}
