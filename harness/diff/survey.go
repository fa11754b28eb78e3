package diff

import (
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Bounds of the look at the pairs of one operation before they are compared. Beyond them keys are decided by the pairs
// that were seen.
const (
	maxSurveyed     = 200      // pairs of bodies
	maxSurveyedSize = 16 << 20 // bytes of bodies that are kept until they are compared
)

// arrayPlace is where a list stands in the exchanges of one operation.
type arrayPlace struct{ operation, pattern string }

// keyBook is the key of each place, decided once for all exchanges, so that the same place is aligned alike everywhere.
type keyBook struct {
	chosen   map[arrayPlace][]string
	surveyed map[arrayPlace]bool // bodies whose lists are decided, by operation and half
	docs     map[*harness.Message]*payload.Doc
}

func newKeyBook() *keyBook {
	return &keyBook{map[arrayPlace][]string{}, map[arrayPlace]bool{}, map[*harness.Message]*payload.Doc{}}
}

// keyOf decides which members identify the elements: those that a rule names, else those that were found for the place.
func (c *comparer) keyOf(at harness.Path, guide *compiledRule, was, is []payload.Node) []string {
	place := arrayPlace{c.place.Operation, at.Pattern().String()}
	if guide != nil {
		if guide.Compare == "keyed" {
			c.notes.add(alignedByRule(place.operation+" "+place.pattern, guide))
			return guide.Key
		}
		return nil
	}
	if key, decided := c.keys.chosen[place]; decided {
		return key
	}
	return c.decide(place, []instance{{at, was, is}})
}

// decide chooses the key of a place by all its instances, and says so once.
func (c *comparer) decide(place arrayPlace, instances []instance) []string {
	at := instances[0].at
	key := inferKey(instances, c.rules.noiseOfKeys(place.operation, at))
	c.keys.chosen[place] = key
	if key != nil {
		c.notes.add(alignedByInference(place.operation+" "+place.pattern, at, key, len(instances)))
	}
	return key
}

// survey looks at the bodies of each operation that occurs more than once and decides the keys of their lists. Documents
// are kept for the comparison.
func (c *comparer) survey(pairs []pairing) error {
	var order []arrayPlace
	groups := map[arrayPlace][]bodyPair{}
	add := func(place arrayPlace, was, is *harness.Message) {
		if was.Body.Size() == 0 || is.Body.Size() == 0 || was.Body.Digest() == is.Body.Digest() {
			return
		}
		if groups[place] == nil {
			order = append(order, place)
		}
		groups[place] = append(groups[place], bodyPair{was, is})
	}
	for _, p := range pairs {
		if p.was == nil || p.is == nil || p.was.Fault != nil || p.is.Fault != nil {
			continue
		}
		add(arrayPlace{p.was.Operation(), "request"}, &p.was.Request, &p.is.Request)
		add(arrayPlace{p.was.Operation(), "response"}, &p.was.Response, &p.is.Response)
	}
	size := int64(0)
	for _, place := range order {
		group := groups[place]
		if len(group) < 2 {
			continue // it is surveyed when it is compared
		}
		if err := c.surveyGroup(place, group, &size); err != nil {
			return err
		}
	}
	return nil
}

// bodyPair is the messages whose bodies are compared.
type bodyPair struct{ was, is *harness.Message }

// surveyGroup reads pairs of one place, spread evenly, as long as there is room, and decides the keys of their lists.
func (c *comparer) surveyGroup(place arrayPlace, group []bodyPair, size *int64) error {
	s := surveyor{comparer: c, operation: place.operation}
	at := harness.PathOf(harness.Name(place.pattern), harness.Name("body"))
	stride := (len(group) + maxSurveyed - 1) / maxSurveyed
	for i := 0; i < len(group); i += stride {
		was, is := group[i].was, group[i].is
		if max(was.Body.Size(), is.Body.Size()) > c.streamFrom {
			continue // it is not held whole
		}
		if *size += was.Body.Size() + is.Body.Size(); *size > maxSurveyedSize {
			break
		}
		a, b, err := c.read(was, is)
		if err != nil {
			return err
		}
		c.keys.docs[was], c.keys.docs[is] = a, b
		c.keys.surveyed[place] = true
		s.collect(at, a.Root(), headersOf(a, b).b.Root())
	}
	s.decideAll()
	return nil
}

// surveyBody decides the keys of the lists of one pair of bodies, unless the survey did.
func (c *comparer) surveyBody(half string, at harness.Path, a, b payload.Node) {
	place := arrayPlace{c.place.Operation, half}
	if c.keys.surveyed[place] {
		return
	}
	s := surveyor{comparer: c, operation: place.operation}
	s.collect(at, a, b)
	s.decideAll()
	c.keys.surveyed[place] = true
}

// surveyPairs decides the keys of the lists within elements that were paired already; at is the place of all of them.
func (c *comparer) surveyPairs(at harness.Path, was, is []payload.Node) {
	s := surveyor{comparer: c, operation: c.place.Operation}
	for i := range was {
		s.collect(at, was[i], is[i])
	}
	s.decideAll()
}

// read parses two bodies, or returns what the survey kept of them.
func (c *comparer) read(was, is *harness.Message) (a, b *payload.Doc, err error) {
	if a, b = c.keys.docs[was], c.keys.docs[is]; a != nil && b != nil {
		delete(c.keys.docs, was)
		delete(c.keys.docs, is)
		return a, b, nil
	}
	if a, err = payload.Of(*was); err != nil {
		return nil, nil, err
	}
	b, err = payload.Of(*is)
	return a, b, err
}

// surveyor gathers the lists of documents, level by level, so that the elements of a list are paired by its key before
// the lists within them are looked at.
type surveyor struct {
	*comparer
	operation string
	order     []arrayPlace // of the level that is being gathered
	lists     map[arrayPlace][]instance
}

// mayHoldLists reports whether two nodes differ and are such that lists could stand in them.
func mayHoldLists(a, b payload.Node) bool {
	return a.Kind() == b.Kind() && !a.IsScalar() && !payload.SameSource(a, b)
}

// collect finds the outermost lists below two nodes that differ.
func (s *surveyor) collect(at harness.Path, a, b payload.Node) {
	if !mayHoldLists(a, b) {
		return
	}
	if a.Kind() == harness.KindArray {
		s.add(at, elements(a), elements(b))
		return
	}
	pairs, ok := payload.InStep(a, b)
	switch {
	case ok:
		for x, y := range pairs {
			if mayHoldLists(x, y) {
				s.collect(at.Child(harness.Name(x.Name())), x, y)
			}
		}
	default:
		was, is := membersOf(a), membersOf(b)
		for i, name := range was.names {
			x, y := was.nodes(i), is.named(name)
			switch {
			case len(x) > 1 || len(y) > 1:
				s.add(at.Child(harness.Name(name)), x, y)
			case len(y) == 1 && mayHoldLists(x[0], y[0]):
				s.collect(at.Child(harness.Name(name)), x[0], y[0])
			}
		}
	}
}

func (s *surveyor) add(at harness.Path, was, is []payload.Node) {
	if len(was) == 0 || len(is) == 0 || was[0].IsScalar() && is[0].IsScalar() {
		return
	}
	place := arrayPlace{s.operation, at.Pattern().String()}
	if s.lists == nil {
		s.lists = map[arrayPlace][]instance{}
	}
	if s.lists[place] == nil {
		s.order = append(s.order, place)
	}
	s.lists[place] = append(s.lists[place], instance{at.Pattern(), was, is})
}

// decideAll decides the keys of the lists gathered and goes on with the lists within their elements.
func (s *surveyor) decideAll() {
	for len(s.order) > 0 {
		order, lists := s.order, s.lists
		s.order, s.lists = nil, nil
		for _, place := range order {
			key, decided := s.keys.chosen[place]
			if guide := s.rules.guide(s.operation, lists[place][0].at); guide != nil {
				key = guide.Key
			} else if !decided {
				key = s.decide(place, lists[place])
			}
			for _, in := range lists[place] {
				s.descend(in, key)
			}
		}
	}
}

// descend goes on below the elements that belong together: by key, else those that differ in order.
func (s *surveyor) descend(in instance, key []string) {
	if in.was[0].Format() == "csv" || in.was[0].Format() == "text" {
		return // their records hold no lists
	}
	at := in.at.Child(harness.Each())
	if key == nil {
		for i := range min(len(in.was), len(in.is)) {
			s.collect(at, in.was[i], in.is[i])
		}
		return
	}
	other := indexByKey(key, in.is)
	for _, n := range in.was {
		if text, ok := keyValue(key, n, nil); ok {
			if i, ok := other.first[text]; ok {
				s.collect(at, n, in.is[i])
			}
		}
	}
}
