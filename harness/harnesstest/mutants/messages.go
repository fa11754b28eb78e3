package main

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/encoding/charmap"

	"github.com/rehearse-dev/rehearse/harness"
)

// What message operators demand of a slot.

// textual wants a body whose texts fit somewhere.
func textual(fits func(string) bool) func(*world, slot) bool {
	return func(w *world, s slot) bool {
		return slices.ContainsFunc(w.sites, func(at *site) bool {
			if at.slot != s || at.format != "csv" && at.format != "json" && at.format != "xml" || s.channel != harness.ChannelFile {
				return false
			}
			for text := range at.values {
				if fits(text) {
					return true
				}
			}
			return false
		})
	}
}

func tabular(w *world, s slot) bool {
	return slices.ContainsFunc(w.tables, func(at *site) bool { return at.slot == s && at.format == "csv" })
}

// simpleTable is one whose cells hold neither quotes nor delimiters.
func simpleTable(w *world, s slot) bool {
	return tabular(w, s) && !slices.ContainsFunc(w.sites, func(at *site) bool {
		if at.slot != s {
			return false
		}
		for text := range at.values {
			if strings.ContainsAny(text, ",;\"\n") {
				return true
			}
		}
		return false
	})
}

func answered(w *world, s slot) bool { return s.channel == harness.ChannelHTTP && w.successes(s) > 0 }
func calls(w *world, s slot) bool    { return s.channel == harness.ChannelHTTP }

func structured(w *world, s slot) bool {
	return slices.ContainsFunc(w.sites, func(at *site) bool { return at.slot == s && (at.format == "json" || at.format == "xml") && at.n > 8 })
}

func fixedWidth(w *world, s slot) bool {
	return slices.ContainsFunc(w.sites, func(at *site) bool { return at.slot == s && at.format == "fixed" })
}

func markup(w *world, s slot) bool {
	return slices.ContainsFunc(w.sites, func(at *site) bool { return at.slot == s && at.format == "xml" && at.n > 8 })
}

func (w *world) successes(s slot) int {
	n := 0
	for i := range w.exchanges {
		if x := &w.exchanges[i]; slotOf(x) == s && x.Status() >= 200 && x.Status() < 300 {
			n++
		}
	}
	return n
}

// picked calls change for each selected exchange of the slot.
func (p *planted) picked(list []harness.Exchange, change func(x *harness.Exchange)) []harness.Exchange {
	out := slices.Clone(list)
	for i := range out {
		if slotOf(&out[i]) == p.slot && p.selects(out[i].ID, 0, nil) {
			change(&out[i])
		}
	}
	return out
}

// bodies rewrites the texts of bodies: of files, or of answers.
func bodies(f func(string) string) func(*planted, []harness.Exchange) []harness.Exchange {
	return func(p *planted, list []harness.Exchange) []harness.Exchange {
		return p.picked(list, func(x *harness.Exchange) {
			m := &x.Response
			if x.Channel == harness.ChannelFile {
				m = &x.Request
			}
			if b, err := m.Body.Bytes(); err == nil && len(b) > 0 && m.Head.Get("Content-Encoding") == "" {
				m.Body = harness.BytesBody([]byte(f(string(b))))
			}
		})
	}
}

// latin writes Windows-1252 where the text can be spelled so.
func latin(s string) string {
	out, err := charmap.Windows1252.NewEncoder().String(s)
	if err != nil {
		return s
	}
	return out
}

// shiftedColumns puts five blanks into each long line, at the end of its longest run of blanks.
func shiftedColumns(s string) string {
	lines := strings.SplitAfter(s, "\n")
	for i, line := range lines {
		if at := strings.Index(line, "                  "); len(line) > 60 && at > 0 && strings.HasPrefix(line, "D") {
			lines[i] = line[:at] + "     " + line[at:]
		}
	}
	return strings.Join(lines, "")
}

