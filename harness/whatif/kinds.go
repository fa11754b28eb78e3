package whatif

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
)

// Kind is one row of the table of what might happen.
type Kind struct {
	Name    string
	Summary string
	Takes   string // how its argument is written
	Example string // an argument
	Code    string // of the catalogue of changes: F01 to F44
	apply   func(v Variation, p *Variant) error
}

// Kinds is the table of them.
var Kinds = []Kind{
	{"value", "a field has a value that it never had", "FIELD=VALUE", "registrations.RSTS=RH", "F01", setValue},
	{"null", "a field is null, or empty where the format has no null", "FIELD", "applicant.email", "F21", changeField(toNull)},
	{"missing", "a field is not there", "FIELD", "applications.start_term", "F03", takeAway},
	{"longer", "a field is longer than it ever was", "FIELD[=CHARACTERS]", "persons.LAST_NAME=61", "F20", makeLonger},
	{"encoding", "what arrives is written in another encoding", "NAME=ENCODING", "persons.csv=windows-1252", "F11", reencode},
	{"duplicate", "each message is delivered twice", "NAME", "application", "F26", deliverTwice},
	{"order", "records, or messages of a session, arrive in the reverse order", "NAME", "registrations", "F25", reverse},
	{"page", "a list is answered in pages of another size", "NAME=RECORDS", "applications=50", "F07", page},
	{"status", "a system refuses a call once: 429, or a 5xx", "NAME=STATUS", "admission-applications=429", "F08", refuse},
	{"slow", "a system answers late", "NAME=TIME", "persons=3s", "F39", delay},
}

// KindOf returns the row of that name.
func KindOf(name string) (Kind, error) {
	at := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Name == name })
	if at < 0 {
		return Kind{}, harness.Usage(fmt.Errorf("what-if: kind %q is not known", name), "see `rehearse what-if --help`")
	}
	return Kinds[at], nil
}

// Variation is one kind with its argument.
type Variation struct {
	Kind  Kind
	Field Field  // or the name of what arrives
	Value string // behind the =
	Most  int    // records that are varied in one scenario
}

// Parse reads the argument of a kind.
func Parse(kind Kind, argument string) (Variation, error) {
	name, value, given := strings.Cut(argument, "=")
	v := Variation{Kind: kind, Value: value, Most: 3}
	wants := strings.Contains(kind.Takes, "=")
	optional := strings.Contains(kind.Takes, "[")
	if wants && !optional && (!given || value == "") || !wants && given {
		return v, harness.Usage(fmt.Errorf("what-if %s: %q is not %s", kind.Name, argument, kind.Takes), "such as `rehearse what-if "+kind.Name+" "+kind.Example+"`")
	}
	var err error
	if v.Field, err = ParseField(strings.TrimSuffix(name, ".csv")); err != nil {
		return v, err
	}
	return v, nil
}

// String is the question.
func (v Variation) String() string {
	if v.Value == "" {
		return v.Kind.Name + " " + v.Field.String()
	}
	return v.Kind.Name + " " + v.Field.String() + "=" + v.Value
}

// Variant is what a scenario is to be rehearsed with.
type Variant struct {
	Exchanges []harness.Exchange
	System    string   // that is fed
	Answerers []string // systems whose answers were varied, or that misbehave: they must be mocked, sorted
	Faults    []mock.Fault
	Places    []string       // what was varied: operation and field, in order
	Records   int            // that were varied
	Of        int            // how many there are
	Values    map[string]int // of the field, in the recording; nil when the kind is about none
	Texts     []string       // that were put in their place; nil when the kind puts none
	Seen      bool           // the value occurs in the recording already: nothing was varied
}

// Apply varies the exchanges of a scenario, which are not changed. Nothing is varied where the field or name does not
// occur: then Records is 0.
func (v Variation) Apply(list []harness.Exchange, system string) (*Variant, error) {
	p := &Variant{Exchanges: slices.Clone(list), System: system}
	if err := v.Kind.apply(v, p); err != nil {
		return nil, err
	}
	slices.Sort(p.Answerers)
	p.Answerers = slices.Compact(p.Answerers)
	return p, nil
}

// note says what is varied.
func (p *Variant) note(records []record, field string) {
	for _, r := range records {
		x := &p.Exchanges[r.exchange]
		place := strings.TrimSpace(x.Operation() + " " + field)
		if !slices.Contains(p.Places, place) {
			p.Places = append(p.Places, place)
		}
		if r.answer {
			p.Answerers = append(p.Answerers, x.To)
		}
	}
	p.Records += len(records)
}

