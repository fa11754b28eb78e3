package accesslog

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// request is the method, target and version of the request.
func (e event) request() (method, target, proto string, ok bool) {
	method, target, proto = e["method"], e["target"], e["proto"]
	if line := e["request"]; line != "" {
		parts := strings.Split(line, " ")
		if len(parts) < 2 || len(parts) > 3 {
			return "", "", "", false
		}
		method, target = parts[0], parts[1]
		if len(parts) == 3 {
			proto = parts[2]
		}
	}
	if query := strings.TrimPrefix(e["query"], "?"); query != "" && query != "-" {
		target += "?" + query
	}
	if !strings.HasPrefix(proto, "HTTP/") {
		proto = ""
	}
	isMethod := method != "" && strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == ""
	isTarget := strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "//") || strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://")
	return method, target, proto, isMethod && isTarget && !strings.ContainsAny(target, "\r\n\t\x00\\\"")
}

// fields are those of the request that the log tells.
func (e event) fields() harness.Head {
	var head harness.Head
	if host := e["host"]; host != "" && host != "-" {
		head = append(head, harness.Field{Name: "Host", Value: host})
	}
	for _, name := range slices.Sorted(maps.Keys(e)) {
		field, found := strings.CutPrefix(name, "field ")
		if value := e[name]; found && value != "" && value != "-" {
			head = append(head, harness.Field{Name: field, Value: value})
		}
	}
	return head
}

// layouts of the moments that logs tell.
var layouts = []string{"02/Jan/2006:15:04:05 -0700", time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999", "02/Jan/2006:15:04:05"}

// moment is when the request began, and how long it took.
func (e event) moment() (at time.Time, took time.Duration, err error) {
	for _, unit := range []struct {
		name string
		of   float64
	}{{"took-s", 1e9}, {"took-ms", 1e6}, {"took-us", 1e3}, {"took-ns", 1}} {
		if n, err := strconv.ParseFloat(e[unit.name], 64); err == nil && n > 0 && n*unit.of < math.MaxInt64/2 {
			took = time.Duration(n * unit.of)
		}
	}
	text := strings.Trim(e["time"], "[]")
	if e["date"] != "" {
		text = e["date"] + " " + e["clock"]
	}
	at, err = parseTime(cmp.Or(text, e["epoch"]))
	if err == nil && e["logged"] == "at-end" {
		at = at.Add(-took)
	}
	return at, took, err
}

func parseTime(s string) (time.Time, error) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	const milliseconds, latest = 1e11, 1e14 // from where a number counts milliseconds
	n, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || n < 0 || n > latest || math.IsNaN(n):
		return time.Time{}, fmt.Errorf("time %.40q is not understood", s)
	case n > milliseconds:
		n /= 1e3
	}
	return time.UnixMicro(int64(n * 1e6)).UTC(), nil
}
