package correlate

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

// A vendor gives ids of some kind; each kind draws an id of its own form, never the same twice.
var idKinds = []struct {
	name string
	draw func(r *rand.Rand, n int) string
}{
	{"uuid", func(r *rand.Rand, n int) string {
		return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", r.Uint32(), r.Uint32()&0xffff, r.Uint32()&0xfff, r.Uint32()&0xfff, r.Uint64()&0xffffffffffff)
	}},
	{"hex", func(r *rand.Rand, n int) string { return fmt.Sprintf("%016x", r.Uint64()) }},
	{"number", func(r *rand.Rand, n int) string { return fmt.Sprint(10_000_019 + r.IntN(1_000_000_000)) }},
	{"prefixed", func(r *rand.Rand, n int) string { return fmt.Sprintf("app_%x%d", r.Uint64(), n) }},
	{"base64", func(r *rand.Rand, n int) string {
		b := make([]byte, 15)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return base64.StdEncoding.EncodeToString(append(b, 0xf8|byte(n)))
	}},
}

// How an answer gives an id: where it stands. %s is the id as it is, %q escaped for a URL.
var makers = []string{
	"200\nContent-Type: application/json\n\n" + `{"id":"%s","state":"open"}`,
	"200\nContent-Type: application/json\n\n" + `{"data":{"attributes":{"kind":"x","accessToken":"%s"}}}`,
	"200\nContent-Type: text/xml\n\n<r xmlns=\"urn:r\"><item ref=\"%s\"><ok>1</ok></item></r>",
	"200\nX-Upload-Ticket: %s",
	"200\nSet-Cookie: sid%d=%s; Path=/",
	"201\nLocation: https://vendor.example/things/%q",
	"200\nContent-Type: text/html\n\n<html><body><form><input name=\"csrf\" value=\"%s\"></form></body></html>",
	"200\nContent-Type: text/csv\n\nname,id\nfirst,%s\n",
}

// How a request consumes an id, %b being "user:" and the id in base64.
var takers = []string{
	"GET /things/%q/parts",
	"GET /search?ref=%q&sort=name",
	"GET /me\nAuthorization: Bearer %s",
	"GET /me\nAuthorization: Basic %b",
	"GET /me\nCookie: theme=dark; sid%d=%s",
	"POST /things\nContent-Type: application/json\n\n" + `{"parent":{"id":"%s"},"note":"belongs to %s."}`,
	"POST /things\nContent-Type: application/x-www-form-urlencoded\n\nname=x&ref=%q",
	"POST /things\nContent-Type: text/xml\n\n<a><b id=\"%s\">see %s</b></a>",
	"POST /things\nContent-Type: text/csv\n\nref,rank\n%s,1\n",
	"POST /things\nContent-Type: multipart/form-data; boundary=zz\n\n--zz\r\nContent-Disposition: form-data; name=\"ref\"\r\n\r\n%s\r\n--zz--\r\n",
}

func fill(template, id string, n int) string {
	return strings.NewReplacer("%s", id, "%q", url.QueryEscape(id), "%d", fmt.Sprint(n), "%b", base64.StdEncoding.EncodeToString([]byte("user:"+id))).Replace(template)
}

// step is one exchange of a generated session: request and answer with the ids of one run put in.
type step func(ids []string) (request, response string)

// sessionOf draws a session: things are made, and later requests consume some of them.
func sessionOf(t *rapid.T) (steps []step, kinds []int) {
	n := rapid.IntRange(1, 6).Draw(t, "things")
	for i := range n {
		kinds = append(kinds, rapid.IntRange(0, len(idKinds)-1).Draw(t, "kind"))
		maker := rapid.SampledFrom(makers).Draw(t, "maker")
		steps = append(steps, func(ids []string) (string, string) {
			return fmt.Sprintf("POST /makes/step\nContent-Type: application/json\n\n{\"n\":\"n%d\"}", i), fill(maker, ids[i], i)
		})
		for range rapid.IntRange(0, 3).Draw(t, "uses") {
			of := rapid.IntRange(0, i).Draw(t, "of")
			taker := rapid.SampledFrom(takers).Draw(t, "taker")
			steps = append(steps, func(ids []string) (string, string) {
				return fill(taker, ids[of], of), "200\nContent-Type: application/json\n\n" + `{"seen":"` + ids[of] + `","all":["` + strings.Join(ids[:i+1], `","`) + `"]}`
			})
		}
	}
	return steps, kinds
}

// idsOf draws the ids of one run.
func idsOf(kinds []int, seed uint64) []string {
	r := rand.New(rand.NewPCG(seed, 3))
	ids := make([]string, len(kinds))
	for i, k := range kinds {
		ids[i] = idKinds[k].draw(r, i)
	}
	return ids
}

func played(steps []step, ids []string) (xs []harness.Exchange) {
	for n, s := range steps {
		request, response := s(ids)
		xs = append(xs, call(n+1, "s", request, response))
	}
	return xs
}

// Whatever a vendor gives and wherever a client puts it: with other ids, each request is the one that the vendor expects,
// and what crossed becomes the recording.
func TestGeneratedSessionsReplayWithOtherIDs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps, kinds := sessionOf(rt)
		was, is := idsOf(kinds, 1), idsOf(kinds, 2)
		recorded, live := played(steps, was), played(steps, is)
		plan, err := Mine(recorded, Options{})
		if err != nil {
			rt.Fatal(err)
		}
		v := plan.NewValues()
		sent := make([]harness.Exchange, len(recorded))
		for i, x := range recorded {
			if sent[i], err = plan.Request(x, v); err != nil {
				rt.Fatal(err)
			}
			if diff := cmp.Diff(unwire(t, live[i].Request), unwire(t, sent[i].Request)); diff != "" {
				rt.Fatalf("request %s (-expected +sent):\n%s\nlinks %+v", x.ID, diff, plan.Links)
			}
			sent[i].Response = live[i].Response
			if err := plan.Learn(x, sent[i], v); err != nil {
				rt.Fatal(err)
			}
		}
		used := map[string]bool{}
		for _, l := range plan.Links {
			used[l.Value] = true
		}
		for i, x := range sent {
			back, err := plan.Restore(x, v)
			if err != nil {
				rt.Fatal(err)
			}
			if diff := cmp.Diff(unwire(t, recorded[i].Request), unwire(t, back.Request)); diff != "" {
				rt.Fatalf("request %s restored (-recorded +restored):\n%s", x.ID, diff)
			}
			want, got := unwire(t, recorded[i].Response), unwire(t, back.Response)
			for n, id := range is { // what no request consumed is not known, and stays as it is
				if !used[was[n]] {
					got = strings.NewReplacer(id, was[n], url.QueryEscape(id), url.QueryEscape(was[n])).Replace(got)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatalf("response %s restored (-recorded +restored):\n%s\nlinks %+v", x.ID, diff, plan.Links)
			}
		}
	})
}

// The letters of a login in base64 may look like words; they are mapped back all the same.
func TestALoginIsMappedBackAsAWhole(t *testing.T) {
	session := func(id string) []harness.Exchange {
		return calls("POST /things", "200\nContent-Type: application/json\n\n"+`{"id":"`+id+`","state":"open"}`, fill("GET /me\nAuthorization: Basic %b", id, 0), "200")
	}
	for _, ids := range [][2]string{{"670505597", "378268301"}, {"10000019", "10000020"}} {
		replay(t, session(ids[0]), session(ids[1]))
	}
}
