package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/simulator/recording"
)

// traceOutput is where a recording is written to.
type traceOutput struct {
	path  string
	plain io.Writer // where there is no path
	notes io.Writer
}

func (o *traceOutput) register(c *cobra.Command) {
	c.Flags().StringVar(&o.path, "out", "", "file to write, compressed where its name ends in .gz (default standard output)")
}

// to binds the streams of a command.
func (o traceOutput) to(c *cobra.Command) traceOutput {
	o.plain, o.notes = c.OutOrStdout(), c.ErrOrStderr()
	return o
}

// write writes rows as a Trace CSV. What breaks leaves no file behind.
func (o traceOutput) write(rows recording.Rows, about recording.About, scale float64, from ...*source) (err error) {
	watched := &watchedRows{rows: rows, step: about.Step, dense: about.Dense}
	if o.path == "" {
		err = encodeTrace(o.plain, watched, about, scale)
	} else {
		err = o.file(watched, about, scale, from)
	}
	for _, s := range from {
		err = errors.Join(err, s.close())
	}
	if err == nil && watched.gaps > 0 {
		fmt.Fprintf(o.notes, "%s gaps, together %s, have no rows: what was not recorded stays so\n", grouped(watched.gaps), strictyaml.FormatDuration(watched.silent))
	}
	return wrongTrace(err)
}

// file writes to the path.
func (o traceOutput) file(rows recording.Rows, about recording.About, scale float64, from []*source) (err error) {
	if there, err := os.Stat(o.path); err == nil {
		for _, s := range from {
			if read, err := os.Stat(s.name); err == nil && os.SameFile(there, read) {
				return usage("--out %s is the file that is read: give another", o.path)
			}
		}
	}
	if folder, err := os.Stat(filepath.Dir(o.path)); err != nil || !folder.IsDir() {
		return usage("--out %s: there is no folder %s", o.path, filepath.Dir(o.path))
	}
	f, err := os.Create(o.path)
	if err != nil {
		return fmt.Errorf("write the trace: %w", err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(o.path) // half a trace looks like a whole one
		}
	}()
	if !strings.HasSuffix(o.path, ".gz") {
		return encodeTrace(f, rows, about, scale)
	}
	packed := gzip.NewWriter(f)
	return errors.Join(encodeTrace(packed, rows, about, scale), packed.Close())
}

func encodeTrace(out io.Writer, rows recording.Rows, about recording.About, scale float64) error {
	w, err := recording.NewWriter(out, about, scale)
	if err != nil {
		return fmt.Errorf("write the trace: %w", err)
	}
	for count := 0; ; count++ {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			if count == 0 {
				return invalid(errors.New("nothing is left of the recording: look at its span with autoscaler trace info"))
			}
			break
		}
		if err != nil {
			return err
		}
		if err := w.Write(row); err != nil {
			return fmt.Errorf("write the trace: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write the trace: %w", err)
	}
	return nil
}

// watchedRows counts gaps while rows pass.
type watchedRows struct {
	rows   recording.Rows
	step   time.Duration
	dense  bool
	any    bool
	last   int64
	gaps   int64
	silent time.Duration
}

// Next implements recording.Rows.
func (w *watchedRows) Next() (recording.Row, error) {
	r, err := w.rows.Next()
	if err != nil {
		return r, err
	}
	if gap := time.Duration(r.At-w.last) - w.step; w.any && w.dense && gap > 0 {
		w.gaps++
		w.silent += gap
	}
	w.any, w.last = true, r.At
	return r, nil
}

// sums are the rows of a recording, with those of its clients in one bin as one.
func sums(s *source) recording.Rows {
	if s.About().Step > 0 {
		return recording.NewBins(s)
	}
	return s
}

// factor checks a scale.
func factor(x float64) error {
	if !(x > 0 && x <= 1e9) || math.IsNaN(x) {
		return usage("--by %g: give a factor above zero and at most 1e9, such as 1.5", x)
	}
	return nil
}
