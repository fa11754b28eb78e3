package harness

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Placeholders are the names in braces that Run and Env of a program may hold; a word with a dot stands for all that begin so: systems, or a
// system, a dot and a kind of stand-in, and containers.
var Placeholders = []string{"container.NAME", "listen", "now", "root", "file.SYSTEM", "url.SYSTEM"}

// placeholder is a word in braces, or in double braces, which stand for single ones.
var placeholder = regexp.MustCompile(`\{\{([a-z]+(?:\.[^{}\s]*)?)\}\}|\{([a-z]+(?:\.[^{}\s]*)?)\}`)

// ReplacePlaceholders puts the value of each placeholder into a text. {{word}} becomes {word}; braces around anything that
// is no word in lower case are left alone. The first error of value ends it.
func ReplacePlaceholders(text string, value func(name string) (string, error)) (string, error) {
	var first error
	out := placeholder.ReplaceAllStringFunc(text, func(match string) string {
		if strings.HasPrefix(match, "{{") {
			return match[1 : len(match)-1]
		}
		v, err := value(match[1 : len(match)-1])
		if err != nil && first == nil {
			first = err
		}
		return v
	})
	return out, first
}

// EscapePlaceholders is the text for which [ReplacePlaceholders] gives the text itself.
func EscapePlaceholders(text string) string { return placeholder.ReplaceAllString(text, "{$0}") }

// UnknownPlaceholder is the error for a name in braces that stands for nothing.
func UnknownPlaceholder(name string) error {
	return Usage(fmt.Errorf("{%s} is no placeholder", name), "placeholders are {"+strings.Join(Placeholders, "}, {")+"}; for braces themselves write {{"+name+"}}")
}

// IsPlaceholder reports whether the name in braces stands for something: listen, url.sis, url.sis.nats, container.db.
func IsPlaceholder(name string) bool {
	word, of, _ := strings.Cut(name, ".")
	return slices.ContainsFunc(Placeholders, func(p string) bool {
		known, any, _ := strings.Cut(p, ".")
		return word == known && (any == "") == (of == "") && strings.Contains(name, ".") == (any != "")
	})
}
