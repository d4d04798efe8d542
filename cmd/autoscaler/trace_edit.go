package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/simulator/recording"
)

func newTraceConvert() *cobra.Command {
	var f traceFlags
	var o traceOutput
	c := &cobra.Command{
		Use:   "convert FILE",
		Short: "Write a recording of any format as a Trace CSV",
		Long: `Convert reads a recording and writes time, model, requests and, where it is known, work.
Rates become counts of each bin. Clients are summed, and with them their burstiness is
lost: let a scenario read ServeGen's own files where that matters.`,
		Example: `  # An hour of conversations, with the work of their tokens
  autoscaler trace convert AzureLLMInferenceTrace_conv.csv.gz --work input=0.1,output=1 --out conv.csv.gz

  # A panel of Grafana that shows requests a second
  autoscaler trace convert panel.csv --unit rate --out panel-trace.csv`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			s, err := f.open(given[0])
			if err != nil {
				return err
			}
			return o.to(c).write(sums(s), s.About(), 1, s)
		},
	}
	f.register(c)
	o.register(c)
	return c
}

func newTraceScale() *cobra.Command {
	var f traceFlags
	var o traceOutput
	var by float64
	c := &cobra.Command{
		Use:   "scale FILE --by FACTOR",
		Short: "Multiply the requests of a recording",
		Long: `Scale multiplies requests by a factor; work follows them, so that a request carries what
it did. Requests stay whole: each model's requests up to any time are right to half a
request. Where each row is a request, rows are repeated or left out.`,
		Example: `  # A tenth of the traffic
  autoscaler trace scale requests.csv.gz --step 1m --by 0.1 --out tenth.csv.gz

  # Twice as many single requests
  autoscaler trace scale conv.csv.gz --by 2 --out double.csv.gz`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			if !c.Flags().Changed("by") {
				return usage("trace scale needs --by FACTOR\nsee '%s --help'", c.CommandPath())
			}
			if err := factor(by); err != nil {
				return err
			}
			s, err := f.open(given[0])
			if err != nil {
				return err
			}
			return o.to(c).write(sums(s), s.About(), by, s)
		},
	}
	f.register(c)
	o.register(c)
	c.Flags().Float64Var(&by, "by", 0, "factor, such as 0.5")
	return c
}

func newTraceSlice() *cobra.Command {
	var f traceFlags
	var o traceOutput
	var from, to string
	c := &cobra.Command{
		Use:   "slice FILE --from TIME --to TIME",
		Short: "Cut a stretch of time out of a recording",
		Long: `Slice keeps the rows from one time on and before another. A time is an instant, such as
2024-11-18T09:00, or a duration after the first row, such as 1d12h. Bins belong where
they begin.`,
		Example: `  # A day
  autoscaler trace slice requests.csv.gz --step 1m --from 2024-11-18 --to 2024-11-19 --out day.csv.gz

  # All but the first hour
  autoscaler trace slice requests.csv.gz --step 1m --from 1h`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			if from == "" && to == "" {
				return usage("trace slice needs --from, --to or both\nsee '%s --help'", c.CommandPath())
			}
			s, err := f.open(given[0])
			if err != nil {
				return err
			}
			begin, err := timeOf("--from", from, s.begins(), s.begins())
			if err != nil {
				return errors.Join(err, s.close())
			}
			end, err := timeOf("--to", to, s.begins(), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC))
			if err != nil {
				return errors.Join(err, s.close())
			}
			if !end.After(begin) {
				return errors.Join(usage("--to %s is not after --from %s", end.Format(time.RFC3339), begin.Format(time.RFC3339)), s.close())
			}
			return o.to(c).write(recording.Slice(sums(s), begin, end), s.About(), 1, s)
		},
	}
	f.register(c)
	o.register(c)
	c.Flags().StringVar(&from, "from", "", "first time to keep: an instant, or a duration after the first row")
	c.Flags().StringVar(&to, "to", "", "first time to leave out again")
	return c
}

// timeOf reads an instant, or a duration after another.
func timeOf(flag, text string, after, otherwise time.Time) (time.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	if d, err := strictyaml.ParseDuration(text); err == nil {
		return after.Add(d), nil
	}
	t, err := parseInstant(text)
	if err != nil {
		return t, usage("%s %q: %v, or a duration after the first row, such as 1d", flag, text, err)
	}
	return t, nil
}

