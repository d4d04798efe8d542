package strictyaml

import (
	"fmt"

	"github.com/goccy/go-yaml/token"
)

var (
	tooDeep     = fmt.Sprintf("the nesting is deeper than %d levels", MaxDepth)
	tooManyKeys = fmt.Sprintf("a mapping holds more than %d keys", MaxKeys)
)

const splitHint = "split the file, or keep bulk data in CSV files"

// bounded checks what the parser must not be given, because it recurses and is
// quadratic in places: too many tokens, nesting too deep, or too many keys in one
// mapping that is written in lines.
func (f *file) bounded(tokens token.Tokens) bool {
	if len(tokens) > maxTokens {
		f.complainLimit(tokens[maxTokens].Position)
		return false
	}
	brackets, dashes, line := 0, 0, 0
	var open indents
	for _, t := range tokens {
		if t.Position.Line != line {
			dashes, line = 0, t.Position.Line
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			brackets++
		case token.MappingEndType, token.SequenceEndType:
			brackets--
		case token.SequenceEntryType:
			dashes++
			open.leave(t.Position.Column)
		case token.MappingValueType:
			if brackets == 0 && t.Prev != nil {
				open.key(t.Prev.Position.Column)
			}
		default:
		}
		message, hint := "", ""
		switch {
		case brackets > MaxDepth || dashes > MaxDepth || len(open) > MaxDepth:
			message = tooDeep
		case len(open) > 0 && open[len(open)-1].keys > MaxKeys:
			message, hint = tooManyKeys, splitHint
		default:
			continue
		}
		f.complain(t.Position.Line, t.Position.Column, "", message, hint)
		return false
	}
	return true
}

// indents holds the mappings written in lines that are open at a token, outermost
// first: the column their keys stand in, and how many there were.
type indents []struct{ column, keys int }

// leave closes the mappings that are indented more than a column.
func (in *indents) leave(column int) {
	for len(*in) > 0 && (*in)[len(*in)-1].column > column {
		*in = (*in)[:len(*in)-1]
	}
}

// key counts a key that stands in a column.
func (in *indents) key(column int) {
	in.leave(column)
	if last := len(*in) - 1; last >= 0 && (*in)[last].column == column {
		(*in)[last].keys++
		return
	}
	*in = append(*in, struct{ column, keys int }{column, 1})
}

func (f *file) complainLimit(at *token.Position) {
	f.complain(at.Line, at.Column, "", fmt.Sprintf("the file holds more than %d values", MaxNodes), splitHint)
}
