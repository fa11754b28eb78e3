package payload

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Format is one row of the table of formats.
type Format struct {
	Name       string
	Summary    string
	Extensions []string // with dot, lower case
	Media      []string // media types, lower case; a leading + is a suffix
	// Sniff reports whether the head of a source of unknown type looks like this format.
	Sniff func(head []byte) bool
	// Parse reads a whole source. The error is a *SyntaxError.
	Parse func(source []byte) (*Doc, error)
}

// Formats is the table of formats, in the order in which an unknown source is tried.
var Formats = []Format{
	{"ndjson", "a JSON text on each line", []string{".ndjson", ".jsonl"}, []string{"application/x-ndjson", "application/ndjson", "application/jsonl"}, sniffNDJSON, ParseNDJSON},
	{"json", "JSON text, RFC 8259", []string{".json"}, []string{"application/json", "text/json", "+json"}, sniffJSON, ParseJSON},
	{"fixed", "records of fixed width, by layout", []string{".ach", ".nacha"}, nil, sniffFixed, parseShipped},
	{"x12", "ANSI X12 interchanges", []string{".x12"}, []string{"application/edi-x12"}, sniffX12, ParseX12},
	{"edifact", "UN/EDIFACT interchanges, ISO 9735", []string{".edifact"}, []string{"application/edifact"}, sniffEDIFACT, ParseEDIFACT},
	{"hl7v2", "HL7 version 2 messages and batches", []string{".hl7"}, []string{"application/hl7-v2", "application/hl7-v2+er7", "x-application/hl7-v2+er7"}, sniffHL7, ParseHL7},
	{"bai2", "BAI2 balance reports", []string{".bai", ".bai2"}, nil, sniffBAI2, ParseBAI2},
	{"csv", "table with a header row, RFC 4180 and its dialects", []string{".csv", ".tsv"}, []string{"text/csv", "text/tab-separated-values"}, sniffCSV, ParseCSV},
	{"xml", "XML 1.0 with namespaces, SOAP among it", []string{".xml"}, []string{"application/xml", "text/xml", "+xml"}, sniffXML, ParseXML},
	{"form", "pairs of a web form, application/x-www-form-urlencoded", nil, []string{"application/x-www-form-urlencoded"}, func([]byte) bool { return false }, ParseForm},
	{"multipart", "parts between boundaries, RFC 2046", nil, []string{"multipart/"}, sniffMultipart, ParseMultipart},
	{"text", "text by line", []string{".txt", ".log", ".html"}, []string{"text/"}, sniffText, ParseText},
	{"bytes", "anything else, as one value", []string{".bin"}, nil, func([]byte) bool { return true }, ParseBytes},
}

// FormatOf picks the row for a media type, a file name and the head of the source, in this order of trust; the last
// row serves everything.
func FormatOf(media, name string, source []byte) Format {
	media, _, _ = strings.Cut(strings.ToLower(media), ";")
	ext := strings.ToLower(path.Ext(name))
	const headSize = 4096
	head := source[:min(len(source), headSize)]
	for _, f := range Formats {
		if f.hasMedia(strings.TrimSpace(media)) {
			return f.orSegments(head)
		}
	}
	for _, f := range Formats {
		for _, e := range f.Extensions {
			if e == ext {
				return f.orSegments(head)
			}
		}
	}
	for _, f := range Formats {
		if f.Sniff(head) {
			return f
		}
	}
	return Formats[len(Formats)-1]
}

// segmented are the formats whose first bytes name them without a doubt. Banks, hospitals and trading partners send them
// under names such as report.txt.
var segmented = []string{"x12", "edifact", "hl7v2", "bai2"}

// orSegments is the format, or the segmented one that a source of mere text begins as.
func (f Format) orSegments(head []byte) Format {
	if f.Name != "text" {
		return f
	}
	for _, s := range Formats {
		if slices.Contains(segmented, s.Name) && s.Sniff(head) {
			return s
		}
	}
	return f
}

func (f Format) hasMedia(media string) bool {
	for _, m := range f.Media {
		if media != "" && (m == media || strings.HasPrefix(m, "+") && strings.HasSuffix(media, m) || strings.HasSuffix(m, "/") && strings.HasPrefix(media, m)) {
			return true
		}
	}
	return false
}

// Parse reads a source in the format that FormatOf picks. A source that is not of that format is read as text or
// bytes instead, with the fact "malformed" that says why, so that nothing is lost and nothing is hidden.
func Parse(media, name string, source []byte) *Doc {
	f := FormatOf(media, name, source)
	doc, err := f.Parse(source)
	if err == nil {
		return doc
	}
	for _, fallback := range Formats[len(Formats)-2:] {
		if fallback.Name != f.Name && fallback.Sniff(source) {
			if doc, fallbackErr := fallback.Parse(source); fallbackErr == nil {
				doc.Facts = append(doc.Facts, Fact{"malformed", err.Error()})
				return doc
			}
		}
	}
	doc, _ = ParseBytes(source[:min(len(source), MaxSize)])
	doc.Facts = append(doc.Facts, Fact{"malformed", err.Error()})
	return doc
}

// Of reads the body of a message: content encodings are unpacked as a view, then Parse. The file name of a file
// exchange helps to pick the format.
func Of(m harness.Message) (*Doc, error) {
	raw, err := m.Body.Bytes()
	if err != nil {
		return nil, err
	}
	encoding := strings.Join(m.Head.Values("Content-Encoding"), ",")
	plain, err := Unpack(encoding, raw)
	if err != nil {
		doc, _ := ParseBytes(raw)
		doc.Facts = append(doc.Facts, Fact{"malformed", fmt.Sprintf("unpack %s: %v", encoding, err)})
		return doc, nil
	}
	return Parse(m.Media, m.Head.Get(harness.FieldName), plain), nil
}
