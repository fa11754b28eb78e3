package recorders_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders"
	"github.com/rehearse-dev/rehearse/recorders/database"
)

// standIn is the row of the table of that name.
func standIn(t *testing.T, name string) recorders.StandIn {
	t.Helper()
	for _, s := range recorders.StandIns {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no stand-in %s", name)
	return recorders.StandIn{}
}

func tableExchange(name, changes string) harness.Exchange {
	return harness.Exchange{Channel: harness.ChannelTable, From: "sis", To: "lms", Request: harness.Message{
		Head: harness.Head{{Name: harness.FieldTable, Value: name}}, Body: harness.BytesBody([]byte(changes)),
	}}
}

// A database stands as it did when the recording began, whatever was recorded of its rows afterwards.
func TestTablesStandAsTheyDidAtTheBeginning(t *testing.T) {
	rec := harness.NewMemory(harness.Manifest{},
		tableExchange("sis.students", `[{"change":"existing","key":{"id":1},"row":{"id":1,"name":"Ada Quill","fee":3.50,"left":null}},
{"change":"existing","key":{"id":2},"row":{"id":2,"name":"Noor \"N\" Vale","fee":4,"left":null}}]`),
		tableExchange("sis.students", `[{"change":"updated","key":{"id":1},"was":{"id":1,"name":"Ada Quill","fee":3.50,"left":null},"row":{"id":1,"name":"Ada Q","fee":3.50,"left":7}},
{"change":"inserted","key":{"id":3},"row":{"id":3,"name":"Li Fenn","fee":1,"left":null}},
{"change":"deleted","key":{"id":4},"was":{"id":4,"name":"Gone","fee":null,"left":1}}]`))
	serving, err := standIn(t, "sqlite").Open(rec, []string{"sis"}, recorders.StandInOptions{Scratch: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), database.Source{URL: serving.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT id || '|' || name || '|' || coalesce(fee, 'null') || '|' || coalesce("left", 'null') || '|' || typeof(id) FROM students WHERE id > 0 ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var have []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		have = append(have, line)
	}
	want := []string{"1|Ada Quill|3.50|null|integer", `2|Noor "N" Vale|4|null|integer`, "4|Gone|null|1|integer"}
	if diff := cmp.Diff(want, have); diff != "" || rows.Err() != nil {
		t.Error(diff, rows.Err())
	}
	account, err := serving.Close()
	if err != nil || len(account.Notes) != 1 || !strings.HasPrefix(account.Notes[0], "3 rows in 1 table") {
		t.Errorf("%+v %v", account, err)
	}
}

func TestStandInsOfWhatWasNeverRecordedAreNone(t *testing.T) {
	for _, s := range recorders.StandIns {
		serving, err := s.Open(harness.NewMemory(harness.Manifest{}), []string{"sis"}, recorders.StandInOptions{Scratch: t.TempDir(), Listen: "127.0.0.1:0"})
		if serving != nil || err != nil {
			t.Errorf("%s: %v %v", s.Name, serving, err)
		}
	}
}

// A recording is not trusted: no name in it leads out of the folder.
func TestFilesOfHostileNamesAreRefused(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"../out.csv", "/etc/out.csv", "a/../../out.csv", ""} {
		rec := harness.NewMemory(harness.Manifest{}, harness.Exchange{Channel: harness.ChannelFile, From: "sis", To: "hub",
			Request: harness.Message{Head: harness.Head{{Name: harness.FieldName, Value: name}}, Body: harness.BytesBody([]byte("x"))}})
		_, err := standIn(t, "sftp").Open(rec, []string{"sis"}, recorders.StandInOptions{Scratch: filepath.Join(dir, "files"), HostKey: filepath.Join(dir, "key"), Listen: "127.0.0.1:0"})
		if err == nil || harness.ClassOf(err) != harness.ClassRefused {
			t.Errorf("%q: %v", name, err)
		}
	}
}
