package sniff_test

import (
	"testing"

	"github.com/rehearse-dev/rehearse/recorders/internal/sniff"
)

func TestKeysAreFoundInWholeAndInCutFiles(t *testing.T) {
	for _, test := range []struct {
		head, key string
		want      bool
		why       string
	}{
		{"\ufeff {\"log\": {\"version\": \"1.2\", \"entries\": [{\"request\": {\"url\": \"x", "log.entries[].request.url", true, "cut JSON"},
		{`{"a": [1, {"b": 2}, [{"c": 3}]], "d": 4}`, "a[].b", true, "list"},
		{`{"a": [1, {"b": 2}, [{"c": 3}]], "d": 4}`, "a[][].c", true, "list of lists"},
		{`{"a": [1, {"b": 2}], "d": 4}`, "d", true, "behind a list"},
		{`{"a": {"d": 4}}`, "d", false, "deeper than it is asked for"},
		{`[{"request": {}}]`, "[].request", true, "list at the top"},
		{`{"paths": {"/a.b": {"get": {}}, "x": {"post": 1}}}`, "paths.*.post", true, "any key"},
		{"---\nversion: 1\ninteractions:\n- request:\n    url: x\n", "interactions[].request.url", true, "list at the indentation of its key"},
		{"interactions:\n  - id: 0\n    request:\n      url: x\n", "interactions[].request.url", true, "list below its key"},
		{"a:\n- b: 1\n- c:\n    d: 1\ne: 2\n", "a[].c.d", true, "second item"},
		{"a:\n- b: 1\n- c:\n    d: 1\ne: 2\n", "e", true, "behind a list"},
		{"-\n  request:\n    method: GET\n-\n  request: x\n", "[].request.method", true, "a dash on its own line"},
		{"- request:\n    'method': GET\n", "[].request.method", true, "quoted key"},
		{"just some text\nmore", "text", false, "no key"},
		{"", "a", false, "empty"},
	} {
		if have := sniff.Has([]byte(test.head), test.key); have != test.want {
			t.Errorf("%s: %q is %v in %v", test.why, test.key, have, sniff.Keys([]byte(test.head)))
		}
	}
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte("a:\n- - b: 1\n -  c: 2\n"))
	f.Add([]byte(`{"a":[{"b":1`))
	f.Fuzz(func(t *testing.T, head []byte) { sniff.Has(head, "a", "*.b[].c") })
}
