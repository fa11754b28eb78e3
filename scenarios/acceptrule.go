package scenarios

import (
	"maps"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// causeLines are the keys of an accepted rule in the order of its fields, without the empty ones.
func causeLines(r harness.CauseRule) []line {
	lines := []line{{key: "family", text: yamlText(r.Family)}}
	if r.Says != "" {
		lines = append(lines, line{key: "says", text: yamlText(r.Says)})
	}
	var params, table []line
	for _, name := range slices.Sorted(maps.Keys(r.Params)) {
		params = append(params, line{key: yamlText(name), text: yamlText(r.Params[name])})
	}
	for _, c := range r.Table {
		table = append(table, elementLines(line{key: "was", text: c.Was}, line{key: "is", text: c.Is}, line{key: "was-type", text: c.WasType}, line{key: "is-type", text: c.IsType})...)
	}
	for _, part := range []line{{key: "params", below: params}, {key: "table", below: table}} {
		if len(part.below) > 0 {
			lines = append(lines, part)
		}
	}
	if r.When != "" {
		lines = append(lines, line{key: "when", text: yamlText(r.When)})
	}
	return lines
}

func scopeLines(scope []harness.Scope) []line {
	var lines []line
	for _, s := range scope {
		lines = append(lines, elementLines(line{key: "at", text: s.At.String()}, line{key: "operation", text: s.Operation})...)
	}
	return lines
}

// elementLines is one element of a list, whose first key carries the dash; empty ones but the first are left out.
func elementLines(keys ...line) []line {
	var lines []line
	for i, k := range keys {
		if i > 0 && k.text == "" {
			continue
		}
		lines = append(lines, line{key: k.key, text: yamlText(k.text), dash: i == 0, deeper: i > 0})
	}
	return lines
}
