package main

import (
	"fmt"
	"math"
)

// row is one figure of the table.
type row struct {
	what      string
	benchmark string // package below the module, a dot, and the name of the benchmark
	unit      string // as the benchmark reports it
	per       float64
	format    string // of the figure divided by per
	bar       bar
}

// Divisors from what go test reports.
const (
	one = 1
	ms  = 1e6 // from nanoseconds
	sec = 1e9 // from nanoseconds
	mb  = 1e6 // from bytes
)

// rows is the table, in the order in which it is printed.
//
// The bars of scrub, scan and import were set in MB for a second of CPU (JSON 100, XML 80, CSV 120, proof 45 and with a
// million originals 20, import 20), where encoding/json reads the tokens of 41 MB, encoding/xml of 49, and encoding/csv
// 300. Since machines differ, and one from hour to hour, they are held against these packages, which run in turn.
var rows = []row{
	{"tap: rate against a bare appending reverse proxy, 16 connections", "recorders/httptap.BenchmarkTap", "tap/bare", one, "%.2f", atLeast(0.9)},
	{"tap: rate, 16 connections, 2 KB answers", "recorders/httptap.BenchmarkTap", "tap-req/s", one, "%.0f req/s", noBar},
	{"tap: a body of 1 GB each way, peak memory", "recorders/httptap.BenchmarkGigabyte", "peak-MiB", one, "%.0f MiB", atMost(64)},
	{"tap: added latency, p50", "recorders/httptap.BenchmarkTap", "added-p50-ms", one, "%.2f ms", atMost(1)},
	{"mock: rate against a bare map over net/http, GET", "harness/mock.BenchmarkAgainstBareServer/get", "ratio", one, "%.2f", atLeast(0.6)},
	{"mock: the same, POST matched by JSON body", "harness/mock.BenchmarkAgainstBareServer/post", "ratio", one, "%.2f", atLeast(0.6)},
	{"mock: rate, 16 connections, GET", "harness/mock.BenchmarkAgainstBareServer/get", "req/s", one, "%.0f req/s", noBar},
	{"mock: rate, 16 connections, POST", "harness/mock.BenchmarkAgainstBareServer/post", "req/s", one, "%.0f req/s", noBar},
	{"mock: rate with 100,000 exchanges against 1,000, GET", "harness/mock.BenchmarkFlat/get", "ratio", one, "%.2f", within(0.8, 1.2)},
	{"mock: the same, POST", "harness/mock.BenchmarkFlat/post", "ratio", one, "%.2f", within(0.8, 1.2)},
	{"mock: ready with 10,000 exchanges", "harness/mock.BenchmarkNew", "ns/op", ms, "%.0f ms", atMost(300)},
	{"container: start, first answer and removal against docker run", "harness/target/container.BenchmarkStart", "ratio", one, "%.2f", atMost(1.2)},
	{"container: the same, duration", "harness/target/container.BenchmarkStart", "s/start", one, "%.1f s", noBar},
	{"replay: rate against a bare client of net/http, 16 at a time", "harness/rehearsal.BenchmarkReplay", "of-bare", one, "%.2f", atLeast(0.8)},
	{"replay: rate, 16 at a time, 2 KB answers, server included", "harness/rehearsal.BenchmarkReplay", "exchanges/s", one, "%.0f req/s", noBar},
	{"replay: with live values carried over, server in a process of its own", "harness/rehearsal.BenchmarkCorrelatedReplay", "exchanges/s", one, "%.0f req/s", atLeast(5000)},
	{"replay: the same, for a second of CPU", "harness/rehearsal.BenchmarkCorrelatedReplay", "exchanges/cpu-s", one, "%.0f", atLeast(5000)},
	{"diff: two arrays of 100,000 records, 47 MB each, 700 edits: CPU", "harness/diff.BenchmarkLargeLists/json-few", "cpu-s", one, "%.1f s", atMost(3)},
	{"diff: the same, peak memory", "harness/diff.BenchmarkLargeLists/json-few", "peak-MiB", one, "%.0f MiB", atMost(200)},
	{"diff: the same, shuffled: CPU", "harness/diff.BenchmarkLargeLists/json-shuffled", "cpu-s", one, "%.1f s", atMost(3)},
	{"diff: the same, a time stamp differs in every record: CPU", "harness/diff.BenchmarkLargeLists/json-volatile", "cpu-s", one, "%.1f s", atMost(4)},
	{"diff: the same, peak memory", "harness/diff.BenchmarkLargeLists/json-volatile", "peak-MiB", one, "%.0f MiB", atMost(200)},
	{"diff: two tables of 1,000,000 rows, 126 MB each, 7,000 edits: CPU", "harness/diff.BenchmarkLargeLists/csv-1M", "cpu-s", one, "%.1f s", atMost(2.5)},
	{"diff: the same, shuffled: CPU", "harness/diff.BenchmarkLargeLists/csv-1M-shuffled", "cpu-s", one, "%.1f s", atMost(2.5)},
	{"diff: the same, peak memory", "harness/diff.BenchmarkLargeLists/csv-1M-shuffled", "peak-MiB", one, "%.0f MiB", atMost(100)},
	{"diff: two tables of 10,000,000 rows, shuffled: CPU", "harness/diff.BenchmarkLargeLists/csv-10M-shuffled", "cpu-s", one, "%.0f s", atMost(40)},
	{"diff: the same, peak memory", "harness/diff.BenchmarkLargeLists/csv-10M-shuffled", "peak-MiB", one, "%.0f MiB", atMost(512)},
	{"rehearse diff of the arrays, from disk to the report: CPU", "harness/harnesstest.BenchmarkCommandDiff/json-few", "cpu-s", one, "%.1f s", noBar},
	{"rehearse diff of the same: peak memory", "harness/harnesstest.BenchmarkCommandDiff/json-few", "peak-MiB", one, "%.0f MiB", atMost(250)},
	{"rehearse diff of the shuffled tables: CPU", "harness/harnesstest.BenchmarkCommandDiff/csv-1M-shuffled", "cpu-s", one, "%.1f s", noBar},
	{"rehearse diff of the same: peak memory", "harness/harnesstest.BenchmarkCommandDiff/csv-1M-shuffled", "peak-MiB", one, "%.0f MiB", atMost(300)},
	{"diff: 800 elements without a key, shifted by 7: CPU", "harness/diff.BenchmarkShiftedArray800", "cpu-ms", one, "%.1f ms", atMost(20)},
	{"explain: 10,000 answers that differ in 60,000 places, 9 causes: CPU with the comparison", "harness/explain.BenchmarkManyCauses", "cpu-s", one, "%.1f s", atMost(5)},
	{"scrub: JSON under a policy that keeps most of it, for a second of CPU", "fixtures/scrub.BenchmarkApply/JSON", "MB/cpu-s", one, "%.0f MB", noBar},
	{"scrub: the same, rate against reading its tokens with encoding/json", "fixtures/scrub.BenchmarkApply/JSON", "of-tokens", one, "%.1f", atLeast(2.4)},
	{"scrub: the same, time against plain parsing and writing", "fixtures/scrub.BenchmarkApply/JSON", "x-of-parse-and-write", one, "%.1f", noBar},
	{"scrub: XML", "fixtures/scrub.BenchmarkApply/XML", "MB/cpu-s", one, "%.0f MB", noBar},
	{"scrub: the same, rate against reading its tokens with encoding/xml", "fixtures/scrub.BenchmarkApply/XML", "of-tokens", one, "%.1f", atLeast(1.6)},
	{"scrub: the same, time against plain parsing and writing", "fixtures/scrub.BenchmarkApply/XML", "x-of-parse-and-write", one, "%.1f", noBar},
	{"scrub: CSV", "fixtures/scrub.BenchmarkApply/CSV", "MB/cpu-s", one, "%.0f MB", noBar},
	{"scrub: the same, rate against reading it with encoding/csv", "fixtures/scrub.BenchmarkApply/CSV", "of-tokens", one, "%.1f", atLeast(0.4)},
	{"scrub: the same, time against plain parsing and writing", "fixtures/scrub.BenchmarkApply/CSV", "x-of-parse-and-write", one, "%.1f", noBar},
	{"scrub: fixed width", "fixtures/scrub.BenchmarkApply/fixed", "MB/cpu-s", one, "%.0f MB", noBar},
	{"scrub: the same, time against plain parsing and writing", "fixtures/scrub.BenchmarkApply/fixed", "x-of-parse-and-write", one, "%.1f", noBar},
	{"scrub: JSON of which nothing is known", "fixtures/scrub.BenchmarkUnknown", "MB/cpu-s", one, "%.0f MB", noBar},
	{"scrub: notes of which persons are replaced", "fixtures/scrub.BenchmarkFreeText", "MB/cpu-s", one, "%.1f MB", noBar},
	{"scan: proof with 200,000 originals", "fixtures/scan.BenchmarkScan/originals=200000", "MB/cpu-s", one, "%.0f MB", noBar},
	{"scan: the same, rate against reading its tokens with encoding/json", "fixtures/scan.BenchmarkScan/originals=200000", "of-tokens", one, "%.1f", atLeast(1.1)},
	{"scan: proof with 200,000 originals, an escape in each record", "fixtures/scan.BenchmarkScan/originals=200000/escapes", "MB/cpu-s", one, "%.0f MB", noBar},
	{"scan: the same, rate against reading its tokens with encoding/json", "fixtures/scan.BenchmarkScan/originals=200000/escapes", "of-tokens", one, "%.1f", atLeast(1.1)},
	{"scan: proof with 1,000,000 originals", "fixtures/scan.BenchmarkScan/originals=1000000", "MB/cpu-s", one, "%.0f MB", noBar},
	{"scan: the same, rate against reading its tokens with encoding/json", "fixtures/scan.BenchmarkScan/originals=1000000", "of-tokens", one, "%.1f", atLeast(0.5)},
	{"rehearse import of ten extracts about the same 5,000 people, to the proved recording", "cmd/rehearse.BenchmarkScrubEndToEnd/same", "MB/cpu-s", one, "%.1f MB", noBar},
	{"rehearse import: the same, rate against reading its tokens with encoding/json", "cmd/rehearse.BenchmarkScrubEndToEnd/same", "of-tokens", one, "%.1f", atLeast(0.5)},
	{"rehearse import of the same about 50,000 people", "cmd/rehearse.BenchmarkScrubEndToEnd/others", "MB/cpu-s", one, "%.1f MB", noBar},
	{"store: exchanges of 2 KB acknowledged", "fixtures.BenchmarkPut", "puts/s", one, "%.0f /s", noBar},
	{"store: 100,000 exchanges of 2 KB on the disk, 64 writers", "fixtures.BenchmarkIngest/burst", "exchanges/s", one, "%.0f /s", atLeast(50000)},
	{"store: the same, acknowledged after, p99", "fixtures.BenchmarkIngest/burst", "ack-p99-ms", one, "%.1f ms", atMost(5)},
	{"store: one bare write and fdatasync of 64 exchanges on this disk, p99", "fixtures.BenchmarkIngest/burst", "bare-p99-ms", one, "%.1f ms", noBar},
	{"store: acknowledged after, against it; two are waited for by what comes while others are synced", "fixtures.BenchmarkIngest/burst", "ack-p99-of-bare", one, "%.1f", noBar},
	{"store: the same, against bare write and fdatasync of 64 at a time", "fixtures.BenchmarkIngest/burst", "of-bare-sync", one, "%.2f", noBar},
	{"store: 800,000 exchanges, so that sealing keeps up", "fixtures.BenchmarkIngest/long", "exchanges/s", one, "%.0f /s", noBar},
	{"store: the same, acknowledged after, p99", "fixtures.BenchmarkIngest/long", "ack-p99-ms", one, "%.1f ms", noBar},
	{"store: the same, for a second of CPU, sealing included", "fixtures.BenchmarkIngest/long", "exchanges/cpu-s", one, "%.0f", noBar},
	{"store: the same, files of 64 MiB that are not sealed at its end", "fixtures.BenchmarkIngest/long", "unsealed-files", one, "%.0f", atMost(10)},
	{"store: an exchange of templated JSON, 2 KB, in bulk form", "fixtures.BenchmarkBulkSize", "B/exchange", one, "%.0f B", atMost(300)},
	{"store: open a recording of 2 GB in bulk form", "fixtures.BenchmarkOpenBulk", "ms/open", one, "%.0f ms", atMost(1000)},
	{"store: the same, peak memory", "fixtures.BenchmarkOpenBulk", "peak-MiB", one, "%.0f MiB", atMost(200)},
	{"store: exchanges of it read in order", "fixtures.BenchmarkOpenBulk", "read/s", one, "%.0f /s", noBar},
	{"store: open and verify 10,000 exchanges", "fixtures.BenchmarkOpen", "ms/open", one, "%.0f ms", noBar},
	{"rehearse --version: cold start", "harness/harnesstest.BenchmarkCommandStart", "ns/op", ms, "%.1f ms", atMost(10)},
	{"rehearse: size of the binary", "harness/harnesstest.BenchmarkCommandStart", "binary-B", mb, "%.1f MB", atMost(60)}, // 30 MB without the clients of databases, brokers and buckets, of which SQLite, all of it in Go, is the largest
}

// bar is what a figure must reach, in the unit that is printed.
type bar struct{ low, high float64 }

var noBar = bar{math.Inf(-1), math.Inf(1)}

func atLeast(low float64) bar      { return bar{low, math.Inf(1)} }
func atMost(high float64) bar      { return bar{math.Inf(-1), high} }
func within(low, high float64) bar { return bar{low, high} }

// met says whether the figure reaches the bar: yes, no, or nothing where there is no bar.
func (b bar) met(figure float64) string {
	switch {
	case b == noBar:
		return ""
	case figure >= b.low && figure <= b.high:
		return "yes"
	}
	return "**no**"
}

func (b bar) String() string {
	switch {
	case b == noBar:
		return ""
	case math.IsInf(b.high, 1):
		return fmt.Sprintf("≥ %g", b.low)
	case math.IsInf(b.low, -1):
		return fmt.Sprintf("≤ %g", b.high)
	}
	return fmt.Sprintf("%g – %g", b.low, b.high)
}
