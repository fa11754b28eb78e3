package diff

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// archive compares two archives member by member: the place of a member is a member of the body that has its name. It
// reports false when they are none, or cannot be opened, and are to be compared as bytes.
func (c *comparer) archive(half string, was, is *harness.Message, a, b *payload.Doc) bool {
	if !payload.IsArchive(a.Source) || !payload.IsArchive(b.Source) {
		return false
	}
	var sides [2]*payload.Archive
	for i, source := range [][]byte{a.Source, b.Source} {
		name := [2]*harness.Message{was, is}[i].Head.Get(harness.FieldName)
		opened, err := payload.OpenArchive(name, source)
		if err != nil {
			c.notes.add(fmt.Sprintf("%s: an archive is compared as bytes: %v", c.place.Operation, err))
			return false
		}
		sides[i] = opened
	}
	at := placeOfBody(half)
	before := c.facts()
	c.shape(at.form, &payload.Doc{Format: sides[0].Format}, &payload.Doc{Format: sides[1].Format})
	if sides[0].Comment != sides[1].Comment {
		c.emit(at.form.Child(harness.Name("comment")), harness.Reformed, textValue(sides[0].Comment), textValue(sides[1].Comment))
	}
	c.files(at, filesOf(sides[0]), filesOf(sides[1]))
	if c.facts() == before { // compression, or what stands between the members
		c.spelled(at, a.Source, b.Source)
	}
	return true
}

// archived is the members of one side by name. Several of one name are told apart by their number.
type archived struct {
	names []string
	byKey map[string]payload.ArchiveMember
}

func filesOf(a *payload.Archive) archived {
	m := archived{byKey: map[string]payload.ArchiveMember{}}
	for _, member := range a.Members {
		key := member.Name
		for n := 2; ; n++ {
			if _, taken := m.byKey[key]; !taken {
				break
			}
			key = fmt.Sprintf("%s (%d)", member.Name, n)
		}
		m.byKey[key] = member
		m.names = append(m.names, key)
	}
	return m
}

// files compares what is in both, in the order of the baseline, then tells what is in one only. Times and order are
// stated once for all members, as a difference of form.
func (c *comparer) files(at bodyPlace, was, is archived) {
	modified := 0
	for _, name := range was.names {
		a := was.byKey[name]
		b, both := is.byKey[name]
		if !both {
			c.emit(at.body.Child(harness.Name(name)), harness.Removed, memberValue(a), harness.Value{Kind: harness.KindAbsent})
			continue
		}
		c.file(at.member(name), a, b)
		if !a.Modified.Equal(b.Modified) {
			modified++
		}
	}
	for _, name := range is.names {
		if _, both := was.byKey[name]; !both {
			c.emit(at.body.Child(harness.Name(name)), harness.Added, harness.Value{Kind: harness.KindAbsent}, memberValue(is.byKey[name]))
		}
	}
	if x, y := common(was.names, is.names), common(is.names, was.names); !slices.Equal(x, y) {
		c.emit(at.form.Child(harness.Name("member order")), harness.Reformed, textValue(strings.Join(x, ", ")), textValue(strings.Join(y, ", ")))
	}
	if modified > 0 {
		c.emit(at.form.Child(harness.Name("member times")), harness.Reformed, textValue("times of the baseline"),
			textValue(fmt.Sprintf("%s with another time", harness.Count(modified, "member"))))
	}
}

// file compares a file that both archives hold, in the format that its name and content say.
func (c *comparer) file(at bodyPlace, was, is payload.ArchiveMember) {
	switch {
	case was.Kind != is.Kind || was.Link != is.Link || was.Encrypted != is.Encrypted,
		was.Encrypted && !bytes.Equal(was.Content, is.Content):
		c.emit(at.body, harness.Changed, memberValue(was), memberValue(is))
	case !bytes.Equal(was.Content, is.Content):
		a, b := payload.Parse("", was.Name, was.Content), payload.Parse("", is.Name, is.Content)
		c.documents(at, a, b, func(a, b payload.Node) { c.surveyPairs(at.body, []payload.Node{a}, []payload.Node{b}) })
	}
}

// memberValue is a member in one line.
func memberValue(m payload.ArchiveMember) harness.Value {
	switch {
	case m.Encrypted:
		return harness.Value{Kind: harness.KindBytes, Text: fmt.Sprintf("encrypted, %s, %s", harness.Count(len(m.Content), "byte"), harness.Digest(m.Content))}
	case m.Kind != "file":
		return harness.Value{Kind: harness.KindString, Text: strings.TrimSpace(m.Kind + " " + m.Link)}
	}
	return harness.Value{Kind: harness.KindBytes, Text: fmt.Sprintf("%s of %s", harness.Count(len(m.Content), "byte"), payload.FormatOf("", m.Name, m.Content).Name)}
}
