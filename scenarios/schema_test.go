package scenarios

import (
	"bytes"
	"encoding"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

var update = flag.Bool("update", false, "write golden files and schemas anew")

// schemaRoots are the types that the reader fills, by the names of their schemas.
var schemaRoots = map[string]struct {
	title string
	root  reflect.Type
}{
	"workspace":    {"Rehearse workspace (rehearse.yaml)", reflect.TypeFor[settings]()},
	"scenario":     {"Rehearse scenario", reflect.TypeFor[harness.Scenario]()},
	"expect":       {"Rehearse expect file", reflect.TypeFor[expectFile]()},
	"rules":        {"Rehearse rule file", reflect.TypeFor[ruleFile]()},
	"systems":      {"Rehearse catalogue: systems", reflect.TypeFor[[]harness.System]()},
	"integrations": {"Rehearse catalogue: integrations", reflect.TypeFor[[]harness.Integration]()},
	"people":       {"Rehearse catalogue: people", reflect.TypeFor[[]harness.Person]()},
	"calendar":     {"Rehearse catalogue: calendar", reflect.TypeFor[harness.Calendar]()},
}

func TestSchemasFollowTheTypes(t *testing.T) {
	comments := readComments(t, "../harness", ".")
	for _, name := range SchemaNames {
		root := schemaRoots[name]
		g := &generator{comments: comments, defs: map[string]any{}}
		schema := map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": root.title}
		for k, v := range g.of(root.root, true) {
			schema[k] = v
		}
		if len(g.defs) > 0 {
			schema["$defs"] = g.defs
		}
		text := marshal(t, schema)
		file := filepath.Join("schema", name+".schema.json")
		if *update {
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		shipped, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(shipped), string(text)); d != "" {
			t.Errorf("%s is stale, run go test ./scenarios -update:\n%s", file, d)
		}
		if !bytes.Equal(Schema(name), shipped) {
			t.Errorf("Schema(%q) is not the file that is shipped", name)
		}
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// generator makes a JSON Schema from a Go type and its comments.
type generator struct {
	comments map[string]string // by type, and by type.Field
	defs     map[string]any
}

// scalars are the ways to write a value in one word; each may also hold a variable. An unquoted number is text as it
// is written, as the reader has it.
var scalars = map[string]map[string]any{
	"text":     {"type": []string{"string", "number", "boolean"}},
	"words":    {"type": []string{"string", "number", "boolean"}, "minLength": 1},
	"variable": {"type": "string", "pattern": `\$\{`},
	"number":   {"anyOf": []any{map[string]any{"type": "integer"}, ref("variable")}},
	"flag":     {"anyOf": []any{map[string]any{"type": "boolean"}, ref("variable")}},
	"day":      {"type": "string", "pattern": `^\d{4}-\d{2}-\d{2}$|\$\{`, "examples": []string{"2026-12-31"}},
	"moment":   {"type": "string", "pattern": `^\d{4}-\d{2}-\d{2}T|\$\{`, "examples": []string{"2026-10-05T02:15:00-05:00"}},
	"duration": {"type": "string", "pattern": `^[0-9.]+(ns|us|µs|ms|s|m|h)|^0$|\$\{`, "examples": []string{"5s"}},
	"pace":     {"type": "string", "examples": []string{"as-fast-as-possible", "original", "2x", "50/s"}},
	"path":     {"type": "string", "examples": []string{"response.body.**.updated_at"}},
}

func ref(name string) map[string]any { return map[string]any{"$ref": "#/$defs/" + name} }

func (g *generator) scalar(name string) map[string]any {
	g.defs[name] = scalars[name]
	if name == "number" || name == "flag" {
		g.scalar("variable")
	}
	return ref(name)
}

var textTypes = map[reflect.Type]string{
	reflect.TypeFor[harness.Path]():     "path",
	reflect.TypeFor[harness.Date]():     "day",
	reflect.TypeFor[harness.Duration](): "duration",
	reflect.TypeFor[harness.Pace]():     "pace",
	reflect.TypeFor[time.Time]():        "moment",
}

func (g *generator) of(t reflect.Type, required bool) map[string]any {
	if name, ok := textTypes[t]; ok {
		return g.scalar(name)
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		panic("no schema for " + t.String())
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.of(t.Elem(), false)
	case reflect.String:
		if required {
			return g.scalar("words")
		}
		return g.scalar("text")
	case reflect.Int:
		return g.scalar("number")
	case reflect.Bool:
		return g.scalar("flag")
	case reflect.Slice:
		return map[string]any{"type": []string{"array", "null"}, "items": g.of(t.Elem(), false)}
	case reflect.Map:
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": g.of(t.Elem(), false)}
	case reflect.Struct:
		if _, done := g.defs[t.Name()]; !done {
			g.defs[t.Name()] = nil // ends recursion
			g.defs[t.Name()] = g.object(t)
		}
		return ref(t.Name())
	}
	panic("no schema for " + t.String())
}

func (g *generator) object(t reflect.Type) map[string]any {
	properties, required, conditional := map[string]any{}, []string{}, map[string][]string{}
	exclusive := kinds[t.Name()]
	for _, k := range keysOf(t) {
		field := t.Field(k.field)
		s := g.of(field.Type, k.required && !maySayNothing[k.id])
		if words, ok := enums[k.id]; ok {
			s = map[string]any{"anyOf": []any{map[string]any{"enum": words}, g.scalar("variable")}}
		}
		if _, list := s["items"]; list && (k.required && !maySayNothing[k.id] || slices.Contains(exclusive, k.name)) {
			s["type"], s["minItems"] = "array", 1
		}
		if text := g.comments[t.Name()+"."+field.Name]; text != "" {
			s["description"] = text
		}
		properties[k.name] = s
		switch other, ok := unless[k.id]; {
		case ok:
			conditional[other] = append(conditional[other], k.name)
		case k.required:
			required = append(required, k.name)
		}
	}
	object := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		object["required"] = required
	}
	for other, names := range conditional {
		object["anyOf"] = []any{map[string]any{"required": []string{other}}, map[string]any{"required": names}}
	}
	if text := g.comments[t.Name()]; text != "" {
		object["description"] = text
	}
	if len(exclusive) > 0 {
		var one []any
		for _, name := range exclusive {
			one = append(one, map[string]any{"required": []string{name}})
		}
		object["oneOf"] = one
	}
	return object
}

// readComments collects the comments of struct types and of their fields.
func readComments(t *testing.T, dirs ...string) map[string]string {
	t.Helper()
	comments := map[string]string{}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no Go files in %s: %v", dir, err)
		}
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, decl := range parsed.Decls {
				if types, ok := decl.(*ast.GenDecl); ok {
					structComments(types, comments)
				}
			}
		}
	}
	return comments
}

func structComments(decl *ast.GenDecl, into map[string]string) {
	for _, spec := range decl.Specs {
		named, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		fields, ok := named.Type.(*ast.StructType)
		if !ok {
			continue
		}
		into[named.Name.Name] = oneLine(decl.Doc.Text())
		for _, field := range fields.Fields.List {
			for _, name := range field.Names {
				into[named.Name.Name+"."+name.Name] = oneLine(field.Doc.Text() + field.Comment.Text())
			}
		}
	}
}

// oneLine joins lines and drops the brackets of links to Go types.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	for _, link := range []string{"Exchange.Operation", "ChangeClass", "ValueKind"} {
		s = strings.ReplaceAll(s, "["+link+"]", map[string]string{"Exchange.Operation": "operations", "ChangeClass": "class of change", "ValueKind": "type of value"}[link])
	}
	return s
}
