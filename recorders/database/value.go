package database

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Object writes the columns at the places as a JSON object.
func Object(columns []Column, values []any, places []int) string {
	var b strings.Builder
	b.WriteByte('{')
	for n, i := range places {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(columns[i].Name))
		b.WriteByte(':')
		b.WriteString(Literal(values[i], columns[i].Kind))
	}
	b.WriteByte('}')
	return b.String()
}

// jsonNumber is a number as JSON writes it (RFC 8259).
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$`)

// Literal writes a value as JSON, in the words of the database.
func Literal(value any, k Kind) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return quote(strconv.FormatFloat(v, 'g', -1, 64))
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return quote(v.UTC().Format(time.RFC3339Nano))
	case []byte:
		if k == Binary || !utf8.Valid(v) {
			return quote(hex.EncodeToString(v))
		}
		return word(string(v), k)
	case string:
		return word(v, k)
	}
	return "null"
}

func word(text string, k Kind) string {
	switch {
	case k == Number && jsonNumber.MatchString(text):
		return text
	case k == Boolean && (text == "true" || text == "t"):
		return "true"
	case k == Boolean && (text == "false" || text == "f"):
		return "false"
	}
	return quote(text)
}

// quote writes a JSON string and leaves <, > and & as they are.
func quote(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(text) //nolint:errcheck // a string always has a JSON form
	return strings.TrimSuffix(b.String(), "\n")
}

// Cell writes a value as the text of a cell of a table; null says that it is NULL.
func Cell(value any, k Kind) (text string, null bool) {
	if value == nil {
		return "", true
	}
	literal := Literal(value, k)
	if json.Unmarshal([]byte(literal), &text) != nil { // no text: a number or a truth value as it stands
		text = literal
	}
	return text, false
}
