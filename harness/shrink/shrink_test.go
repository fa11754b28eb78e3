package shrink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

func TestDdminFindsWhatCannotBeLeftOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "n")
		needed := rapid.SliceOfDistinct(rapid.IntRange(0, max(0, n-1)), rapid.ID).Draw(t, "needed")
		if n == 0 {
			needed = nil
		}
		slices.Sort(needed)
		tests := 0
		kept, err := ddmin(n, func(candidates [][]int) (int, error) {
			return slices.IndexFunc(candidates, func(kept []int) bool {
				tests++
				return !slices.ContainsFunc(needed, func(i int) bool { return !slices.Contains(kept, i) })
			}), nil
		})
		if err != nil || !slices.Equal(kept, needed) {
			t.Fatalf("kept %v of %d, want %v: %v", kept, n, needed, err)
		}
		if most := 1 + n*n + 10*n; tests > most {
			t.Fatalf("%d tests for %d items", tests, n)
		}
	})
}

func TestDdminStopsAtAnError(t *testing.T) {
	stop := errors.New("stop")
	if _, err := ddmin(8, func([][]int) (int, error) { return -1, stop }); !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
}

const x12 = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260901*1200*U*00401*000000001*0*P*>~" +
	"GS*PO*S*R*20260901*1200*1*X*004010~ST*850*0001~BEG*00*SA*1~N1*ST*X~SE*4*0001~GE*1*1~IEA*1*000000001~"

func TestListsCutAtWholeItems(t *testing.T) {
	for _, tc := range []struct {
		name, media, source string
		list                int
		kept                []int
		want, why           string
	}{
		{"members", "application/json", `{ "a": 1,  "b": [2 , 3], "c":3.50 }`, 0, []int{2}, `{"c":3.50 }`, "spelling of what stays"},
		{"elements", "application/json", `{"b":[2 , {"x":9} , 3]}`, 1, []int{0, 2}, `{"b":[2,3]}`, "elements of an inner array"},
		{"no member", "application/json", `{"a":1}`, 0, nil, `{}`, "an empty object is one, too"},
		{"inner member", "application/json", `{"p":{"x":1,"y":2}}`, 1, []int{1}, `{"p":{"y":2}}`, "level by level"},
		{"rows", "text/csv", "a,b\n1,\"x\ny\"\n2,3\n", 0, []int{1}, "a,b\n2,3\n", "a row may hold a line end"},
		{"columns", "text/csv", "a,b,c\r\n1,\"x,y\",3\r\n4,5,6\r\n", 1, []int{1}, "b\r\n\"x,y\"\r\n5\r\n", "quotes and line ends stay"},
		{"first and last column", "text/csv", "a,b,c\n1,2,3\n", 1, []int{0, 2}, "a,c\n1,3\n", "one delimiter between two cells"},
		{"lines of JSON", "application/x-ndjson", "{\"a\":1}\n{\"a\":2}\n", 0, []int{1}, "{\"a\":2}\n", "each line ends"},
		{"members in lines", "application/x-ndjson", "{\"a\":1,\"b\":2}\n{\"a\":2}\n", 1, []int{1}, "{\"b\":2}\n{\"a\":2}\n", "line by line"},
		{"pairs", "application/x-www-form-urlencoded", "a=1&b=%20&c=3", 0, []int{0, 2}, "a=1&c=3", "escapes stay"},
		{"segments of X12", "application/edi-x12", x12, 3, []int{1}, strings.ReplaceAll(strings.ReplaceAll(x12, "BEG*00*SA*1~", ""), "SE*4*", "SE*3*"), "SE counts the segments"},
		{"no segment of X12", "application/edi-x12", x12, 3, nil, strings.ReplaceAll(strings.ReplaceAll(x12, "BEG*00*SA*1~N1*ST*X~", ""), "SE*4*", "SE*2*"), "the envelope stays whole"},
		{"transactions of X12", "application/edi-x12", strings.ReplaceAll(x12, "SE*4*0001~GE*1", "SE*4*0001~ST*850*0002~SE*2*0002~GE*2"), 2, []int{0}, x12, "GE counts the transactions"},
		{"a count that was wrong", "application/edi-x12", strings.ReplaceAll(x12, "SE*4*", "SE*9*"), 3, []int{1}, strings.ReplaceAll(strings.ReplaceAll(x12, "BEG*00*SA*1~", ""), "SE*4*", "SE*9*"), "it may be the failure"},
		{"segments of EDIFACT", "application/edifact", "UNB+UNOA:1+S+R+260901:1200+1'UNH+1+ORDERS:D:96A:UN'BGM+220'DTM+2'UNT+4+1'UNZ+1+1'", 2, []int{1}, "UNB+UNOA:1+S+R+260901:1200+1'UNH+1+ORDERS:D:96A:UN'DTM+2'UNT+3+1'UNZ+1+1'", "UNT counts the segments"},
		{"segments of HL7", "application/hl7-v2", "MSH|^~\\&|A|B|C|D|20260901||ADT^A01|1|P|2.5\rPID|1||H1\rNK1|1|X\r", 1, []int{0}, "MSH|^~\\&|A|B|C|D|20260901||ADT^A01|1|P|2.5\rPID|1||H1\r", "a line each"},
		{"elements of XML", "application/xml", "<?xml version=\"1.0\"?>\n<r><a>1</a> <b q=\"2\"/><a>3</a>\n</r>", 0, []int{1}, "<?xml version=\"1.0\"?>\n<r> <b q=\"2\"/>\n</r>", "attributes and blanks stay"},
		{"inner elements of XML", "application/xml", "<r><a><b/><c>&amp;</c></a></r>", 1, []int{1}, "<r><a><c>&amp;</c></a></r>", "level by level"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			doc, format, err := parse(message(tc.media, tc.source))
			if err != nil {
				t.Fatal(err)
			}
			lists := listsOf(format, doc)
			if tc.list >= len(lists) {
				t.Fatalf("%d lists", len(lists))
			}
			if got := string(mend(format, doc, lists[tc.list].keep(doc.Source, tc.kept))); got != tc.want {
				t.Errorf("%s: %s, want %s", tc.why, got, tc.want)
			}
		})
	}
}

