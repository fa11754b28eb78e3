package postman

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/export"
)

// Export writes a collection of format 2.1: a folder for each session, a request for each exchange, and its answer as a
// saved example. Bodies are unpacked.
var Export = export.Format{Extension: ".json", Write: write}

const (
	schemaOf = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

	lossSession departure.Kind = "exchanges: the session is the name of a folder"
	lossAnswer  departure.Kind = "exchanges: ended in a fault; the request has no example"
)

type outItem struct {
	Name     string       `json:"name"`
	Request  outRequest   `json:"request"`
	Examples []outExample `json:"response"`
}

type outPair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type outRequest struct {
	Method string    `json:"method"`
	Header []outPair `json:"header"`
	Body   *outBody  `json:"body,omitempty"`
	URL    outURL    `json:"url"`
}

type outBody struct {
	Mode string `json:"mode"`
	Raw  string `json:"raw"`
}

type outURL struct {
	Raw      string    `json:"raw"`
	Protocol string    `json:"protocol"`
	Host     []string  `json:"host"`
	Port     string    `json:"port,omitempty"`
	Path     []string  `json:"path"`
	Query    []outPair `json:"query,omitempty"`
}

type outExample struct {
	Name    string      `json:"name"`
	Request outRequest  `json:"originalRequest"`
	Status  string      `json:"status"`
	Code    int         `json:"code"`
	Header  []outPair   `json:"header"`
	Body    string      `json:"body"`
	Took    json.Number `json:"responseTime,omitempty"` // milliseconds
	Preview string      `json:"_postman_previewlanguage"`
}

func write(w io.Writer, xs []harness.Exchange, l *export.Losses) error {
	separator := fmt.Sprintf("{\"info\": {\"name\": \"Recording\", \"schema\": %q},\n\"item\": [\n", schemaOf)
	for _, session := range export.Sessions(xs) {
		name, err := export.JSON(session, "")
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s{\"name\": %s, \"item\": [", separator, name); err != nil {
			return err
		}
		separator = ",\n"
		list := export.NewList(w, "  ")
		for _, x := range xs {
			if x.Session != session {
				continue
			}
			c, err := export.Take(x, l)
			if err != nil {
				return err
			}
			if err := writeItem(list, &c, l); err != nil {
				return fmt.Errorf("exchange %s: %w", x.ID, err)
			}
		}
		if _, err := io.WriteString(w, "\n]}"); err != nil {
			return err
		}
	}
	if len(xs) == 0 {
		if _, err := io.WriteString(w, separator); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n]}\n")
	return err
}

func writeItem(list *export.List, c *export.Call, l *export.Losses) error {
	l.Add(export.LossSystems)
	l.Add(lossSession)
	if !c.At.IsZero() {
		l.Add(export.LossTime)
	}
	if c.HasPseudo() {
		l.Add(export.LossPseudo)
	}
	path, _, _ := strings.Cut(c.Target, "?")
	item := outItem{Name: c.Method + " " + path, Request: requestOf(c, l), Examples: []outExample{}}
	if c.Fault != nil {
		l.Add(lossAnswer)
		return list.Add(item)
	}
	example := outExample{
		Name: fmt.Sprint(c.Status()), Request: item.Request, Status: http.StatusText(c.Status()), Code: c.Status(),
		Header: pairsOf(c.Got.Fields), Body: textOf(c.Got, l), Preview: languageOf(c.Got.Media),
	}
	if c.Took > 0 {
		example.Took = json.Number(fmt.Sprint(float64(c.Took) / float64(time.Millisecond)))
	}
	item.Examples = append(item.Examples, example)
	return list.Add(item)
}

func requestOf(c *export.Call, l *export.Losses) outRequest {
	q := outRequest{Method: c.Method, Header: pairsOf(c.Sent.Fields), URL: urlOf(c)}
	if text := textOf(c.Sent, l); text != "" {
		q.Body = &outBody{"raw", text}
	}
	return q
}

// textOf is a body, unpacked; what is no text is left out.
func textOf(h export.Half, l *export.Losses) string {
	switch {
	case !h.IsText:
		l.Add(export.LossBinary)
		return ""
	case h.Packed:
		l.Add(export.LossUnpacked)
	}
	return h.Text
}

func pairsOf(head harness.Head) []outPair {
	pairs := make([]outPair, len(head))
	for i, f := range head {
		pairs[i] = outPair{f.Name, f.Value}
	}
	return pairs
}

func urlOf(c *export.Call) outURL {
	out := outURL{Raw: c.URL(), Protocol: c.Scheme}
	u := url.URL{Host: c.Host}
	out.Host, out.Port = strings.Split(u.Hostname(), "."), u.Port()
	path, query, _ := strings.Cut(c.Target, "?")
	out.Path = strings.Split(strings.TrimPrefix(path, "/"), "/")
	for part := range strings.SplitSeq(query, "&") {
		if part != "" {
			name, value, _ := strings.Cut(part, "=")
			out.Query = append(out.Query, outPair{name, value})
		}
	}
	return out
}

func languageOf(media string) string {
	for _, known := range []string{"json", "xml", "html"} {
		if strings.Contains(media, known) {
			return known
		}
	}
	return "plain"
}
