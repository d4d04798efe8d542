package series

import "fmt"

// Error says what is wrong in a file, where, and how to mend it.
type Error struct {
	File   string
	Line   int // from 1; 0 where the whole file is meant
	Column int // in bytes from 1; 0 where the whole line is meant
	What   string
	Err    error // what caused it; may be nil
}

// Error renders file, line, column and what to do.
func (e *Error) Error() string {
	switch {
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.File, e.What)
	case e.Column == 0:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.What)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.What)
}

// Unwrap returns what caused the error.
func (e *Error) Unwrap() error { return e.Err }
