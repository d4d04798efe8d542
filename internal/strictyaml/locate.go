package strictyaml

import (
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// A cursor remembers where a column of a line lies in bytes. Tokens come almost
// in order, so that moving from the last one keeps a file of a single long line
// from costing time in square.
type cursor struct {
	line, column, at int
}

// offset returns the byte offset of a column, in runes from one, of a line.
func (f *file) offset(line, column int) int {
	if f.cursor.line != line {
		f.cursor = cursor{line: line, column: 1}
	}
	text := f.lines[line-1]
	f.cursor.at = stepRunes(text, f.cursor.at, column-f.cursor.column)
	f.cursor.column = column
	if f.cursor.at == len(text) { // The column may lie beyond the end.
		at := f.cursor.at
		f.cursor = cursor{}
		return at
	}
	return f.cursor.at
}

// locate returns where a token begins. The lexer counts columns back from the
// end of plain text, and is off where blanks follow it; what stands in the line
// decides, looked for in the neighbourhood.
func (f *file) locate(t *token.Token) (line, column int) {
	const near = 4096
	line, column = max(t.Position.Line, 1), max(t.Position.Column, 1)
	if line > len(f.lines) {
		return line, column
	}
	text, begins := f.lines[line-1], beginning(t)
	at := f.offset(line, column)
	if begins == "" || strings.HasPrefix(text[at:], begins) {
		return line, column
	}
	from, to := max(at-near, 0), min(at+near, len(text))
	if i := strings.LastIndex(text[from:min(at+len(begins)-1, len(text))], begins); i >= 0 {
		return line, column - utf8.RuneCountInString(text[from+i:at])
	}
	if i := strings.Index(text[at:to], begins); i >= 0 {
		return line, column + utf8.RuneCountInString(text[at:at+i])
	}
	return line, column
}

// beginning returns the text that must stand where a token begins: its quote, or
// its first line.
func beginning(t *token.Token) string {
	switch t.Type {
	case token.SingleQuoteType:
		return "'"
	case token.DoubleQuoteType:
		return `"`
	case token.ImplicitNullType:
		return ""
	default:
		first, _, _ := strings.Cut(strings.TrimLeft(t.Origin, " \t\n"), "\n")
		return strings.TrimRight(first, " \t")
	}
}
