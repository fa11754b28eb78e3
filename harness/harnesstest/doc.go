// Package harnesstest brings Rehearse into go test.
//
// [Rehearse] runs a scenario and fails the test with the report when somebody must look:
//
//	func TestEnrolments(t *testing.T) {
//		harnesstest.Rehearse(t, "scenarios/enrolments.yaml")
//	}
//
// [Mock] lets recorded answers stand in for a system, by URL or as an http.Client. [Record] puts a tap before a real
// one. [Same] compares two recordings, and [Open] reads one that is kept in the repository:
//
//	func TestServiceTalksAsRecorded(t *testing.T) {
//		sis := harnesstest.Mock(t, "testdata/sis", mock.Options{})
//		seen := harnesstest.Record(t, sis.URL, &httptap.Tap{From: "hubline", To: "sis"})
//		sync.Run(t.Context(), seen.URL) // the code under test
//		harnesstest.Same(t, harnesstest.Open(t, "testdata/sis"), seen.Recording())
//	}
//
// [Exact] teaches go-cmp to compare exchanges.
//
// Everything listens on loopback and ends with the test. What could not be set up ends the test at once, with a hint;
// what is not as recorded is reported, and the test goes on. Like t.Fatal, the functions are called by the goroutine
// that runs the test.
package harnesstest
