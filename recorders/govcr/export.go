package govcr

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/export"
)

// Export writes format version 2, which go-vcr reads since its third release. Bodies stay as they crossed, packed ones
// too: the client unpacks them.
var Export = export.Format{Extension: ".yaml", Write: write}

func write(w io.Writer, xs []harness.Exchange, l *export.Losses) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "---\nversion: 2\ninteractions:")
	count := 0
	for _, x := range xs {
		c, err := export.Take(x, l)
		if err != nil {
			return err
		}
		if c.Fault != nil {
			l.Add(export.LossFault)
			continue
		}
		tellLosses(&c, l)
		writeInteraction(b, &c, count)
		count++
	}
	if count == 0 {
		fmt.Fprint(b, " []")
	}
	fmt.Fprintln(b)
	return b.Flush()
}

func tellLosses(c *export.Call, l *export.Losses) {
	l.Add(export.LossSystems)
	if c.Session != "" {
		l.Add(export.LossSession)
	}
	if !c.At.IsZero() {
		l.Add(export.LossTime)
	}
	if c.HasPseudo(harness.FieldProto) {
		l.Add(export.LossPseudo)
	}
	if !c.Sent.IsGrouped() || !c.Got.IsGrouped() {
		l.Add(export.LossFields)
	}
}

// writeInteraction writes one record. Texts are double-quoted with the escapes of JSON, which YAML has as well.
func writeInteraction(b *bufio.Writer, c *export.Call, id int) {
	fmt.Fprintf(b, "\n    - id: %d\n      request:\n", id)
	writeProto(b, c.Sent.Proto)
	fmt.Fprintf(b, "        content_length: %d\n        host: %s\n        body: %s\n        form: {}\n", len(c.Sent.Body), quoted(c.Host), body(c.Sent.Body))
	fields := c.Sent.Grouped()
	delete(fields, "Host")
	writeFields(b, fields)
	fmt.Fprintf(b, "        url: %s\n        method: %s\n      response:\n", quoted(c.URL()), quoted(c.Method))
	writeProto(b, c.Got.Proto)
	fmt.Fprintf(b, "        content_length: %d\n        uncompressed: false\n        body: %s\n", len(c.Got.Body), body(c.Got.Body))
	writeFields(b, c.Got.Grouped())
	status := strings.TrimSpace(strconv.Itoa(c.Status()) + " " + http.StatusText(c.Status()))
	fmt.Fprintf(b, "        status: %s\n        code: %d\n        duration: %s", quoted(status), c.Status(), c.Took)
}

// writeProto writes the version with its numbers, as the library does.
func writeProto(b *bufio.Writer, proto string) {
	if proto == "" {
		return
	}
	major, minor, ok := http.ParseHTTPVersion(proto)
	if !ok {
		fmt.Sscanf(proto, "HTTP/%d", &major) //nolint:errcheck // 0 when it is of another kind
	}
	fmt.Fprintf(b, "        proto: %s\n        proto_major: %d\n        proto_minor: %d\n", quoted(proto), major, minor)
}

func writeFields(b *bufio.Writer, fields map[string][]string) {
	if len(fields) == 0 {
		fmt.Fprintln(b, "        headers: {}")
		return
	}
	fmt.Fprintln(b, "        headers:")
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(b, "            %s:\n", quoted(name))
		for _, value := range fields[name] {
			fmt.Fprintf(b, "                - %s\n", quoted(value))
		}
	}
}

// body is a text, or binary data.
func body(b []byte) string {
	if utf8.Valid(b) {
		return quoted(string(b))
	}
	return "!!binary " + base64.StdEncoding.EncodeToString(b)
}

// quoted writes a text with the escapes that JSON and YAML have in common.
func quoted(s string) string {
	text, err := export.JSON(s, "")
	if err != nil {
		panic(err) // a text can be written
	}
	return string(text)
}
