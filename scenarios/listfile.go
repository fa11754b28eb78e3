package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/rehearse-dev/rehearse/harness"
)

// listFile is a file of the workspace that holds one list under one key, to which entries can be appended.
type listFile[T any] struct {
	kind     string // of the file, which is also the name of its schema
	key      string
	decode   func(shown string, src []byte, lookup func(string) (string, bool)) (*decoder, []T)
	lines    func(T) []line
	same     func(a, b T) bool
	coverage func(T) string // equal for entries that speak of the same
	called   func(T) string // the entry's name in messages
}

func (l listFile[T]) add(file string, add []T) error {
	if len(add) == 0 {
		return nil
	}
	old, err := readWhole(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = []byte(schemaLine(file, l.kind) + l.key + ":\n")
	case err != nil:
		return harness.Usage(fmt.Errorf("read %s file: %w", l.kind, err), "")
	}
	d, have := l.decode(file, old, literally)
	if err := d.problems.err(); err != nil {
		return err
	}
	if err := l.refuseDuplicates(file, have, add); err != nil {
		return err
	}
	text, err := l.appended(file, old, add)
	if err != nil {
		return err
	}
	want := slices.Concat(have, add)
	if d, got := l.decode(file, text, literally); len(d.problems) > 0 || !slices.EqualFunc(got, want, l.same) {
		return harness.Usage(fmt.Errorf("append to %s: the result would not read back as it was meant", file), "add the entries by hand")
	}
	if err := writeWhole(file, text); err != nil {
		return harness.Usage(fmt.Errorf("write %s file: %w", l.kind, err), "")
	}
	return nil
}

// literally keeps variables as they are written: accepting must not depend on the environment of the one who accepts.
// The name stands in for any value, so that the old entries read the same before and after.
func literally(name string) (string, bool) { return "${" + name + "}", true }

func (l listFile[T]) refuseDuplicates(file string, have, add []T) error {
	names := map[string]string{}
	for _, e := range have {
		names[l.coverage(e)] = l.called(e)
	}
	for _, e := range add {
		if name, twice := names[l.coverage(e)]; twice {
			return harness.Usage(fmt.Errorf("accept %q into %s: %q covers the same already", l.called(e), file, name),
				"change the entry that is there, or remove it first")
		}
		names[l.coverage(e)] = l.called(e)
	}
	return nil
}

// appended adds the entries at the end of the only list, in its indentation and with the file's line ends.
func (l listFile[T]) appended(file string, old []byte, add []T) ([]byte, error) {
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
		for i, line := range l.lines(e) {
			line.dash, line.deeper = i == 0, i > 0
			if key := line.write(&b, indent, newline); key != "" {
				return nil, harness.Usage(fmt.Errorf("accept %q into %s: %s is not UTF-8", l.called(e), file, key),
					"leave the value out, and bound the change with count")
			}
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

// line is one key of an entry. It holds a text, or the lines below it.
type line struct {
	key, text string
	below     []line
	dash      bool // begins an element of a list
	deeper    bool // goes on with the element
}

// write adds the line and those below it; the key of what cannot be written is returned.
func (l line) write(b *strings.Builder, indent, newline string) (unwritable string) {
	if l.deeper {
		indent += "  "
	}
	lead := indent
	if l.dash {
		lead, indent = indent+"- ", indent+"  "
	}
	if len(l.below) == 0 {
		if l.text == "" {
			return l.key
		}
		b.WriteString(lead + l.key + ": " + l.text + newline)
		return ""
	}
	b.WriteString(lead + l.key + ":" + newline)
	for _, below := range l.below {
		if key := below.write(b, indent+"  ", newline); key != "" {
			return key
		}
	}
	return ""
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
