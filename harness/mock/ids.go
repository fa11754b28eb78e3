package mock

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// newID makes an identifier of the form of a recorded one: the next number where it ends in a number, else by chance, each
// character of its kind.
func (v *virtual) newID(r *resource, form string) string {
	for {
		v.made[r]++
		id := ""
		if head, digits := tailNumber(form); digits != "" && len(digits) < 19 && !isHex(form) {
			id = head + nextNumber(r, head, len(digits), v.made[r])
		} else {
			id = v.likeForm(r, form)
		}
		if !r.has(id) {
			return id
		}
	}
}

func (r *resource) has(id string) bool {
	for _, c := range r.known {
		if _, known := c.bodies[id]; known {
			return true
		}
	}
	return false
}

// tailNumber parts an identifier before the digits at its end.
func tailNumber(id string) (head, digits string) {
	head = strings.TrimRight(id, "0123456789")
	return head, id[len(head):]
}

// isHex reports whether an identifier is a UUID or hexadecimal, in which digits count nothing.
func isHex(id string) bool {
	bare := strings.ReplaceAll(id, "-", "")
	return len(bare) >= 16 && strings.Trim(bare, "0123456789abcdefABCDEF") == "" && strings.ContainsAny(bare, "abcdefABCDEF")
}

// nextNumber counts on from the largest recorded number.
func nextNumber(r *resource, head string, width, made int) string {
	var largest uint64
	for _, c := range r.known {
		for _, id := range c.ids {
			if rest, ok := strings.CutPrefix(id, head); ok {
				if n, err := strconv.ParseUint(rest, 10, 64); err == nil {
					largest = max(largest, n)
				}
			}
		}
	}
	text := strconv.FormatUint(largest+uint64(made), 10)
	return strings.Repeat("0", max(width-len(text), 0)) + text
}

// likeForm draws characters of the kinds of a form, seeded. A prefix up to a separator stays, and the version of a UUID.
func (v *virtual) likeForm(r *resource, form string) string {
	random := rand.New(rand.NewPCG(v.seed, uint64(v.made[r])))
	keep := 0
	if !isHex(form) {
		keep = strings.LastIndexAny(form, "_-:") + 1
	}
	hexadecimal := isHex(form)
	out := []byte(form)
	for i := keep; i < len(out); i++ {
		c := out[i]
		switch {
		case hexadecimal && len(form) == 36 && (i == 14 || i == 19):
		case hexadecimal && c != '-':
			digits := "0123456789abcdef"
			if form != strings.ToLower(form) {
				digits = strings.ToUpper(digits)
			}
			out[i] = digits[random.IntN(16)]
		case c >= '0' && c <= '9':
			out[i] = byte('0' + random.IntN(10))
		case c >= 'a' && c <= 'z':
			out[i] = byte('a' + random.IntN(26))
		case c >= 'A' && c <= 'Z':
			out[i] = byte('A' + random.IntN(26))
		}
	}
	return string(out)
}
