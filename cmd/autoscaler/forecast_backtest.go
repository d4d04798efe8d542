package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/forecast/evaluate"
	"github.com/tessera-autoscaler/tessera/forecast/series"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

// backtestFlags are the flags of forecast backtest.
type backtestFlags struct {
	seriesFlags
	leads, zone, against string
	from, level, event   float64
	delay                span
	gpus                 evaluate.GPUs
	output, plot         string
}

// shownRivals are the rivals of a table where none are named.
const shownRivals = "all"

func newBacktest() *cobra.Command {
	var f backtestFlags
	c := &cobra.Command{
		Use:   "backtest --input F.csv --step 1m --lead 10m,30m",
		Short: "Score forecasts made from the past alone, at the lead at which capacity is bought",
		Long: `Backtest plays every series bin by bin to the forecaster that the service uses. After each
bin it forecasts the bins max(1, round(lead/step)) later, from what was visible then, and
is scored on those in the last part of the series. With --delay, bins stay unseen for
that long after they ended. Series are rates or counts: none is negative.

A table scores what would be bought, the quantile of --newsvendor, beside the rivals of
--against: a smoothed level, yesterday's value and the last value, each with what makes a
quantile of it, and the forecasts of other autoscalers, written again from their
published formulas. Losses are in units of the mean demand. GPU COST is what whole GPUs
and missing ones cost over what they cost who knew the future.

CSV is one row a forecast, of Tessera alone. --plot draws each series at the first lead.`,
		Example: `  # The score table, beside every rival
  autoscaler forecast backtest --input configs/series/languages.csv.gz --step 10m --lead 10m,30m --from 0.5

  # Each forecast, for scripts
  autoscaler forecast backtest --input requests.csv --step 1m --lead 10m,30m --from 0.5 -o csv

  # Pictures, scores in money of your own, and a scrape delay
  autoscaler forecast backtest --input requests.csv --step 1m --lead 10m --delay 1m --gpu-capacity 60 --gpu-price 2.5 --late-price 36 --plot pictures`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			b, err := f.check(c)
			if err != nil {
				return err
			}
			return b.run(c.Context(), c.InOrStdin(), c.OutOrStdout())
		},
	}
	f.register(c)
	flags := c.Flags()
	flags.StringVar(&f.leads, "lead", "10m,30m", "how far ahead, from asking for capacity to serving; several are separated by commas")
	flags.Float64Var(&f.from, "from", 0.5, "share of each series, by bins, before the first scored target")
	flags.Var(&f.delay, "delay", "how long a bin stays unseen after it ended, such as 30s")
	flags.StringVar(&f.zone, "zone", "UTC", "time zone of the calendar and of the hours in the table, such as Europe/Paris")
	flags.Float64Var(&f.event, "event", 0, "what one countable event adds to a value: 1 where values count requests; 0 for what is measured")
	flags.StringVar(&f.against, "against", shownRivals, "rivals: all, none, or names separated by commas: "+strings.Join(evaluate.Names(evaluate.Rivals()), ", "))
	flags.Float64Var(&f.level, "newsvendor", 0.9, "quantile level that is bought: the cost of too little over that of too little and too much")
	flags.Float64Var(&f.gpus.Capacity, "gpu-capacity", 0, "demand that one GPU serves, in the unit of the values (default a tenth of the mean of each series)")
	flags.Float64Var(&f.gpus.Price, "gpu-price", 1, "dollars an hour for a GPU")
	flags.Float64Var(&f.gpus.Late, "late-price", 0, "dollars an hour for a GPU that is missing (default what makes the level of --newsvendor the one worth buying)")
	flags.StringVarP(&f.output, "output", "o", "table", "table, csv or json")
	flags.StringVar(&f.plot, "plot", "", "folder for a picture of each series, made if absent")
	return c
}

// backtest is a checked command line.
type backtest struct {
	*backtestFlags
	trial    evaluate.Trial
	entrants []evaluate.Entrant
}

func (f *backtestFlags) check(c *cobra.Command) (*backtest, error) {
	if err := f.seriesFlags.check(c); err != nil {
		return nil, err
	}
	if err := oneOf("-o", f.output, "table", "csv", "json"); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(f.zone)
	if err != nil || f.zone == "" || f.zone == "Local" {
		return nil, usage("--zone %q is no time zone of the IANA data base, such as Europe/Paris or UTC", f.zone)
	}
	if !(f.event >= 0 && f.event <= 1e9) {
		return nil, usage("--event %v: give 0 to 1e9", f.event)
	}
	b := &backtest{backtestFlags: f}
	b.entrants = []evaluate.Entrant{evaluate.Ours(func(step time.Duration, zone *time.Location) forecast.Forecaster {
		return forecast.NewSeasonal(step, forecast.In(zone), forecast.Unit(f.event*step.Seconds()))
	})}
	rivals, err := f.rivals()
	if err != nil {
		return nil, err
	}
	if f.output != "csv" {
		b.entrants = append(b.entrants, rivals...)
	}
	b.trial = evaluate.Trial{From: f.from, Delay: time.Duration(f.delay), Zone: zone, Level: f.level, GPUs: f.gpus, Clock: threadTime}
	if b.trial.Leads, err = parseLeads(f.leads); err != nil {
		return nil, err
	}
	if err := b.trial.Check(); err != nil {
		return nil, usage("%v\nsee '%s --help'", err, c.CommandPath())
	}
	return b, nil
}

