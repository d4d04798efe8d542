package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/simulator/recording"
)

func newTrace() *cobra.Command {
	c := &cobra.Command{
		Use:   "trace",
		Short: "Look at recorded traffic, and cut, scale, move and mix it",
		Long: `Trace reads recorded traffic in any format that a scenario takes: our CSV, Azure LLM,
BurstGPT, Mooncake, ServeGen, Grafana CSV, Parquet, series of values, .gz or not. What
it writes is our Trace CSV: time, model, requests and, where it is known, work.`,
		Example: `  # What is in a file
  autoscaler trace info requests.csv.gz --step 1m

  # The second day of it, doubled
  autoscaler trace slice requests.csv.gz --step 1m --from 24h --to 48h --out day.csv.gz
  autoscaler trace scale day.csv.gz --step 1m --by 2 --out double.csv.gz`,
	}
	c.AddCommand(newTraceInfo(), newTraceSlice(), newTraceScale(), newTraceShift(), newTraceMix(), newTraceConvert())
	return c
}

// traceFlags say how recordings are read; all files of a command are read alike.
type traceFlags struct {
	format, unit, tokens string
	columns, work        map[string]string
	step, tick, opens    span
	begins               instant
	weekdays             bool
	command              *cobra.Command
}

func (f *traceFlags) register(c *cobra.Command) {
	f.command = c
	flags := c.Flags()
	flags.StringVar(&f.format, "format", "", "format of the file, by its content where absent: "+strings.Join(recording.Formats(), ", "))
	flags.Var(&f.step, "step", "length of the bins that rows are, such as 1m; in CSV and Parquet without it each row is a request")
	flags.StringToStringVar(&f.columns, "columns", nil, "names of columns, such as time=minute,requests=count; also model, work, input, output")
	flags.StringVar(&f.unit, "unit", "", "what values count: requests (of each step) or rate (requests a second)")
	flags.Var(&f.begins, "begins", "instant at which the recording begins, such as 2026-09-14T00:00:00Z; without it, one without dates begins in 1970")
	flags.Var(&f.tick, "tick", "length of one unit of a column of times that counts, such as 1s")
	flags.StringToStringVar(&f.work, "work", nil, "work of a token, such as input=0.1,output=1")
	flags.StringVar(&f.tokens, "tokens", "", "ServeGen's file of tokens")
	flags.Var(&f.opens, "opens", "time of day of the first slot of recordings by day and slot, such as 7h")
	flags.BoolVar(&f.weekdays, "weekdays", false, "days of recordings by day and slot are working days")
}

// options turns the flags into options, or says what makes no sense.
func (f *traceFlags) options() (recording.Options, error) {
	o := recording.Options{
		Format: f.format, Unit: f.unit, Step: time.Duration(f.step), Tick: time.Duration(f.tick),
		Begins: time.Time(f.begins), OneModel: true,
	}
	if f.format != "" && !slices.Contains(recording.Formats(), f.format) {
		return o, usage("--format %q is not known%s", f.format, suggestion(f.format, recording.Formats()))
	}
	if units := []string{recording.Counts, recording.Rates}; f.unit != "" && !slices.Contains(units, f.unit) {
		return o, usage("--unit %q is not known%s", f.unit, suggestion(f.unit, units))
	}
	into := map[string]*string{
		"time": &o.Columns.Time, "model": &o.Columns.Model, "requests": &o.Columns.Requests,
		"work": &o.Columns.Work, "input": &o.Columns.Input, "output": &o.Columns.Output,
	}
	for role, name := range f.columns {
		to := into[role]
		if to == nil {
			return o, usage("--columns %s=%s: there is no column of %q%s", role, name, role, suggestion(role, []string{"time", "model", "requests", "work", "input", "output"}))
		}
		*to = name
	}
	if len(f.work) > 0 {
		o.Work = &recording.Linear{}
		for role, text := range f.work {
			to := map[string]*float64{"input": &o.Work.Input, "output": &o.Work.Output}[role]
			factor, err := strconv.ParseFloat(text, 64)
			if to == nil || err != nil || !(factor >= 0 && factor <= 1e9) {
				return o, usage("--work %s=%s: give factors of zero or more for input and output, such as input=0.1,output=1", role, text)
			}
			*to = factor
		}
	}
	if f.command.Flags().Changed("opens") {
		o.Opens = (*time.Duration)(&f.opens)
	}
	if f.command.Flags().Changed("weekdays") {
		o.Weekdays = &f.weekdays
	}
	return o, nil
}

// source is a recording that was opened.
type source struct {
	*recording.Reader
	name  string
	first *recording.Row // the first row, until it has been taken
	files []io.Closer
}

// open opens a recording and reads its first row, by which its step is known.
func (f *traceFlags) open(name string) (*source, error) {
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	s := &source{name: name}
	file, err := openFile(name)
	if err != nil {
		return nil, invalid(fmt.Errorf("read recorded traffic: %w", err))
	}
	s.files = append(s.files, file)
	if f.tokens != "" {
		tokens, err := openFile(f.tokens)
		if err != nil {
			return nil, errors.Join(invalid(fmt.Errorf("read tokens: %w", err)), s.close())
		}
		s.files = append(s.files, tokens)
		o.Tokens, o.TokensName = tokens, f.tokens
	}
	if s.Reader, err = recording.Open(name, file, o); err == nil {
		var row recording.Row
		row, err = s.Reader.Next()
		s.first = &row
	}
	if err != nil {
		return nil, wrongTrace(errors.Join(err, s.close()))
	}
	return s, nil
}

// Next returns the first row again, and then the others.
func (s *source) Next() (recording.Row, error) {
	if first := s.first; first != nil {
		s.first = nil
		return *first, nil
	}
	return s.Reader.Next()
}

// begins is the instant of the first row, as long as no row was taken.
func (s *source) begins() time.Time { return time.Unix(0, s.first.At).UTC() }

func (s *source) close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// wrongTrace marks what is wrong with a recording.
func wrongTrace(err error) error {
	if _, ok := errors.AsType[*recording.Error](err); ok {
		return invalid(err)
	}
	return err
}

// span is a flag that is a duration, in the words of a scenario.
type span time.Duration

func (s *span) Set(text string) error {
	d, err := strictyaml.ParseDuration(text)
	if err != nil {
		return errors.New("give a duration with its unit, such as 30s, 5m, 12h or 1d")
	}
	*s = span(d)
	return nil
}

func (s *span) String() string {
	if *s == 0 {
		return ""
	}
	return strictyaml.FormatDuration(time.Duration(*s))
}

func (s *span) Type() string { return "duration" }

// instant is a flag that is an instant.
type instant time.Time

func (i *instant) Set(text string) error {
	t, err := parseInstant(text)
	*i = instant(t)
	return err
}

func (i *instant) String() string {
	if time.Time(*i).IsZero() {
		return ""
	}
	return time.Time(*i).Format(time.RFC3339)
}

func (i *instant) Type() string { return "instant" }

// parseInstant reads an instant; without a zone it is UTC.
func parseInstant(text string) (time.Time, error) {
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.Parse(form, text); err == nil && t.Year() >= 1970 && t.Year() <= 2199 {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("give an instant of the years 1970 to 2199, such as 2026-09-14T00:00:00Z")
}
