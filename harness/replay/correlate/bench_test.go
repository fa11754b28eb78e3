//go:build unix

package correlate

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/cputime"
)

// shop is sessions of a client that logs in, creates an application, reads it twice and lists them all: five exchanges
// each, with bodies of one to four KiB.
func shop(sessions int, seed uint64) (xs []harness.Exchange) {
	r := rand.New(rand.NewPCG(seed, 2))
	for s := range sessions {
		token, id := fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()), 1_000_000+r.IntN(1_000_000_000)
		name := fmt.Sprintf("session-%d", s)
		auth := "\nAuthorization: Bearer " + token + "\nAccept: application/json\nUser-Agent: portal/1.4"
		path := fmt.Sprintf("/v1/applications/%d", id)
		record := func(id int) string {
			return fmt.Sprintf(`{"id":%d,"state":"submitted","term":"2026FA","created":"2026-03-01T07:00:00Z","student":{"given":"Mara","family":"Lind","city":"Harrow Lake"},`+
				`"choices":[{"program":"BIO","rank":1},{"program":"CHE","rank":2}],"links":{"self":"https://lakeside.example/v1/applications/%d"},"note":"%0200d"}`, id, id, 0)
		}
		list := `{"items":[` + record(id)
		for range 7 {
			list += "," + record(1_000_000+r.IntN(1_000_000_000))
		}
		list += "]}"
		for i, pair := range [][2]string{
			{"POST /v1/token\nContent-Type: application/json\n\n" + fmt.Sprintf(`{"user":"mara%d","grant":"password"}`, s), "200\nContent-Type: application/json\n\n" + `{"access_token":"` + token + `","expires_in":3600}`},
			{"POST /v1/applications" + auth + "\n\n" + `{"term":"2026FA"}`, "201\nContent-Type: application/json\nLocation: " + path + "\n\n" + record(id)},
			{"GET " + path + auth, "200\nContent-Type: application/json\n\n" + record(id)},
			{"PUT " + path + auth + "\n\n" + record(id), "200\nContent-Type: application/json\n\n" + record(id)},
			{"GET /v1/applications?term=2026FA" + auth, "200\nContent-Type: application/json\n\n" + list},
		} {
			xs = append(xs, call(s*5+i+1, name, pair[0], pair[1]))
		}
	}
	return xs
}

func BenchmarkMine10000Exchanges(b *testing.B) {
	xs := shop(2000, 1)
	var bytes int64
	for _, x := range xs {
		bytes += x.Request.Body.Size() + x.Response.Body.Size()
	}
	b.SetBytes(bytes)
	b.ReportAllocs()
	start := cputime.Used()
	for b.Loop() {
		plan, err := Mine(xs, Options{})
		if err != nil || len(plan.Links) < 4*2000 {
			b.Fatal(err, len(plan.Links))
		}
	}
	b.ReportMetric((cputime.Used()-start).Seconds()/float64(b.N), "cpu-s")
}

// A correlated exchange is a request with live values, learning from its answer, and mapping both back.
func BenchmarkCorrelatedExchange(b *testing.B) {
	recorded, live := shop(400, 1), shop(400, 2)
	plan, err := Mine(recorded, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	start := cputime.Used()
	for b.Loop() {
		v := plan.NewValues()
		for i, x := range recorded {
			sent, err := plan.Request(x, v)
			if err != nil {
				b.Fatal(err)
			}
			sent.Response = live[i].Response
			if err := plan.Learn(x, sent, v); err != nil {
				b.Fatal(err)
			}
			if _, err := plan.Restore(sent, v); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(recorded)*b.N)/b.Elapsed().Seconds(), "exchanges/s")
	b.ReportMetric(float64(len(recorded)*b.N)/(cputime.Used()-start).Seconds(), "exchanges/cpu-s")
}