func message(media, body string) harness.Message {
	return harness.Message{Head: harness.Head{{Name: ":method", Value: "POST"}, {Name: ":path", Value: "/admit"}, {Name: "Content-Type", Value: media}, {Name: "X-Trace", Value: "7"}, {Name: "Content-Length", Value: fmt.Sprint(len(body))}},
		Media: media, Body: harness.BytesBody([]byte(body))}
}

// answered is an exchange with its answer.
func answered(id, media, body, status, answer string) harness.Exchange {
	return harness.Exchange{ID: id, Session: "s", Channel: harness.ChannelHTTP, From: "hub", To: "sis", Request: message(media, body),
		Response: harness.Message{Head: harness.Head{{Name: ":status", Value: status}}, Media: "application/json", Body: harness.BytesBody([]byte(answer))}}
}

func TestErrorsAreComparedWithoutWhatVaries(t *testing.T) {
	base := answered("1", "application/json", `{"name":"Strand","id":"W1"}`, "500", `{"error":"no room for Strand","trace":"6f1c2a90-1111-4a6b-9d2e-000000000001","line":17}`)
	for _, tc := range []struct {
		name string
		x    harness.Exchange
		same bool
		why  string
	}{
		{"another name, trace and line", answered("1", "application/json", `{"name":"Vik","id":"W1"}`, "500", `{"error":"no room for Vik","trace":"aaaaaaaa-1111-4a6b-9d2e-000000000001","line":3}`), true, "they come from the request and from the run"},
		{"another error", answered("1", "application/json", `{"name":"Strand"}`, "500", `{"error":"no such term"}`), false, "another failure"},
		{"another status", answered("1", "application/json", `{"name":"Strand","id":"W1"}`, "422", `{"error":"no room for Strand"}`), false, "another failure"},
		{"success", answered("1", "application/json", `{"name":"Strand"}`, "200", `{}`), false, "none"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, ok, err := FailureOf(harness.NewMemory(harness.Manifest{}, base), "sis")
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			if same, err := has(f, harness.NewMemory(harness.Manifest{}, tc.x)); same != tc.same || err != nil {
				t.Errorf("%s: same %v, %v (%s)", tc.why, same, err, f)
			}
		})
	}
}

