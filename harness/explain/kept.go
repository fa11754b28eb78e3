package explain

import (
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// maxKept is how much of what was read last is kept, in bytes of sources.
const maxKept = 128 << 20

// kept is the documents that were read last: many detectors look at one body, and it is parsed once.
type kept struct {
	lists map[bodyKey]*streamed // of the bodies that are not held; nil where that is not possible
	docs  map[bodyKey]*payload.Doc
	order []bodyKey // from the oldest
	bytes int64
}

// bodyKey is what the document of a message follows from.
type bodyKey struct{ digest, media, name, encoding string }

func keyOf(m harness.Message) bodyKey {
	return bodyKey{m.Body.Digest(), m.Media, m.Head.Get(harness.FieldName), strings.Join(m.Head.Values("Content-Encoding"), ",")}
}

func newKept() *kept { return &kept{docs: map[bodyKey]*payload.Doc{}, lists: map[bodyKey]*streamed{}} }

// read returns a reader of the exchange.
func (k *kept) read(x harness.Exchange) reader { return reader{exchange: x, kept: k} }

// read returns a reader of an exchange of either side.
func (s *state) read(x harness.Exchange) reader { return s.before.kept.read(x) }

// of parses the body of a message, unless its document is still there.
func (k *kept) of(m harness.Message) (*payload.Doc, error) {
	key := keyOf(m)
	if doc := k.docs[key]; doc != nil {
		return doc, nil
	}
	doc, err := payload.Of(m)
	if err != nil || int64(len(doc.Source)) > maxKept {
		return doc, err
	}
	for k.bytes+int64(len(doc.Source)) > maxKept && len(k.order) > 0 {
		k.bytes -= int64(len(k.docs[k.order[0]].Source))
		delete(k.docs, k.order[0])
		k.order = k.order[1:]
	}
	k.docs[key], k.order, k.bytes = doc, append(k.order, key), k.bytes+int64(len(doc.Source))
	return doc, nil
}
