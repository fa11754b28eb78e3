package payload

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"
)

// Archive is a view of the files in a ZIP or tar archive, or of the one in a gzip file. Nothing is extracted: names are
// texts, and links are not followed.
type Archive struct {
	Format  string // zip, tar, tar.gz or gzip
	Comment string
	Members []ArchiveMember // in the order in which they stand
}

// ArchiveMember is one file of an archive.
type ArchiveMember struct {
	Name      string
	Kind      string // file, folder, or what else tar holds, such as symbolic link
	Link      string // target of a link
	Modified  time.Time
	Encrypted bool // Content is what is stored, which nobody can read here
	Content   []byte
}

// Limits of archives. What comes out of all members together has the bounds of [Unpack].
const (
	maxArchived = 10_000  // members
	maxFileName = 4 << 10 // bytes
)

// formats of archives, by how they begin.
var archives = []struct {
	format string
	is     func([]byte) bool
	open   func(name string, source []byte) (*Archive, error)
}{
	{"zip", func(b []byte) bool {
		return bytes.HasPrefix(b, []byte("PK\x03\x04")) || bytes.HasPrefix(b, []byte("PK\x05\x06"))
	}, openZip},
	{"gzip", func(b []byte) bool { return bytes.HasPrefix(b, []byte("\x1f\x8b\x08")) }, openGzip},
	{"tar", isTar, openTar},
}

func isTar(b []byte) bool {
	const at = 257 // of the magic of POSIX and GNU
	return len(b) >= at+5 && string(b[at:at+5]) == "ustar"
}

// IsArchive reports whether bytes begin as an archive does that [OpenArchive] reads.
func IsArchive(source []byte) bool {
	for _, a := range archives {
		if a.is(source) {
			return true
		}
	}
	return false
}

// OpenArchive reads all members; name is that of the file, or empty. An archive that is damaged, that holds too many
// members, or out of which too much comes, is an error.
func OpenArchive(name string, source []byte) (*Archive, error) {
	for _, a := range archives {
		if a.is(source) {
			opened, err := a.open(name, source)
			if err != nil {
				return nil, fmt.Errorf("open %s: %w", a.format, err)
			}
			return opened, nil
		}
	}
	return nil, errors.New("open archive: is none")
}

// budget is how many bytes may still come out of an archive.
type budget int64

func budgetOf(source []byte) budget {
	return budget(min(maxUnpacked, max(minAllowed, maxRatio*int64(len(source)))))
}

// take reads a member whole.
func (b *budget) take(r io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, int64(*b)+1))
	if int64(len(content)) > int64(*b) {
		return nil, errors.New("more comes out of it than is allowed")
	}
	*b -= budget(len(content))
	return content, err
}

func checkMember(n int, name string) error {
	switch {
	case n >= maxArchived:
		return fmt.Errorf("more than %d members", maxArchived)
	case len(name) > maxFileName:
		return fmt.Errorf("name of member %d is longer than %d bytes", n+1, maxFileName)
	}
	return nil
}

const encrypted = 1 // flag of a member of a ZIP archive

func openZip(_ string, source []byte) (*Archive, error) {
	z, err := zip.NewReader(bytes.NewReader(source), int64(len(source)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, err
	}
	a, left := &Archive{Format: "zip", Comment: z.Comment}, budgetOf(source)
	for n, f := range z.File {
		if err := checkMember(n, f.Name); err != nil {
			return nil, err
		}
		m := ArchiveMember{Name: f.Name, Kind: "file", Modified: f.Modified, Encrypted: f.Flags&encrypted != 0}
		if f.FileInfo().IsDir() {
			m.Kind = "folder"
		}
		if m.Content, err = readZipped(f, &left, m.Encrypted); err != nil {
			return nil, fmt.Errorf("member %q: %w", f.Name, err)
		}
		a.Members = append(a.Members, m)
	}
	return a, nil
}

func readZipped(f *zip.File, left *budget, raw bool) ([]byte, error) {
	if raw {
		r, err := f.OpenRaw()
		if err != nil {
			return nil, err
		}
		return left.take(r)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	content, err := left.take(r)
	return content, errors.Join(err, r.Close())
}

// openGzip opens one file, or the archive that was compressed.
func openGzip(name string, source []byte) (*Archive, error) {
	z, err := gzip.NewReader(bytes.NewReader(source))
	if err != nil {
		return nil, err
	}
	left := budgetOf(source)
	content, err := left.take(z)
	if err != nil {
		return nil, err
	}
	if isTar(content) {
		a, err := openTar("", content)
		if err != nil {
			return nil, err
		}
		a.Format = "tar.gz"
		return a, nil
	}
	inner := z.Name
	if inner == "" {
		inner = strings.TrimSuffix(path.Base(name), ".gz")
	}
	return &Archive{Format: "gzip", Comment: z.Comment, Members: []ArchiveMember{{Name: inner, Kind: "file", Modified: z.ModTime, Content: content}}}, nil
}

// tarKinds names what is neither a file nor a folder.
var tarKinds = map[byte]string{
	tar.TypeReg: "file", tar.TypeDir: "folder", tar.TypeLink: "hard link", tar.TypeSymlink: "symbolic link",
	tar.TypeChar: "character device", tar.TypeBlock: "block device", tar.TypeFifo: "named pipe",
}

func openTar(_ string, source []byte) (*Archive, error) {
	a, left, r := &Archive{Format: "tar"}, budgetOf(source), tar.NewReader(bytes.NewReader(source))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return a, nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return nil, err
		}
		if err := checkMember(len(a.Members), h.Name); err != nil {
			return nil, err
		}
		m := ArchiveMember{Name: h.Name, Kind: tarKinds[h.Typeflag], Link: h.Linkname, Modified: h.ModTime}
		if m.Kind == "" {
			m.Kind = fmt.Sprintf("tar entry of type %q", h.Typeflag)
		}
		if m.Content, err = left.take(r); err != nil {
			return nil, fmt.Errorf("member %q: %w", h.Name, err)
		}
		a.Members = append(a.Members, m)
	}
}
