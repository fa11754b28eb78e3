// Package harnesstest brings Rehearse into go test.
//
// [Run] rehearses scenarios and fails a subtest for each finding that somebody must look at; with -rehearse.accept REASON
// it declares them as expected changes instead. [Rehearse] runs one and returns what came of it:
//
//	func TestEnrolments(t *testing.T) {
//		harnesstest.Run(t, "scenarios")
//	}
//
// [Open] reads a recording that is kept in the repository, and [Only] takes a part of it. [Mock] lets recorded answers
// stand in for systems, by URL or as an http.Client. [Record] puts a tap before a system, and [Same] compares what was
// recorded with what is seen now:
//
//	func TestSISIsAskedAsRecorded(t *testing.T) {
//		recorded := harnesstest.Open(t, "testdata/sis")
//		sis := harnesstest.Mock(t, recorded, mock.Options{})
//		seen := harnesstest.Record(t, sis.URL, &httptap.Tap{From: "hubline", To: "sis"})
//		nightly(t, seen.URL) // the code under test
//		harnesstest.Same(t, recorded, seen.Recording())
//	}
//
// [Exact] teaches go-cmp to compare exchanges, [Ruled] to compare them as the rules of a scenario do. The example of the package is a whole test of a service.
//
// Everything listens on loopback and ends with the test. What could not be set up ends the test at once, with a hint;
// what is not as recorded is reported, and the test goes on. Like t.Fatal, the functions are called by the goroutine
// that runs the test.
package harnesstest
