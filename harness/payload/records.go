package payload

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// MaxRecord is the most that one record of a stream may hold, in bytes.
const MaxRecord = 16 << 20

// Records reads a document record by record, for documents that do not fit into memory: the rows of a table, the
// elements of a JSON array, the values of JSON Lines. Records keep their bytes; what stands between them is left out,
// but it is counted for [Records.Facts]. The records are those of the document that Parse makes of the same bytes.
type Records struct {
	Format string
	syntax recordSyntax
	window window
	closer io.Closer
	n      int // records so far
}

// recordSyntax is how one format cuts a stream into records.
type recordSyntax interface {
	// open reads what stands before the first record. It returns errShort when it must see more.
	open(rest []byte, last bool) (used int, err error)
	// cut finds the next record, rest[from:to], and where the search goes on. It returns errShort when it must see more,
	// and io.EOF behind the last record. Until it has succeeded, it has counted nothing.
	cut(rest []byte, last bool) (from, to, used int, err error)
	// resume continues in front of a record.
	resume()
	// node reads a record; it is valid until the next call.
	node(record []byte) (Node, error)
	// document joins records into the document that has only them.
	document(records [][]byte) (*Doc, error)
	// facts of what was cut so far, in the order in which the parser states them.
	facts() []Fact
	// rename gives the columns the names that they have in a document.
	rename(d *Doc)
	// shared is what stands outside of records and gives them meaning.
	shared() []byte
	// appendKey appends the key of a record, as [Records.AppendKey] does.
	appendKey(dst, record []byte, k *Key) ([]byte, bool)
}

// errShort says that the bytes at hand end within a record.
var errShort = errors.New("more bytes are needed")

// recordSyntaxes makes the syntax of a format that consists of records, by its name in Formats.
var recordSyntaxes = map[string]func() recordSyntax{
	"csv":    func() recordSyntax { return &csvRecords{} },
	"json":   func() recordSyntax { return &jsonRecords{} },
	"ndjson": func() recordSyntax { return &lineRecords{} },
}

// RecordsOf opens the body of a message as a stream of records. It is nil when the body is none: of another format,
// packed by a content encoding, in UTF-16, or JSON that does not begin with an array. The caller closes it.
func RecordsOf(m harness.Message) (*Records, error) {
	if m.Head.Has("Content-Encoding") {
		return nil, nil
	}
	r, err := m.Body.Open()
	if err != nil {
		return nil, err
	}
	const least, most = 4 << 10, 256 << 10 // bytes
	records, err := newRecords(r, int(min(max(m.Body.Size()+1, least), most)), m.Media, m.Head.Get(harness.FieldName))
	if err != nil || records == nil {
		return nil, errors.Join(err, r.Close())
	}
	records.closer = r
	return records, nil
}

// newRecords reads the given number of bytes at a time.
func newRecords(r io.Reader, ahead int, media, name string) (*Records, error) {
	records := &Records{window: window{r: r, buf: make([]byte, 0, ahead)}}
	if err := records.window.more(); err != nil {
		return nil, err
	}
	head := records.window.rest()
	records.Format = FormatOf(media, name, head).Name
	fresh, ok := recordSyntaxes[records.Format]
	if !ok || utf16Of(head) != nil || records.Format == "json" && !beginsArray(head) {
		return nil, nil
	}
	records.syntax = fresh()
	for {
		used, err := records.syntax.open(records.window.rest(), records.window.last)
		if err == nil {
			records.window.at += used
			return records, nil
		}
		if err := records.retry(err); err != nil {
			return nil, err
		}
	}
}

// beginsArray reports whether a JSON text is an array.
func beginsArray(head []byte) bool {
	return strings.HasPrefix(strings.TrimLeft(strings.TrimPrefix(string(head[:min(len(head), 4096)]), utf8BOM), " \t\r\n"), "[")
}

// Close ends the stream.
func (r *Records) Close() error { return r.closer.Close() }

// Next returns the next record as it is written, valid until the following call. The error is io.EOF at the end, and a
// *SyntaxError when the source is not of its format.
func (r *Records) Next() ([]byte, error) {
	for {
		rest := r.window.rest()
		from, to, used, err := r.syntax.cut(rest, r.window.last)
		if err == nil {
			r.n++
			r.window.at += used
			return rest[from:to], nil
		}
		if err == io.EOF { //nolint:errorlint // cut returns it as it is
			r.window.at += used
			return nil, err
		}
		if err := r.retry(err); err != nil {
			return nil, err
		}
	}
}

// retry reads more when that is what the error asks for.
func (r *Records) retry(err error) error {
	if e, ok := errors.AsType[*SyntaxError](err); ok {
		e.Offset += int(r.window.offset())
	}
	if !errors.Is(err, errShort) {
		return err
	}
	if r.window.last {
		return &SyntaxError{Format: r.Format, Offset: int(r.window.offset()), What: "ends within a record"}
	}
	if len(r.window.rest()) > MaxRecord {
		return fmt.Errorf("read %s at byte %d: record is longer than %d bytes", r.Format, r.window.offset(), MaxRecord)
	}
	return r.window.more()
}

// Mark is a place in front of a record.
type Mark struct {
	N      int // records before it
	offset int64
}

// Mark returns the place in front of the next record.
func (r *Records) Mark() Mark { return Mark{r.n, r.window.offset()} }

