package ldap

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// passwords are the attributes that hold one, or what was made of one.
var passwords = []string{
	"userPassword", "unicodePwd", "authPassword", "dBCSPwd", "lmPwdHistory", "ntPwdHistory", "supplementalCredentials",
	"sambaNTPassword", "sambaLMPassword", "sambaPasswordHistory", "krbPrincipalKey", "pwdHistory", "ipaNTHash", "userPKCS12",
	"olcRootPW",
}

// isPassword reports whether an attribute holds a password. Options behind a semicolon do not count.
func isPassword(attribute string) bool {
	name, _, _ := strings.Cut(attribute, ";")
	return slices.ContainsFunc(passwords, func(p string) bool { return strings.EqualFold(p, name) })
}

// isText reports whether a value can stand as text: UTF-8 without control characters, but for line ends and tabs.
func isText(value []byte) bool {
	return utf8.Valid(value) && !slices.ContainsFunc(value, func(c byte) bool { return c < ' ' && c != '\n' && c != '\r' && c != '\t' })
}

// writeText appends a text of JSON.
func writeText(to []byte, text string) []byte {
	quoted, _ := json.Marshal(strings.ToValidUTF8(text, "\ufffd")) //nolint:errcheck // a text can be written
	return append(to, quoted...)
}

// writeValue appends a value of an attribute.
func writeValue(to []byte, attribute string, value []byte) []byte {
	switch {
	case isPassword(attribute):
		return append(to, `{"withheld":true}`...)
	case isText(value):
		return writeText(to, string(value))
	}
	return append(base64.StdEncoding.AppendEncode(append(to, `{"base64":"`...), value), `"}`...)
}

// writeAttribute appends an attribute and its values as a member of an object. An error of theirs goes to err.
func writeAttribute(to []byte, s *elements, err *error) []byte {
	name := s.text()
	to = append(writeText(to, name), ":["...)
	set := s.want(tagSet).inside()
	for first := true; set.more(); first = false {
		if !first {
			to = append(to, ',')
		}
		to = writeValue(to, name, set.want(tagOctets).content)
	}
	*err = firstOf(*err, s.err, set.err)
	return append(to, ']')
}

// writeAttributes appends the attributes of a list as members of an object.
func writeAttributes(to []byte, list *elements) []byte {
	for list.more() {
		if to[len(to)-1] != '{' {
			to = append(to, ',')
		}
		to = writeAttribute(to, list.want(tagSequence).inside(), &list.err)
	}
	return to
}
