package harness

// EditDistance is the number of bytes to change, add or take away (Levenshtein), for the name that was probably meant.
// A word a of more than 64 bytes is told to be 64 away: nobody mistypes such a one, and the work grows with the product
// of the lengths.
func EditDistance(a, b string) int {
	const longest = 64
	if len(a) > longest {
		return longest
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
