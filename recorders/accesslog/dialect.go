package accesslog

import (
	"encoding/json"
	"fmt"
	"strings"
)

// guess finds the format of a first line.
func guess(line string) func(string) (event, bool, error) {
	if strings.HasPrefix(line, "{") {
		return parseJSON
	}
	for _, format := range []string{combined, vhost + combined, common, vhost + common} {
		p, err := compileApache(format)
		if err != nil {
			continue
		}
		if e, _, err := p.parse(line); err == nil && len(e["status"]) == 3 && strings.HasPrefix(e["time"], "[") {
			return p.parse
		}
	}
	return nil
}

// directive reads a line that tells about the log; nil: nothing that changes how it is read.
func directive(line string) (func(string) (event, bool, error), error) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(line, "#"), " ")
	rest = strings.TrimSpace(rest)
	switch name {
	case "Fields:":
		return w3c(strings.Fields(rest)), nil
	case "LogFormat":
		p, err := compileApache(strings.ReplaceAll(unquote(rest), `\"`, `"`))
		if err != nil {
			return nil, err
		}
		return p.parse, nil
	case "log_format":
		p, err := compileNginx(unquote(rest))
		if err != nil {
			return nil, err
		}
		return p.parse, nil
	}
	return nil, nil
}

// unquote removes the quotes around a format, and a name behind or a semicolon.
func unquote(s string) string {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return s
	}
	if end := strings.LastIndexByte(s, s[0]); end > 0 {
		return s[1:end]
	}
	return s
}

// w3cNames are the fields of the W3C format whose values are taken over.
var w3cNames = map[string]string{
	"date": "date", "time": "clock", "c-ip": "client", "cs-method": "method", "cs-uri": "target", "cs-uri-stem": "target", "cs-uri-query": "query",
	"sc-status": "status", "sc-bytes": "size", "cs-host": "host", "cs-version": "proto", "time-taken": "took-ms",
}

// w3c reads lines whose fields are named. The blanks of a value are written as plus signs.
func w3c(names []string) func(string) (event, bool, error) {
	return func(line string) (event, bool, error) {
		values := strings.Fields(line)
		if len(values) != len(names) {
			return nil, false, fmt.Errorf("has %d values, #Fields names %d", len(values), len(names))
		}
		e := event{}
		for i, name := range names {
			switch header, found := strings.CutPrefix(name, "cs("); {
			case found && strings.EqualFold(header, "host)"):
				e["host"] = values[i]
			case found:
				e["field "+strings.TrimSuffix(header, ")")] = strings.ReplaceAll(values[i], "+", " ")
			case w3cNames[name] != "":
				e[w3cNames[name]] = values[i]
			}
		}
		return e, false, nil
	}
}

// jsonNames are members of JSON lines whose values are taken over; a dot goes into an object. Of several that mean the
// same, the first one that a line has holds.
var jsonNames = []struct{ name, members string }{
	{"client", "remote_addr remote_ip client_ip clientip ClientHost request.remote_ip"},
	{"time", "time_iso8601 time timestamp @timestamp time_local StartUTC"},
	{"epoch", "ts msec"},
	{"request", "request request_line"},
	{"method", "request_method method request.method RequestMethod"},
	{"target", "request_uri uri path url request.uri RequestPath"},
	{"query", "query_string"},
	{"proto", "server_protocol protocol proto request.proto RequestProtocol"},
	{"status", "status status_code code OriginStatus DownstreamStatus"},
	{"size", "body_bytes_sent bytes_sent size bytes DownstreamContentSize"},
	{"host", "http_host host request.host server_name RequestHost"},
	{"took-s", "request_time duration"},
	{"took-ms", "duration_ms latency_ms"},
	{"took-ns", "Duration"},
	{"field Referer", "http_referer referer referrer"},
	{"field User-Agent", "http_user_agent user_agent agent"},
}

// parseJSON reads a line that is an object.
func parseJSON(line string) (event, bool, error) {
	var object map[string]any
	dec := json.NewDecoder(strings.NewReader(line))
	dec.UseNumber()
	if err := dec.Decode(&object); err != nil {
		return nil, false, fmt.Errorf("is not an object of JSON: %w", err)
	}
	e := event{"logged": "at-end"}
	for _, n := range jsonNames {
		for member := range strings.FieldsSeq(n.members) {
			if text, found := scalar(object, member); found {
				e[n.name] = text
				break
			}
		}
	}
	return e, false, nil
}

// scalar is the member that a path names, when it is a text or a number.
func scalar(object map[string]any, path string) (string, bool) {
	name, rest, nested := strings.Cut(path, ".")
	if nested {
		below, _ := object[name].(map[string]any)
		return scalar(below, rest)
	}
	switch v := object[name].(type) {
	case string:
		return v, v != ""
	case json.Number:
		return v.String(), true
	}
	return "", false
}
