package strictyaml

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// syntaxError is what the parser's errors offer: a message and where.
type syntaxError interface {
	error
	GetMessage() string
	GetToken() *token.Token
}

// parse turns accepted text into a tree, or returns nil after a complaint.
func (f *file) parse(text string) *node {
	// 1. Tokens first: the parser recurses, so depth and number are bounded
	// before it runs.
	tokens, ok := f.tokenize(text)
	if !ok || !f.bounded(tokens) {
		return nil
	}
	refused := f.refuse(tokens)
	if refused > maxRefused {
		return nil
	}

	// 2. The parser stops at its first error.
	parsed, err := protect(func() (*ast.File, error) {
		return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	})
	if err != nil {
		// An anchor in an odd place is a syntax error too; once is enough.
		if refused == 0 {
			f.complainSyntax(err)
		}
		return nil
	}

	// 3. One document makes the tree.
	body := f.onlyDocument(parsed)
	if body == nil {
		return nil
	}
	return f.build(body)
}

// protect turns a panic of the parser, which is not ours, into an error.
func protect[T any](call func() (T, error)) (out T, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the parser stopped: %v", cause)
		}
	}()
	return call()
}

func (f *file) tokenize(text string) (token.Tokens, bool) {
	tokens, err := protect(func() (token.Tokens, error) { return lexer.Tokenize(text), nil })
	if err != nil {
		f.complain(1, 1, "", "this is not YAML: "+err.Error(), "")
		return nil, false
	}
	return tokens, true
}

// refuse complains about the parts of YAML that our files do without.
func (f *file) refuse(tokens token.Tokens) (found int) {
	for _, t := range tokens {
		message, hint := "", ""
		switch t.Type {
		case token.AnchorType:
			message, hint = "anchors (&name) are not accepted", "write the value out where it is needed"
		case token.AliasType:
			message, hint = "aliases (*name) are not accepted", "write the value out; text that begins with * must be quoted"
		case token.MergeKeyType:
			message, hint = "merge keys (<<) are not accepted", "write the keys out"
		case token.TagType:
			message, hint = "tags (!name) are not accepted", "remove it; text is marked by quotes"
		case token.MappingKeyType:
			message, hint = "keys marked by ? are not accepted", "write key: value; text that is a question mark must be quoted"
		case token.DirectiveType:
			message, hint = "directives (%YAML, %TAG) are not accepted", "remove the line"
		default:
			continue
		}
		f.complain(t.Position.Line, t.Position.Column, "", message, hint)
		found++
		if found > maxRefused {
			break
		}
	}
	return found
}

// onlyDocument returns the content of the file's document. Documents without
// content (a file that ends in ---) do not count.
func (f *file) onlyDocument(parsed *ast.File) ast.Node {
	var body ast.Node
	for _, doc := range parsed.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		if body == nil {
			body = doc.Body
			continue
		}
		at := doc.Start
		if at == nil {
			at = doc.Body.GetToken()
		}
		f.complain(at.Position.Line, at.Position.Column, "",
			"a second document begins here, but a file holds one", "move it to a file of its own")
		break
	}
	if body == nil && len(f.complaints) == 0 {
		f.complain(1, 1, "", "the file holds only comments", "")
	}
	return body
}

// complainSyntax reports an error of the parser with what usually causes it.
func (f *file) complainSyntax(err error) {
	var syntax syntaxError
	if !errors.As(err, &syntax) || syntax.GetToken() == nil {
		f.complain(1, 1, "", "this is not YAML: "+err.Error(), "")
		return
	}
	at := syntax.GetToken().Position
	line := min(max(at.Line, 1), len(f.lines))
	message := strings.ReplaceAll(syntax.GetMessage(), "\t", `\t`)
	f.complain(line, max(at.Column, 1), "", "this is not YAML: "+message, f.syntaxHint(message, line))
}

// syntaxHint says what most often lies behind a message of the parser.
func (f *file) syntaxHint(message string, line int) string {
	indent := f.lines[line-1][:len(f.lines[line-1])-len(strings.TrimLeft(f.lines[line-1], " \t"))]
	next := ""
	if line < len(f.lines) {
		next = f.lines[line]
	}
	switch {
	case strings.Contains(indent, "\t"), strings.Contains(message, "cannot start any token") && strings.HasPrefix(next, "\t"):
		return "indent with blanks; YAML takes no tabs"
	case strings.Contains(message, "reserved character"):
		return "quote the text"
	case strings.Contains(message, "mapping value is not allowed"):
		return `check the indentation of this and the next line; text that holds ": " must be quoted`
	case strings.Contains(message, "non-map value"), strings.Contains(message, "unexpected key name"):
		return "check the indentation, and that the key is followed by a colon and a blank"
	case strings.Contains(message, "',' or"), strings.Contains(message, "end token"), strings.Contains(message, "could not find end character"):
		return "something opened before is not closed"
	default:
		return ""
	}
}
