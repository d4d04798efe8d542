package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Complaint is one thing that is wrong in a file, where it stands, and how it
// may be mended.
type Complaint struct {
	// File is the name the file was parsed under.
	File string `json:"file"`
	// Line and Column count from one; columns count characters (runes).
	Line   int `json:"line"`
	Column int `json:"column"`
	// Path names the value, as spec.models[0].class; empty for the whole file.
	Path string `json:"path,omitempty"`
	// Message says what is wrong.
	Message string `json:"message"`
	// Hint says how to mend it; it may be empty.
	Hint string `json:"hint,omitempty"`
	// Source is the line of the file as it is shown: tabs expanded, unprintable
	// characters replaced, long lines cut to the surroundings of the column.
	Source string `json:"source,omitempty"`
	// Caret is the number of terminal cells before the column within Source.
	Caret int `json:"-"`
}

// Error renders the complaint as file:line:col: path: message, followed by the
// source line, a caret below the column, and the hint.
func (c Complaint) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", c.File, c.Line, c.Column)
	if c.Path != "" {
		b.WriteString(c.Path + ": ")
	}
	b.WriteString(c.Message)
	if c.Source != "" {
		fmt.Fprintf(&b, "\n%5d | %s\n      | %s^", c.Line, c.Source, strings.Repeat(" ", c.Caret))
	}
	if c.Hint != "" {
		b.WriteString("\n        " + c.Hint)
	}
	return b.String()
}

// Complaints is everything that is wrong in a file, sorted by line, then by
// column. It is an error; errors.As finds it.
type Complaints []Complaint

// Error renders every complaint, each beginning on a line of its own.
func (cs Complaints) Error() string {
	texts := make([]string, len(cs))
	for i, c := range cs {
		texts[i] = c.Error()
	}
	return strings.Join(texts, "\n")
}

// compareComplaints orders complaints as they are reported. Path and text come
// last so that the order never depends on the order of the checks.
func compareComplaints(a, b *Complaint) int {
	return cmp.Or(
		cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Column, b.Column),
		cmp.Compare(a.Path, b.Path),
		cmp.Compare(a.Message, b.Message),
		cmp.Compare(a.Hint, b.Hint),
	)
}

// report sorts what was collected, drops exact repetitions, cuts the list to
// MaxShown, and fills in the source lines of what remains.
func (f *file) report() Complaints {
	all := slices.Clone(f.complaints)
	slices.SortStableFunc(all, compareComplaints)
	all = slices.CompactFunc(all, func(a, b *Complaint) bool { return *a == *b })

	out := make(Complaints, 0, min(len(all), MaxShown+1))
	for i, c := range all {
		if i == MaxShown {
			out = append(out, Complaint{
				File: c.File, Line: c.Line, Column: c.Column,
				Message: fmt.Sprintf("%d more complaints follow from here on", len(all)-i),
				Hint:    "mend those above first",
			})
			break
		}
		shown := *c
		if shown.Line >= 1 && shown.Line <= len(f.lines) {
			shown.Source, shown.Caret = excerpt(f.lines[shown.Line-1], shown.Column)
		}
		out = append(out, shown)
	}
	return out
}
