package recording

import (
	"fmt"
	"strings"
)

// Fault classifies what can be wrong with a recording.
type Fault string

// The faults.
const (
	FaultFormat    Fault = "format"    // of no known format, or not of the one that was asked for
	FaultOptions   Fault = "options"   // what was asked of the reader makes no sense
	FaultEmpty     Fault = "empty"     // no line at all, or a header only
	FaultColumn    Fault = "column"    // a column is missing or ambiguous
	FaultRagged    Fault = "ragged"    // a row has more or fewer fields than the header
	FaultTime      Fault = "time"      // not a time, or not of the form of the first row's
	FaultOrder     Fault = "order"     // a row is earlier than the row before it
	FaultGrid      Fault = "grid"      // bins that are not a step apart
	FaultDuplicate Fault = "duplicate" // a second row for one model and bin
	FaultNumber    Fault = "number"    // not a number, negative, not finite, not whole, too large
	FaultModel     Fault = "model"     // a mapping names a model that never occurs
	FaultSize      Fault = "size"      // a line, the file or the number of rows is over its limit
	FaultBroken    Fault = "broken"    // the file breaks off or is damaged
	FaultUnit      Fault = "unit"      // it is not said, or cannot be known, what the values count
	FaultWindow    Fault = "window"    // the scenario lies outside of the recording
	FaultTooMany   Fault = "too-many"  // more requests than a scenario holds
)

// Error tells what is wrong with a recording, where, and how to mend it. Nothing
// of a file that has one is used.
type Error struct {
	Fault Fault
	File  string
	Line  int // from 1; 0 where the fault is not in one line
	What  string
	Fix   string
	Err   error // of the reader, where there is one
}

// Error prints file:line: what; fix.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	b.WriteString(": " + e.What)
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Fix != "" {
		b.WriteString("; " + e.Fix)
	}
	return b.String()
}

// Unwrap returns the reader's error.
func (e *Error) Unwrap() error { return e.Err }
