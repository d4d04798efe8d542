package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/tessera-autoscaler/tessera/control"
)

// journal writes settings and records as JSON, one object a line; without a
// file it forgets them.
type journal struct {
	encoder *json.Encoder
	closers []func() error // in order of closing
}

// openJournal creates the file; an empty path is the journal that forgets.
func openJournal(path string) (*journal, error) {
	if path == "" {
		return &journal{}, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create the record: %w", err)
	}
	buffer := bufio.NewWriterSize(file, 1<<20)
	j := &journal{closers: []func() error{buffer.Flush, file.Close}}
	var out io.Writer = buffer
	if strings.HasSuffix(path, ".gz") {
		zipped := gzip.NewWriter(buffer)
		out, j.closers = zipped, append([]func() error{zipped.Close}, j.closers...)
	}
	j.encoder = json.NewEncoder(out)
	return j, nil
}

// Begin writes the settings that the following records refer to.
func (j *journal) Begin(_ context.Context, s control.Settings) error {
	return j.write(struct {
		Settings control.Settings `json:"settings"`
	}{s})
}

// Append writes a record. A fast tick that decided nothing is left out: every
// record can be replayed by itself, and four of five would be of that kind.
func (j *journal) Append(_ context.Context, r control.Record) error {
	if r.Inputs.Pace == control.Fast && len(r.Plan.Steps) == 0 && len(r.Plan.Held) == 0 {
		return nil
	}
	return j.write(r)
}

func (j *journal) write(v any) error {
	if j.encoder == nil {
		return nil
	}
	if err := j.encoder.Encode(v); err != nil {
		return fmt.Errorf("write the record: %w", err)
	}
	return nil
}

// Close writes what is still in memory.
func (j *journal) Close() error {
	var errs []error
	for _, closer := range j.closers {
		errs = append(errs, closer())
	}
	j.closers = nil
	return errors.Join(errs...)
}
