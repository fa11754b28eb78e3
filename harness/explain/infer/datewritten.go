package infer

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

func sameTime(t time.Time) time.Time { return t }

// redate reads a time in one layout, moves it, and writes it in another one.
func redate(in, out *layout, m move) step {
	return func(s string) (string, bool) {
		t, ok := in.parse(s)
		if !ok {
			return "", false
		}
		return out.format(m.run(t)), true
	}
}

func dateParams(in, out *layout, m move) map[string]string {
	params := map[string]string{"was": in.words, "is": out.words, "move": m.key}
	if out.solved != nil {
		delete(params, "is")
		params["form"] = out.form()
	}
	return params
}

// form writes a solved layout: its parts in braces, the text between them as it is.
func (l *layout) form() string {
	var b strings.Builder
	for _, p := range l.solved {
		if p.row < 0 {
			b.WriteString(strings.ReplaceAll(p.literal, "{", "{{"))
		} else {
			b.WriteString("{" + dateParts[p.row].name + "}")
		}
	}
	return b.String()
}

func buildDate(w *reading) transform {
	var out *layout
	in := w.layout("was")
	if w.text("form") != "" {
		out = w.solvedLayout()
	} else {
		out = w.layout("is")
	}
	if w.err != nil {
		return nil
	}
	m, ok := moveNamed(w.text("move"), in, out)
	if !ok {
		w.fail("no move %q; such as same, to America/Chicago, shift -1d or shift 5h0m0s", w.text("move"))
	}
	return w.lift(redate(in, out, m))
}

func (w *reading) layout(name string) *layout {
	for i := range layouts {
		if layouts[i].words == w.text(name) {
			return &layouts[i]
		}
	}
	w.fail("%s is %q, which is no known way to write dates", name, w.text(name))
	return nil
}

// solvedLayout reads what form writes.
func (w *reading) solvedLayout() *layout {
	var parts []solvedPart
	rest := w.text("form")
	for rest != "" {
		literal, after, found := strings.Cut(rest, "{")
		if literal != "" {
			parts = append(parts, solvedPart{row: -1, literal: literal})
		}
		if !found {
			break
		}
		if strings.HasPrefix(after, "{") {
			parts = append(parts, solvedPart{row: -1, literal: "{"})
			rest = after[1:]
			continue
		}
		name, behind, _ := strings.Cut(after, "}")
		row := slices.IndexFunc(dateParts, func(p datePart) bool { return p.name == name })
		if row < 0 {
			w.fail("form has {%s}, which is no part of a date", name)
			return nil
		}
		parts, rest = append(parts, solvedPart{row: row}), behind
	}
	return solved(parts)
}

// moveNamed makes a move of its key.
func moveNamed(key string, in, out *layout) (move, bool) {
	verb, what, _ := strings.Cut(key, " ")
	switch verb {
	case "same":
		return move{key: key, run: sameTime}, what == ""
	case "shift":
		return shiftNamed(what)
	case "to", "from", "label":
		z, err := time.LoadLocation(what)
		if err != nil || what == "" || what == "Local" {
			return move{}, false
		}
		for _, m := range zoneMoves(in.grain, out.grain, z, 0) {
			if m.key == key {
				return m, true
			}
		}
	}
	return move{}, false
}

// maxShift bounds the days or months of a written move.
const maxShift = 1_000_000

func shiftNamed(what string) (move, bool) {
	for unit, shift := range map[string]func(int) move{"d": dayShift, "m": monthShift} {
		if n, err := strconv.Atoi(strings.TrimSuffix(what, unit)); err == nil && strings.HasSuffix(what, unit) && n != 0 && abs(n) < maxShift {
			return shift(n), true
		}
	}
	by, err := time.ParseDuration(what)
	return timeShift(by), err == nil && by != 0
}
