package recorders

import (
	"context"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/table"
)

func openTable(o LiveOptions) (harness.Recorder, string, error) {
	r := &table.Recorder{
		Source: o.Source, Password: o.Table.Password, Tables: o.Table.Names, Keys: o.Table.Keys,
		From: o.From, To: o.To, Every: o.Table.Every, Existing: o.Existing, MaxBytes: o.Table.MaxBytes,
	}
	if err := r.Open(context.Background()); err != nil {
		return nil, "", err
	}
	return r, fmt.Sprintf("looked at %s; what changes from now on is recorded", o.Source), nil
}
