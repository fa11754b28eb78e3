package accesslog

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Formats that are known without being named, the longer ones first.
const (
	common   = `%h %l %u %t "%r" %>s %b`
	combined = common + ` "%{Referer}i" "%{User-Agent}i"`
	vhost    = "%v:%p "
)

// apache are the directives of Apache's LogFormat whose values are taken over.
var apache = map[string]string{
	"h": "client", "a": "client", "t": "time", "r": "request", "s": "status", "b": "size", "B": "size", "m": "method", "U": "target", "q": "query", "H": "proto",
	"v": "host", "V": "host", "D": "took-us", "T": "took-s", "{ms}T": "took-ms", "{us}T": "took-us", "{s}T": "took-s", "{Host}i": "host",
}

// nginx are its variables whose values are taken over.
var nginx = map[string]string{
	"remote_addr": "client", "time_local": "time", "time_iso8601": "time", "msec": "epoch", "request": "request", "status": "status", "body_bytes_sent": "size",
	"request_method": "method", "request_uri": "target", "server_protocol": "proto", "host": "host", "http_host": "host", "server_name": "host", "request_time": "took-s",
}

// slot is one part of a line: the text before it, and the name of its value.
type slot struct {
	before string
	name   string // empty: left out
}

// pattern is a compiled format.
type pattern struct {
	slots []slot
	tail  string // text behind the last value
	atEnd bool   // the server writes the moment of the end
}

var (
	apacheDirective = regexp.MustCompile(`%[!,0-9]*([<>]?)((?:\{[^}]*\})?[A-Za-z%])`)
	nginxVariable   = regexp.MustCompile(`\$(?:\{([a-z0-9_]+)\}|([a-z0-9_]+))`)
)

// compileApache compiles the text of a LogFormat.
func compileApache(format string) (*pattern, error) {
	return compile(format, apacheDirective, func(m []string) string {
		if header, found := strings.CutSuffix(m[2], "}i"); found && apache[m[2]] == "" {
			return "field " + strings.TrimPrefix(header, "{")
		}
		return apache[m[2]]
	})
}

// compileNginx compiles the text of a log_format.
func compileNginx(format string) (*pattern, error) {
	p, err := compile(format, nginxVariable, func(m []string) string {
		name := m[1] + m[2]
		if header, found := strings.CutPrefix(name, "http_"); found && nginx[name] == "" {
			return "field " + canonical(header)
		}
		return nginx[name]
	})
	if p != nil {
		p.atEnd = true
	}
	return p, err
}

// canonical spells the name of a variable, user_agent, as that of a field, User-Agent.
func canonical(name string) string {
	parts := strings.Split(strings.ReplaceAll(name, "-", "_"), "_")
	for i, p := range parts {
		if p != "" {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "-")
}

func compile(format string, value *regexp.Regexp, nameOf func([]string) string) (*pattern, error) {
	p := &pattern{}
	at := 0
	for _, m := range value.FindAllStringSubmatchIndex(format, -1) {
		var groups []string
		for i := 0; i < len(m); i += 2 {
			if m[i] < 0 {
				groups = append(groups, "")
				continue
			}
			groups = append(groups, format[m[i]:m[i+1]])
		}
		if before := format[at:m[0]]; before == "" && at > 0 {
			return nil, errors.New("the format has two values without anything between them")
		}
		p.slots = append(p.slots, slot{format[at:m[0]], nameOf(groups)})
		at = m[1]
	}
	p.tail = format[at:]
	if len(p.slots) == 0 {
		return nil, errors.New("the format has no values")
	}
	return p, nil
}

// parse cuts a line along the format. More tells that something follows it.
func (p *pattern) parse(line string) (e event, more bool, err error) {
	e = event{}
	if p.atEnd {
		e["logged"] = "at-end"
	}
	rest := line
	for i, s := range p.slots {
		after, found := strings.CutPrefix(rest, s.before)
		if !found {
			return nil, false, fmt.Errorf("want %q before value %d of the format, have %.40q", s.before, i+1, rest)
		}
		until := p.tail
		if i+1 < len(p.slots) {
			until = p.slots[i+1].before
		}
		n := length(after, until, s.name)
		if s.name != "" {
			e[s.name] = unescape(after[:n])
		}
		rest = after[n:]
	}
	rest, found := strings.CutPrefix(rest, p.tail)
	if !found {
		return nil, false, fmt.Errorf("want %q at the end, have %.40q", p.tail, rest)
	}
	if rest != "" && !strings.HasPrefix(rest, " ") {
		return nil, false, fmt.Errorf("want the end, have %.40q", rest)
	}
	return e, rest != "", nil
}

// length is how far a value goes: to the text behind it; a quote that is escaped does not end it, and a moment in brackets
// holds a blank.
func length(s, until, name string) int {
	if name == "time" && strings.HasPrefix(s, "[") {
		if i := strings.IndexByte(s, ']'); i >= 0 {
			return i + 1
		}
	}
	if until == "" {
		if i := strings.IndexByte(s, ' '); i >= 0 {
			return i
		}
		return len(s)
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
			continue
		}
		if strings.HasPrefix(s[i:], until) {
			return i
		}
	}
	return len(s)
}

// escape is how servers write what would break a line.
var escape = regexp.MustCompile(`\\(x[0-9A-Fa-f]{2}|["\\])`)

// unescape undoes it where the character may stand in a field.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return escape.ReplaceAllStringFunc(s, func(e string) string {
		switch e {
		case `\"`, `\x22`:
			return `"`
		case `\\`, `\x5C`, `\x5c`:
			return `\`
		}
		return e
	})
}
