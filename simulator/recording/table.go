package recording

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// table is a text of comma-separated values with a header.
type table struct {
	in     *input
	names  []string
	fields [][]byte
}

// headerOf splits a line that names columns.
func headerOf(in *input, line []byte) ([]string, error) {
	fields, err := splitFields(bytes.TrimPrefix(bytes.Clone(line), []byte("\xef\xbb\xbf")), nil)
	if err != nil {
		return nil, in.complain(FaultRagged, headerFix, "in the header, %v", err)
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = string(f)
	}
	return names, nil
}

const headerFix = "the first line names the columns, such as time,model,requests,work"

// next splits the next row; io.EOF ends them.
func (t *table) next() ([][]byte, error) {
	line, ok, err := t.in.lines.filled()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, io.EOF
	}
	if t.fields, err = splitFields(line, t.fields); err != nil {
		return nil, t.in.complain(FaultRagged, "close the quotes in the same line", "%v", err)
	}
	if have, want := len(t.fields), len(t.names); have != want {
		return nil, t.in.complain(FaultRagged, "give every row the columns "+words.Listing(t.names), "the row has %d fields and the header has %d", have, want)
	}
	return t.fields, nil
}

// find returns where a column is, or -1. A name that somebody gave must be there;
// role is what the column holds.
func (t *table) find(given, customary, role string, needed bool) (int, error) {
	name := given
	if name == "" {
		name = customary
	}
	at, times := -1, 0
	for i, n := range t.names {
		if n == name {
			at = i
			times++
		}
	}
	switch {
	case times > 1:
		return -1, t.in.complain(FaultColumn, "rename all but one of them", "column %s is there %d times", words.Quote(name), times)
	case times == 0 && (needed || given != ""):
		return -1, t.missing(name, role)
	}
	return at, nil
}

func (t *table) missing(name, role string) error {
	fix := fmt.Sprintf("name the column of the %s under columns", role) + words.DidYouMean(name, t.names)
	switch {
	case len(t.names) == 1:
		fix = "the first line must name the columns, separated by commas"
	case role == "model" && !t.in.opt.OneModel:
		fix += ` (a file of one model needs none when "*" is mapped to it)`
	}
	return t.in.complain(FaultColumn, fix, "there is no column %s; the columns are %s", words.Quote(name), words.Listing(t.names))
}

// sorting is a command that sorts the file by a column.
func (t *table) sorting(column int, numeric bool) string {
	cat, file := "cat", t.in.file
	if strings.Trim(strings.ToLower(file), "abcdefghijklmnopqrstuvwxyz0123456789._/-") != "" {
		file = "FILE" // a name that a shell would take apart
	}
	if t.in.lines.gzip {
		cat = "zcat"
	}
	key := fmt.Sprint(column + 1)
	if numeric {
		key += "n"
	}
	return fmt.Sprintf("(%s %s | head -n 1; %s %s | tail -n +2 | LC_ALL=C sort -s -t, -k%s,%d) > sorted.csv", cat, file, cat, file, key, column+1)
}

// stamp prints an instant in UTC.
func stamp(nanos int64) string { return time.Unix(0, nanos).UTC().Format(time.RFC3339Nano) }
