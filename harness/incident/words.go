package incident

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/rehearse-dev/rehearse/harness"
)

// line is a text in one line, without what a terminal would obey.
func line(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}

// cell is a text within a table of Markdown.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "`", "'").Replace(line(text))
}

// stamp is a moment, to the second.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// answerOf says how an exchange ended.
func answerOf(x harness.Exchange) string {
	switch {
	case x.Fault != nil:
		return x.Fault.Kind + ": " + x.Fault.Detail
	case x.Status() > 0:
		return fmt.Sprint(x.Status())
	}
	return ""
}
