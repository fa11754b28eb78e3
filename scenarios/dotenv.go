package scenarios

import (
	"fmt"
	"strings"
)

// dotenv reads lines of NAME=value into v, as Compose does: # begins a comment, a value in single quotes stands as it is, one
// in double quotes may hold \n, \t, \" and \\, and variables are replaced in all others. A name alone is passed on from the
// environment.
func (d *decoder) dotenv(v *variables, src []byte) {
	text, problem := checkText(src)
	if problem != nil {
		d.problems.add(d.file, problem.place, "%s", problem.text)
		return
	}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "export "))
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, given := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		value, err := d.dotenvValue(strings.TrimSpace(value))
		if !isVariable(name) {
			err = fmt.Errorf("%s is not the name of a variable; write NAME=value", quoted(name))
		}
		if err != nil {
			d.problems.add(d.file, place{i + 1, 1}, "%v", err)
			continue
		}
		v.set(name, value, given)
	}
}

var escapes = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n", `\t`, "\t", `\r`, "\r", `\$`, `$$`)

// dotenvValue is the value that stands behind the equals sign.
func (d *decoder) dotenvValue(text string) (string, error) {
	if text == "" || text[0] != '"' && text[0] != '\'' {
		if at := strings.Index(" "+text, " #"); at >= 0 {
			text = strings.TrimSpace(text[:max(0, at-1)])
		}
		return d.interpolated(text)
	}
	quote := text[:1]
	end := closing(text[1:], quote[0])
	if end < 0 {
		return "", fmt.Errorf("a quote is not closed in its line")
	}
	inside, rest := text[1:end+1], strings.TrimSpace(text[end+2:])
	switch {
	case rest != "" && rest[0] != '#':
		return "", fmt.Errorf("%s follows the closing quote", quoted(rest))
	case quote == "'":
		return inside, nil
	}
	return d.interpolated(escapes.Replace(inside))
}

// closing is where the quote is that ends the text, or -1. In double quotes a backslash takes its meaning from it.
func closing(text string, quote byte) int {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote == '"':
			i++
		case text[i] == quote:
			return i
		}
	}
	return -1
}
