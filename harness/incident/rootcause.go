package incident

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// toFill marks what only people know.
const toFill = "_to be filled in_"

// RootCause is the page on which the cause is written down, filled in with what is known. It is for the house.
func RootCause(in Incident) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Root cause: %s\n\n%s\n\n", line(in.Title), line(in.Failure))
	for _, part := range []struct {
		title string
		text  string
	}{
		{"Who", who(in)}, {"Timeline", timeline(in)}, {"First bad payload", firstBad(in)}, {"Class", class(in)},
		{"Why tests missed it", missed(in)}, {"Impact", "Records or people that are hit, since when, and what they noticed: " + toFill + "\n"},
		{"Fix and follow-up", "- [ ] fix: " + toFill + "\n" +
			"- [ ] this scenario runs in CI from now on: `" + in.Scenario + "`\n- [ ] entry in the change log: " + toFill + "\n"},
		{"Evidence", evidence(in)},
	} {
		fmt.Fprintf(&b, "## %s\n\n%s\n", part.title, part.text)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func who(in Incident) string {
	var b strings.Builder
	i := in.Integration
	fmt.Fprintf(&b, "| role | who | how to reach |\n|---|---|---|\n")
	for _, row := range [][2]string{{"owner", i.Owner}, {"backup", i.Backup}, {"steward", i.Steward}} {
		if row[1] == "" {
			continue
		}
		p := in.Catalogue.People[row[1]]
		fmt.Fprintf(&b, "| %s | %s | %s |\n", row[0], cell(in.Catalogue.PersonName(row[1])), cell(contact(p)))
	}
	if s := in.Catalogue.Systems[in.System]; s.Support != "" {
		fmt.Fprintf(&b, "| vendor | %s %s | %s |\n", cell(in.Catalogue.SystemTitle(in.System)), cell(s.Version), cell(s.Support))
	}
	if i.Runbook != "" {
		fmt.Fprintf(&b, "\nRunbook: %s\n", line(i.Runbook))
	}
	return b.String()
}

// contact is how a person is reached.
func contact(p harness.Person) string {
	return strings.Join(slices.DeleteFunc([]string{p.Email, p.Phone}, func(s string) bool { return s == "" }), ", ")
}

func timeline(in Incident) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| when (UTC) | what | answer |\n|---|---|---|\n")
	for _, x := range in.Exchanges {
		mark := ""
		if x.ID == in.FailingID {
			mark = "**fails** "
		}
		fmt.Fprintf(&b, "| %s | %s%s → %s: %s | %s |\n", stamp(x.At), mark, cell(x.From), cell(x.To), cell(x.Title()), cell(answerOf(x)))
	}
	fmt.Fprintf(&b, "| %s | noticed, by whom | |\n| %s | fixed in production | |\n", toFill, toFill)
	return b.String()
}

func firstBad(in Incident) string {
	x, ok := in.failing()
	for _, fed := range in.Exchanges { // of what a mapping gives up on, the last that it was given
		if !ok && fed.To == in.System {
			x = fed
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, exchange %s of %s. What is left of it, all of which is needed for the failure:\n\n", cell(x.Title()), x.ID, in.Recording)
	doc, err := payload.Of(x.Request)
	if err != nil {
		return b.String() + "a body that is not of its format\n"
	}
	const longest, rows = 80, 20
	n := 0
	fmt.Fprintf(&b, "| field | value |\n|---|---|\n")
	for path, leaf := range doc.Root().Leaves() {
		if leaf.Text() == "" {
			continue
		}
		if n++; n > rows {
			b.WriteString("| … | |\n")
			break
		}
		fmt.Fprintf(&b, "| %s | %s |\n", cell(path.String()), cell(leaf.Short(longest)))
	}
	return b.String()
}

func class(in Incident) string {
	if in.FailingID == "" {
		return "What is left of the payload is what makes it fail. Class: " + toFill + "\n"
	}
	if len(in.Odd) == 0 {
		return fmt.Sprintf("No field by itself sets the message apart from the %d of %s that went well: look at what is left of it together.\nClass: %s\n",
			in.Healthy, cell(in.Operation), toFill)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "What sets the message apart from the %d of %s that went well:\n\n", in.Healthy, cell(in.Operation))
	for _, o := range in.Odd {
		fmt.Fprintf(&b, "- %s: `%s` %s\n", o.Kind, line(o.Field), line(o.Sentence))
	}
	b.WriteString("\nThis is what is odd, not what is proven. Confirmed class: " + toFill + "\n")
	return b.String()
}

func missed(in Incident) string {
	if in.FailingID == "" {
		return "- " + toFill + "\n"
	}
	if in.Healthy == 0 {
		return fmt.Sprintf("- No recording of the integration holds a message of %s that went well, so no scenario fed one.\n- %s\n", cell(in.Operation), toFill)
	}
	var b strings.Builder
	for _, o := range in.Odd {
		fmt.Fprintf(&b, "- No recorded message has this at `%s`, so no scenario fed it.\n", line(o.Field))
	}
	b.WriteString("- " + toFill + "\n")
	return b.String()
}

func evidence(in Incident) string {
	return fmt.Sprintf("- recording: `%s`, %s (%s, %d fields, %d bytes)\n"+
		"- smallest part: %s, %d fields, reproduced on %s by %s\n- again: `rehearse run %s --expect-failure`\n",
		in.Recording, in.Digest, harness.Count(in.Was.Exchanges, "exchange"), in.Was.Fields, in.Was.Bytes,
		harness.Count(len(in.Exchanges), "exchange"), in.Fields, line(in.Target), in.Tool, in.Scenario)
}
