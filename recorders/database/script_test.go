package database

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStatements(t *testing.T) {
	for _, tt := range []struct {
		why     string
		dialect dialect
		script  string
		want    []string
	}{
		{"texts, names and comments hold what ends statements", sqlite.dialect, "-- a; b\nSELECT ';', \"x;y\" /* ; */;\n\n;SELECT 'it''s;'", []string{"SELECT ';', \"x;y\" /* ; */", "SELECT 'it''s;'"}},
		{"a trigger is one statement", sqlite.dialect, "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET n = 1; DELETE FROM c; END; SELECT 1", []string{"CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET n = 1; DELETE FROM c; END", "SELECT 1"}},
		{"dollars", postgres.dialect, "DO $x$ BEGIN PERFORM 1; END $x$; SELECT $1", []string{"DO $x$ BEGIN PERFORM 1; END $x$", "SELECT $1"}},
		{"a delimiter of its own", mysql.dialect, "DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END//\nDELIMITER ;\nCALL p(); # the; end\n", []string{"CREATE PROCEDURE p() BEGIN SELECT 1; END", "CALL p()"}},
		{"a backslash", mysql.dialect, `SELECT 'a\';b'; SELECT 2`, []string{`SELECT 'a\';b'`, "SELECT 2"}},
		{"a backslash that is none", postgres.dialect, `SELECT 'a\'; SELECT 2`, []string{`SELECT 'a\'`, "SELECT 2"}},
		{"nothing", sqlite.dialect, " ; -- x\n/* y */", nil},
		{"what never ends", sqlite.dialect, "SELECT 'x; y", []string{"SELECT 'x; y"}},
	} {
		var got []string
		for _, s := range tt.dialect.statements(tt.script) {
			got = append(got, s.Text)
			if tt.script[s.Offset:s.Offset+len(s.Text)] != s.Text {
				t.Errorf("%s: offset %d", tt.why, s.Offset)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.why, diff)
		}
	}
}

func FuzzStatements(f *testing.F) {
	f.Add("SELECT ';'; -- x\nDO $a$ ; $a$; CREATE TRIGGER x BEGIN a; END;")
	f.Fuzz(func(t *testing.T, script string) {
		for _, e := range engines {
			last := 0
			for _, s := range e.dialect.statements(script) {
				if s.Offset < last || script[s.Offset:s.Offset+len(s.Text)] != s.Text {
					t.Fatalf("%q: a statement at %d after %d", script, s.Offset, last)
				}
				last = s.Offset + len(s.Text)
			}
		}
	})
}

func TestTemporaryFile(t *testing.T) {
	dir := t.TempDir()
	db, err := OpenTemporary(t.Context(), Source{URL: Embedded}, "a b", dir)
	if err != nil {
		t.Fatal(err)
	}
	text := "x"
	if err := errors.Join(db.Create(t.Context(), "t", []string{"a", "b.c"}), db.Insert(t.Context(), "t", []string{"a", "b.c"}, [][]*string{{&text, nil}})); err != nil {
		t.Error(err)
	}
	err = db.Run(t.Context(), "SELECT 1;\nINSERT INTO nope VALUES (1)")
	if refused, ok := errors.AsType[*ScriptError](err); !ok || refused.Offset != len("SELECT 1;\n") {
		t.Errorf("%v", err)
	}
	if err := db.Remove(t.Context()); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(dir + "/*-wal"); left != nil {
		t.Error(left)
	}
	if _, err := OpenTemporary(t.Context(), Source{URL: "sqlite:" + dir + "/x"}, "a", dir); err == nil {
		t.Error("a file that may be somebody's was opened for writing")
	}
}
