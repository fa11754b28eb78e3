package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/rehearse-dev/rehearse/harness"
)

// AcceptInto appends expectations to an expect file and leaves the text that is there as it is, byte for byte. A file
// that does not exist is made, with a line that names the schema. The file is written whole, and only after the new
// text has been read back: it holds the old expectations and then the new ones.
//
// An expectation that covers the same as one that is there already (same place, operation, class, from and to), an
// expect file that has problems, and a list in [flow style] are refused; the file stays as it was.
func AcceptInto(file string, add []harness.Expectation) error {
	if len(add) == 0 {
		return nil
	}
	old, err := readWhole(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = []byte(schemaLine(file, "expect") + "expect:\n")
	case err != nil:
		return harness.Usage(fmt.Errorf("read expect file: %w", err), "")
	}
	d, have := decodeExpect(file, old, literally)
	if err := d.problems.err(); err != nil {
		return err
	}
	if err := refuseDuplicates(file, have, add); err != nil {
		return err
	}
	text, err := appendExpectations(file, old, add)
	if err != nil {
		return err
	}
	want := append(have[:len(have):len(have)], add...)
	if d, got := decodeExpect(file, text, literally); len(d.problems) > 0 || !sameExpectations(got, want) {
		return harness.Usage(fmt.Errorf("append to %s: the result would not read back as it was meant", file),
			"add the expectations by hand")
	}
	if err := writeWhole(file, text); err != nil {
		return harness.Usage(fmt.Errorf("write expect file: %w", err), "")
	}
	return nil
}

// literally keeps variables as they are written: accepting must not depend on the environment of the one who accepts.
// The name stands in for any value, so that the old expectations read the same before and after.
func literally(name string) (string, bool) { return "${" + name + "}", true }

func sameExpectations(a, b []harness.Expectation) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := a[i], b[i]
		if x.Until.String() != y.Until.String() || x.At.String() != y.At.String() {
			return false
		}
		x.Until, y.Until, x.At, y.At = harness.Date{}, harness.Date{}, nil, nil
		if !reflect.DeepEqual(x, y) {
			return false
		}
	}
	return true
}

func refuseDuplicates(file string, have, add []harness.Expectation) error {
	names := map[string]string{}
	for _, e := range have {
		names[coverage(e)] = e.Change
	}
	for _, e := range add {
		if name, twice := names[coverage(e)]; twice {
			return harness.Usage(fmt.Errorf("accept %q into %s: %q covers the same already", e.Change, file, name),
				"change the entry that is there, or remove it first")
		}
		names[coverage(e)] = e.Change
	}
	return nil
}

// coverage is equal for expectations that cover the same differences.
func coverage(e harness.Expectation) string {
	side := func(s *string) string {
		if s == nil {
			return "any"
		}
		return strconv.Quote(*s)
	}
	return fmt.Sprintf("%q %q %q %s %s", e.At.String(), e.Operation, e.Class, side(e.From), side(e.To))
}

// appendExpectations adds the entries at the end of the only list, in its indentation and with the file's line ends.
func appendExpectations(file string, old []byte, add []harness.Expectation) ([]byte, error) {
	indent, err := listIndent(file, old)
	if err != nil {
		return nil, err
	}
	newline := "\n"
	if strings.Contains(string(old), "\r\n") {
		newline = "\r\n"
	}
	var b strings.Builder
	b.Write(old)
	if !strings.HasSuffix(b.String(), "\n") {
		b.WriteString(newline)
	}
	for _, e := range add {
		lead := indent + "- "
		for _, line := range expectationLines(e) {
			if line.text == "" {
				return nil, harness.Usage(fmt.Errorf("accept %q into %s: %s is not UTF-8", e.Change, file, line.key),
					"leave from and to out, and bound the change with count")
			}
			b.WriteString(lead + line.key + ": " + line.text + newline)
			lead = indent + "  "
		}
	}
	return []byte(b.String()), nil
}

// listIndent returns the white space before the dashes of the list.
func listIndent(file string, src []byte) (string, error) {
	const usual = "  "
	root, problems := parseFile(file, src)
	if err := problems.err(); err != nil {
		return "", err
	}
	mapping, ok := root.(*ast.MappingNode)
	if !ok || len(mapping.Values) != 1 {
		return usual, nil // reading the result back decides
	}
	list, ok := mapping.Values[0].Value.(*ast.SequenceNode)
	if !ok {
		return usual, nil
	}
	if tk := list.GetToken(); tk.Type == token.SequenceEntryType {
		return strings.Repeat(" ", tk.Position.Column-1), nil
	}
	problems.add(file, nodePlace(list), "the list is in flow style and cannot be appended to; write one \"- change: …\" a line")
	return "", problems.err()
}

type line struct{ key, text string }

// expectationLines are the keys of an expectation in the order of its fields, without the empty ones.
func expectationLines(e harness.Expectation) []line {
	lines := []line{{"change", yamlText(e.Change)}, {"at", yamlText(e.At.String())}}
	optional := func(key, text string) {
		if text != "" {
			lines = append(lines, line{key, yamlText(text)})
		}
	}
	optional("operation", e.Operation)
	optional("class", e.Class)
	if e.From != nil {
		lines = append(lines, line{"from", yamlText(*e.From)})
	}
	if e.To != nil {
		lines = append(lines, line{"to", yamlText(*e.To)})
	}
	if e.Count != 0 {
		lines = append(lines, line{"count", strconv.Itoa(e.Count)})
	}
	lines = append(lines, line{"reason", yamlText(e.Reason)})
	optional("ticket", e.Ticket)
	optional("by", e.By)
	optional("until", e.Until.String())
	return lines
}

// plainText is text that YAML reads as itself without quotes, and that no reader takes for a number or a boolean.
var (
	plainText = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2}|[A-Za-z]([A-Za-z0-9 _./\[\]*=@+-]*[A-Za-z0-9_./\]*])?)$`)
	otherWord = regexp.MustCompile(`^(?i:true|false|null|yes|no|on|off|y|n|nan|inf)$`)
)

// yamlText writes text so that it is read back as it is, variables included. Bytes that are not UTF-8 cannot be
// written in YAML: it returns nothing, which is no way to write any text.
func yamlText(s string) string {
	if !utf8.ValidString(s) {
		return ""
	}
	if plainText.MatchString(s) && !otherWord.MatchString(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ReplaceAll(s, "$", "$$") {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == '\ufeff':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// schemaLine is the first line of a file that tells editors its schema, or nothing outside of a workspace.
func schemaLine(file, name string) string {
	abs, err := filepath.Abs(file)
	if err != nil {
		return ""
	}
	root, _, err := findWorkspace(existingParent(abs))
	if err != nil {
		return ""
	}
	rel, err := filepath.Rel(filepath.Dir(abs), filepath.Join(root, schemaDir, name+".schema.json"))
	if err != nil {
		return ""
	}
	return "# yaml-language-server: $schema=" + filepath.ToSlash(rel) + "\n"
}

func existingParent(abs string) string {
	dir := filepath.Dir(abs)
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

// writeWhole makes the file appear with all of its content or not at all, and keeps its mode.
func writeWhole(file string, content []byte) (err error) {
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real // the link stays, what it points to is replaced
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".rehearse-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(content); err != nil {
		return err
	}
	if err = tmp.Chmod(mode); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}
