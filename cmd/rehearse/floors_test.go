package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const modulePath = "github.com/rehearse-dev/rehearse"

// floors is the table of packages. A pattern ending in /* covers the folders right below, in /** everything below; the
// first row that fits counts. Imports go to lower floors only; on one floor only packages with the same nest may import
// each other.
var floors = []struct {
	pattern string
	floor   int
	nest    string
}{
	{"cmd/rehearse", 5, ""},
	{"harness/harnesstest", 5, ""},
	{"harness/harnesstest/mutants", 5, ""},
	{"harness/rehearsal", 4, ""},
	{"harness/web", 4, ""},
	{"recorders", 3, ""},
	{"harness/target", 3, ""},
	{"harness/shrink", 3, ""},
	{"harness/capture", 3, ""},
	{"harness/whatif", 3, ""},
	{"harness/incident", 2, ""},
	{"harness/target/container", 2, ""},
	{"harness/target/container/images/**", 1, ""},
	{"harness/diff", 2, ""},
	{"harness/explain", 2, "explain"},
	{"harness/explain/infer", 2, "explain"},
	{"harness/explain/severity", 2, "explain"},
	{"harness/invariant", 2, ""},
	{"harness/mock", 2, ""},
	{"harness/replay", 2, "replay"},
	{"harness/replay/correlate", 2, "replay"},
	{"harness/replay/access", 2, "replay"},
	{"harness/replay/shift", 2, "replay"},
	{"harness/report", 2, ""},
	{"harness/ledger", 2, ""},
	{"harness/atlas", 2, "atlas"},
	{"harness/atlas/calendar", 2, "atlas"},
	{"fixtures", 2, "fixtures"},
	{"fixtures/scrub", 2, "fixtures"},
	{"fixtures/scan", 2, "fixtures"},
	{"fixtures/coverage", 2, "fixtures"},
	{"fixtures/locate", 2, "fixtures"},
	{"fixtures/trial", 2, "fixtures"},
	{"fixtures/scrub/names", 1, ""},
	{"fixtures/scrub/detect", 2, "fixtures"},
	{"fixtures/scrub/score", 2, "fixtures"},
	{"fixtures/scrub/checksum", 1, ""},
	{"fixtures/quarantine", 2, "fixtures"},
	{"fixtures/journal", 1, ""},
	{"fixtures/segment", 1, ""},
	{"fixtures/harrow-lake/**", 2, "fixtures"},
	{"scenarios", 2, "scenarios"},
	{"scenarios/harrow-lake/**", 2, "scenarios"},
	{"recorders/internal/**", 1, "payload"}, // what importers share opens payloads; Go itself keeps payloads from importing it
	{"recorders/authority", 1, ""},
	{"recorders/database", 1, "database"},
	{"recorders/database/databasetest", 1, "database"},
	{"recorders/*", 2, ""},
	{"harness/payload", 1, "payload"},
	{"harness/payload/layout", 1, "payload"},
	{"harness/cron", 1, ""},
	{"harness/sign", 1, ""},
	{"harness/internal/**", 1, ""},
	{"harness/cputime", 0, ""},
	{"harness", 0, ""},
}

