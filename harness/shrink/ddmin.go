package shrink

// firstOf tests candidates, which are the indexes that are kept, in order. It returns the first one that passes, or -1.
type firstOf func(candidates [][]int) (int, error)

// speculated is how many candidates of one pass are offered together, so that several can be tested at the same time.
const speculated = 16

// ddmin returns the smallest part of the n items that still passes the test. All n pass. No single one of those returned
// can be left out; the test decides about the empty part, too.
func ddmin(n int, test firstOf) ([]int, error) {
	kept := upTo(n)
	if n == 0 {
		return kept, nil
	}
	if at, err := test([][]int{nil}); at == 0 || err != nil {
		return nil, err
	}
	for chunk := (n + 1) / 2; len(kept) > 1; {
		smaller, err := without(kept, chunk, test)
		if err != nil {
			return kept, err
		}
		if len(smaller) < len(kept) {
			kept, chunk = smaller, min(chunk, (len(smaller)+1)/2)
			continue
		}
		if chunk == 1 {
			break
		}
		chunk = (chunk + 1) / 2
	}
	return kept, nil
}

// without leaves out one chunk after the other, each as soon as the rest passes. Candidates are offered as if those
// before them did not pass, which is the rule: what is found does not depend on how many are tested at once.
func without(kept []int, chunk int, test firstOf) ([]int, error) {
	for at := 0; at < len(kept); {
		var candidates [][]int
		for next := at; next < len(kept) && len(candidates) < speculated; next += chunk {
			if rest := lacking(kept, next, chunk); len(rest) > 0 { // the empty part was tested
				candidates = append(candidates, rest)
			}
		}
		if len(candidates) == 0 {
			return kept, nil
		}
		found, err := test(candidates)
		if err != nil {
			return kept, err
		}
		if found < 0 {
			at += chunk * len(candidates)
			continue
		}
		at, kept = at+chunk*found, candidates[found]
	}
	return kept, nil
}

// lacking is the list without the items from at on.
func lacking(list []int, at, n int) []int {
	return append(append(make([]int, 0, len(list)), list[:at]...), list[min(at+n, len(list)):]...)
}

func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}
