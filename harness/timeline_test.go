package harness

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTimeline(t *testing.T) {
	noon := time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)
	x := func(id, session string, second int) Exchange {
		return Exchange{ID: id, Session: session, At: noon.Add(time.Duration(second) * time.Second)}
	}
	for name, test := range map[string]struct {
		list []Exchange
		want string
	}{
		"sessions that lie one after the other in the file, not in time": {[]Exchange{x("a", "late", 9), x("b", "late", 10), x("c", "early", 1), x("d", "early", 2)}, "cdab"},
		"interleaved": {[]Exchange{x("a", "1", 0), x("b", "2", 1), x("c", "1", 2)}, "abc"},
		"a clock that went back within a session": {[]Exchange{x("a", "1", 5), x("b", "1", 3), x("c", "2", 4)}, "cab"},
		"one moment: as given":                    {[]Exchange{x("a", "1", 0), x("b", "2", 0), x("c", "1", 0), x("d", "2", 0)}, "abcd"},
		"without moments: as given":               {[]Exchange{{ID: "a"}, {ID: "b"}, {ID: "c"}}, "abc"},
		"none":                                    {nil, ""},
	} {
		got := ""
		for _, i := range Timeline(test.list) {
			got += test.list[i].ID
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