// rivals are those of --against, the reference first.
func (f *backtestFlags) rivals() ([]evaluate.Entrant, error) {
	all := evaluate.Rivals()
	switch f.against {
	case "all":
		return all, nil
	case "none", "":
		return nil, nil
	}
	names, err := parseControllers("--against", f.against, evaluate.Names(all))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(e evaluate.Entrant) bool { return !slices.Contains(names, e.Name) }), nil
}

// mostLead is the longest lead.
const mostLead = 31 * 24 * time.Hour

func parseLeads(text string) ([]time.Duration, error) {
	var out []time.Duration
	for part := range strings.SplitSeq(text, ",") {
		d, err := strictyaml.ParseDuration(strings.TrimSpace(part))
		if err != nil || d <= 0 || d > mostLead {
			return nil, usage("--lead %q: give durations up to 31d, separated by commas, such as 10m,30m", part)
		}
		if slices.Contains(out, d) {
			return nil, usage("--lead %q: %s is there twice", text, strings.TrimSpace(part))
		}
		out = append(out, d)
	}
	return out, nil
}

// played is a series with what was found.
type played struct {
	evaluate.Result
	rows []byte // CSV, where that was asked for
}

func (b *backtest) run(ctx context.Context, in io.Reader, out io.Writer) error {
	all, err := b.read(in, true)
	if err != nil {
		return err
	}
	if b.plot != "" {
		if err := os.MkdirAll(b.plot, 0o755); err != nil {
			return fmt.Errorf("make the folder of --plot: %w", err)
		}
	}
	if b.output == "csv" {
		if err := series.NewWriter(out, "series", "origin", "lead", "time", "actual").Flush(); err != nil {
			return err
		}
	}
	pictures := fileNames(all)
	var results []evaluate.Result
	err = inOrder(ctx, b.jobs, pointers(all),
		func(s *series.Series) (played, error) { return b.play(s, pictures[s.Name]) },
		func(p played) error {
			results = append(results, p.Result)
			_, err := out.Write(p.rows)
			return err
		})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(results, scored) {
		return invalid(fmt.Errorf("%s: %w", b.input, errNothingScored))
	}
	switch b.output {
	case "json":
		return indented(out, evaluate.NewReport(results, b.level))
	case "table":
		return writeScores(out, evaluate.NewReport(results, b.level))
	}
	return nil
}

// play runs one series, and draws it where that was asked for. It keeps its thread,
// whose time is measured.
func (b *backtest) play(s *series.Series, picture string) (played, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var rows bytes.Buffer
	w := series.NewRowWriter(&rows)
	drawn := evaluate.NewPicture(s, b.trial.Leads[0], b.level, b.trial.Zone)
	leads := map[time.Duration]string{}
	for i, text := range strings.Split(b.leads, ",") {
		leads[b.trial.Leads[i]] = strings.TrimSpace(text)
	}
	result, err := b.trial.Run(s, b.entrants, func(r evaluate.Row) {
		if r.Method != evaluate.Tessera {
			return
		}
		if b.output == "csv" {
			w.Write(r.Answer.Mean, r.Answer.Quantiles, s.Name, s.Time(r.Origin), leads[r.Lead], s.Time(r.Target), series.Exact(r.Actual))
		}
		if b.plot != "" && r.Lead == b.trial.Leads[0] {
			drawn.Add(r)
		}
	})
	if err == nil && b.plot != "" {
		err = drawInto(b.plot, picture, drawn)
	}
	if err = errors.Join(err, w.Flush()); err != nil {
		return played{}, fmt.Errorf("series %q: %w", s.Name, err)
	}
	return played{result, rows.Bytes()}, nil
}

// scored tells whether a result holds anything.
func scored(r evaluate.Result) bool {
	return slices.ContainsFunc(r.Scores, func(s evaluate.Score) bool { return s.Count > 0 })
}

// errNothingScored says that a table would be empty.
var errNothingScored = errors.New("nothing was scored: no series has a known value behind --from that a forecast from --lead before it could reach; give a smaller --from, or a shorter --lead")
