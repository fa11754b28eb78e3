package scenarios

import (
	"embed"
	"path"
)

// SchemaNames are the files of a workspace that have a JSON Schema: rehearse.yaml, a scenario, a file of
// expectations, and the four files of the catalogue.
var SchemaNames = []string{"workspace", "scenario", "expect", "rules", "systems", "integrations", "people", "calendar"}

// schemaDir is where a workspace keeps the schemas that the first lines of its files name.
const schemaDir = ".rehearse/schema"

//go:embed schema/*.schema.json
var schemas embed.FS

// Schema returns the JSON Schema (draft 2020-12) of one of SchemaNames, or nil for another name. It is made from the
// types that the reader fills, so that an editor refuses the keys that the reader refuses.
func Schema(name string) []byte {
	text, err := schemas.ReadFile(path.Join("schema", name+".schema.json"))
	if err != nil {
		return nil
	}
	return text
}
