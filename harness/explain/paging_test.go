package explain

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// waiting is a list of n applications, and what else the answer says.
func waiting(from, to int, more string) string {
	var entries []string
	for i := from; i < to; i++ {
		entries = append(entries, fmt.Sprintf(`{"id":"A-%d"}`, i))
	}
	return `{"applications":[` + strings.Join(entries, ",") + `]` + more + `}`
}

func pagingCases() []acceptance {
	next := harness.Field{Name: "Link", Value: `</applications?page=2>; rel="next"`}
	whole := xs(ask("poll", waiting(0, 8, "")), tell("poll", `{"read":8}`, "200", "{}"))
	return []acceptance{
		{
			name: "page with a link", why: "the target asked once: the rest is never read, and what it reports follows",
			before: whole, after: xs(ask("poll", waiting(0, 5, ""), next), tell("poll", `{"read":5}`, "200", "{}")),
			want: []string{"F07 breaking 3/8 records ×5"},
		},
		{
			name: "page with a cursor", why: "the sign of more may stand in the body",
			before: xs(ask("poll", waiting(0, 8, `,"next_cursor":null`))), after: xs(ask("poll", waiting(0, 5, `,"next_cursor":"c2"`))),
			want: []string{"F07 breaking 3/8 records ×4"},
		},
		{
			name: "page that is followed", why: "the rest is read with one more call",
			before: whole,
			after:  xs(ask("poll", waiting(0, 5, ""), next), ask("poll", waiting(5, 8, "")), tell("poll", `{"read":8}`, "200", "{}")),
			want:   []string{"F07 benign 3/8 records ×5"},
		},
		{
			name: "link without loss", why: "a link alone takes nothing away",
			before: whole, after: xs(ask("poll", waiting(0, 8, ""), next), tell("poll", `{"read":8}`, "200", "{}")),
			want: []string{"F13 benign 1/1 calls ×1"},
		},
	}
}
