package harness

import (
	"encoding/json"
	"testing"
	"time"
)

func TestDaysAreReadAndWritten(t *testing.T) {
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{"2026-12-31", true}, {"2028-02-29", true}, {"", true},
		{"2027-02-29", false}, {"31.12.2026", false}, {"2026-12-31T00:00:00Z", false}, {"soon", false}, {"2026-1-1", false},
	} {
		var d Date
		if err := d.UnmarshalText([]byte(c.text)); (err == nil) != c.ok {
			t.Errorf("%q: %v", c.text, err)
		} else if err == nil {
			again, _ := d.MarshalText()
			if string(again) != c.text || d.IsZero() != (c.text == "") {
				t.Errorf("%q is written as %q", c.text, again)
			}
		}
	}
}

func TestDaysAreTextInJSON(t *testing.T) {
	type dated struct{ Until Date }
	for _, text := range []string{`{"Until":"2026-12-31"}`, `{"Until":""}`} {
		var d dated
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(d); err != nil || string(again) != text {
			t.Errorf("%s is written as %s, %v", text, again, err)
		}
	}
	for _, text := range []string{`{"Until":"2026-12-31T00:00:00Z"}`, `{"Until":20261231}`} {
		if err := json.Unmarshal([]byte(text), new(dated)); err == nil {
			t.Errorf("%s is read", text)
		}
	}
}

func TestADayLastsUntilItsEnd(t *testing.T) {
	last := Date{time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)}
	chicago := time.FixedZone("CST", -6*60*60)
	for _, c := range []struct {
		why  string
		d    Date
		at   time.Time
		want bool
	}{
		{"the day before", last, time.Date(2026, 12, 30, 12, 0, 0, 0, time.UTC), false},
		{"the last second of the day", last, time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC), false},
		{"the next midnight", last, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), true},
		{"still the day where the reader is", last, time.Date(2026, 12, 31, 20, 0, 0, 0, chicago), false},
		{"no day never passes", Date{}, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), false},
	} {
		if got := c.d.Before(c.at); got != c.want {
			t.Errorf("%s: %v, want %v", c.why, got, c.want)
		}
	}
}

func TestDurationsAreReadAndWritten(t *testing.T) {
	for text, want := range map[string]time.Duration{"5s": 5 * time.Second, "1m30s": 90 * time.Second, "250ms": 250 * time.Millisecond, "0s": 0} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want {
			t.Errorf("%s: %v, %v", text, d, err)
		}
		if again, _ := d.MarshalText(); string(again) != text {
			t.Errorf("%s is written as %s", text, again)
		}
	}
	for _, text := range []string{"", "5", "five seconds", "5 s"} {
		if err := new(Duration).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read", text)
		}
	}
	if Duration(0).Or(time.Minute) != time.Minute || Duration(time.Second).Or(time.Minute) != time.Second {
		t.Error("Or serves for zero only")
	}
}

func TestTheCatalogueFallsBackToKeys(t *testing.T) {
	c := Catalogue{People: map[string]Person{"dana": {Name: "Dana Ortiz"}, "blank": {}}, Systems: map[string]System{"sis": {Title: "Atrium SIS"}, "crm": {}}}
	for key, want := range map[string]string{"dana": "Dana Ortiz", "blank": "blank", "nobody": "nobody"} {
		if got := c.PersonName(key); got != want {
			t.Errorf("person %s is %s", key, got)
		}
	}
	for key, want := range map[string]string{"sis": "Atrium SIS", "crm": "crm", "lms": "lms"} {
		if got := c.SystemTitle(key); got != want {
			t.Errorf("system %s is %s", key, got)
		}
	}
}

func TestValuesOfRecordsAreFoundByName(t *testing.T) {
	v := Value{Kind: KindObject, Fields: []Field{{"ID", "H00000117"}, {"note", ""}}}
	if text, ok := v.Field("note"); text != "" || !ok {
		t.Error("an empty text is there")
	}
	if _, ok := v.Field("id"); ok {
		t.Error("names have case")
	}
	if v.IsAbsent() || !(Value{}).IsAbsent() || !(Value{Kind: KindAbsent}).IsAbsent() || (Value{Kind: KindNull}).IsAbsent() {
		t.Error("null is a value")
	}
}
