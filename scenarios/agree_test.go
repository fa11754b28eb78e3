package scenarios

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compiled returns a published schema as an editor would use it.
func compiled(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema(name)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name+".json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate checks YAML against a schema the way an editor does: decoded by another reader than ours.
func validate(t *testing.T, s *jsonschema.Schema, src []byte) error {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(src, &v); err != nil {
		return err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

func TestSchemasAcceptWhatTheReaderAccepts(t *testing.T) {
	for file, name := range map[string]string{
		"starter/rehearse.yaml":                              "workspace",
		"starter/catalog/systems.yaml":                       "systems",
		"starter/catalog/people.yaml":                        "people",
		"starter/catalog/integrations.yaml":                  "integrations",
		"starter/scenarios/example/scenario.yaml":            "scenario",
		"starter/scenarios/example/expect.yaml":              "expect",
		"testdata/world/rehearse.yaml":                       "workspace",
		"testdata/world/catalog/systems.yaml":                "systems",
		"testdata/world/catalog/people.yaml":                 "people",
		"testdata/world/catalog/integrations.yaml":           "integrations",
		"testdata/world/catalog/calendar.yaml":               "calendar",
		"testdata/world/scenarios/nightly/scenario.yaml":     "scenario",
		"testdata/world/scenarios/nightly/expect.yaml":       "expect",
		"testdata/world/scenarios/.hidden/scenario.yaml":     "scenario",
		"testdata/world/scenarios/other-world/rehearse.yaml": "workspace",
		"testdata/world/scenarios/other-world/scenario.yaml": "scenario",
	} {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, compiled(t, name), src); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// What the reader refuses because of its shape, the schema refuses too; what needs the catalogue, the disk, the
// environment, another comparison table or other places of the file is beyond a schema.
func TestSchemaRefusesWhatTheReaderRefuses(t *testing.T) {
	beyond := map[string]bool{}
	for _, name := range strings.Fields(`anchor alias merge-key tag directive question-key two-documents bad-url
		rule-compare-unknown bad-path unknown-integration unknown-systems mock-and-upstream container-names path-escapes scratch-escapes
		path-missing path-wrong-kind expect-file-bad variable-unset variable-form variable-type`) {
		beyond[name] = true
	}
	s := compiled(t, "scenario")
	files, err := filepath.Glob("testdata/world/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, s, src); err == nil && !beyond[name] {
			t.Errorf("%s: the schema accepts it", name)
		}
	}
}

func TestSchemasAndReaderKnowTheSameNames(t *testing.T) {
	if len(SchemaNames) != len(schemaRoots) {
		t.Errorf("%d schemas, %d types", len(SchemaNames), len(schemaRoots))
	}
	if Schema("nothing") != nil {
		t.Error("a schema of an unknown name")
	}
}
