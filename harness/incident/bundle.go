package incident

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Bundle writes a ZIP archive for the vendor: README.md, and each call and answer as it crossed, numbered in order.
func Bundle(w io.Writer, in Incident) error {
	z := zip.NewWriter(w)
	add := func(name string, content []byte) error {
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate}) // without times: the same bytes each time
		if err == nil {
			_, err = f.Write(content)
		}
		return err
	}
	if err := add("README.md", []byte(readme(in))); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	for n, x := range in.sent() {
		for _, half := range []struct {
			name string
			m    harness.Message
		}{{"request", x.Request}, {"answer", x.Response}} {
			if half.m.IsZero() {
				continue
			}
			content, err := crossed(half.m)
			if err != nil {
				return fmt.Errorf("write bundle: read %s of exchange %s: %w", half.name, x.ID, err)
			}
			if err := add(messageName(n, half.name, half.m), content); err != nil {
				return fmt.Errorf("write bundle: %w", err)
			}
			if half.name == "request" && isCall(half.m) && half.m.Body.Size() > 0 {
				body, err := half.m.Body.Bytes()
				if err == nil {
					err = add(bodyName(n, half.m), body)
				}
				if err != nil {
					return fmt.Errorf("write bundle: %w", err)
				}
			}
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	return nil
}

// sent is the exchanges without what the system was to hand on and did not.
func (in Incident) sent() []harness.Exchange {
	return slices.DeleteFunc(slices.Clone(in.Exchanges), func(x harness.Exchange) bool {
		return x.From == in.System && x.Fault != nil && x.Channel != harness.ChannelHTTP
	})
}

// messageName is the name of a message in the bundle. What is no call is a body alone, in a file of its kind.
func messageName(n int, half string, m harness.Message) string {
	name := fmt.Sprintf("%02d-%s", n+1, half)
	if isCall(m) {
		return name + ".http"
	}
	if _, ext, ok := cutLast(m.Head.Get(harness.FieldName), "."); ok {
		return name + "." + strings.Map(plainLetter, ext)
	}
	return name + ".bin"
}

// bodyName is the name of the body of a call alone, for the command that sends it.
func bodyName(n int, m harness.Message) string {
	return fmt.Sprintf("%02d-body.%s", n+1, payload.FormatOf(m.Media, "", nil).Name)
}

func plainLetter(r rune) rune {
	if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return r
	}
	return -1
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func isCall(m harness.Message) bool {
	return m.Head.Has(harness.FieldMethod) || m.Head.Has(harness.FieldStatus)
}

// crossed is a message as it crossed: start line, fields, blank line and body. The host is that of the house.
func crossed(m harness.Message) ([]byte, error) {
	body, err := m.Body.Bytes()
	if err != nil || !isCall(m) {
		return body, err
	}
	var b bytes.Buffer
	if status := m.Head.Get(harness.FieldStatus); status != "" {
		fmt.Fprintf(&b, "HTTP/1.1 %s\r\n", status)
	} else {
		fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", m.Head.Get(harness.FieldMethod), m.Head.Get(harness.FieldPath))
	}
	for _, f := range m.Head {
		switch {
		case f.IsPseudo():
		case strings.EqualFold(f.Name, "Host"):
			fmt.Fprintf(&b, "%s: %s\r\n", f.Name, anyHost)
		default:
			fmt.Fprintf(&b, "%s: %s\r\n", f.Name, f.Value)
		}
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes(), nil
}

// anyHost stands for the test instance of the vendor.
const anyHost = "your-test-instance.example"

// readme is the page of the bundle.
func readme(in Incident) string {
	var b strings.Builder
	system := in.Catalogue.Systems[in.System]
	failure := in.Failure
	if in.FailingID == "" {
		failure = in.Operation + " fails" // the error of a mapping names its files
	}
	fmt.Fprintf(&b, "# Reproducible failure: %s\n\n", line(failure))
	fmt.Fprintf(&b, "| | |\n|---|---|\n")
	for _, row := range [][2]string{
		{"product", in.Catalogue.SystemTitle(in.System)}, {"version", system.Version}, {"first seen", stamp(in.At)},
		{"operation", in.Operation}, {"calls needed", fmt.Sprint(len(in.sent()))}, {"fields needed", fmt.Sprint(in.Fields)}, {"made by", in.Tool},
	} {
		if row[1] != "" {
			fmt.Fprintf(&b, "| %s | %s |\n", row[0], cell(row[1]))
		}
	}
	b.WriteString("\nThe data is not real: names, numbers and tokens are stand-ins of the same form. Everything that could be taken away\n" +
		"without losing the failure was taken away; values were only cut, never made up.\n\n" +
		"## What crosses\n\n| # | when (UTC) | call | answer |\n|---|---|---|---|\n")
	for n, x := range in.sent() {
		answer := answerOf(x)
		if x.Fault != nil {
			answer = x.Fault.Kind // what is said beside it is that of a machine of the house
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s |\n", n+1, stamp(x.At), cell(x.Title()), cell(answer))
	}
	b.WriteString("\n## To reproduce\n\nPut your test instance and a valid login in:\n\n```\nBASE=https://" + anyHost + "\n")
	for n, x := range in.sent() {
		if x.Request.Head.Has(harness.FieldMethod) && x.Channel == harness.ChannelHTTP {
			b.WriteString(curl(n, x))
		} else {
			fmt.Fprintf(&b, "# %d: hand over %s\n", n+1, messageName(n, "request", x.Request))
		}
	}
	b.WriteString("```\n")
	if len(in.Odd) > 0 {
		b.WriteString("\n## What is odd about the request\n\n")
		for _, o := range in.Odd {
			fmt.Fprintf(&b, "- `%s` %s.\n", line(o.Field), line(o.Sentence))
		}
	}
	return b.String()
}

// curl is the command that sends a call. Its body is taken from the file, behind the blank line.
func curl(n int, x harness.Exchange) string {
	var b strings.Builder
	data := ""
	if x.Request.Body.Size() > 0 {
		data = " --data-binary @" + bodyName(n, x.Request)
	}
	fmt.Fprintf(&b, "curl -i -X %s", quote(x.Request.Head.Get(harness.FieldMethod)))
	for _, f := range x.Request.Head {
		if !f.IsPseudo() && !strings.EqualFold(f.Name, "Host") && !strings.EqualFold(f.Name, "Content-Length") {
			fmt.Fprintf(&b, " -H %s", quote(f.Name+": "+f.Value))
		}
	}
	fmt.Fprintf(&b, "%s \"$BASE\"%s\n", data, quote(x.Request.Head.Get(harness.FieldPath)))
	return b.String()
}

// quote makes one word for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(line(s), "'", `'\''`) + "'" }
