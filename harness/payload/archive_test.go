package payload

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"testing"
)

// FuzzOpenArchive holds what comes out within its bounds, whatever goes in.
func FuzzOpenArchive(f *testing.F) {
	var zipped, packed bytes.Buffer
	z := zip.NewWriter(&zipped)
	w, err := z.Create("../users.csv")
	if err != nil {
		f.Fatal(err)
	}
	w.Write([]byte("id\nH1\n"))                        //nolint:errcheck // memory
	z.Close()                                          //nolint:errcheck // memory
	g := gzip.NewWriter(&packed)                       //
	g.Write(append(make([]byte, 257), "ustar\x00"...)) //nolint:errcheck // memory
	g.Close()                                          //nolint:errcheck // memory
	f.Add(zipped.Bytes())
	f.Add(packed.Bytes())
	f.Add(append(make([]byte, 257), "ustar\x0000"...))
	f.Fuzz(func(t *testing.T, source []byte) {
		a, err := OpenArchive("x.gz", source)
		if err != nil {
			return
		}
		size := int64(0)
		for _, m := range a.Members {
			size += int64(len(m.Content))
		}
		if most := int64(budgetOf(source)); a.Format != "tar.gz" && size > most || len(a.Members) > maxArchived {
			t.Errorf("%d bytes in %d members came out of %d", size, len(a.Members), len(source))
		}
	})
}
