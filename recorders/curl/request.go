package curl

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// request is what the options of a command ask for.
type request struct {
	urls      []string
	verb      string
	fields    harness.Head
	removed   []string // fields that are not to be sent
	data      []byte
	hasData   bool
	json      bool
	get, peek bool // --get, --head
	proto     string
	elsewhere bool // the body is not in the command
	upload    bool
}

// option is one option of curl.
type option struct {
	takes bool // a value
	set   func(q *request, value string)
}

func header(name string) func(*request, string) {
	return func(q *request, v string) { q.fields = append(q.fields, harness.Field{Name: name, Value: v}) }
}

func version(proto string) func(*request, string) {
	return func(q *request, _ string) { q.proto = proto }
}

// options are those that change the request. Every other long one, and the letters of quiet, are passed over.
var options = map[string]option{
	"url":            {true, func(q *request, v string) { q.urls = append(q.urls, v) }},
	"request":        {true, func(q *request, v string) { q.verb = v }},
	"header":         {true, (*request).header},
	"data":           {true, (*request).form},
	"data-ascii":     {true, (*request).form},
	"data-binary":    {true, (*request).form},
	"data-raw":       {true, (*request).raw},
	"data-urlencode": {true, (*request).encoded},
	"json":           {true, func(q *request, v string) { q.form(v); q.json = true }},
	"form":           {true, func(q *request, _ string) { q.hasData, q.elsewhere = true, true }},
	"form-string":    {true, func(q *request, _ string) { q.hasData, q.elsewhere = true, true }},
	"upload-file":    {true, func(q *request, _ string) { q.upload, q.elsewhere = true, true }},
	"get":            {false, func(q *request, _ string) { q.get = true }},
	"head":           {false, func(q *request, _ string) { q.peek = true }},
	"user-agent":     {true, header("User-Agent")},
	"referer":        {true, header("Referer")},
	"range":          {true, func(q *request, v string) { header("Range")(q, "bytes="+v) }},
	"cookie":         {true, (*request).cookie},
	"user": {true, func(q *request, v string) {
		header("Authorization")(q, "Basic "+base64.StdEncoding.EncodeToString([]byte(v)))
	}},
	"oauth2-bearer": {true, func(q *request, v string) { header("Authorization")(q, "Bearer "+v) }},
	"compressed":    {false, func(q *request, _ string) { header("Accept-Encoding")(q, "deflate, gzip, br, zstd") }},
	"http1.0":       {false, version("HTTP/1.0")},
	"http1.1":       {false, version("HTTP/1.1")},
	"http2":         {false, version("HTTP/2.0")},
	"http3":         {false, version("HTTP/3")},
}

// letters are the short names of options.
var letters = map[byte]string{
	'X': "request", 'H': "header", 'd': "data", 'F': "form", 'T': "upload-file", 'G': "get", 'I': "head", 'A': "user-agent", 'e': "referer", 'b': "cookie", 'u': "user",
	'r': "range", '0': "http1.0",
}

// Options that say nothing about the request: letters, and long names that take a value.
const (
	quietLetters   = "sSkvifgLnNOJ#aqBjZMRp46"
	quietWithValue = "owxmcKEDCQyYPUzht"
)

var quietLong = strings.Fields("output write-out proxy max-time connect-timeout cookie-jar cacert capath cert cert-type key key-type pass config dump-header resolve connect-to interface " +
	"retry retry-delay retry-max-time limit-rate max-redirs ciphers tls-max tls13-ciphers proxy-user proxy-header noproxy stderr trace trace-ascii socks5 socks5-hostname speed-limit speed-time " +
	"unix-socket max-filesize keepalive-time dns-servers doh-url aws-sigv4 output-dir rate proto proto-default create-file-mode expect100-timeout local-port continue-at time-cond parallel-max")

