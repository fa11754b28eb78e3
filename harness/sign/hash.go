package sign

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what senders use
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Hash says how a field of the head holds a keyed hash of the message (RFC 2104), such as a webhook has.
type Hash struct {
	Head      string // name of the field, letter case aside
	Algorithm string // one of Algorithms
	Form      string // of the value: {hex} or {base64} once, and {time} in seconds since 1970
	Over      string // what is hashed: {body}, {time}, {method}, {path}, {head.NAME}
	Clock     string // optional: the field that holds the time in seconds, where the value does not
}

var macs = map[string]func() hash.Hash{"hmac-sha1": sha1.New, "hmac-sha256": sha256.New, "hmac-sha512": sha512.New}

// Algorithms are the names of the keyed hashes.
func Algorithms() []string { return slices.Sorted(maps.Keys(macs)) }

// Usual are the signatures of well-known senders, as their documentation for receivers has them.
var Usual = []Hash{
	{Head: "X-Hub-Signature-256", Algorithm: "hmac-sha256", Form: "sha256={hex}", Over: "{body}"}, // GitHub, Meta
	{Head: "X-Hub-Signature", Algorithm: "hmac-sha1", Form: "sha1={hex}", Over: "{body}"},
	{Head: "Stripe-Signature", Algorithm: "hmac-sha256", Form: "t={time},v1={hex}", Over: "{time}.{body}"},
	{Head: "X-Shopify-Hmac-SHA256", Algorithm: "hmac-sha256", Form: "{base64}", Over: "{body}"},
	{Head: "X-Slack-Signature", Algorithm: "hmac-sha256", Form: "v0={hex}", Over: "v0:{head.X-Slack-Request-Timestamp}:{body}", Clock: "X-Slack-Request-Timestamp"},
	{Head: "X-Zm-Signature", Algorithm: "hmac-sha256", Form: "v0={hex}", Over: "v0:{head.X-Zm-Request-Timestamp}:{body}", Clock: "X-Zm-Request-Timestamp"},            // Zoom
	{Head: "Webhook-Signature", Algorithm: "hmac-sha256", Form: "v1,{base64}", Over: "{head.Webhook-Id}.{head.Webhook-Timestamp}.{body}", Clock: "Webhook-Timestamp"}, // Standard Webhooks
	{Head: "Svix-Signature", Algorithm: "hmac-sha256", Form: "v1,{base64}", Over: "{head.Svix-Id}.{head.Svix-Timestamp}.{body}", Clock: "Svix-Timestamp"},
	{Head: "X-Dropbox-Signature", Algorithm: "hmac-sha256", Form: "{hex}", Over: "{body}"},
	{Head: "Linear-Signature", Algorithm: "hmac-sha256", Form: "{hex}", Over: "{body}"},
	{Head: "X-Hook-Signature", Algorithm: "hmac-sha256", Form: "{hex}", Over: "{body}"}, // Asana
}

// UsualOf is the row of Usual for a field.
func UsualOf(head string) (Hash, bool) {
	i := slices.IndexFunc(Usual, func(h Hash) bool { return strings.EqualFold(h.Head, head) })
	if i < 0 {
		return Hash{}, false
	}
	return Usual[i], true
}

// blank is a part of a form that is filled in.
var blank = regexp.MustCompile(`\{[^{}]*\}`)

// blanks are the parts of forms and what they match.
var blanks = map[string]string{"{hex}": `[0-9A-Fa-f]+`, "{base64}": `[A-Za-z0-9+/]+=*`, "{time}": `(?P<time>\d+)`}

// hashed are the parts of what is hashed, beside fields of the head.
var hashed = []string{"{body}", "{method}", "{path}", "{time}"}

