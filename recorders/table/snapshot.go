package table

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// snapshot is the rows of a table at one moment.
type snapshot struct {
	table *table
	rows  map[string]string // JSON object of the row, by that of its key
	order []string          // keys, as the database sorts them
}

// change is one line of a body.
type change struct{ kind, key, was, row string }

// Kinds of change.
const (
	existing = "existing"
	inserted = "inserted"
	updated  = "updated"
	deleted  = "deleted"
)

// add takes a row. Keys that do not tell rows apart are an error when they were named or are primary, and are numbered
// when there are none.
func (s *snapshot) add(key, row string, numbered bool) error {
	if _, again := s.rows[key]; again && !numbered {
		return harness.Usage(fmt.Errorf("read table %s: two rows have the key %s", s.table.name, strings.Join(s.table.key, ", ")),
			"name columns that tell all rows apart: --key-of "+s.table.name+"=COLUMN,COLUMN")
	}
	for n, first := 2, key; numbered; n++ {
		if _, again := s.rows[key]; !again {
			break
		}
		key = fmt.Sprintf(`%s,"#":%d}`, first[:len(first)-1], n)
	}
	s.rows[key] = row
	s.order = append(s.order, key)
	return nil
}

func (s *snapshot) existing() []change {
	list := make([]change, len(s.order))
	for i, key := range s.order {
		list[i] = change{kind: existing, key: key, row: s.rows[key]}
	}
	return list
}

// since is what changed since an earlier snapshot of the table.
func (s *snapshot) since(before *snapshot) []change {
	var list []change
	for _, key := range s.order {
		row := s.rows[key]
		switch was, known := before.rows[key]; {
		case !known:
			list = append(list, change{kind: inserted, key: key, row: row})
		case was != row:
			list = append(list, change{kind: updated, key: key, was: was, row: row})
		}
	}
	for _, key := range before.order {
		if _, there := s.rows[key]; !there {
			list = append(list, change{kind: deleted, key: key, was: before.rows[key]})
		}
	}
	return list
}

// bodyOf writes changes as a JSON array, one a line.
func bodyOf(list []change) []byte {
	var b bytes.Buffer
	for i, c := range list {
		b.WriteString(map[bool]string{true: "[\n", false: ",\n"}[i == 0])
		fmt.Fprintf(&b, `{"change":%q,"key":%s`, c.kind, c.key)
		if c.was != "" {
			b.WriteString(`,"was":` + c.was)
		}
		if c.row != "" {
			b.WriteString(`,"row":` + c.row)
		}
		b.WriteByte('}')
	}
	b.WriteString("\n]\n")
	return b.Bytes()
}
