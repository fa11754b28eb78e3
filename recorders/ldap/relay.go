package ldap

import (
	"errors"
	"io"
	"slices"
)

// wholeSize is the size up to which a message is passed on in one piece.
const wholeSize = 64 << 10

// relay passes messages from one side to the other as they came, and keeps each one.
type relay struct {
	from io.Reader
	to   io.Writer
	most int // bytes that are kept of one message

	ahead []byte // read, and not passed on
	chunk []byte
}

// errCut is the cause when a connection ends within a message.
var errCut = errors.New("the connection ended within a message")

// next passes one message on. It is noted before its last bytes are passed, so that no answer can come earlier; of one
// larger than most, the first bytes are noted. A message of at most wholeSize is passed only where note says so. At the end
// between messages next returns io.EOF, before bytes that are not LDAP errForm.
func (r *relay) next(note func(frame []byte, size int) (pass bool)) error {
	size, err := r.start()
	if err != nil {
		return err
	}
	for len(r.ahead) < min(size, wholeSize) {
		if err := r.fill(); err != nil {
			return errors.Join(errCut, err, r.pass(len(r.ahead)))
		}
	}
	if size <= wholeSize {
		if note(r.ahead[:size], size) {
			return r.pass(size)
		}
		r.ahead = r.ahead[size:]
		return nil
	}
	return r.large(size, note)
}

// large passes a message on piece by piece.
func (r *relay) large(size int, note func([]byte, int) bool) error {
	var frame []byte
	for left := size; left > 0; {
		n := min(left, len(r.ahead))
		frame = append(frame, r.ahead[:min(n, r.most-len(frame))]...)
		if left -= n; left == 0 {
			note(frame, size)
		}
		if err := r.pass(n); err != nil {
			return err
		}
		if left == 0 {
			break
		}
		if err := r.fill(); err != nil {
			return errors.Join(errCut, err)
		}
	}
	return nil
}

// start reads until the size of the next message is known.
func (r *relay) start() (size int, err error) {
	for {
		_, head, length, more, err := header(r.ahead)
		switch {
		case err != nil:
			return 0, err
		case len(r.ahead) > 0 && r.ahead[0] != tagSequence:
			return 0, errForm
		case !more:
			return head + length, nil
		}
		if err := r.fill(); err != nil {
			if len(r.ahead) == 0 {
				return 0, err
			}
			return 0, errors.Join(errCut, err, r.pass(len(r.ahead)))
		}
	}
}

// fill reads what is there.
func (r *relay) fill() error {
	if r.chunk == nil {
		r.chunk = make([]byte, 16<<10)
	}
	n, err := r.from.Read(r.chunk)
	if n > 0 {
		r.ahead = slices.Concat(r.ahead, r.chunk[:n])
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// pass passes the first bytes on of what was read.
func (r *relay) pass(n int) error {
	b := r.ahead[:n]
	r.ahead = r.ahead[n:]
	_, err := r.to.Write(b)
	return err
}

// rest passes everything on that is still to come. At the end it returns io.EOF.
func (r *relay) rest() error {
	if err := r.pass(len(r.ahead)); err != nil {
		return err
	}
	if _, err := io.Copy(r.to, r.from); err != nil {
		return err
	}
	return io.EOF
}
