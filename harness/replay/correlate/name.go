package correlate

import (
	"slices"
	"strings"
)

// role says what the name of a place tells about the value there.
type role uint8

// Roles of places.
const (
	plain role = iota
	idRole
	tokenRole
)

// Last words of names of places that hold identifiers or tokens.
var (
	idWords    = []string{"id", "ids", "uuid", "guid", "identifier", "ref", "reference", "pk", "oid", "key", "handle", "number", "href", "url", "uri", "location", "link", "self", "session", "after", "before", "next", "previous", "continuation", "marker"}
	tokenWords = []string{"token", "tokens", "ticket", "cursor", "nonce", "csrf", "xsrf", "sid", "etag", "match", "authorization", "cookie", "secret", "signature", "challenge", "jwt", "viewstate", "eventvalidation", "verifier"}
)

// endInID are words that end in these letters and say nothing of identifiers.
var endInID = []string{"paid", "valid", "invalid", "void", "grid", "avoid", "hybrid", "unpaid", "prepaid", "bid", "did", "rapid", "solid", "fluid", "liquid", "android", "covid", "medicaid", "aid", "said", "kid", "mid", "raid", "humid", "acid", "avid"}

// roleOf reads the last word of a name.
func roleOf(name string) role {
	words := wordsOf(name)
	if len(words) == 0 {
		return plain
	}
	last := words[len(words)-1]
	switch {
	case slices.Contains(idWords, last):
		return idRole
	case slices.Contains(tokenWords, last), slices.Contains(tokenWords, strings.Join(words, "")), slices.Contains(words, "csrf"), slices.Contains(words, "xsrf"), slices.Contains(words, "token"):
		return tokenRole
	case strings.HasSuffix(last, "token"):
		return tokenRole
	case (strings.HasSuffix(last, "id") || strings.HasSuffix(last, "ids")) && len(last) > 3 && !slices.Contains(endInID, last):
		return idRole
	}
	return plain
}

// wordsOf splits a name where words begin: at marks, at capitals behind small letters. All in lower case.
func wordsOf(name string) []string {
	var words []string
	start := 0
	flush := func(end int) {
		if end > start {
			words = append(words, strings.ToLower(name[start:end]))
		}
	}
	for i := range len(name) {
		c := name[i]
		upper := c >= 'A' && c <= 'Z'
		switch {
		case !isAlnum[c]:
			flush(i)
			start = i + 1
		case upper && i > start && (isLower(name[i-1]) || i+1 < len(name) && isLower(name[i+1]) && name[i-1] >= 'A' && name[i-1] <= 'Z'):
			flush(i)
			start = i
		}
	}
	flush(len(name))
	return words
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

// verbs stand in operations beside what they are about.
var verbs = []string{"get", "create", "update", "delete", "list", "new", "add", "find", "set", "put", "post", "fetch", "remove", "all", "by", "the", "of", "if", "none", "x", "v1", "v2", "v3", "v4", "api", "rest", "json", "xml", "response", "request", "result", "results", "data", "items", "entry", "entries", "records", "content", "payload"}

// thing is what a value names, from the words of a name without its last word when that is one of [idWords], singular:
// customer for customer_id and for customers. It is empty when the name tells nothing.
func thing(name string) string {
	words := wordsOf(name)
	if slices.Contains(tokenWords, strings.Join(words, "")) {
		return ""
	}
	if n := len(words); n > 0 && (slices.Contains(idWords, words[n-1]) || slices.Contains(tokenWords, words[n-1])) {
		words = words[:n-1]
	}
	for i := len(words) - 1; i >= 0; i-- {
		w := words[i]
		if slices.Contains(verbs, w) || isDigits(w) {
			continue
		}
		if len(words) == 1 && !slices.Contains(endInID, w) && len(w) > 3 {
			w = strings.TrimSuffix(strings.TrimSuffix(w, "ids"), "id") // orderid
		}
		return singular(w)
	}
	return ""
}

// singular is the word without the usual endings of English plurals; words that are compared have all gone through it.
func singular(w string) string {
	switch {
	case len(w) > 4 && strings.HasSuffix(w, "ies"):
		return w[:len(w)-3] + "y"
	case len(w) > 4 && (strings.HasSuffix(w, "sses") || strings.HasSuffix(w, "xes") || strings.HasSuffix(w, "ches") || strings.HasSuffix(w, "shes")):
		return w[:len(w)-2]
	case len(w) > 2 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us"):
		return w[:len(w)-1]
	}
	return w
}
