package target

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// beforeText is the part of a text before the first separator; all of it where there is none.
func beforeText(separator string, value any) (string, error) {
	return onText(value, func(text string) string {
		before, _, _ := strings.Cut(text, separator)
		return before
	})
}

// sortBy returns the rows in the order of the texts of their fields; rows that are alike keep their order.
func sortBy(rows any, fields ...string) ([]any, error) {
	list, ok := rows.([]any)
	if !ok {
		return nil, errors.New("sortby: want a list of rows and names of their fields")
	}
	keys := make([][]string, len(list))
	order := make([]int, len(list))
	for i, row := range list {
		order[i] = i
		members, _ := row.(map[string]any)
		for _, field := range fields {
			text, err := cellText(members[field])
			if err != nil {
				return nil, fmt.Errorf("sortby: row %d field %q: %w", i+1, field, err)
			}
			keys[i] = append(keys[i], text)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return slices.Compare(keys[a], keys[b]) })
	sorted := make([]any, len(list))
	for i, from := range order {
		sorted[i] = list[from]
	}
	return sorted, nil
}

// sumOf adds a field of all rows, exactly: the control total of a trailer.
func sumOf(field string, rows any) (json.Number, error) {
	list, ok := rows.([]any)
	if !ok {
		return "", errors.New("sum: want the name of a field and a list of rows")
	}
	total, err := parseDecimal("0")
	if err != nil {
		return "", err
	}
	for i, row := range list {
		members, _ := row.(map[string]any)
		text, err := cellText(members[field])
		if err != nil {
			return "", fmt.Errorf("sum: row %d: %w", i+1, err)
		}
		d, err := parseDecimal(text)
		if err != nil {
			return "", errors.New("sum: the field " + strconv.Quote(field) + " of row " + strconv.Itoa(i+1) + " is not a decimal number")
		}
		x, y, scale := aligned(total, d)
		total = computed(x.Add(x, y), scale)
	}
	return json.Number(total.text), nil
}