// withoutLastDetails takes away the last three details before the trailer.
func withoutLastDetails(s string) string {
	lines := strings.SplitAfter(strings.TrimSuffix(s, "\n"), "\n")
	if n := len(lines); n > 8 {
		lines = slices.Delete(lines, n-4, n-1)
	}
	return strings.Join(lines, "") + "\n"
}

var defaultNamespace = regexp.MustCompile(`^(?s)(.*?<)([A-Za-z]\w*)((?:\s[^>]*)?\s)xmlns="`)

// prefixed binds the default namespace to a prefix and writes that before every name of an element.
func prefixed(s string) string {
	if !defaultNamespace.MatchString(s) || strings.Count(s, "xmlns=") > 1 {
		return s
	}
	s = strings.Replace(s, `xmlns="`, `xmlns:v44="`, 1)
	return elementName.ReplaceAllString(s, "${1}v44:$2")
}

var elementName = regexp.MustCompile(`(</?)([A-Za-z]\w*)\b`)

// quoted puts every cell into quotes, and leaves both characters of a line end outside: a carriage return within the
// quotes would be a change of the last value as well.
func quoted(s string) string {
	lines := strings.SplitAfter(s, "\n")
	for i, line := range lines {
		if text := strings.TrimRight(line, "\r\n"); text != "" {
			lines[i] = `"` + strings.ReplaceAll(text, ",", `","`) + `"` + line[len(text):]
		}
	}
	return strings.Join(lines, "")
}

// otherLineEnds writes CR LF for LF, or LF where a file has CR LF already.
func otherLineEnds(s string) string {
	if strings.Contains(s, "\r\n") {
		return strings.ReplaceAll(s, "\r\n", "\n")
	}
	return strings.ReplaceAll(s, "\n", "\r\n")
}

// answer replaces successful answers.
func answer(status, body string, head ...harness.Field) func(*planted, []harness.Exchange) []harness.Exchange {
	return func(p *planted, list []harness.Exchange) []harness.Exchange {
		return p.picked(list, func(x *harness.Exchange) {
			if x.Status() < 200 || x.Status() >= 300 {
				return
			}
			x.Response = harness.Message{
				Head:  append(harness.Head{{Name: harness.FieldStatus, Value: status}, {Name: "Content-Type", Value: "application/json"}}, head...),
				Media: "application/json", Body: harness.BytesBody([]byte(body)),
			}
		})
	}
}

var (
	failed  = answer("500", `{"error":"internal","message":"unexpected condition"}`)
	limited = answer("429", `{"error":"too many requests"}`, harness.Field{Name: "Retry-After", Value: "30"})
)

// headless takes away the first field of the answers that is no pseudo-field.
func headless(p *planted, list []harness.Exchange) []harness.Exchange {
	return p.picked(list, func(x *harness.Exchange) {
		for _, f := range x.Response.Head {
			if f.Name != "Content-Length" && f.Name != "Date" && f.Name != "Content-Type" && f.Name != "Content-Encoding" && !f.IsPseudo() && f.Name != "Connection" && f.Name != "Transfer-Encoding" {
				x.Response.Head = x.Response.Head.Without(f.Name)
				return
			}
		}
	})
}

func headed(p *planted, list []harness.Exchange) []harness.Exchange {
	return p.picked(list, func(x *harness.Exchange) { x.Response.Head = x.Response.Head.With("X-Served-By", "node-7") })
}

func uncalled(p *planted, list []harness.Exchange) []harness.Exchange {
	var out []harness.Exchange
	for _, x := range list {
		if slotOf(&x) != p.slot || !p.selects(x.ID, 0, nil) {
			out = append(out, x)
		}
	}
	return out
}

func repeated(p *planted, list []harness.Exchange) []harness.Exchange {
	var out []harness.Exchange
	for _, x := range list {
		if out = append(out, x); slotOf(&x) == p.slot && p.selects(x.ID, 0, nil) {
			x.ID += "-again"
			out = append(out, x)
		}
	}
	return out
}