// Skip goes forward to a mark of the same source. It costs nothing to speak of when the source can seek.
func (r *Records) Skip(to Mark) error {
	seeker, ok := r.window.r.(io.Seeker)
	if to.offset <= r.window.offset() {
		return nil
	}
	if ahead := to.offset - r.window.offset(); ahead <= int64(len(r.window.rest())) {
		r.window.at += int(ahead)
	} else if err := r.window.jump(seeker, ok, to.offset); err != nil {
		return err
	}
	r.n = to.N
	r.syntax.resume()
	return nil
}

// N is how many records were read, or skipped.
func (r *Records) N() int { return r.n }

// Facts of the whole document, as its parser states them. They are complete when Next has returned io.EOF and nothing
// was skipped.
func (r *Records) Facts() []Fact { return r.syntax.facts() }

// Shared is what stands outside of the records and gives them meaning: the header of a table. Records of equal bytes
// are equal if this is, too.
func (r *Records) Shared() []byte { return r.syntax.shared() }

// Rename gives the columns of a table the names that they have in a document of the same table.
func (r *Records) Rename(d *Doc) { r.syntax.rename(d) }

// Doc is the document that consists of some of the records.
func (r *Records) Doc(records ...[]byte) (*Doc, error) { return r.syntax.document(records) }

// Key says which members identify a record.
type Key struct {
	Members []harness.Path      // from the record
	Fold    func(string) string // applied to each text; nil leaves it as it is
}

// AppendKey appends the texts of the key's members, each with a zero byte behind it; false when a member is missing,
// null or no scalar.
func (r *Records) AppendKey(dst, record []byte, k *Key) ([]byte, bool) {
	return r.syntax.appendKey(dst, record, k)
}

// batch is how many bytes of records are read into one document at a time, where that is faster than one by one.
const batch = 64 << 10

// All yields the records that are left; each is valid until the next one. The error ends the sequence: what Next returns,
// but for the end.
func (r *Records) All() iter.Seq2[Node, error] {
	if _, table := r.syntax.(*csvRecords); table {
		return r.inBatches
	}
	return func(yield func(Node, error) bool) {
		for {
			record, err := r.Next()
			if err == io.EOF { //nolint:errorlint // Next returns it as it is
				return
			}
			var n Node
			if err == nil {
				n, err = r.Node(record)
			}
			if !yield(n, err) || err != nil {
				return
			}
		}
	}
}

// inBatches reads the rows of a table: each document reads the header anew.
func (r *Records) inBatches(yield func(Node, error) bool) {
	var err error
	for err == nil {
		var bytes []byte
		var ends []int
		for err == nil && len(bytes) < batch {
			var record []byte
			if record, err = r.Next(); err == nil {
				bytes = append(bytes, record...)
				ends = append(ends, len(bytes))
			}
		}
		records, from := make([][]byte, len(ends)), 0
		for i, end := range ends {
			records[i], from = bytes[from:end], end
		}
		doc, parseErr := r.Doc(records...)
		if parseErr != nil {
			yield(Node{}, parseErr)
			return
		}
		for n := range doc.Root().Children() {
			if !yield(n, nil) {
				return
			}
		}
	}
	if err != io.EOF { //nolint:errorlint // Next returns it as it is
		yield(Node{}, err)
	}
}

// Node reads a record; it is valid until the next call.
func (r *Records) Node(record []byte) (Node, error) { return r.syntax.node(record) }

// AppendKey appends the key of a node in the form of [Records.AppendKey].
func AppendKey(dst []byte, n Node, k *Key) ([]byte, bool) {
	for _, path := range k.Members {
		m := n.At(path)
		if !m.IsScalar() || m.Kind() == harness.KindNull {
			return dst, false
		}
		dst = appendKeyText(dst, m.Text(), k.Fold)
	}
	return dst, true
}

func appendKeyText(dst []byte, text string, fold func(string) string) []byte {
	if fold != nil {
		text = fold(text)
	}
	return append(append(dst, text...), 0)
}

// window is the stretch of a source that is in memory.
type window struct {
	r    io.Reader
	buf  []byte
	at   int   // where the rest begins
	base int64 // offset of the buffer in the source
	last bool  // the source ends with the buffer
}

func (w *window) rest() []byte  { return w.buf[w.at:] }
func (w *window) offset() int64 { return w.base + int64(w.at) }

// more reads on; the rest stays, and the buffer grows when it holds much of it.
func (w *window) more() error {
	have := copy(w.buf, w.rest())
	w.base += int64(w.at)
	w.at = 0
	if have > cap(w.buf)/2 {
		w.buf = append(make([]byte, 0, 2*cap(w.buf)), w.buf[:have]...)
	}
	n, err := io.ReadFull(w.r, w.buf[have:cap(w.buf)])
	w.buf = w.buf[:have+n]
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		w.last, err = true, nil
	}
	return err
}

// jump goes forward to a place behind the buffer.
func (w *window) jump(seeker io.Seeker, can bool, offset int64) error {
	var err error
	if can {
		_, err = seeker.Seek(offset, io.SeekStart)
	} else {
		_, err = io.CopyN(io.Discard, w.r, offset-w.base-int64(len(w.buf)))
	}
	w.base, w.at, w.buf = offset, 0, w.buf[:0]
	return errors.Join(err, w.more())
}

// lengthOfBOM is the length of a byte order mark in front of the bytes.
func lengthOfBOM(b []byte) int {
	if bytes.HasPrefix(b, []byte(utf8BOM)) {
		return len(utf8BOM)
	}
	return 0
}
