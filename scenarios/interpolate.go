package scenarios

import (
	"errors"
	"fmt"
	"strings"
)

// maxExpanded bounds the text that the variables of one file grow to, in bytes.
const maxExpanded = 1 << 20

// interpolate replaces variables as the package documentation says. lookup is os.LookupEnv in shape.
func interpolate(text string, lookup func(string) (string, bool)) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		switch {
		case strings.HasPrefix(rest, "$"):
			b.WriteByte('$')
			text = rest[1:]
		case strings.HasPrefix(rest, "{"):
			inside, after, closed := strings.Cut(rest[1:], "}")
			if !closed {
				return "", fmt.Errorf("${ is not closed; write $$ for a dollar sign")
			}
			value, err := expand(inside, lookup)
			if err != nil {
				return "", err
			}
			b.WriteString(value)
			text = after
		default:
			b.WriteByte('$')
			text = rest
		}
		if b.Len() > maxExpanded {
			return "", fmt.Errorf("text with its variables is longer than %d bytes", maxExpanded)
		}
	}
}

// expand returns the value of what stands between ${ and }.
func expand(inside string, lookup func(string) (string, bool)) (string, error) {
	name, instead, conditional := strings.Cut(inside, ":")
	if !isVariable(name) {
		return "", fmt.Errorf("%s is not the name of a variable; write $$ for a dollar sign", quoted(name))
	}
	value, set := "", false
	if lookup != nil {
		value, set = lookup(name)
	}
	switch {
	case !conditional && set, conditional && value != "":
		return value, checkConditional(name, instead, conditional)
	case !conditional:
		return "", fmt.Errorf("variable %s is not set; set it, or write ${%s:-default}", name, name)
	}
	if err := checkConditional(name, instead, conditional); err != nil {
		return "", err
	}
	if instead[0] == '-' {
		return instead[1:], nil
	}
	if instead[1:] == "" {
		return "", fmt.Errorf("variable %s is not set", name)
	}
	return "", errors.New("variable " + name + " is not set: " + instead[1:])
}

// checkConditional refuses a form that would first show itself on the machine where the variable is not set.
func checkConditional(name, instead string, conditional bool) error {
	if !conditional {
		return nil
	}
	if instead == "" || instead[0] != '-' && instead[0] != '?' {
		return fmt.Errorf("${%s:%s} is not known; write ${%s:-default} or ${%s:?message}", name, instead, name, name)
	}
	if strings.Contains(instead, "${") {
		return fmt.Errorf("the default of %s holds another variable; defaults do not nest", name)
	}
	return nil
}

func isVariable(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// bareVariable is the name in the first $NAME of a text, without braces; empty: there is none.
func bareVariable(text string) string {
	for {
		_, rest, found := strings.Cut(text, "$")
		if !found {
			return ""
		}
		if end := strings.IndexFunc(rest+"$", func(r rune) bool { return !isVariable("_" + string(r)) }); end > 0 && isVariable(rest[:end]) {
			return rest[:end]
		}
		text = strings.TrimPrefix(rest, "$")
	}
}
