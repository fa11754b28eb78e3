package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"github.com/rehearse-dev/rehearse/harness"
)

var (
	//go:embed page.html
	pageSource string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string

	pageTemplate = template.Must(template.New("page").Parse(pageSource))
)

// page is what the template shows.
type page struct {
	*view
	Style  template.HTML // the whole style element; the digest in Policy is of its content
	Script template.HTML // the whole script element, likewise
	Policy string        // the content security policy
	Page   string        // heading of the browser's window
}

// policyFor forbids everything but the one style and the one script: a value that got past the escaping still does
// nothing.
func policyFor(style, script string) string {
	return "default-src 'none'; style-src " + sourceOf(style) + "; script-src " + sourceOf(script) + "; base-uri 'none'; form-action 'none'"
}

// sourceOf names a text in a policy by its digest.
func sourceOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// writeHTML writes one page that needs nothing else: no font, no image. Its script only moves between findings by keys;
// everything is there without it.
func writeHTML(w io.Writer, r *harness.Report, o Options) error {
	v := newView(r, bounds{value: 200, differences: 200, list: 50, logLines: 200, drawings: true})
	p := page{
		view: v, Style: template.HTML("<style>" + pageStyle + "</style>"), Policy: policyFor(pageStyle, pageScript),
		Script: template.HTML("<script>" + pageScript + "</script>"),
		Page:   join(" · ", v.Headline, cmp.Or(v.Title, v.Integration)),
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("write html report: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// Style is the style of pages as an element, and how a content security policy names it, for pages beside reports.
func Style() (element template.HTML, source string) {
	return template.HTML("<style>" + pageStyle + "</style>"), sourceOf(pageStyle)
}