// Check says what is wrong with the fields, if something is. An unknown word comes as an *UnknownWord.
func (h Hash) Check() error {
	switch {
	case h.Head == "" || strings.HasPrefix(h.Head, ":"):
		return errors.New("signature needs head:, the name of a header field")
	case h.Algorithm == "" || h.Form == "" || h.Over == "":
		return fmt.Errorf("signature in %s needs algorithm:, form: and over:", h.Head)
	case macs[h.Algorithm] == nil:
		return &UnknownWord{"algorithm is", strconv.Quote(h.Algorithm), Algorithms()}
	case strings.Contains(h.Form, "{hex}") == strings.Contains(h.Form, "{base64}"):
		return errors.New("form: needs {hex} or {base64} once")
	}
	for _, b := range blank.FindAllString(h.Form, -1) {
		if blanks[b] == "" {
			return &UnknownWord{"form: holds", b, slices.Sorted(maps.Keys(blanks))}
		}
	}
	for _, b := range blank.FindAllString(h.Over, -1) {
		if !slices.Contains(hashed, b) && !strings.HasPrefix(b, "{head.") {
			return &UnknownWord{"over: holds", b, hashed}
		}
	}
	if strings.Count(h.Form, "{time}") > 1 || strings.Contains(h.Over, "{time}") && !strings.Contains(h.Form, "{time}") {
		return errors.New("over: takes {time} from form:, which has it not, or twice")
	}
	return nil
}

// UnknownWord is a word that is none of a list.
type UnknownWord struct {
	Where, Word string
	Known       []string
}

func (e *UnknownWord) Error() string {
	return fmt.Sprintf("%s %s: want one of %s", e.Where, e.Word, strings.Join(e.Known, ", "))
}

// expression matches a value of the form; what a sender puts behind it is left out, such as signatures of older secrets.
func (h Hash) expression() *regexp.Regexp {
	var b strings.Builder
	done := 0
	for _, at := range blank.FindAllStringIndex(h.Form, -1) {
		b.WriteString(regexp.QuoteMeta(h.Form[done:at[0]]) + blanks[h.Form[at[0]:at[1]]])
		done = at[1]
	}
	return regexp.MustCompile(`^` + b.String() + regexp.QuoteMeta(h.Form[done:]) + `(?:[, ].*)?$`)
}

// Value is the signature of a message in the form of the old one and at its time. It is false when that has another form.
func (h Hash) Value(secret, was string, m harness.Message, body []byte) (string, bool) {
	form := h.expression()
	found := form.FindStringSubmatch(was)
	if found == nil {
		return "", false
	}
	at := ""
	if i := form.SubexpIndex("time"); i >= 0 {
		at = found[i]
	}
	return h.value(secret, at, m, body), true
}

func (h Hash) value(secret, at string, m harness.Message, body []byte) string {
	mac := hmac.New(macs[h.Algorithm], keyOf(secret))
	mac.Write([]byte(blank.ReplaceAllStringFunc(h.Over, func(b string) string {
		switch name, isHead := strings.CutPrefix(strings.Trim(b, "{}"), "head."); {
		case isHead:
			return m.Head.Get(name)
		case name == "body":
			return string(body)
		case name == "time":
			return at
		}
		return m.Head.Get(":" + strings.Trim(b, "{}"))
	})))
	sum := mac.Sum(nil)
	return strings.NewReplacer("{hex}", hex.EncodeToString(sum), "{base64}", base64.StdEncoding.EncodeToString(sum), "{time}", at).Replace(h.Form)
}

// keyOf is a secret as bytes. Those of Standard Webhooks are written in base64 behind a word that says so.
func keyOf(secret string) []byte {
	if encoded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if key, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return key
		}
	}
	return []byte(secret)
}

// Signer signs messages that have the field in its form, under a secret: the time that the signature covers becomes that
// of the moment.
func (h Hash) Signer(secret string) Signer {
	return func(m *harness.Message, body []byte, at time.Time) (bool, error) {
		if err := h.Check(); err != nil {
			return false, err
		}
		was := m.Head.Get(h.Head)
		if !h.expression().MatchString(was) {
			return false, nil
		}
		now := strconv.FormatInt(at.Unix(), 10)
		if h.Clock != "" && m.Head.Has(h.Clock) {
			m.Head = m.Head.With(h.Clock, now)
		}
		m.Head = m.Head.With(h.Head, h.value(secret, now, *m, body))
		return true, nil
	}
}
