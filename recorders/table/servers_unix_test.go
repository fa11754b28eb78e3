//go:build unix

package table

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/recorders/database/databasetest"
)

func TestPostgreSQL(t *testing.T) {
	d := databasetest.Postgres(t)
	d.Do(t, `CREATE SCHEMA sis`,
		`CREATE TABLE sis.registrations (crn int, student text, credits numeric(5,2), gpa double precision, active boolean, taken timestamptz, photo bytea,
			more jsonb, note varchar, PRIMARY KEY (student, crn))`,
		`INSERT INTO sis.registrations VALUES (417, 'H417', 3.50, 0.1, true, '2026-09-01 08:00+02', '\x00ff', '{"a": 1.0}', NULL), (9, 'H418', 'NaN', 1e300, false, NULL, NULL, NULL, '')`,
		`CREATE TABLE quiet (id int PRIMARY KEY)`)
	r := start(t, &Recorder{Source: d.Source, Password: d.Password, Existing: true})
	d.Do(t, `SET TIME ZONE 'Asia/Tokyo'`, `UPDATE sis.registrations SET credits = 4.00 WHERE student = 'H417'`, `DELETE FROM sis.registrations WHERE student = 'H418'`)
	const was = `{"crn":417,"student":"H417","credits":3.50,"gpa":0.1,"active":true,"taken":"2026-09-01 06:00:00+00","photo":"\\x00ff","more":"{\"a\": 1.0}","note":null}`
	want := `look-1 sis>lms sis.registrations
[
{"change":"existing","key":{"student":"H417","crn":417},"row":` + was + `},
{"change":"existing","key":{"student":"H418","crn":9},"row":{"crn":9,"student":"H418","credits":"NaN","gpa":1e+300,"active":false,"taken":null,"photo":null,"more":null,"note":""}}
]
look-2 sis>lms sis.registrations
[
{"change":"updated","key":{"student":"H417","crn":417},"was":` + was + `,"row":{"crn":417,"student":"H417","credits":4.00,"gpa":0.1,"active":true,"taken":"2026-09-01 06:00:00+00","photo":"\\x00ff","more":"{\"a\": 1.0}","note":null}},
{"change":"deleted","key":{"student":"H418","crn":9},"was":{"crn":9,"student":"H418","credits":"NaN","gpa":1e+300,"active":false,"taken":null,"photo":null,"more":null,"note":""}}
]
`
	if diff := cmp.Diff(want, r.told()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// Tables that are written together are seen together: each look is of one moment.
func TestALookIsOfOneMoment(t *testing.T) {
	d := databasetest.Postgres(t)
	d.Do(t, `CREATE TABLE a (n int PRIMARY KEY)`, `CREATE TABLE b (n int PRIMARY KEY)`, `INSERT INTO a VALUES (-1)`, `INSERT INTO b VALUES (-1)`)
	r := &Recorder{Source: d.Source, Password: d.Password}
	if err := r.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer r.db.Close()
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 0; ; n++ { // each statement writes both
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
			if _, err := d.DB.Exec(fmt.Sprintf(`WITH x AS (UPDATE a SET n = %d) UPDATE b SET n = %d`, n, n)); err != nil {
				ended <- err
				return
			}
		}
	}()
	seen := map[string]bool{}
	for deadline := time.Now().Add(patience); len(seen) < 20 && time.Now().Before(deadline); {
		all, err := r.look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a, b := all["public.a"].order, all["public.b"].order
		if !slices.Equal(a, b) {
			t.Fatalf("a look saw %s in one table and %s in the other", a, b)
		}
		seen[a[0]] = true
	}
	close(stop)
	if err := <-ended; err != nil || len(seen) < 20 {
		t.Fatalf("%d different looks while rows came, %v", len(seen), err)
	}
}

func TestMariaDB(t *testing.T) {
	d := databasetest.MariaDB(t)
	d.Do(t, "CREATE TABLE sis.`registrations` (crn int, student varchar(20), credits decimal(5,2), taken timestamp NULL, photo blob, PRIMARY KEY (student, crn)) ENGINE=InnoDB",
		`SET time_zone = '+02:00'`,
		`INSERT INTO sis.registrations VALUES (417, 'H417', 3.50, '2026-09-01 08:00:00', x'00ff'), (9, 'H418', 0.10, NULL, NULL)`)
	r := start(t, &Recorder{Source: d.Source, Password: d.Password})
	d.Do(t, `UPDATE sis.registrations SET credits = 4.00 WHERE student = 'H417'`, `DELETE FROM sis.registrations WHERE student = 'H418'`)
	want := `look-1 sis>lms registrations
[
{"change":"updated","key":{"student":"H417","crn":417},"was":{"crn":417,"student":"H417","credits":3.50,"taken":"2026-09-01 06:00:00","photo":"00ff"},"row":{"crn":417,"student":"H417","credits":4.00,"taken":"2026-09-01 06:00:00","photo":"00ff"}},
{"change":"deleted","key":{"student":"H418","crn":9},"was":{"crn":9,"student":"H418","credits":0.10,"taken":null,"photo":null}}
]
`
	if diff := cmp.Diff(want, r.told()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}
