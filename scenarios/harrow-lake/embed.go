// Package harrowlake carries the workspace of the demo world: catalogue, mappings, scenarios and the acceptance oracle
// of Harrow Lake University, embedded into the binary so that the demo needs no download.
//
// [Extract] writes them beside the recordings of package fixtures/harrow-lake, laid out as in the repository.
package harrowlake

import (
	"embed"
	"io/fs"
)

//go:embed after-fix catalog expect i1-sis-lms-enrollment i2-crm-sis-applicant i3-hcm-identity i4-sis-fin-gl incident-policy.yaml policy.yaml TUTORIAL.md
var tree embed.FS

// FS is the tree below scenarios/harrow-lake, without the Go packages.
func FS() fs.FS { return tree }
