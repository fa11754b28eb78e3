package sftp

import (
	"io"
	"io/fs"
	"os"
	"strings"

	wire "github.com/pkg/sftp"
)

// handlers answers the requests of one client. Names are absolute and clean.
type handlers struct {
	files   files
	home    string // where relative names begin; recorded names are relative to it
	ledger  *ledger
	session string
}

// Fileread opens a file for reading.
func (h *handlers) Fileread(r *wire.Request) (io.ReaderAt, error) {
	f, err := h.files.open(r.Filepath, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	return h.ledger.download(h, r.Filepath, f), nil
}

// Filewrite opens a file for writing.
func (h *handlers) Filewrite(r *wire.Request) (io.WriterAt, error) { return h.OpenFile(r) }

// OpenFile opens a file for reading and writing, or for writing only.
func (h *handlers) OpenFile(r *wire.Request) (wire.WriterAtReaderAt, error) {
	want := r.Pflags()
	f, err := h.files.open(r.Filepath, flagsOf(want))
	if err != nil {
		return nil, err
	}
	return h.ledger.upload(h, r.Filepath, f, want), nil
}

// flagsOf leaves O_APPEND out: the place of each write is known here.
func flagsOf(want wire.FileOpenFlags) int {
	flags := os.O_WRONLY
	if want.Read {
		flags = os.O_RDWR
	}
	for _, f := range []struct {
		is   bool
		flag int
	}{{want.Creat, os.O_CREATE}, {want.Trunc, os.O_TRUNC}, {want.Excl, os.O_EXCL}} {
		if f.is {
			flags |= f.flag
		}
	}
	return flags
}

// commands is the table of operations that answer with a status.
var commands = map[string]func(h *handlers, r *wire.Request) error{
	"Rename":  func(h *handlers, r *wire.Request) error { return h.rename(r, false) },
	"Remove":  func(h *handlers, r *wire.Request) error { return h.files.remove(r.Filepath) },
	"Rmdir":   func(h *handlers, r *wire.Request) error { return h.files.removeFolder(r.Filepath) },
	"Mkdir":   func(h *handlers, r *wire.Request) error { return h.files.makeFolder(r.Filepath) },
	"Link":    func(h *handlers, r *wire.Request) error { return h.files.link(r.Filepath, r.Target, false) },
	"Symlink": func(h *handlers, r *wire.Request) error { return h.files.link(r.Filepath, r.Target, true) },
	"Setstat": func(h *handlers, r *wire.Request) error {
		a := attributesOf(r)
		err := h.files.set(r.Filepath, a)
		if err == nil {
			h.ledger.set(r.Filepath, a)
		}
		return err
	},
}

// Filecmd does what answers with a status only.
func (h *handlers) Filecmd(r *wire.Request) error {
	do, ok := commands[r.Method]
	if !ok {
		return wire.ErrSSHFxOpUnsupported
	}
	return do(h, r)
}

// PosixRename is Rename, and replaces what has the new name.
func (h *handlers) PosixRename(r *wire.Request) error { return h.rename(r, true) }

func (h *handlers) rename(r *wire.Request, replace bool) error {
	err := h.files.rename(r.Filepath, r.Target, replace)
	if err == nil {
		h.ledger.rename(r.Filepath, r.Target)
	}
	return err
}

// list is a listing that is known as a whole.
type list []fs.FileInfo

// ListAt copies what fits, from an offset on.
func (l list) ListAt(to []fs.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(to, l[offset:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}

// Filelist lists a folder, or tells about one file.
func (h *handlers) Filelist(r *wire.Request) (wire.ListerAt, error) {
	if r.Method == "List" {
		infos, err := h.files.list(r.Filepath)
		return list(infos), err
	}
	return one(h.files.stat(r.Filepath))
}

// Lstat tells about one file and does not follow a link.
func (h *handlers) Lstat(r *wire.Request) (wire.ListerAt, error) {
	return one(h.files.lstat(r.Filepath))
}

func one(info fs.FileInfo, err error) (wire.ListerAt, error) {
	if err != nil {
		return nil, err
	}
	return list{info}, nil
}

// Readlink returns what a link names.
func (h *handlers) Readlink(name string) (string, error) { return h.files.readLink(name) }

// RealPath returns the absolute name.
func (h *handlers) RealPath(name string) (string, error) { return h.files.realPath(name) }

// nameOf is the name under which a file is recorded.
func (h *handlers) nameOf(name string) string {
	if below, ok := strings.CutPrefix(name, strings.TrimSuffix(h.home, "/")+"/"); ok {
		return below
	}
	return strings.TrimPrefix(name, "/")
}
