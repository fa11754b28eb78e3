package explain

import (
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/infer"
)

// featureWords is how sentences name the features of an exchange. Features of one call or file begin with a colon, so
// that no member of a record is taken for one.
var featureWords = map[string]string{
	harness.FieldMethod: "the method", harness.FieldStatus: "the status of the answer", harness.FieldName: "the file name",
	":order": "the place in the session", ":weekday": "the day of the week", ":hour": "the hour (UTC)", infer.Moment: "the time of the call",
}

// Beginnings of the names of features that come from parts with names of their own.
const (
	headerFeature = ":header "
	queryFeature  = ":query "
)

// onceFeatures makes the features of an exchange when they are first asked for.
func onceFeatures(x harness.Exchange, order int) func() []harness.Field {
	return sync.OnceValue(func() []harness.Field { return featuresOf(x, order) })
}

// featuresOf is what a condition may be about beside the record: how the call was made, and when. order is its place
// among the calls of the same sort in its session, from 1.
func featuresOf(x harness.Exchange, order int) []harness.Field {
	list := []harness.Field{{Name: ":order", Value: strconv.Itoa(order)}}
	add := func(name, value string) {
		if value != "" && len(value) <= maxMember {
			list = append(list, harness.Field{Name: name, Value: value})
		}
	}
	if !x.At.IsZero() {
		at := x.At.UTC()
		add(infer.Moment, at.Format(time.RFC3339))
		add(":weekday", at.Weekday().String())
		add(":hour", strconv.Itoa(at.Hour()))
	}
	for _, name := range []string{harness.FieldMethod, harness.FieldName} {
		add(name, x.Request.Head.Get(name))
	}
	add(harness.FieldStatus, x.Response.Head.Get(harness.FieldStatus))
	for _, f := range x.Request.Head {
		if !f.IsPseudo() {
			add(headerFeature+strings.ToLower(f.Name), f.Value)
		}
	}
	if _, query, ok := strings.Cut(x.Request.Head.Get(harness.FieldPath), "?"); ok {
		for _, pair := range strings.Split(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if text, err := url.QueryUnescape(value); err == nil {
				add(queryFeature+name, text)
			}
		}
	}
	return list
}

// whenWords is a condition for sentences, with a blank before it; nothing when it holds always.
func whenWords(c infer.Condition) string {
	if c.Always() {
		return ""
	}
	return " when " + c.Words(func(member string) string {
		if words, ok := featureWords[member]; ok {
			return words
		}
		if name, ok := strings.CutPrefix(member, headerFeature); ok {
			return "the header " + name
		}
		if name, ok := strings.CutPrefix(member, queryFeature); ok {
			return "the parameter " + name
		}
		return member
	})
}
