package strictyaml

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// A file is the text of one document with everything that is wrong in it.
type file struct {
	name       string
	lines      []string
	complaints []*Complaint
	// settled holds the paths that decoding has already complained about, so
	// that checks of meaning do not complain about the same value again.
	settled map[string]bool
	cursor  cursor
}

// complain adds a complaint at a position.
func (f *file) complain(line, column int, path, message, hint string) *Complaint {
	c := &Complaint{File: f.name, Line: line, Column: column, Path: path, Message: message, Hint: hint}
	f.complaints = append(f.complaints, c)
	return c
}

// accept checks that data is text that a YAML file may consist of, keeps its
// lines, and returns it with all line ends made the same.
func (f *file) accept(data []byte) (text string, ok bool) {
	if len(data) > MaxBytes {
		f.complain(1, 1, "", "the file is larger than 1 MiB", splitHint)
		return "", false
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	text = string(data)
	f.lines = strings.Split(strings.ToValidUTF8(text, "\uFFFD"), "\n")

	line, column := 1, 1
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRuneInString(text[at:])
		switch {
		case r == utf8.RuneError && size == 1:
			hint := "save the file as UTF-8"
			if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
				hint = "it looks like UTF-16; save the file as UTF-8"
			}
			f.complain(line, column, "", "the file is not UTF-8 from here on", hint)
			return "", false
		case !printable(r):
			f.complain(line, column, "", "a control character may not stand in a YAML file",
				`remove it; inside double quotes it can be written as an escape such as "\u001b"`)
			return "", false
		case r == '\n':
			line, column = line+1, 1
		default:
			column++
		}
		at += size
	}
	if strings.TrimSpace(text) == "" {
		f.complain(1, 1, "", "the file is empty", "write what it is to say, or name another file")
		return "", false
	}
	return text, true
}

// printable says whether YAML 1.2 (section 5.1, c-printable) lets a character
// stand in a file as it is.
func printable(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == 0x85:
		return true
	case r < 0x20, r >= 0x7f && r < 0xa0:
		return false
	case r == 0xfeff, r == 0xfffe, r == 0xffff:
		return false
	default:
		return true
	}
}
