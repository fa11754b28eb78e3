package mock

import (
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// placed is a text of a request and where it stands.
type placed struct {
	path harness.Path
	text string
}

// placesOf are the texts of a call that may vary from one call to the next: segments, parameters, leaves of the body, and
// the fields of the head that a client makes up.
func placesOf(c call, head harness.Head) []placed {
	var list []placed
	for i, s := range c.segments {
		list = append(list, placed{segmentPlace.Child(harness.Index(i)), s})
	}
	for _, p := range c.query {
		list = append(list, placed{queryPlace.Child(harness.Name(p.name)), p.value})
	}
	for _, f := range head {
		if !f.IsPseudo() && !isCommonField(f.Name) {
			list = append(list, placed{headPlace.Child(harness.Name(strings.ToLower(f.Name))), f.Value})
		}
	}
	if len(c.body) > maxCompared {
		return list
	}
	if doc := jsonOf(c); doc != nil {
		for _, l := range leavesOf(doc) {
			list = append(list, placed{l.path, strings.TrimPrefix(strings.TrimPrefix(l.raw, string(harness.KindString)), string(harness.KindNumber))})
		}
		return list
	}
	pairs := []pair(nil)
	if mediaOf(c.contentType) == formMedia {
		pairs = pairsOf(string(c.body))
	}
	for _, p := range pairs {
		list = append(list, placed{bodyPlace.Child(harness.Name(p.name)), p.value})
	}
	return list
}

// commonFields say how a message is sent or who sends it; no answer repeats them.
var commonFields = map[string]bool{
	"host": true, "user-agent": true, "authorization": true, "cookie": true, "connection": true, "te": true, "via": true,
	"transfer-encoding": true, "upgrade": true, "origin": true, "referer": true, "range": true, "expect": true, "date": true,
}

func isCommonField(name string) bool {
	name = strings.ToLower(name)
	return commonFields[name] || strings.HasPrefix(name, "accept") || strings.HasPrefix(name, "content-") || strings.HasPrefix(name, "proxy-") || strings.HasPrefix(name, "sec-")
}
