package sftp

import (
	"io"
	"io/fs"
	"time"

	wire "github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// backend is where the files really are.
type backend interface {
	// login decides about a client, and returns the files that it sees.
	login(l Login, user string, password []byte, key ssh.PublicKey) (files, error)
	close() error
}

// files is what one client sees. Names are absolute and clean, with slashes.
type files interface {
	open(name string, flags int) (file, error)
	stat(name string) (fs.FileInfo, error)
	lstat(name string) (fs.FileInfo, error)
	list(name string) ([]fs.FileInfo, error)
	readLink(name string) (string, error)
	realPath(name string) (string, error)
	rename(from, to string, replace bool) error
	remove(name string) error
	removeFolder(name string) error
	makeFolder(name string) error
	link(from, to string, symbolic bool) error
	set(name string, a attributes) error
	io.Closer
}

// file is an open file.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Stat() (fs.FileInfo, error)
}

// attributes that a client sets; nil are left alone.
type attributes struct {
	size     *int64
	mode     *fs.FileMode
	accessed *time.Time
	modified *time.Time
}

func attributesOf(r *wire.Request) attributes {
	var a attributes
	flags, stat := r.AttrFlags(), r.Attributes()
	if stat == nil {
		return a
	}
	if flags.Size {
		n := int64(stat.Size)
		a.size = &n
	}
	if flags.Permissions {
		m := stat.FileMode().Perm()
		a.mode = &m
	}
	if flags.Acmodtime {
		accessed, modified := time.Unix(int64(stat.Atime), 0).UTC(), time.Unix(int64(stat.Mtime), 0).UTC()
		a.accessed, a.modified = &accessed, &modified
	}
	return a
}
