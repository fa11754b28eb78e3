package shrink

// ddmin returns the smallest part of the n items that still passes the test, which takes the indexes that are kept, in
// order. All n pass. No single one of those returned can be left out; the test decides about the empty part, too.
func ddmin(n int, test func(kept []int) (bool, error)) ([]int, error) {
	kept := make([]int, n)
	for i := range kept {
		kept[i] = i
	}
	if n == 0 {
		return kept, nil
	}
	if ok, err := test(nil); ok || err != nil {
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

// without leaves out one chunk after the other, each as soon as the rest passes.
func without(kept []int, chunk int, test func([]int) (bool, error)) ([]int, error) {
	for at := 0; at < len(kept); {
		rest := append(append([]int(nil), kept[:at]...), kept[min(at+chunk, len(kept)):]...)
		if len(rest) == 0 { // the empty part was tested
			return kept, nil
		}
		ok, err := test(rest)
		if err != nil {
			return kept, err
		}
		if ok {
			kept = rest
			continue
		}
		at += chunk
	}
	return kept, nil
}