// parse reads the words behind the name of the program.
func parse(words []string) (*request, error) {
	q := &request{}
	for i := 0; i < len(words); i++ {
		w := words[i]
		var err error
		switch {
		case strings.HasPrefix(w, "--") && len(w) > 2:
			i, err = q.long(words, i)
		case strings.HasPrefix(w, "-") && len(w) > 1:
			i, err = q.short(words, i)
		default:
			q.urls = append(q.urls, w)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(q.urls) == 0 {
		return nil, fmt.Errorf("the command names no URL")
	}
	return q, nil
}

// long reads --name, with its value behind it where it takes one.
func (q *request) long(words []string, i int) (int, error) {
	name, value, joined := strings.Cut(strings.TrimPrefix(words[i], "--"), "=")
	o, known := options[name]
	if !o.takes && !slices.Contains(quietLong, name) || joined {
		if known {
			o.set(q, value)
		}
		return i, nil
	}
	if i+1 == len(words) {
		return i, fmt.Errorf("option --%s has no value", name)
	}
	if known {
		o.set(q, words[i+1])
	}
	return i + 1, nil
}

// short reads letters: those that take no value may stand together, and a value may follow its letter at once.
func (q *request) short(words []string, i int) (int, error) {
	for rest := words[i][1:]; rest != ""; rest = rest[1:] {
		o, known := options[letters[rest[0]]]
		takes := known && o.takes || !known && strings.IndexByte(quietWithValue, rest[0]) >= 0
		switch {
		case !known && !takes && strings.IndexByte(quietLetters, rest[0]) < 0:
			return i, fmt.Errorf("option -%c is not known", rest[0])
		case !takes:
			if known {
				o.set(q, "")
			}
			continue
		}
		value := rest[1:]
		if value == "" {
			if i++; i == len(words) {
				return i, fmt.Errorf("option -%c has no value", rest[0])
			}
			value = words[i]
		}
		if known {
			o.set(q, value)
		}
		break
	}
	return i, nil
}

// header reads "Name: value", "Name;" for an empty value and "Name:" for a field that is not sent.
func (q *request) header(v string) {
	name, value, colon := strings.Cut(v, ":")
	value = strings.TrimSpace(value)
	switch {
	case colon && value == "":
		q.removed = append(q.removed, name)
	case colon:
		q.fields = append(q.fields, harness.Field{Name: name, Value: value})
	case strings.HasSuffix(name, ";"):
		q.fields = append(q.fields, harness.Field{Name: strings.TrimSuffix(name, ";")})
	}
}

func (q *request) cookie(v string) {
	if strings.Contains(v, "=") { // else it is the name of a file
		header("Cookie")(q, v)
	}
}

// form adds data as it stands; @ names a file.
func (q *request) form(v string) {
	if strings.HasPrefix(v, "@") {
		q.hasData, q.elsewhere = true, true
		return
	}
	q.raw(v)
}

// raw adds data; several are joined as those of a form.
func (q *request) raw(v string) {
	if q.hasData && !q.json {
		q.data = append(q.data, '&')
	}
	q.hasData = true
	q.data = append(q.data, v...)
}

// encoded adds data whose value is to be encoded.
func (q *request) encoded(v string) {
	name, value, named := strings.Cut(v, "=")
	switch {
	case !named && strings.Contains(v, "@"):
		q.hasData, q.elsewhere = true, true
	case !named || name == "":
		q.raw(url.QueryEscape(strings.TrimPrefix(v, "=")))
	default:
		q.raw(name + "=" + url.QueryEscape(value))
	}
}

// method is the verb that curl uses.
func (q *request) method() string {
	switch {
	case q.verb != "":
		return q.verb
	case q.peek:
		return "HEAD"
	case q.upload:
		return "PUT"
	case q.hasData && !q.get:
		return "POST"
	}
	return "GET"
}

// target is the URL, with http where no scheme is named, and with the data where they belong there.
func (q *request) target(u string) string {
	if !strings.Contains(u, "://") {
		u = "http://" + u
	}
	if q.get && len(q.data) > 0 {
		separator := "?"
		if strings.Contains(u, "?") {
			separator = "&"
		}
		u += separator + string(q.data)
	}
	return u
}

// payload is the body.
func (q *request) payload() []byte {
	if q.get || q.elsewhere {
		return nil
	}
	return bytes.Clone(q.data)
}

// head is the fields of the command and those that curl adds, and whether it added any.
func (q *request) head() (head harness.Head, added bool) {
	head = append(head, q.fields...)
	add := func(name, value string) {
		for _, r := range q.removed {
			if strings.EqualFold(r, name) {
				return
			}
		}
		if !head.Has(name) {
			head, added = append(head, harness.Field{Name: name, Value: value}), true
		}
	}
	media, accept := "application/x-www-form-urlencoded", "*/*"
	if q.json {
		media, accept = "application/json", "application/json"
	}
	add("Accept", accept)
	if q.hasData && !q.get && !q.elsewhere {
		add("Content-Length", strconv.Itoa(len(q.data)))
		add("Content-Type", media)
	}
	return head, added
}
