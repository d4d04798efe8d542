package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tessera-autoscaler/tessera/forecast/evaluate"
)

// writeScores tells a backtest to a person: each series, all together, how the
// quantiles cover, and how long it took.
func writeScores(out io.Writer, r evaluate.Report) error {
	var b strings.Builder
	for i := range r.Results {
		writeResult(&b, &r.Results[i])
	}
	if len(r.Results) > 1 {
		writePooled(&b, r)
	}
	writeCoverage(&b, r)
	writeTimes(&b, r.Results)
	fmt.Fprintf(&b, `
PINBALL, WQL and NIGHT OVER are in units of the mean demand; COVERED, FIRST 10M and NIGHT are the shares of values
at or below what is bought, q%g; MISSES is the longest run of values above it; GPU COST is over that of foresight.
`, r.Level)
	_, err := io.WriteString(out, b.String())
	return err
}

// scoreColumns are the columns of a score.
var scoreColumns = []any{"PINBALL", "COVERED", "FIRST 10M", "NIGHT", "WQL", "MASE", "SMAPE", "MSIS 95", "MISSES", "NIGHT OVER", "GPU COST"}

func scoreCells(s *evaluate.Score, over *float64) []any {
	return []any{
		fixed(s.Pinball, 4), fixed(s.Covered, 3), class(s, "first-10m"), class(s, "night"), fixed(s.WQL, 4), fixed(s.MASE, 3),
		fixed(s.SMAPE, 2), fixed(s.MSIS, 2), s.Misses, fixed(s.NightOver, 3), fixed(over, 3),
	}
}

func writeResult(b *strings.Builder, r *evaluate.Result) {
	gaps := "gaps"
	if r.Gaps == 1 {
		gaps = "gap"
	}
	fmt.Fprintf(b, "%s: %s bins of %s, %s %s\n", r.Series, grouped(int64(r.Bins)), r.Step, grouped(int64(r.Gaps)), gaps)
	t := newTable(append([]any{"LEAD", "METHOD", "SCORED"}, scoreColumns...)...)
	for i := range r.Scores {
		s := &r.Scores[i]
		t.AppendRow(append(table.Row{s.Lead.String(), s.Method, grouped(int64(s.Count))}, scoreCells(s, overForesight(s))...))
	}
	b.WriteString(untrailed(t.Render()) + "\n\n")
}

func overForesight(s *evaluate.Score) *float64 {
	if s.Foresight <= 0 {
		return nil
	}
	v := s.Cost / s.Foresight
	return &v
}

func writePooled(b *strings.Builder, r evaluate.Report) {
	fmt.Fprintf(b, "all %d series: the geometric mean of losses over those of %s, and plain means\n", len(r.Results), r.Reference)
	t := newTable(append([]any{"LEAD", "METHOD", "RATIO", "WORST", "OF", "BEATS HEADROOM", "COVERS Q±.02"}, scoreColumns...)...)
	for i := range r.Pooled {
		p := &r.Pooled[i]
		t.AppendRow(append(table.Row{
			p.Lead.String(), p.Method, fixed(p.Ratio, 3), fixed(p.Worst, 3), orDash(p.WorstOf), counted(p.Ahead), p.Within,
		}, scoreCells(&p.Mean, p.Over)...))
	}
	b.WriteString(untrailed(t.Render()) + "\n\n")
}

// writeCoverage shows how Tessera covers, by level and by class of the hour.
func writeCoverage(b *strings.Builder, r evaluate.Report) {
	header := []any{"LEAD"}
	for _, l := range r.Levels {
		header = append(header, "Q"+strconv.FormatFloat(l, 'g', -1, 64))
	}
	for _, c := range evaluate.Classes {
		header = append(header, strings.ToUpper(c))
	}
	t := newTable(header...)
	for i := range r.Pooled {
		p := &r.Pooled[i]
		if p.Method != evaluate.Tessera {
			continue
		}
		row := table.Row{p.Lead.String()}
		for _, c := range p.Mean.Coverage {
			row = append(row, fixed(&c, 3))
		}
		for _, c := range evaluate.Classes {
			row = append(row, class(&p.Mean, c))
		}
		t.AppendRow(row)
	}
	fmt.Fprintf(b, "coverage of tessera: every quantile, and what is bought by class of the hour\n%s\n", untrailed(t.Render()))
}

// writeTimes tells what Tessera's updates and forecasts took of a core.
func writeTimes(b *strings.Builder, results []evaluate.Result) {
	var sum evaluate.Times
	for i := range results {
		for _, t := range results[i].Times {
			if t.Method == evaluate.Tessera {
				sum.Updates, sum.Update = sum.Updates+t.Updates, sum.Update+t.Update
				sum.Forecasts, sum.Forecast = sum.Forecasts+t.Forecasts, sum.Forecast+t.Forecast
			}
		}
	}
	each := func(d time.Duration, n int) string {
		return fmt.Sprintf("%.1f µs", float64(d.Nanoseconds())/1000/float64(max(n, 1)))
	}
	fmt.Fprintf(b, "\nCPU time of tessera: %s an update, refits counted (%s of them), %s a forecast (%s)\n",
		each(sum.Update, sum.Updates), grouped(int64(sum.Updates)), each(sum.Forecast, sum.Forecasts), grouped(int64(sum.Forecasts)))
}

// fixed prints an optional figure.
func fixed(v *float64, digits int) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v, 'f', digits, 64)
}

// counted prints an optional count.
func counted(n *int) string {
	if n == nil {
		return "-"
	}
	return grouped(int64(*n))
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func class(s *evaluate.Score, name string) string {
	if v, ok := s.Classes[name]; ok {
		return fixed(&v, 3)
	}
	return "-"
}
