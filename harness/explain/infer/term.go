package infer

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// termForm is a way of writing an academic term; its groups are year and season.
type termForm struct {
	name       string
	at         *regexp.Regexp
	yearFirst  bool
	separator  string
	shortYears bool
}

var termForms = []termForm{
	{"year and code", regexp.MustCompile(`^((?:19|20)\d\d)(\d{1,2}|[A-Za-z]{1,6})$`), true, "", false},
	{"year-season", regexp.MustCompile(`^((?:19|20)\d\d)-(\d{1,2}|[A-Za-z]{1,6})$`), true, "-", false},
	{"year/season", regexp.MustCompile(`^((?:19|20)\d\d)/(\d{1,2}|[A-Za-z]{1,6})$`), true, "/", false},
	{"year season", regexp.MustCompile(`^((?:19|20)\d\d) ([A-Za-z]{1,8})$`), true, " ", false},
	{"season year", regexp.MustCompile(`^([A-Za-z]{1,8}) ((?:19|20)\d\d)$`), false, " ", false},
	{"season-year", regexp.MustCompile(`^([A-Za-z]{1,8})-((?:19|20)\d\d)$`), false, "-", false},
	{"seasonyear", regexp.MustCompile(`^([A-Za-z]{1,8})((?:19|20)\d\d)$`), false, "", false},
	{"season and short year", regexp.MustCompile(`^([A-Za-z]{1,8})(\d\d)$`), false, "", true},
	{"short year and season", regexp.MustCompile(`^(\d\d)([A-Za-z]{1,8})$`), true, "", true},
	{"short year/season", regexp.MustCompile(`^(\d\d)/([A-Za-z]{1,8})$`), true, "/", true},
}

func (f *termForm) parse(s string) (year int, season string, ok bool) {
	m := f.at.FindStringSubmatch(s)
	if m == nil {
		return 0, "", false
	}
	y, season := m[1], m[2]
	if !f.yearFirst {
		y, season = m[2], m[1]
	}
	year, _ = strconv.Atoi(y)
	if f.shortYears {
		year += 2000
	}
	return year, season, true
}

func (f *termForm) format(year int, season string) string {
	y := fmt.Sprintf("%04d", year)
	if f.shortYears {
		y = fmt.Sprintf("%02d", year%100)
	}
	if f.yearFirst {
		return y + f.separator + season
	}
	return season + f.separator + y
}

// season is what a season became, and by how much its year moved: some schools count the fall to the next year.
type season struct {
	name  string
	years int
}

// proposeTerm learns a small table of seasons for each pair of forms; years may be any.
func proposeTerm(p *profile) {
	for i := range termForms {
		for j := range termForms {
			in, out := &termForms[i], &termForms[j]
			if _, _, ok := in.parse(firstOf(p.was)); !ok {
				continue
			}
			if _, _, ok := out.parse(firstOf(p.is)); ok {
				p.learnTerm(in, out)
			}
		}
	}
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func (p *profile) learnTerm(in, out *termForm) {
	votes := map[string]map[season]int{}
	years := map[int]bool{}
	for _, t := range p.changed {
		y1, s1, ok1 := in.parse(t.Was.Text)
		y2, s2, ok2 := out.parse(t.Is.Text)
		if !ok1 || !ok2 || y2-y1 > 1 || y1-y2 > 1 {
			continue
		}
		years[y1] = true
		if votes[s1] == nil {
			votes[s1] = map[season]int{}
		}
		votes[s1][season{s2, y2 - y1}]++
	}
	if len(votes) == 0 || len(votes) > 12 || len(years) < 2 && len(votes) < 2 {
		return
	}
	table := map[string]season{}
	bits := 8.0
	var lines []string
	for _, s := range slices.Sorted(maps.Keys(votes)) {
		for _, to := range slices.SortedFunc(maps.Keys(votes[s]), func(a, b season) int { return strings.Compare(a.name, b.name) }) {
			if votes[s][to] > votes[s][table[s]] {
				table[s] = to
			}
		}
		bits += 2 + 2*float64(len(table[s].name))
		lines = append(lines, s+" → "+table[s].name+yearWords(table[s].years))
	}
	p.offer(reterm(in, out, table), candidate{
		text: "term codes changed from " + in.format(2026, votesFirst(table)) + " to " + out.format(2026+table[votesFirst(table)].years, table[votesFirst(table)].name) + " (" + strings.Join(lines, ", ") + ")",
		bits: bits, params: termParams(in, out, table),
		probes: []probe{},
	})
}

func reterm(in, out *termForm, table map[string]season) step {
	return func(text string) (string, bool) {
		y, s, ok := in.parse(text)
		to, known := table[s]
		if !ok || !known {
			return "", false
		}
		return out.format(y+to.years, to.name), true
	}
}

// seasonKey begins the name of the parameter that holds what became of a season.
const seasonKey = "season "

func termParams(in, out *termForm, table map[string]season) map[string]string {
	params := map[string]string{"was": in.name, "is": out.name}
	for s, to := range table {
		params[seasonKey+s] = to.name
		if to.years != 0 {
			params[seasonKey+s] += fmt.Sprintf(" %+d", to.years)
		}
	}
	return params
}

func buildTerm(w *reading) transform {
	table := map[string]season{}
	for name, value := range w.params {
		from, ok := strings.CutPrefix(name, seasonKey)
		if !ok {
			continue
		}
		to, years, moved := strings.Cut(value, " ")
		n, err := strconv.Atoi(years)
		if moved && (err != nil || abs(n) > 1) {
			w.fail("%s is %q, want a season and -1 or +1 for the year", name, value)
		}
		table[from] = season{to, n}
	}
	in, out := w.termForm("was"), w.termForm("is")
	if w.err != nil {
		return nil
	}
	return w.lift(reterm(in, out, table))
}

func (w *reading) termForm(name string) *termForm {
	for i := range termForms {
		if termForms[i].name == w.text(name) {
			return &termForms[i]
		}
	}
	w.fail("%s is %q, which is no known way to write terms", name, w.text(name))
	return nil
}

func votesFirst(table map[string]season) string { return slices.Min(slices.Collect(maps.Keys(table))) }

func yearWords(n int) string {
	switch {
	case n > 0:
		return " of the next year"
	case n < 0:
		return " of the year before"
	}
	return ""
}
