package archive

import (
	"bufio"
	"compress/gzip"
)

// Unzipped reads through gzip what begins as it does (RFC 1952), and everything else as it is.
func Unzipped(r *bufio.Reader) (*bufio.Reader, error) {
	magic, err := r.Peek(2)
	if err != nil || magic[0] != 0x1f || magic[1] != 0x8b {
		return r, nil //nolint:nilerr // what is too short is read as it is
	}
	unzip, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(unzip, 64<<10), nil
}