func newTraceShift() *cobra.Command {
	var f traceFlags
	var o traceOutput
	var by string
	var to instant
	c := &cobra.Command{
		Use:   "shift FILE --by DURATION",
		Short: "Move a recording to another time",
		Long: `Shift adds a duration to all times, or moves the first row to an instant. Whole weeks
keep days of the week and times of day where they are.`,
		Example: `  # Four weeks later
  autoscaler trace shift requests.csv.gz --step 1m --by 28d --out later.csv.gz

  # To a Monday of this year
  autoscaler trace shift requests.csv.gz --step 1m --to 2026-09-14T00:00:00Z --out now.csv.gz`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			if (by == "") == time.Time(to).IsZero() {
				return usage("trace shift needs either --by or --to\nsee '%s --help'", c.CommandPath())
			}
			move, err := signedDuration(by)
			if err != nil {
				return usage("--by %q: %v", by, err)
			}
			s, err := f.open(given[0])
			if err != nil {
				return err
			}
			if by == "" {
				move = time.Time(to).Sub(s.begins())
			}
			return o.to(c).write(recording.Shift(sums(s), move), s.About(), 1, s)
		},
	}
	f.register(c)
	o.register(c)
	c.Flags().StringVar(&by, "by", "", "how much later, such as 28d, or earlier, such as -28d")
	c.Flags().Var(&to, "to", "instant of the first row")
	return c
}

// signedDuration reads a duration that may be negative; none is zero.
func signedDuration(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	positive, negative := strings.CutPrefix(text, "-")
	d, err := strictyaml.ParseDuration(positive)
	if negative {
		d = -d
	}
	return d, err
}

func newTraceMix() *cobra.Command {
	var f traceFlags
	var o traceOutput
	var as []string
	c := &cobra.Command{
		Use:   "mix FILE FILE...",
		Short: "Play several recordings at the same time",
		Long: `Mix merges recordings by time; shift them first where they do not overlap. A model that
several have is summed. With --as, once for each file and in their order, models get
other names: NAME for all of the file, or OLD=NEW,OLD=NEW. Files are read alike and
have the same step.`,
		Example: `  # Two recordings of several models
  autoscaler trace mix a.csv.gz b.csv.gz --step 1m --out both.csv.gz

  # The same recording for two languages
  autoscaler trace mix calls.csv later.csv --step 5m --as voice-fr --as voice-de --out voice.csv.gz`,
		Args: args(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, given []string) error {
			return traceMix(given, as, &f, o.to(c))
		},
	}
	f.register(c)
	o.register(c)
	c.Flags().StringArrayVar(&as, "as", nil, "other names of the models of a file; once for each file")
	return c
}

func traceMix(files, as []string, f *traceFlags, o traceOutput) error {
	if len(as) > 0 && len(as) != len(files) {
		return usage("--as is given %d times for %d files: give it once for each, in their order", len(as), len(files))
	}
	var sources []*source
	closed := func(err error) error {
		for _, s := range sources {
			err = errors.Join(err, s.close())
		}
		return err
	}
	var mixed []recording.Rows
	var about recording.About
	for i, name := range files {
		s, err := f.open(name)
		if err != nil {
			return closed(err)
		}
		sources = append(sources, s)
		mapping, err := renaming(as, i)
		if err != nil {
			return closed(err)
		}
		this := s.About()
		switch {
		case i == 0:
			about = this
		case this.Step != about.Step:
			return closed(invalid(fmt.Errorf("%s has bins of %v and %s of %v: bring them to one step first", files[0], about.Step, name, this.Step)))
		case this.Sized != about.Sized:
			return closed(invalid(fmt.Errorf("only one of %s and %s has work: read both with it, or neither", files[0], name)))
		}
		about.Dense = about.Dense && this.Dense
		mixed = append(mixed, recording.Rename(s, mapping))
	}
	return o.write(recording.Mix(about.Step > 0, mixed...), about, 1, sources...)
}

// renaming is the mapping of names of the i-th file.
func renaming(as []string, i int) (map[string]string, error) {
	if len(as) == 0 {
		return nil, nil
	}
	if !strings.Contains(as[i], "=") {
		return map[string]string{recording.AnyModel: as[i]}, nil
	}
	mapping := map[string]string{}
	for pair := range strings.SplitSeq(as[i], ",") {
		old, name, ok := strings.Cut(pair, "=")
		if !ok || old == "" || name == "" {
			return nil, usage("--as %q: give NAME, or OLD=NEW,OLD=NEW", as[i])
		}
		mapping[old] = name
	}
	return mapping, nil
}
