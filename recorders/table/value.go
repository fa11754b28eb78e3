package table

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

// object writes the columns at the places as a JSON object.
func object(columns []column, values []any, places []int) string {
	var b strings.Builder
	b.WriteByte('{')
	for n, i := range places {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(columns[i].name))
		b.WriteByte(':')
		b.WriteString(literal(values[i], columns[i].kind))
	}
	b.WriteByte('}')
	return b.String()
}

// jsonNumber is a number as JSON writes it (RFC 8259).
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$`)

// literal writes a value as JSON, in the words of the database.
func literal(value any, k kind) string {
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
		if k == binary || !utf8.Valid(v) {
			return quote(hex.EncodeToString(v))
		}
		return word(string(v), k)
	case string:
		return word(v, k)
	}
	return "null"
}

func word(text string, k kind) string {
	switch {
	case k == number && jsonNumber.MatchString(text):
		return text
	case k == boolean && (text == "true" || text == "t"):
		return "true"
	case k == boolean && (text == "false" || text == "f"):
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
