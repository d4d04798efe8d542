package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/forecast/batch"
	"github.com/tessera-autoscaler/tessera/forecast/series"
)

// seriesFlags say which series are read, and how.
type seriesFlags struct {
	input string
	step  span
	jobs  int
}

func (f *seriesFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.input, "input", "", "CSV file with the columns series,time,value, .gz or not; - is standard input")
	c.Flags().Var(&f.step, "step", "length of the bins that rows are, such as 1m or 1h; nothing is resampled")
	c.Flags().IntVar(&f.jobs, "jobs", runtime.GOMAXPROCS(0), "how many series are worked on at the same time")
}

// check refuses what can be refused before anything is read.
func (f *seriesFlags) check(c *cobra.Command) error {
	step := time.Duration(f.step)
	switch {
	case f.input == "":
		return usage("%s needs --input FILE\nsee '%[1]s --help'", c.CommandPath())
	case f.step == 0:
		return usage("%s needs --step, the length of a bin, such as 1m\nsee '%[1]s --help'", c.CommandPath())
	case step < time.Second || step%time.Second != 0 || step > mostStep:
		return usage("--step %s: give whole seconds, at most 366d", &f.step)
	case f.jobs < 1:
		return usage("--jobs %d: give at least 1", f.jobs)
	}
	return nil
}

// mostStep is the longest bin.
const mostStep = 366 * 24 * time.Hour

// read reads the series.
func (f *seriesFlags) read(in io.Reader, rates bool) ([]series.Series, error) {
	name, file := f.input, io.NopCloser(in)
	if name == "-" {
		name = "standard input"
	} else {
		var err error
		if file, err = openFile(name); err != nil {
			return nil, invalid(fmt.Errorf("read series: %w", err))
		}
	}
	all, err := series.Read(name, file, series.Options{Step: time.Duration(f.step), Rates: rates})
	return all, invalid(errors.Join(err, file.Close()))
}

// forecastFlags are the flags of forecast.
type forecastFlags struct {
	seriesFlags
	horizon int
	seasons []int
	output  string
}

// mostAhead bounds a horizon and a season, in steps: a year of minutes.
const mostAhead = 366 * 24 * 60

func newForecast() *cobra.Command {
	var f forecastFlags
	c := &cobra.Command{
		Use:   "forecast --input F.csv --step 1h --horizon 48",
		Short: "Forecast every series of a file, with quantiles",
		Long: `Forecast fits the whole history of every series and answers, for each of the next
steps, the mean and eleven quantiles from 0.025 to 0.995; the point forecast is q0.5.

Series come as CSV in long form: series,time,value, with times in RFC 3339 or integer
seconds, which are written again as they were read. An empty value is a gap, and so is
a step without a row. Values may be anything that is measured, negative ones too.

Seasons are given in steps. Without --season a series has those of a day and a week.`,
		Example: `  # Two days of hours, with the seasons of a day and a week
  autoscaler forecast --input m4-hourly.csv.gz --step 1h --horizon 48 --season 24,168 -o csv

  # What each series of the sample rests on, for people
  autoscaler forecast --input configs/series/languages.csv.gz --step 10m --horizon 144

  # How good would it have been?
  autoscaler forecast backtest --input configs/series/languages.csv.gz --step 10m --lead 10m,30m --from 0.5`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(c); err != nil {
				return err
			}
			return f.run(c.Context(), c.InOrStdin(), c.OutOrStdout())
		},
	}
	f.register(c)
	c.Flags().IntVar(&f.horizon, "horizon", 0, "how many steps are forecast")
	c.Flags().IntSliceVar(&f.seasons, "season", nil, "lengths of seasons in steps, such as 24,168 (default a day and a week)")
	c.Flags().StringVarP(&f.output, "output", "o", "table", "table, csv or json")
	c.AddCommand(newBacktest())
	return c
}

func (f *forecastFlags) check(c *cobra.Command) error {
	if err := f.seriesFlags.check(c); err != nil {
		return err
	}
	if f.horizon == 0 && !c.Flags().Changed("horizon") {
		return usage("%s needs --horizon, the number of steps, such as 48\nsee '%[1]s --help'", c.CommandPath())
	}
	if f.horizon < 1 || f.horizon > mostAhead {
		return usage("--horizon %d: give 1 to %d steps", f.horizon, mostAhead)
	}
	for _, s := range f.seasons {
		if s < 2 || s > mostAhead {
			return usage("--season %d: give lengths of 2 to %d steps, such as 24,168", s, mostAhead)
		}
	}
	return oneOf("-o", f.output, "table", "csv", "json")
}

// oneOf refuses a value of a flag that is none of its words.
func oneOf(flag, got string, words ...string) error {
	if slices.Contains(words, got) {
		return nil
	}
	return usage("%s %q is not known%s", flag, got, suggestion(got, words))
}

// forecasted is a series with its answer.
type forecasted struct {
	*series.Series
	batch.Answer
}

func (f *forecastFlags) run(ctx context.Context, in io.Reader, out io.Writer) error {
	all, err := f.read(in, false)
	if err != nil {
		return err
	}
	told := f.teller(out)
	err = inOrder(ctx, f.jobs, pointers(all), f.fit, told.tell)
	return errors.Join(err, told.finish())
}

// fit forecasts one series.
func (f *forecastFlags) fit(s *series.Series) (forecasted, error) {
	a, err := batch.Forecast(s.Values, batch.Options{Step: s.Step, Start: s.Start, Horizon: f.horizon, Seasons: f.seasons})
	if err != nil {
		return forecasted{}, invalid(fmt.Errorf("%s: series %q: %w", f.input, s.Name, err))
	}
	if err := complete(&a, f.horizon); err != nil {
		return forecasted{}, fmt.Errorf("series %q: %w, which is a bug", s.Name, err)
	}
	return forecasted{s, a}, nil
}

// complete tells what an answer lacks: nobody gets half a forecast.
func complete(a *batch.Answer, horizon int) error {
	if len(a.Mean) != horizon || len(a.Quantiles) != horizon {
		return fmt.Errorf("%d means and %d rows of quantiles for %d steps", len(a.Mean), len(a.Quantiles), horizon)
	}
	for i, q := range a.Quantiles {
		sound := len(q) == len(forecast.Levels()) && slices.IsSorted(q)
		for _, v := range append([]float64{a.Mean[i]}, q...) {
			sound = sound && !math.IsNaN(v) && !math.IsInf(v, 0)
		}
		if !sound {
			return fmt.Errorf("step %d has mean %v and quantiles %v", i+1, a.Mean[i], q)
		}
	}
	return nil
}

// pointers lists the elements of a slice.
func pointers[T any](all []T) []*T {
	out := make([]*T, len(all))
	for i := range all {
		out[i] = &all[i]
	}
	return out
}
