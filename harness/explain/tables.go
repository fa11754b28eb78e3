package explain

import (
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// maxReadAgain is the largest body, in bytes, that a detector reads once more as a whole.
const maxReadAgain = 64 << 20

// tables is one table on both sides, row by row.
type tables struct{ was, is rows }

// tablesOf reads the table that the difference lies in. Both sides are empty when it lies in none or the table is too
// large to be read once more.
func (s *state) tablesOf(d *harness.Difference) tables {
	at := tableOf(d.Path)
	x, ok := s.before.byID[d.Exchange]
	y, paired := s.partner(d.Exchange)
	if at == nil || !ok || !paired {
		return tables{heldRows(nil), heldRows(nil)}
	}
	return tables{s.rowsAt(x, at), s.rowsAt(y, at)}
}

// rowsAt is the elements of the array at the path of an exchange, none when the body is too large to be compared as a whole.
func (s *state) rowsAt(x harness.Exchange, at harness.Path) rows {
	r := s.read(x)
	if m, _ := r.message(at[0].Name); m.Body.Size() > maxReadAgain {
		return heldRows(nil)
	}
	return s.elementsAt(x, at)
}

// elementsAt is the elements of the array at the path of an exchange. Several members of one name are an array, too.
func (s *state) elementsAt(x harness.Exchange, at harness.Path) rows {
	r := s.read(x)
	if len(at) == 2 {
		l, err := r.list(at[0].Name)
		if s.note(err); err != nil {
			return heldRows(nil)
		}
		if l != nil {
			return s.rowsOf(l)
		}
	}
	doc, err := r.doc(at[0].Name)
	if s.note(err); err != nil {
		return heldRows(nil)
	}
	node := doc.Root().At(at[2:])
	if node.Kind() == harness.KindArray {
		return heldRows(slices.Collect(node.Children()))
	}
	if len(at) > 2 && !node.IsZero() {
		return heldRows(membersNamed(doc.Root().At(at[2:len(at)-1]), at.Leaf()))
	}
	return heldRows(nil)
}

// partner is the exchange of the candidate that stands where the one of the baseline stood: of the same slot and
// session, and as many before it.
func (s *state) partner(id string) (harness.Exchange, bool) {
	x, ok := s.before.byID[id]
	if !ok {
		return harness.Exchange{}, false
	}
	k, n := slot{x.From, x.To, x.Channel, x.Operation()}, 0
	for _, other := range s.before.bySlot[k] {
		if other.ID == id {
			break
		}
		if other.Session == x.Session {
			n++
		}
	}
	for _, y := range s.after.bySlot[k] {
		if y.Session != x.Session {
			continue
		}
		if n--; n < 0 {
			return y, true
		}
	}
	return harness.Exchange{}, false
}

// fieldsOf is the scalar members of a record, in order.
func fieldsOf(n payload.Node) []harness.Field {
	var fields []harness.Field
	for m := range n.Children() {
		if m.IsScalar() {
			fields = append(fields, harness.Field{Name: m.Name(), Value: m.Text()})
		}
	}
	return fields
}

// content tells records apart by what they hold.
type content [sha256.Size]byte

// contentOf is the content of the fields of a record.
func contentOf(fields []harness.Field) content {
	var room [512]byte
	return sha256.Sum256(appendFields(room[:0], fields, nil))
}

// joined is the fields of the record as one text, without those of the names.
func joined(fields []harness.Field, without ...string) string {
	return string(appendFields(nil, fields, without))
}

func appendFields(b []byte, fields []harness.Field, without []string) []byte {
	for _, f := range fields {
		if !slices.Contains(without, f.Name) {
			b = append(append(b, f.Name...), 0)
			b = append(append(b, f.Value...), 1)
		}
	}
	return b
}

// idWords are the last words of names that identify a person or thing, best first.
var idWords = []string{"id", "uuid", "guid", "key", "crn", "sid", "pidm", "number", "no", "nr", "code", "username", "login", "email"}

// idRank is the place of the name's last word among idWords, -1 when it is none of them.
func idRank(name string) int {
	words := wordsOfName(name)
	if len(words) == 0 {
		return -1
	}
	return slices.Index(idWords, words[len(words)-1])
}

// businessKey finds the fewest members that identify the records, best names first; nil when none do.
func businessKey(rows rows) []string {
	if rows.n < 2 || rows.first().Kind() != harness.KindObject {
		return nil
	}
	var names []string
	for _, f := range fieldsOf(rows.first()) {
		if idRank(f.Name) >= 0 && !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return idRank(a) - idRank(b) })
	const most = 3
	if len(names) > 0 && isUnique(rows, names[:1]) {
		return names[:1]
	}
	for size := 1; size <= min(most, len(names)); size++ {
		for _, key := range choose(names, size) {
			if isUnique(rows, key) {
				return key
			}
		}
	}
	return nil
}

// choose is the subsets of a size, in the order of the names.
func choose(names []string, size int) [][]string {
	if size == 0 {
		return [][]string{nil}
	}
	var out [][]string
	for i := range names {
		for _, rest := range choose(names[i+1:], size-1) {
			out = append(out, append([]string{names[i]}, rest...))
		}
	}
	return out
}

func isUnique(rows rows, key []string) bool {
	seen := make(map[string]bool, rows.n)
	for r := range rows.all {
		k := keyText(fieldsOf(r), key)
		if k == "" || seen[k] {
			return false
		}
		seen[k] = true
	}
	return true
}

// keyText writes the key of a record as reports do; it is empty when a member is missing.
func keyText(fields []harness.Field, key []string) string {
	var parts []string
	for _, name := range key {
		i := slices.IndexFunc(fields, func(f harness.Field) bool { return f.Name == name })
		if i < 0 {
			return ""
		}
		parts = append(parts, name+"="+fields[i].Value)
	}
	return strings.Join(parts, " ")
}
