package vcr

import (
	"net/url"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/plain"
	"github.com/rehearse-dev/rehearse/recorders/internal/sniff"
)

// PHP reads the files of php-vcr: a list of records.
var PHP = archive.Format{
	Extensions: []string{".yml", ".yaml", ".json"}, Wrote: "a file that php-vcr wrote",
	Knows: func(head []byte) bool { return sniff.Has(head, "[].request.url", "[].response") },
	Read:  readPHP,
}

const noteFiles departure.Kind = "requests: files that were uploaded are not in the file; the exchange is incomplete"

// phpRecord is one record of php-vcr.
type phpRecord struct {
	Request *struct {
		Method     string       `plain:"method"`
		URL        string       `plain:"url"`
		Headers    plain.Fields `plain:"headers"`
		Body       string       `plain:"body"`
		PostFields *plain.Node  `plain:"post_fields"`
		PostFiles  *plain.Node  `plain:"post_files"`
	} `plain:"request"`
	Response *struct {
		Status  phpStatus    `plain:"status"`
		Headers plain.Fields `plain:"headers"`
		Body    string       `plain:"body"`
	} `plain:"response"`
}

func readPHP(f *archive.File) error {
	top, err := f.Document()
	if err != nil {
		return err
	}
	var records []*plain.Node
	if err := top.Decode(&records); err != nil {
		return err
	}
	return f.Each("record", records, func(n *plain.Node) error { return readPHPRecord(f, n) })
}

func readPHPRecord(f *archive.File, n *plain.Node) error {
	var x phpRecord
	if err := n.Decode(&x); err != nil {
		return err
	}
	if x.Request == nil || x.Response == nil {
		return n.Errorf("want a request and a response")
	}
	q, r := x.Request, x.Response
	status, err := archive.Status(r.Status.code)
	if err != nil {
		return n.Get("response").Errorf("%v", err)
	}
	c := archive.Call{
		Method: q.Method, URL: q.URL, Status: status,
		Request:  archive.Half{Fields: harness.Head(q.Headers), Body: []byte(q.Body)},
		Response: archive.Half{Proto: protoOf(r.Status.version), Fields: harness.Head(r.Headers), Body: []byte(r.Body)},
	}
	if q.Body == "" && q.PostFields.IsFilled() {
		f.Note(archive.NoteForm)
		c.Request.Body = formOf(q.PostFields)
	}
	if q.PostFiles.IsFilled() {
		f.Note(noteFiles)
		c.Fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: "the file does not hold the files that were uploaded"}
	}
	return f.Add(c)
}

// formOf writes post_fields as a form. PHP writes lists and maps in a field with brackets.
func formOf(n *plain.Node) []byte {
	if n.Kind == plain.Text {
		return []byte(n.Text)
	}
	return []byte(strings.Join(pairsOf("", n), "&"))
}

func pairsOf(name string, n *plain.Node) (pairs []string) {
	switch n.Kind {
	case plain.Map:
		for _, m := range n.Members {
			below := m.Name
			if name != "" {
				below = name + "[" + m.Name + "]"
			}
			pairs = append(pairs, pairsOf(below, m.Value)...)
		}
	case plain.List:
		for _, item := range n.Items {
			pairs = append(pairs, pairsOf(name+"[]", item)...)
		}
	default:
		pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(n.Text))
	}
	return pairs
}

// phpStatus is a code, a status line, or a map of both.
type phpStatus struct{ version, code string }

// DecodePlain reads the status.
func (s *phpStatus) DecodePlain(n *plain.Node) error {
	if n.Kind != plain.Text {
		var m struct {
			Version string `plain:"http_version"`
			Code    string `plain:"code"`
		}
		err := n.Decode(&m)
		*s = phpStatus{m.Version, m.Code}
		return err
	}
	words := strings.Fields(n.Text)
	switch {
	case len(words) > 1 && strings.HasPrefix(words[0], "HTTP/"):
		*s = phpStatus{words[0], words[1]}
	case len(words) > 0:
		*s = phpStatus{"", words[0]}
	}
	return nil
}
