package correlate_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay/correlate"
)

// sameAgain replays a recording against a server that answers as recorded, and reports what is not byte for byte the same.
func sameAgain(t testing.TB, xs []harness.Exchange) (changed int) {
	t.Helper()
	plan, err := correlate.Mine(xs, correlate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v := plan.NewValues()
	for _, x := range xs {
		sent, err := plan.Request(x, v)
		if err != nil {
			t.Errorf("%v", err)
		}
		if err := plan.Learn(x, x, v); err != nil {
			t.Errorf("%v", err)
		}
		back, err := plan.Restore(sent, v)
		if err != nil {
			t.Errorf("%v", err)
		}
		for _, pair := range [][2]harness.Message{{x.Request, sent.Request}, {x.Request, back.Request}, {x.Response, back.Response}} {
			if want, got := text(t, pair[0]), text(t, pair[1]); want != got {
				changed++
				t.Errorf("%s %s:\n%s", x.ID, x.Title(), cmp.Diff(want, got))
			}
		}
	}
	return changed
}

func TestARunInWhichNothingChangedChangesNothing(t *testing.T) {
	eachRealSet(t, realSets, func(t *testing.T, xs []harness.Exchange) { sameAgain(t, xs) })
}

// Whatever crosses, mining and replaying it is no crash, and when the server answers as recorded nothing changes.
func FuzzNothingChanges(f *testing.F) {
	for _, seed := range [][4]string{
		{"/a?x=1", "", "application/json", `{"id":"aa11bb22cc33","next":"/a/aa11bb22cc33?c=%2F"}`},
		{"/a/aa11bb22cc33", "Bearer aa11bb22cc33", "application/json", `{"a":"https:\/\/x\/aa11bb22cc33","b":"\u00e9 aa11bb22cc33"}`},
		{"/%zz?&&=&a=%", "Basic !!!", "text/html", `<a href=aa11bb22cc33><input name=x value="aa11bb22cc33`},
		{"", "Basic dTphYTExYmIyMmNjMzM=", "text/xml", `<a b="aa11bb22cc33">x &amp; aa11bb22cc33<![CDATA[aa11bb22cc33]]></a>`},
		{"/x;y=aa11bb22cc33", "x", "text/csv", "a,b\naa11bb22cc33,\"x \"\"aa11bb22cc33\"\n"},
		{"/x", "x", "multipart/form-data", "--q\r\nContent-Disposition: form-data; name=\"aa11bb22cc33\"\r\n\r\naa11bb22cc33\r\n--q--"},
		{"/x", "x", "application/x-www-form-urlencoded", "a=aa11bb22cc33+%20b&c=%61a11bb22cc33"},
		{"/x", "x", "application/octet-stream", "\x00\xffaa11bb22cc33\x01"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, path, authorization, media, body string) {
		var xs []harness.Exchange
		for n := range 3 {
			xs = append(xs, harness.Exchange{ID: fmt.Sprint(n), Channel: harness.ChannelHTTP, To: "s",
				Request:  harness.Message{Head: harness.Head{{Name: ":method", Value: "POST"}, {Name: ":path", Value: path}, {Name: "Authorization", Value: authorization}}, Media: media, Body: harness.BytesBody([]byte(body))},
				Response: harness.Message{Head: harness.Head{{Name: ":status", Value: "201"}, {Name: "Location", Value: path}, {Name: "Set-Cookie", Value: authorization}}, Media: media, Body: harness.BytesBody([]byte(body))}})
		}
		xs[0].Request = harness.Message{Head: harness.Head{{Name: ":method", Value: "POST"}, {Name: ":path", Value: "/start"}}}
		sameAgain(t, xs)
	})
}
