package diff

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestHeadersAreCompared(t *testing.T) {
	const body = "user_id,role,name\nH1,student,Ada\nH2,teacher,Ben\n"
	for _, tc := range []struct {
		name, after, why string
		want             []string
	}{
		{"order", "role,user_id,name\nstudent,H1,Ada\nteacher,H2,Ben\n", "readers by position see other values", []string{`request.form["column order"] form user_id, role, name → role, user_id, name ×1`}},
		{"letter case", "USER_ID,role,name\nH1,student,Ada\nH2,teacher,Ben\n", "one fact, and rows are still paired by the column", []string{"request.body[*].user_id form user_id → USER_ID ×2"}},
		{"all columns", "USER ID,Role,Name\nH1,student,Ada\nH2,teacher,Ben\n", "no name is left as it was", []string{
			"request.body[*].user_id form user_id → USER ID ×2", "request.body[*].role form role → Role ×2", "request.body[*].name form name → Name ×2"}},
		{"order and case", "role,name,User_Id\nstudent,Ada,H1\nteacher,Ben,H2\n", "both are facts", []string{
			"request.body[*].user_id form user_id → User_Id ×2", `request.form["column order"] form user_id, role, name → role, name, user_id ×1`}},
		{"another value", "USER_ID,role,name\nH1,student,Ada\nH2,teacher,Bea\n", "rows are compared under the old names", []string{
			"request.body[*].user_id form user_id → USER_ID ×2", "request.body[user_id=H2].name changed Ben → Bea ×1"}},
		{"added in the middle", "user_id,term,role,name\nH1,1,student,Ada\nH2,1,teacher,Ben\n", "the others keep their order", []string{"request.body[*].term added  → 1 ×2"}},
		{"ambiguous", "user_id,userid,role,name\nH1,H1,student,Ada\nH2,H2,teacher,Ben\n", "the old name is still there", []string{"request.body[*].userid added  → H1 ×2"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := func(body string) harness.Recording {
				return harness.NewMemory(harness.Manifest{}, harness.Exchange{Channel: harness.ChannelFile, From: "sis", To: "lms", Request: harness.Message{
					Head: harness.Head{{Name: harness.FieldName, Value: "users.csv"}}, Media: "text/csv", Body: harness.BytesBody([]byte(body))}})
			}
			c, err := Recordings(file(body), file(tc.after), Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range c.Differences {
				got = append(got, fmt.Sprintf("%s %s %s → %s ×%d", d.Path, d.Class, d.Was.Text, d.Is.Text, d.Count))
			}
			slices.Sort(got)
			slices.Sort(tc.want)
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s:\n got %q\nwant %q", tc.why, got, tc.want)
			}
		})
	}
}