// choose finds the field and the records that are varied.
func (v Variation) choose(p *Variant) ([]record, error) {
	found, err := v.Field.find(p.Exchanges, p.System)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	p.Of, p.Values = len(found), valuesOf(found)
	chosen := typical(found, v.Most)
	p.note(chosen, v.Field[len(v.Field)-1])
	return chosen, nil
}

func setValue(v Variation, p *Variant) error {
	chosen, err := v.choose(p)
	if err != nil || len(chosen) == 0 {
		return err
	}
	if p.Seen = p.Values[v.Value] > 0; p.Seen {
		return nil
	}
	p.Texts = []string{v.Value}
	return editBodies(p.Exchanges, chosen, toText(func(string) string { return v.Value }))
}

func changeField(change edit) func(Variation, *Variant) error {
	return func(v Variation, p *Variant) error {
		chosen, err := v.choose(p)
		if err != nil || len(chosen) == 0 {
			return err
		}
		return editBodies(p.Exchanges, chosen, change)
	}
}

// takeAway counts afterwards, because a table loses a whole column.
func takeAway(v Variation, p *Variant) error {
	if err := changeField(toMissing)(v, p); err != nil || p.Records == 0 {
		return err
	}
	left, err := v.Field.find(p.Exchanges, p.System)
	p.Records = max(p.Records, p.Of-len(left))
	return err
}

func makeLonger(v Variation, p *Variant) error {
	chosen, err := v.choose(p)
	if err != nil || len(chosen) == 0 {
		return err
	}
	length := 0
	for text := range p.Values {
		length = max(length, len([]rune(text)))
	}
	length *= 2
	if v.Value != "" {
		if length, err = strconv.Atoi(v.Value); err != nil || length < 1 || length > 1<<20 {
			return harness.Usage(fmt.Errorf("what-if longer: %q is no number of characters", v.Value), "write it as "+v.Kind.Example)
		}
	}
	return editBodies(p.Exchanges, chosen, toText(func(was string) string {
		letters := []rune(was)
		for n := len(letters); len(letters) < length && n > 0; {
			letters = append(letters, letters[len(letters)-n])
		}
		p.Texts = append(p.Texts, string(letters))
		return string(letters)
	}))
}

// messages are the exchanges that are called by the name and can be varied.
func (v Variation) messages(p *Variant, answers bool) []record {
	var list []record
	for i := range p.Exchanges {
		x := &p.Exchanges[i]
		named := !slices.ContainsFunc([]string(v.Field), func(word string) bool { return !isWordOf(x.Operation(), word) })
		if named && variable(x, answers, p.System) {
			list = append(list, record{exchange: i, answer: answers})
		}
	}
	p.Of = len(list)
	return list
}

func deliverTwice(v Variation, p *Variant) error {
	chosen := v.messages(p, false)
	p.note(chosen, "")
	for _, r := range slices.Backward(chosen) {
		again := p.Exchanges[r.exchange]
		again.ID = ""
		p.Exchanges = slices.Insert(p.Exchanges, r.exchange+1, again)
	}
	return nil
}

// misbehave makes the systems that answer calls of that name misbehave.
func misbehave(v Variation, p *Variant, fault mock.Fault) {
	chosen := v.messages(p, true)
	p.note(chosen, "")
	var seen []string
	for _, r := range chosen {
		if operation := p.Exchanges[r.exchange].Operation(); !slices.Contains(seen, operation) {
			seen = append(seen, operation)
			fault.Operation = operation
			p.Faults = append(p.Faults, fault)
		}
	}
}

func refuse(v Variation, p *Variant) error {
	fault, err := mock.ParseFault(v.Value + ",times=1,retry=1s")
	if status, number := strconv.Atoi(v.Value); err != nil || number != nil || status < 400 {
		return harness.Usage(fmt.Errorf("what-if status: %q is no status from 400 to 599", v.Value), "write it as "+v.Kind.Example)
	}
	misbehave(v, p, fault)
	return nil
}

func delay(v Variation, p *Variant) error {
	late, err := time.ParseDuration(v.Value)
	if err != nil || late <= 0 || late > 10*time.Minute {
		return harness.Usage(fmt.Errorf("what-if slow: %q is no time up to ten minutes", v.Value), "write it as "+v.Kind.Example)
	}
	fault, err := mock.ParseFault("delay,times=1,by=" + late.String())
	if err != nil {
		return err
	}
	misbehave(v, p, fault)
	return nil
}
