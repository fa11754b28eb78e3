package sftp

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	wire "github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/rehearse-dev/rehearse/harness"
)

// folder serves what is below a local folder.
type folder struct{ root *os.Root }

func openFolder(dir string) (*folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("serve folder %s: %w", dir, err), "name a folder that exists")
	}
	return &folder{root}, nil
}

func (f *folder) close() error { return f.root.Close() }

func (f *folder) login(l Login, _ string, password []byte, key ssh.PublicKey) (files, error) {
	if l.isOpen() || key != nil && l.accepts(key) || password != nil && l.acceptsPassword(password) {
		return below{f.root}, nil
	}
	return nil, errLogin
}

// below is the folder as a client sees it. Errors about files do not tell where the folder is.
type below struct{ root *os.Root }

func local(name string) string {
	if name = strings.TrimPrefix(name, "/"); name != "" {
		return name
	}
	return "."
}

func (b below) Close() error { return nil }

func (b below) open(name string, flags int) (file, error) {
	if info, err := b.root.Stat(local(name)); err == nil && !info.Mode().IsRegular() {
		return nil, wire.ErrSSHFxFailure // a pipe would block
	}
	return b.root.OpenFile(local(name), flags, 0o644)
}

func (b below) stat(name string) (fs.FileInfo, error)  { return b.root.Stat(local(name)) }
func (b below) lstat(name string) (fs.FileInfo, error) { return b.root.Lstat(local(name)) }

func (b below) list(name string) ([]fs.FileInfo, error) {
	entries, err := fs.ReadDir(b.root.FS(), local(name))
	var list []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil { // else it was removed meanwhile
			list = append(list, info)
		}
	}
	return list, err
}

func (b below) readLink(name string) (string, error) { return b.root.Readlink(local(name)) }
func (b below) realPath(name string) (string, error) { return path.Clean("/" + name), nil }
func (b below) remove(name string) error             { return b.root.Remove(local(name)) }
func (b below) removeFolder(name string) error       { return b.root.Remove(local(name)) }
func (b below) makeFolder(name string) error         { return b.root.Mkdir(local(name), 0o755) }

func (b below) link(string, string, bool) error { return wire.ErrSSHFxOpUnsupported }

func (b below) rename(from, to string, replace bool) error {
	if _, err := b.root.Lstat(local(to)); err == nil && !replace {
		return fs.ErrExist
	}
	return b.root.Rename(local(from), local(to))
}

func (b below) set(name string, a attributes) error {
	var errs []error
	if a.size != nil {
		errs = append(errs, b.truncate(name, *a.size))
	}
	if a.mode != nil {
		errs = append(errs, b.root.Chmod(local(name), *a.mode))
	}
	if a.modified != nil {
		errs = append(errs, b.root.Chtimes(local(name), *a.accessed, *a.modified))
	}
	return errors.Join(errs...)
}

func (b below) truncate(name string, size int64) error {
	f, err := b.root.OpenFile(local(name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close())
}
