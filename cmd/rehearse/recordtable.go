package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders"
)

// tableFlags adds the flags of the recorder of tables, and returns what reads the password that they name.
func tableFlags(a *app, set *pflag.FlagSet, o *recorders.LiveOptions) (prepare func() error) {
	var password string
	var keys []string
	megabytes := int64(256)
	set.StringArrayVar(&o.Table.Names, "table", nil, "`name` of a table, with its schema; repeat it for more; without it all tables")
	set.StringArrayVar(&keys, "key-of", nil, "`columns` that tell rows apart where that is not the primary key: TABLE=COLUMN,COLUMN; repeat it for more")
	set.StringVar(&password, "password", "", "password of the user: a `file`, env:NAME or fd:NUMBER")
	set.DurationVar(&o.Table.Every, "every", 0, "look again after each `time`; without it at the start and at the end only")
	aboveZero(set, "every", &o.Table.Every)
	set.BoolVar(&o.Existing, "existing", false, "the rows that are there already count, too")
	set.Int64Var(&megabytes, "max-memory", megabytes, "most `MiB` of rows that are held")
	atLeast(set, "max-memory", &megabytes, 1)
	return func() error {
		var err error
		o.Table.MaxBytes = megabytes << 20
		if o.Table.Keys, err = keysOf(keys); err != nil {
			return err
		}
		o.Table.Password, err = a.password(password)
		return err
	}
}

// keysOf reads TABLE=COLUMN,COLUMN.
func keysOf(texts []string) (map[string][]string, error) {
	keys := map[string][]string{}
	for _, text := range texts {
		name, columns, ok := strings.Cut(text, "=")
		if !ok || name == "" || columns == "" {
			return nil, harness.Usage(fmt.Errorf("record table: --key-of %q names no columns", text), "write it as TABLE=COLUMN,COLUMN")
		}
		keys[name] = strings.Split(columns, ",")
	}
	return keys, nil
}
