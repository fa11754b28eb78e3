package diff

import "strings"

// magics is how the files of some types begin.
var magics = []struct{ begins, name string }{
	{"%PDF-", "PDF document"},
	{"\x89PNG\r\n\x1a\n", "PNG image"},
	{"\xff\xd8\xff", "JPEG image"},
	{"GIF8", "GIF image"},
	{"II*\x00", "TIFF image"},
	{"MM\x00*", "TIFF image"},
	{"PK\x03\x04", "ZIP archive or Office document"},
	{"PK\x05\x06", "empty ZIP archive"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Office document"},
	{"\x1f\x8b", "gzip data"},
	{"BZh", "bzip2 data"},
	{"\xfd7zXZ\x00", "xz data"},
	{"\x28\xb5\x2f\xfd", "Zstandard data"},
	{"7z\xbc\xaf\x27\x1c", "7-Zip archive"},
	{"SQLite format 3\x00", "SQLite database"},
	{"PAR1", "Parquet table"},
	{"Obj\x01", "Avro data"},
	{"-----BEGIN PGP", "PGP message"},
	{"\x30\x82", "DER data, such as a certificate"},
	{"\x7fELF", "program"},
	{"MZ", "program"},
}

const unknownData = "data"

// typeOfBytes names what opaque bytes are by how they begin; unknownData when that says nothing.
func typeOfBytes(b []byte) string {
	for _, m := range magics {
		if strings.HasPrefix(string(b[:min(len(b), len(m.begins))]), m.begins) {
			return m.name
		}
	}
	return unknownData
}
