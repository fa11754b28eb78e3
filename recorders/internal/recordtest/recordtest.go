// Package recordtest is what the tests of recorders and importers share: what an importer brings, the text of a body,
// programs of this machine, and ports that nobody uses.
package recordtest

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
)

// Must ends the test at an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Import is what the file holds in a format: its exchanges, the notes about it, and what was counted.
func Import(t testing.TB, format archive.Format, path string) ([]harness.Exchange, []string, harness.Counts) {
	t.Helper()
	return Imported(t, &archive.Importer{Format: format, Path: path})
}

// Imported is what an importer brings.
func Imported(t testing.TB, im *archive.Importer) ([]harness.Exchange, []string, harness.Counts) {
	t.Helper()
	mem := harness.NewMemory(harness.Manifest{})
	Must(t, im.Record(t.Context(), mem))
	xs, err := harness.Collect(mem)
	Must(t, err)
	return xs, im.Notes(), mem.Manifest().Counts
}

// Body is the text of a body.
func Body(t testing.TB, m harness.Message) string {
	t.Helper()
	b, err := m.Body.Bytes()
	Must(t, err)
	return string(b)
}

// Program finds a program in PATH and in the folders beside it; one that is not installed fails the test.
func Program(t testing.TB, name string, folders ...string) string {
	t.Helper()
	folders = append(append(folders, filepath.SplitList(os.Getenv("PATH"))...), "/usr/sbin")
	for _, dir := range folders {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file
		}
	}
	t.Fatalf("%s is not installed", name)
	return ""
}

// FreePort is a port of loopback that nobody uses, and that the system gives to nobody who asks for any: it stays free
// until a slow server takes it.
func FreePort(t testing.TB) string {
	t.Helper()
	const from, to = 20_000, 32_000 // below what Linux, macOS and Windows give
	for {
		port := strconv.Itoa(from + rand.IntN(to-from))
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port)); err == nil {
			Must(t, l.Close())
			return port
		}
	}
}