// doors is the table of modules from outside. Only the packages named may import one; with tests, every _test file may.
// A module without a row is not allowed in.
var doors = []struct {
	module   string
	packages []string
	tests    bool
}{
	{"github.com/testcontainers/testcontainers-go", []string{"harness/target/container"}, false},
	{"github.com/moby/moby", []string{"harness/target/container"}, false},
	{"github.com/containerd/errdefs", []string{"harness/target/container"}, false},
	{"github.com/jarcoal/httpmock", []string{"harness/mock"}, true},
	{"github.com/yudai/gojsondiff", []string{"harness/report"}, false},
	{"github.com/google/go-cmp", []string{"harness/harnesstest"}, true},
	{"github.com/spf13/cobra", []string{"cmd/rehearse"}, false},
	{"github.com/spf13/pflag", []string{"cmd/rehearse"}, false},
	{"github.com/goccy/go-yaml", []string{"scenarios", "scenarios/harrow-lake", "fixtures", "fixtures/scrub", "recorders/internal/plain", "harness/payload/layout"}, true},
	{"cel.dev/cel-go", []string{"harness/invariant"}, false},
	{"github.com/itchyny/gojq", []string{"harness/target"}, true},
	{"go.starlark.net", []string{"harness/target"}, true},
	{"github.com/jackc/pgx/v5", []string{"recorders/database"}, false},
	{"github.com/go-sql-driver/mysql", []string{"recorders/database"}, false},
	{"modernc.org/sqlite", []string{"recorders/database"}, false},
	{"github.com/rabbitmq/amqp091-go", []string{"recorders/broker"}, false},
	{"github.com/twmb/franz-go", []string{"recorders/broker"}, true},
	{"github.com/nats-io/nats.go", []string{"recorders/broker"}, false},
	{"github.com/eclipse/paho.mqtt.golang", []string{"recorders/broker"}, false},
	{"github.com/pkg/sftp", []string{"recorders/sftp"}, false},
	{"golang.org/x/crypto", []string{"recorders/sftp", "recorders", "fixtures/quarantine"}, true},
	{"github.com/johannesboyne/gofakes3", nil, true},
	{"github.com/fsnotify/fsnotify", []string{"recorders/filedrop"}, false},
	{"filippo.io/age", []string{"fixtures/quarantine"}, false},
	{"github.com/gopacket/gopacket", []string{"recorders/pcap"}, false},
	{"github.com/coder/websocket", nil, true},
	{"golang.org/x/net", []string{"recorders/httptap", "recorders/pcap", "harness/replay", "fixtures/scrub"}, true},
	{"google.golang.org/grpc", nil, true},
	{"golang.org/x/sys", []string{"fixtures", "fixtures/journal"}, false},
	{"golang.org/x/term", []string{"cmd/rehearse"}, false},
	{"github.com/andybalholm/brotli", []string{"harness/payload", "fixtures/scan"}, false},
	{"github.com/klauspost/compress", []string{"harness/payload", "fixtures/scan", "fixtures/segment"}, true},
	{"golang.org/x/text", []string{"harness/diff", "harness/explain", "harness/explain/infer", "harness/payload", "harness/payload/layout", "harness/report", "fixtures/scrub", "fixtures/scan", "harness/harnesstest/mutants"}, false},
	{"pgregory.net/rapid", nil, true},
	{"github.com/santhosh-tekuri/jsonschema", nil, true},
	{"github.com/rogpeppe/go-internal", nil, true},
}

// imports are what each package imports, packages being folders relative to the root of the module.
type imports map[string][]string

// violations compares the imports of code and of test files with both tables. Tests may reach any floor: they build
// what they test from real parts.
func violations(code, tests imports) []string {
	var found []string
	report := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	for _, pkg := range slices.Sorted(maps.Keys(code)) {
		if _, _, known := floorOf(pkg); !known {
			report("%s stands on no floor: give it a row in the table", pkg)
			continue
		}
		for _, imported := range code[pkg] {
			if why := judge(pkg, imported, false); why != "" {
				report("%s imports %s: %s", pkg, imported, why)
			}
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(tests)) {
		for _, imported := range tests[pkg] {
			if _, own := ownPackage(imported); own {
				continue
			}
			if why := judge(pkg, imported, true); why != "" {
				report("a test of %s imports %s: %s", pkg, imported, why)
			}
		}
	}
	return found
}

// judge says why pkg must not import the path, or nothing.
func judge(pkg, imported string, test bool) string {
	if target, own := ownPackage(imported); own {
		return judgeFloor(pkg, target)
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return "" // standard library
	}
	if pkg == "harness" && !test {
		return "harness imports the standard library only"
	}
	for _, d := range doors {
		if imported != d.module && !strings.HasPrefix(imported, d.module+"/") {
			continue
		}
		if slices.Contains(d.packages, pkg) || test && d.tests {
			return ""
		}
		return fmt.Sprintf("the door of this module is %v", d.packages)
	}
	return "this module has no door"
}

func judgeFloor(pkg, target string) string {
	from, nest, _ := floorOf(pkg)
	to, targetNest, known := floorOf(target)
	switch {
	case !known:
		return "it stands on no floor"
	case to > from:
		return fmt.Sprintf("upward, from floor %d to %d", from, to)
	case to == from && (nest == "" || nest != targetNest):
		return fmt.Sprintf("sideways on floor %d", from)
	}
	return ""
}

// ownPackage is the folder of a package of this module.
func ownPackage(imported string) (folder string, own bool) {
	if imported == modulePath {
		return ".", true
	}
	return strings.CutPrefix(imported, modulePath+"/")
}

func floorOf(pkg string) (floor int, nest string, known bool) {
	for _, row := range floors {
		below, deep := strings.CutSuffix(row.pattern, "/**")
		beside, flat := strings.CutSuffix(row.pattern, "/*")
		switch {
		case deep && (pkg == below || strings.HasPrefix(pkg, below+"/")), flat && path.Dir(pkg) == beside, pkg == row.pattern:
			return row.floor, row.nest, true
		}
	}
	return 0, "", false
}

// isPassedOver reports whether the go command passes over a folder of this module: by its name, or because it is a module
// of its own.
func isPassedOver(folder string) bool {
	name := filepath.Base(folder)
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil || name == "testdata" || name == "vendor" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// readImports parses the imports of every Go file below root; what the go command passes over is passed over.
func readImports(root string) (code, tests imports, err error) {
	code, tests = imports{}, imports{}
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && file != root && isPassedOver(file) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(file) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		into, pkg := code, filepath.ToSlash(folder)
		if strings.HasSuffix(file, "_test.go") {
			into = tests
		}
		into[pkg] = slices.Grow(into[pkg], len(parsed.Imports)) // a package without imports is known as well
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if !slices.Contains(into[pkg], imported) {
				into[pkg] = append(into[pkg], imported)
			}
		}
		return nil
	})
	return code, tests, err
}

