package harness

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// maxSecret is the most bytes of a secret: enough for a chain of certificates and its key.
const maxSecret = 64 << 10

// ReadSecret reads what a reference names: env:NAME is the text of an environment variable, fd:3 an open file descriptor,
// anything else a file. A secret itself is never part of a command line, and no error repeats it. A file that others may
// read is Refused; everything else that goes wrong is a Usage problem with the hint.
func ReadSecret(reference string, getenv func(string) string, hint string) ([]byte, error) {
	source, name, _ := strings.Cut(reference, ":")
	switch source {
	case "env":
		text := getenv(name)
		if text == "" {
			return nil, Usage(fmt.Errorf("read %s: the variable is empty or not set", reference), hint)
		}
		return []byte(text), nil
	case "fd":
		n, err := strconv.Atoi(name)
		if err != nil || n < 0 {
			return nil, Usage(fmt.Errorf("read %s: want the number of a file descriptor", reference), "write fd:3 and open it with 3<FILE")
		}
		return readSecret(os.NewFile(uintptr(n), reference), reference, "open it with "+name+"<FILE")
	}
	return readSecretFile(reference, hint)
}

// CreateSecret writes a secret to a file that must not exist yet, and that only its owner can read. Folders that are
// missing are made. When it fails, nothing is left of it; of a file that is there, errors.Is(err, fs.ErrExist) holds. The
// error does not name the file.
func CreateSecret(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err // it names the folder
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return WithoutPath(err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(WithoutPath(err), os.Remove(file))
	}
	return nil
}

func readSecretFile(file, hint string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, Usage(fmt.Errorf("read %s: %w", file, WithoutPath(err)), hint)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		err = Usage(fmt.Errorf("read %s: %w", file, WithoutPath(err)), hint)
	case !info.Mode().IsRegular():
		err = Usage(fmt.Errorf("read %s: not a regular file", file), hint)
	case info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows":
		err = Refused(fmt.Errorf("read %s: mode %#o lets others read it", file, info.Mode().Perm()),
			fmt.Sprintf("run 'chmod 600 %s'; if others had access, create a new one", file))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return readSecret(f, file, hint)
}

func readSecret(f *os.File, reference, hint string) ([]byte, error) {
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	switch {
	case err != nil:
		return nil, Usage(fmt.Errorf("read %s: %w", reference, WithoutPath(err)), hint)
	case len(text) > maxSecret:
		return nil, Usage(fmt.Errorf("read %s: more than %d bytes", reference, maxSecret), hint)
	}
	return text, nil
}

// WithoutPassword refuses a source in which a password stands, for a verb that says instead how it is named. The error
// never repeats it.
func WithoutPassword(verb string, source *url.URL, instead string) error {
	if _, has := source.User.Password(); !has {
		return nil
	}
	return Usage(fmt.Errorf("%s: a password stands in the source", verb),
		"name it "+instead+": command lines and scenarios are seen by others and kept in histories")
}
