package curl

import (
	"errors"
	"iter"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

// command is the words of one command line.
type command struct {
	line      int // where it begins, from 1
	words     []string
	variables bool
}

// program is the name of what is run, without folder and extension.
func (c command) program() string {
	if len(c.words) > 1 && c.words[0] == "$" { // a prompt
		return command{words: c.words[1:]}.program()
	}
	return strings.TrimSuffix(path.Base(strings.ReplaceAll(c.words[0], `\`, "/")), ".exe")
}

// lexer cuts text into words, by the rules of a POSIX shell or of cmd.
type lexer struct {
	text    string
	at      int
	line    int
	windows bool
	word    strings.Builder
	inWord  bool

	redirects bool // the next word names where output goes, or input comes from
	now       command
}

// commands yields the commands of a file. An error ends them; its command tells the line.
func commands(text string) iter.Seq2[command, error] {
	return func(yield func(command, error) bool) {
		l := &lexer{text: text, line: 1, windows: isWindows(text)}
		for l.at < len(l.text) {
			ended, err := l.step()
			if err != nil {
				yield(command{line: l.now.line}, err)
				return
			}
			if ended && !l.yield(yield) {
				return
			}
		}
		l.endWord()
		l.yield(yield)
	}
}

// isWindows reports whether the text is quoted for cmd: quotes behind carets, or lines that go on behind one.
func isWindows(text string) bool {
	return strings.Contains(text, `^"`) || strings.Contains(text, "^\n") || strings.Contains(text, "^\r\n")
}

// yield hands out the command that ended, if it has words.
func (l *lexer) yield(yield func(command, error) bool) bool {
	c := l.now
	l.now = command{}
	if len(c.words) > 1 && c.words[0] == "$" {
		c.words = c.words[1:]
	}
	return len(c.words) == 0 || yield(c, nil)
}

func (l *lexer) begin() {
	if l.now.line == 0 {
		l.now.line = l.line
	}
	l.inWord = true
}

func (l *lexer) add(s string) {
	l.begin()
	l.word.WriteString(s)
}

func (l *lexer) endWord() {
	switch {
	case !l.inWord:
		return
	case l.redirects:
		l.redirects, l.inWord = false, false
		l.word.Reset()
	default:
		l.now.words = append(l.now.words, l.word.String())
		l.word.Reset()
		l.inWord = false
	}
}

// rest is what is still to be read.
func (l *lexer) rest() string { return l.text[l.at:] }

// skip moves on and counts lines.
func (l *lexer) skip(n int) {
	l.line += strings.Count(l.text[l.at:l.at+n], "\n")
	l.at += n
}

// step reads one piece and reports whether a command ended.
func (l *lexer) step() (ended bool, err error) {
	rest := l.rest()
	switch c := rest[0]; {
	case c == '\n' || c == ';' && !l.windows || c == '|' || c == '&':
		l.endWord()
		l.skip(1)
		return true, nil
	case c == '>' || c == '<':
		if w := l.word.String(); w == "1" || w == "2" {
			l.word.Reset()
			l.inWord = false
		}
		l.endWord()
		l.redirects = true
		l.skip(1)
	case c == ' ' || c == '\t' || c == '\r':
		l.endWord()
		l.skip(1)
	case c == '#' && !l.inWord && !l.windows, !l.inWord && len(l.now.words) == 0 && isRemark(rest):
		end := strings.IndexByte(rest+"\n", '\n')
		l.skip(min(end, len(rest)))
	case l.windows:
		return false, l.windowsPiece(rest)
	default:
		return false, l.posixPiece(rest)
	}
	return false, nil
}

// isRemark reports whether a line of cmd holds a remark.
func isRemark(line string) bool {
	lower := strings.ToLower(line[:min(len(line), 4)])
	return strings.HasPrefix(lower, "::") || lower == "rem "
}

// posixPiece reads a part of a word by POSIX, section 2.2 of its shell, and $'…'.
func (l *lexer) posixPiece(rest string) error {
	switch {
	case strings.HasPrefix(rest, "\\\n"), strings.HasPrefix(rest, "\\\r\n"):
		l.skip(strings.IndexByte(rest, '\n') + 1)
	case rest[0] == '\\' && len(rest) > 1:
		_, size := utf8.DecodeRuneInString(rest[1:])
		l.add(rest[1 : 1+size])
		l.skip(1 + size)
	case rest[0] == '\'':
		end := strings.IndexByte(rest[1:], '\'')
		if end < 0 {
			return l.open("'")
		}
		l.add(rest[1 : 1+end])
		l.skip(end + 2)
	case strings.HasPrefix(rest, "$'"):
		return l.ansi(rest)
	case rest[0] == '"':
		return l.double(rest)
	default:
		l.now.variables = l.now.variables || rest[0] == '$' || rest[0] == '`'
		l.add(rest[:1])
		l.skip(1)
	}
	return nil
}

func (l *lexer) open(quote string) error {
	l.begin()
	return errors.New("the quote " + quote + " is not closed")
}

// double reads text in double quotes.
func (l *lexer) double(rest string) error {
	l.begin()
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			l.skip(i + 1)
			return nil
		case c == '\\' && i+1 < len(rest) && strings.IndexByte("\\\"$`\n", rest[i+1]) >= 0:
			i++
			if rest[i] != '\n' {
				l.word.WriteByte(rest[i])
			}
		default:
			l.now.variables = l.now.variables || c == '$' || c == '`'
			l.word.WriteByte(c)
		}
	}
	return l.open(`"`)
}

// simpleEscapes of $'…'.
var simpleEscapes = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", 'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v", 'e': "\x1b", '\\': `\`, '\'': "'", '"': `"`, '?': "?"}

// numberEscapes of $'…': how many digits follow at most, and whether they name a character or a byte.
var numberEscapes = map[byte]struct {
	digits    int
	character bool
}{'x': {2, false}, 'u': {4, true}, 'U': {8, true}}

// ansi reads text in $'…', as browsers write what holds quotes or characters beyond ASCII.
func (l *lexer) ansi(rest string) error {
	l.begin()
	for i := len("$'"); i < len(rest); i++ {
		c := rest[i]
		switch {
		case c == '\'':
			l.skip(i + 1)
			return nil
		case c != '\\' || i+1 == len(rest):
			l.word.WriteByte(c)
			continue
		}
		i++
		kind, numbered := numberEscapes[rest[i]]
		simple, known := simpleEscapes[rest[i]]
		digits := hexDigits(rest[i+1:], kind.digits)
		n, _ := strconv.ParseUint(digits, 16, 32)
		switch {
		case known:
			l.word.WriteString(simple)
		case numbered && digits != "" && kind.character:
			l.word.WriteRune(rune(n))
			i += len(digits)
		case numbered && digits != "":
			l.word.WriteByte(byte(n))
			i += len(digits)
		default:
			l.word.WriteString(rest[i-1 : i+1])
		}
	}
	return l.open("$'")
}

func hexDigits(s string, most int) string {
	n := 0
	for n < len(s) && n < most && strings.IndexByte("0123456789abcdefABCDEF", s[n]) >= 0 {
		n++
	}
	return s[:n]
}

// windowsPiece reads a part of a word: a caret takes the next character as it is (cmd), then quotes and backslashes are
// read as programs of Windows do.
func (l *lexer) windowsPiece(rest string) error {
	c, n := caret(rest)
	switch {
	case c == "\n":
		l.skip(n)
	case c == `"`:
		return l.windowsQuote(rest, n)
	default:
		l.now.variables = l.now.variables || rest[0] == '%'
		l.add(c)
		l.skip(n)
	}
	return nil
}

// caret is the next character behind a caret that may stand before it, and how far both reach. A caret at the end of a
// line joins it with the next one.
func caret(s string) (string, int) {
	if s[0] != '^' || len(s) == 1 {
		_, size := utf8.DecodeRuneInString(s)
		return s[:size], size
	}
	for _, end := range []string{"^\r\n", "^\n"} {
		if strings.HasPrefix(s, end) {
			return "\n", len(end)
		}
	}
	_, size := utf8.DecodeRuneInString(s[1:])
	return s[1 : 1+size], 1 + size
}

// windowsQuote reads to the closing quote. Where the opening one stood behind a caret, carets escape inside, too.
func (l *lexer) windowsQuote(rest string, n int) error {
	l.begin()
	escaped := n > 1
	next := func(i int) (string, int) {
		if escaped {
			return caret(rest[i:])
		}
		return rest[i : i+1], 1
	}
	for i := n; i < len(rest); {
		c, size := next(i)
		i += size
		if c == `\` && i < len(rest) {
			if after, size := next(i); after == `"` || after == `\` && escaped {
				l.word.WriteString(after)
				i += size
				continue
			}
		}
		if c == `"` {
			l.skip(i)
			return nil
		}
		l.word.WriteString(c)
	}
	return l.open(`"`)
}