func TestImportsGoDownAndThroughDoors(t *testing.T) {
	code, tests, err := readImports("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, must := range []string{"harness", "fixtures", "cmd/rehearse"} {
		if len(code[must]) == 0 {
			t.Errorf("no imports of %s were read: the test would see nothing", must)
		}
	}
	for _, v := range violations(code, tests) {
		t.Error(v)
	}
}

func TestPlantedViolationsAreFound(t *testing.T) {
	own := func(pkg string) string { return modulePath + "/" + pkg }
	for _, tt := range []struct {
		why         string
		code, tests imports
		want        string // part of the only violation; empty: none
	}{
		{"down is allowed", imports{"harness/diff": {own("harness"), own("harness/payload"), "fmt"}}, nil, ""},
		{"upward", imports{"harness/payload": {own("harness/diff")}}, nil, "upward, from floor 1 to 2"},
		{"upward from the nouns", imports{"harness": {own("fixtures")}}, nil, "upward, from floor 0 to 2"},
		{"sideways", imports{"harness/diff": {own("harness/explain")}}, nil, "sideways on floor 2"},
		{"sideways between recorders", imports{"recorders/har": {own("recorders/govcr")}}, nil, "sideways on floor 2"},
		{"sideways from the data of one tree to the other", imports{"scenarios/harrow-lake/world": {own("fixtures")}}, nil, "sideways on floor 2"},
		{"nested may import its parent", imports{"fixtures/scrub": {own("fixtures")}}, nil, ""},
		{"nested deeper may import its tree", imports{"scenarios/harrow-lake/fakes": {own("scenarios/harrow-lake/world"), own("scenarios")}}, nil, ""},
		{"the table of recorders stands above them", imports{"recorders": {own("recorders/har")}}, nil, ""},
		{"a recorder cannot see the table", imports{"recorders/har": {own("recorders")}}, nil, "upward, from floor 2 to 3"},
		{"nobody imports the command", imports{"harness/rehearsal": {own("cmd/rehearse")}}, nil, "upward, from floor 4 to 5"},
		{"unknown package", imports{"harness/helpers": {"fmt"}}, nil, "stands on no floor"},
		{"package at the root", imports{".": {"fmt"}}, nil, "stands on no floor"},
		{"import of an unknown package", imports{"harness/diff": {own("harness/helpers")}}, nil, "stands on no floor"},
		{"second door", imports{"harness/diff": {"github.com/yudai/gojsondiff/formatter"}}, nil, "the door of this module is [harness/report]"},
		{"go-cmp decides nothing in the product", imports{"harness/diff": {"github.com/google/go-cmp/cmp"}}, nil, "the door of this module"},
		{"go-cmp in a test", nil, imports{"harness/diff": {"github.com/google/go-cmp/cmp"}}, ""},
		{"containers have one door, tests included", nil, imports{"harness/mock": {"github.com/testcontainers/testcontainers-go"}}, "the door of this module"},
		{"module without a door", imports{"harness/diff": {"github.com/pkg/errors"}}, nil, "no door"},
		{"a longer name is another module", imports{"harness/mock": {"github.com/jarcoal/httpmock2"}}, nil, "no door"},
		{"nouns need nobody", imports{"harness": {"pgregory.net/rapid"}}, nil, "standard library only"},
	} {
		got := violations(tt.code, tt.tests)
		switch {
		case tt.want == "" && len(got) > 0:
			t.Errorf("%s: found %q", tt.why, got)
		case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)):
			t.Errorf("%s: found %q, want %q", tt.why, got, tt.want)
		}
	}
}
