package wiremock

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/export"
)

// Export writes stub mappings: a file with all of them, or a folder as WireMock reads it, with a mapping a file and the
// bodies in __files. A request matches by method, URL and body. Calls that are alike are answered in turn, by the states of
// a scenario. Bodies stay as they crossed, packed ones too.
var Export = export.Format{Extension: ".json", Write: write, Folder: writeFolder}

const (
	lossFault  departure.Kind = "exchanges: ended in a fault that WireMock cannot play, and were left out"
	lossDetail departure.Kind = "exchanges: ended in a fault; what came before it is not kept"
)

type outMapping struct {
	ID       string      `json:"id"`
	Name     string      `json:"name"`
	Request  outRequest  `json:"request"`
	Response outResponse `json:"response"`
	Scenario string      `json:"scenarioName,omitempty"`
	Required string      `json:"requiredScenarioState,omitempty"`
	New      string      `json:"newScenarioState,omitempty"`
	Metadata outMetadata `json:"metadata"`
}

type outRequest struct {
	Method string           `json:"method"`
	URL    string           `json:"url"`
	Body   []map[string]any `json:"bodyPatterns,omitempty"`
}

type outResponse struct {
	Status  int            `json:"status,omitempty"`
	Headers map[string]any `json:"headers,omitempty"`
	Body    string         `json:"body,omitempty"`
	Base64  string         `json:"base64Body,omitempty"`
	File    string         `json:"bodyFileName,omitempty"`
	Fault   string         `json:"fault,omitempty"`
}

// outMetadata says where a mapping comes from. WireMock keeps it and does not look at it.
type outMetadata struct {
	Ours origin `json:"rehearse"`
}

// origin is what a mapping of ours was made of.
type origin struct {
	Host    string `json:"host,omitempty" plain:"host"`
	Session string `json:"session,omitempty" plain:"session"`
	At      string `json:"at,omitempty" plain:"at"` // RFC 3339
}

func write(w io.Writer, xs []harness.Exchange, l *export.Losses) error {
	if _, err := io.WriteString(w, `{"mappings": [`); err != nil {
		return err
	}
	list, turns := export.NewList(w, "  "), newTurns(xs)
	err := eachMapping(xs, l, turns, func(_ *export.Call, m outMapping) error { return list.Add(m) })
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n]}\n")
	return err
}

func writeFolder(root *os.Root, xs []harness.Exchange, l *export.Losses) error {
	for _, dir := range []string{mappingsFolder, filesFolder} {
		if err := root.Mkdir(dir, 0o777); err != nil {
			return err
		}
	}
	return eachMapping(xs, l, newTurns(xs), func(c *export.Call, m outMapping) error {
		name := export.FileName(c.ID + "-" + m.Name)
		if len(c.Got.Body) > 0 && m.Response.Fault == "" {
			m.Response.Body, m.Response.Base64, m.Response.File = "", "", name+extensionOf(c.Got.Media)
			if err := root.WriteFile(filesFolder+"/"+m.Response.File, c.Got.Body, 0o666); err != nil {
				return err
			}
		}
		b, err := export.JSON(m, "")
		if err != nil {
			return err
		}
		return root.WriteFile(mappingsFolder+"/"+name+".json", append(b, '\n'), 0o666)
	})
}

// extensions of body files by what their media type holds.
var extensions = []struct{ media, extension string }{
	{"json", ".json"}, {"xml", ".xml"}, {"html", ".html"}, {"csv", ".csv"}, {"text/", ".txt"},
}

func extensionOf(media string) string {
	for _, e := range extensions {
		if strings.Contains(media, e.media) {
			return e.extension
		}
	}
	return ".bin"
}

// faults that WireMock can play.
var faults = map[string]string{harness.FaultReset: "CONNECTION_RESET_BY_PEER", harness.FaultTruncated: "MALFORMED_RESPONSE_CHUNK"}

func eachMapping(xs []harness.Exchange, l *export.Losses, turns *turns, put func(*export.Call, outMapping) error) error {
	for _, x := range xs {
		c, err := export.Take(x, l)
		if err != nil {
			return err
		}
		m := outMapping{
			ID: idOf(c.ID), Name: c.Method + " " + c.Target, Request: outRequest{Method: c.Method, URL: c.Target, Body: patternsOf(c.Sent)},
			Metadata: outMetadata{origin{Host: c.Host, Session: c.Session}},
		}
		if !c.At.IsZero() {
			m.Metadata.Ours.At = c.At.UTC().Format(time.RFC3339Nano)
		}
		if c.Fault != nil {
			if m.Response.Fault = faults[c.Fault.Kind]; m.Response.Fault == "" {
				l.Add(lossFault)
				continue
			}
			l.Add(lossDetail)
		} else {
			m.Response = responseOf(&c, l)
		}
		tellLosses(&c, l)
		turns.take(&m, x)
		if err := put(&c, m); err != nil {
			return err
		}
	}
	return nil
}

func tellLosses(c *export.Call, l *export.Losses) {
	l.Add(export.LossSystems)
	if c.Took > 0 {
		l.Add(export.LossTook)
	}
	if len(c.Sent.Fields) > 0 {
		l.Add(export.LossHead)
	}
	if c.HasPseudo() {
		l.Add(export.LossPseudo)
	}
	if !c.Got.IsGrouped() {
		l.Add(export.LossFields)
	}
}

// patternsOf match a body: text exactly, anything else byte for byte.
func patternsOf(h export.Half) []map[string]any {
	switch {
	case len(h.Body) == 0:
		return nil
	case h.IsText && !h.Packed:
		return []map[string]any{{"equalTo": h.Text}}
	}
	return []map[string]any{{"binaryEqualTo": h.Base64()}}
}

func responseOf(c *export.Call, l *export.Losses) outResponse {
	r := outResponse{Status: c.Status(), Headers: map[string]any{}}
	for name, values := range c.Got.Grouped() {
		if name == "Transfer-Encoding" || name == "Content-Length" && c.Method != http.MethodHead {
			l.Add(export.LossFraming)
			continue
		}
		if r.Headers[name] = values; len(values) == 1 {
			r.Headers[name] = values[0]
		}
	}
	if c.Got.IsText && !c.Got.Packed {
		r.Body = c.Got.Text
	} else {
		r.Base64 = c.Got.Base64()
	}
	return r
}

// idOf is a UUID made of the ID of an exchange (RFC 9562, version 8).
func idOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// turns counts calls that are alike: the same method, URL and body.
type turns struct{ all, taken map[string]int }

func newTurns(xs []harness.Exchange) *turns {
	t := &turns{map[string]int{}, map[string]int{}}
	for _, x := range xs {
		if x.Fault == nil || faults[x.Fault.Kind] != "" {
			t.all[likeness(x)]++
		}
	}
	return t
}

func likeness(x harness.Exchange) string {
	return x.Request.Head.Get(harness.FieldMethod) + " " + x.Request.Head.Get(harness.FieldPath) + " " + x.Request.Body.Digest()
}

// take gives a mapping its turn, when there are several for the same call. The last one keeps answering.
func (t *turns) take(m *outMapping, x harness.Exchange) {
	key := likeness(x)
	t.taken[key]++
	n, of := t.taken[key], t.all[key]
	if of < 2 {
		return
	}
	m.Scenario, m.Required = m.Name+" "+idOf(key)[:8], "Started"
	if n > 1 {
		m.Required = strconv.Itoa(n)
	}
	if n < of {
		m.New = strconv.Itoa(n + 1)
	}
}