// has reports whether the failure happened in the recording.
func has(f Failure, rec harness.Recording) (bool, error) {
	list, err := failures(rec, "sis")
	return slices.Contains(list, f), err
}

// longName fails on a long name beside an emoji and refuses requests without term, as a server would.
func longName(x harness.Exchange) harness.Exchange {
	texts := map[string]string{}
	doc, _ := payload.Of(x.Request)
	for path, leaf := range doc.Root().Leaves() {
		texts[path.Leaf()] = leaf.Text()
	}
	all := strings.Join([]string{texts["last"], texts["first"]}, "")
	switch {
	case texts["term"] == "":
		return answered(x.ID, "application/json", "{}", "422", `{"error":"term is missing"}`)
	case len([]rune(texts["last"])) > 20 && strings.Contains(all, "🌻"):
		return answered(x.ID, "application/json", "{}", "500", fmt.Sprintf(`{"error":"split within %s"}`, texts["last"]))
	}
	return answered(x.ID, "application/json", "{}", "201", `{"id":1}`)
}

func replayed(_ context.Context, list []harness.Exchange) (harness.Recording, error) {
	out := harness.NewMemory(harness.Manifest{})
	for _, x := range list {
		answer := longName(x)
		x.Response = answer.Response
		if err := out.Put(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// incident is a conversation in which the third call fails.
func incident(media, body string) *harness.Memory {
	list := []harness.Exchange{
		answered("1", "application/json", `{"last":"Vik","term":"1"}`, "201", `{"id":1}`),
		answered("2", "application/json", `{"last":"Boone","term":"1"}`, "201", `{"id":1}`),
		answered("3", media, body, "500", ""),
		answered("4", "application/json", `{"last":"Marsh","term":"1"}`, "201", `{"id":1}`),
	}
	list[2].Response = longName(list[2]).Response
	return harness.NewMemory(harness.Manifest{}, list...)
}

func TestSmallestKeepsTheFailureAndNothingElse(t *testing.T) {
	for _, tc := range []struct{ name, media, body, want, why string }{
		{"JSON", "application/json", `{"person":{"last":"Featherstonehaugh-Cholmondeley","first":"Ana 🌻 Sol","email":"ana@mail.example"},"term":"202710","tags":["a","b"],"gpa":3.50}`,
			`{"person":{"last":"onehaugh-Cholmondeley","first":"🌻"},"term":"0"}`, "members, texts and elements go, what is needed stays"},
		{"XML", "application/xml", `<r><last>Featherstonehaugh-Cholmondeley</last><note>x</note><first>Ana 🌻</first><term>202710</term></r>`,
			`<r><last>onehaugh-Cholmondeley</last><first>🌻</first><term>0</term></r>`, "elements"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			result, err := Smallest(t.Context(), Case{Recording: incident(tc.media, tc.body), System: "sis", Replay: replayed})
			if err != nil {
				t.Fatal(err)
			}
			if len(result.Exchanges) != 1 || result.Exchanges[0].ID != "3" || result.Bounded {
				t.Fatalf("%d exchanges remain, bounded %v", len(result.Exchanges), result.Bounded)
			}
			request := result.Exchanges[0].Request
			b, _ := request.Body.Bytes()
			got := string(b)
			if got != tc.want || request.Head.Has("X-Trace") || request.Head.Get("Content-Length") != fmt.Sprint(len(b)) {
				t.Errorf("%s: %s with %v", tc.why, got, request.Head)
			}
			if same, err := has(result.Failure, result.Replayed); !same || err != nil {
				t.Errorf("the result does not fail in the same way: %v", err)
			}
			again, err := Smallest(t.Context(), Case{Recording: incident(tc.media, tc.body), System: "sis", Replay: replayed})
			if err != nil || keyOf(result.Exchanges) != keyOf(again.Exchanges) || again.Replays != result.Replays {
				t.Errorf("another result the second time: %v", err)
			}
		})
	}
}

func TestSmallestTableKeepsTheRow(t *testing.T) {
	body := "last,first,term\nVik,Hanne,1\nBoone,Casey,1\nFeatherstonehaugh-Cholmondeley,Ana 🌻,1\n"
	result, err := Smallest(t.Context(), Case{Recording: incident("text/csv", body), System: "sis", Replay: replayed})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := result.Exchanges[0].Request.Body.Bytes()
	if lines := strings.Count(string(b), "\n"); lines != 2 || !strings.HasPrefix(string(b), "last,first,term\n") || !strings.Contains(string(b), ",🌻,1") {
		t.Errorf("body %q", b)
	}
}

func TestSmallestRefuses(t *testing.T) {
	failing := incident("application/json", `{"last":"Featherstonehaugh-Cholmondeley","first":"🌻","term":"1"}`)
	healthy := func(_ context.Context, list []harness.Exchange) (harness.Recording, error) {
		return harness.NewMemory(harness.Manifest{}, answered("1", "application/json", "{}", "201", "{}")), nil
	}
	for _, tc := range []struct {
		name  string
		c     Case
		class harness.Class
		why   string
	}{
		{"nothing fails", Case{Recording: harness.NewMemory(harness.Manifest{}, answered("1", "application/json", "{}", "200", "{}")), System: "sis", Replay: healthy}, harness.ClassUsage, "there is nothing to shrink"},
		{"not again", Case{Recording: failing, System: "sis", Replay: healthy}, harness.ClassInconclusive, "what is not reproduced cannot be shrunk"},
	} {
		_, err := Smallest(t.Context(), tc.c)
		if err == nil || harness.ClassOf(err) != tc.class || harness.HintOf(err) == "" {
			t.Errorf("%s (%s): %v, hint %q", tc.name, tc.why, err, harness.HintOf(err))
		}
	}
}

// A mapping that gives up leaves no whole recording of its failure: what is fed is enough.
func TestSmallestFindsAFailureThatOnlyTheReplayShows(t *testing.T) {
	gives := func(_ context.Context, list []harness.Exchange) (harness.Recording, error) {
		out := harness.NewMemory(harness.Manifest{}, list...)
		for _, x := range list {
			if b, _ := x.Request.Body.Bytes(); strings.Contains(string(b), "H00000142") {
				output := harness.Exchange{Session: "s", Channel: harness.ChannelFile, From: "sis", To: "lms", Fault: &harness.Fault{Kind: "failed", Detail: "map.jq on exchange " + x.ID + ": no number"},
					Request: harness.Message{Head: harness.Head{{Name: ":name", Value: "out.csv"}}}}
				return out, out.Put(output)
			}
		}
		return out, nil
	}
	fed := harness.NewMemory(harness.Manifest{}, answered("1", "text/csv", "ID,N\nH00000141,1\nH00000142,2\nH00000143,3\n", "200", "{}"))
	result, err := Smallest(t.Context(), Case{Recording: fed, System: "sis", Replay: gives})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := result.Exchanges[0].Request.Body.Bytes()
	if got := string(b); got != "ID\nH00000142\n" {
		t.Errorf("body %q", got)
	}
	if got := result.Failure.String(); got != "out.csv fails: failed: map.jq on exchange #: no number" {
		t.Errorf("failure %s", got)
	}
}

func TestSmallestEndsAtItsBound(t *testing.T) {
	failing := incident("application/json", `{"last":"Featherstonehaugh-Cholmondeley","first":"🌻","term":"1"}`)
	result, err := Smallest(t.Context(), Case{Recording: failing, System: "sis", Replay: replayed, MaxReplays: 4})
	if err != nil || !result.Bounded || result.Replays != 4 {
		t.Fatalf("%+v, %v", result, err)
	}
	if same, _ := has(result.Failure, result.Replayed); !same {
		t.Error("the best so far does not fail")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Smallest(ctx, Case{Recording: failing, System: "sis", Replay: replayed}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
