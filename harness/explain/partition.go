package explain

import "github.com/rehearse-dev/rehearse/harness"

// partition sorts what is in a list by a key, in order of first appearance.
func partition[T any, K comparable](list []T, key func(T) K) [][]T {
	var out [][]T
	where := map[K]int{}
	for _, one := range list {
		k := key(one)
		n, ok := where[k]
		if !ok {
			n = len(out)
			where[k] = n
			out = append(out, nil)
		}
		out[n] = append(out[n], one)
	}
	return out
}

// listPlace is a list in one exchange.
type listPlace struct{ exchange, pattern string }

// byList sorts differences of elements by the list that they lie in.
func (s *state) byList(list []int) [][]int {
	return partition(list, func(i int) listPlace { return listPlace{s.at(i).Exchange, tableOf(s.at(i).Pattern).String()} })
}

// bySlot sorts differences by operation and systems.
func (s *state) bySlot(list []int) [][]int {
	return partition(list, func(i int) slot { return slotOf(s.at(i)) })
}

// bySystem sorts differences by the system whose message they lie in.
func (s *state) bySystem(list []int) [][]int {
	return partition(list, func(i int) string { return answerer(s.at(i)) })
}

// byTypes sorts differences by the two types.
func (s *state) byTypes(list []int) [][]int {
	return partition(list, func(i int) [2]harness.ValueKind { return [2]harness.ValueKind{s.at(i).Was.Kind, s.at(i).Is.Kind} })
}

// bySession sorts differences by session.
func (s *state) bySession(list []int) [][]int {
	return partition(list, func(i int) string { return s.at(i).Session })
}
