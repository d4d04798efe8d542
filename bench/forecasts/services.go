package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/forecast/evaluate"
)

// gated are the series that the targets are about; the others are reported beside
// them. The lists were fixed before anything was measured.
var gated = []string{
	"crane0", "crane1", "crane2", "crane3", "crane4", "crane5", "crane6", "crane7", "internet_A", "m-large", "m-mid",
	"o365_A_dev", "o365_A_prod", "tweets_AAPL", "tweets_AMZN", "tweets_FB", "taxi",
}

// writeServices writes the tables of all backtests of a folder: every series, and
// what they come to together.
func writeServices(out io.Writer, work string) error {
	paths, err := filepath.Glob(filepath.Join(work, "services-*.json"))
	if err != nil || len(paths) == 0 {
		return errors.Join(err, fmt.Errorf("%s holds no services-*.json", work))
	}
	var results []evaluate.Result
	level := 0.0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var r evaluate.Report
		if err := json.Unmarshal(text, &r); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		results, level = append(results, r.Results...), r.Level
	}
	slices.SortFunc(results, func(a, b evaluate.Result) int { return strings.Compare(order(a.Series), order(b.Series)) })
	var gate []evaluate.Result
	for _, r := range results {
		if slices.Contains(gated, r.Series) {
			gate = append(gate, r)
		}
	}
	for _, p := range leadsOf(results) {
		writeEach(out, results, p, level)
	}
	fmt.Fprintf(out, "#### The %d series of the targets\n\n", len(gate))
	writePooled(out, evaluate.Pool(gate, level))
	fmt.Fprintf(out, "#### All %d series\n\n", len(results))
	pooled := evaluate.Pool(results, level)
	writePooled(out, pooled)
	writeLosses(out, results)
	writeCoverage(out, pooled)
	writeTimes(out, results)
	return nil
}

// writeTimes writes what Tessera took of a core, by the length of the bins.
func writeTimes(out io.Writer, results []evaluate.Result) {
	steps := map[evaluate.Length]*evaluate.Times{}
	var order []evaluate.Length
	for _, r := range results {
		if steps[r.Step] == nil {
			steps[r.Step] = &evaluate.Times{}
			order = append(order, r.Step)
		}
		for _, t := range r.Times {
			if t.Method == evaluate.Tessera {
				sum := steps[r.Step]
				sum.Updates, sum.Update = sum.Updates+t.Updates, sum.Update+t.Update
				sum.Forecasts, sum.Forecast = sum.Forecasts+t.Forecasts, sum.Forecast+t.Forecast
			}
		}
	}
	slices.Sort(order)
	fmt.Fprintf(out, "\n#### CPU time of Tessera, refits counted\n\n| bins | updates | each | forecasts | each |\n%s\n", rule(5))
	for _, step := range order {
		t := steps[step]
		fmt.Fprintf(out, "| %s | %d | %.1f µs | %d | %.1f µs |\n", step, t.Updates, micros(t.Update, t.Updates), t.Forecasts, micros(t.Forecast, t.Forecasts))
	}
}

func micros(d time.Duration, n int) float64 {
	return float64(d.Nanoseconds()) / 1000 / float64(max(n, 1))
}

// order puts the series of the targets first.
func order(name string) string {
	if i := slices.Index(gated, name); i >= 0 {
		return fmt.Sprintf("%02d", i)
	}
	return "99" + name
}

func leadsOf(results []evaluate.Result) []evaluate.Length {
	var out []evaluate.Length
	for _, r := range results {
		for _, s := range r.Scores {
			if !slices.Contains(out, s.Lead) {
				out = append(out, s.Lead)
			}
		}
	}
	slices.Sort(out)
	return out
}

// writeEach writes Tessera on every series at one lead.
func writeEach(out io.Writer, results []evaluate.Result, lead evaluate.Length, level float64) {
	fmt.Fprintf(out, "#### Every series, %s ahead\n\n", lead)
	fmt.Fprintf(out, "| series | scored | pinball | over EWMA + tracker | over last x head-room | covers %g | first 10 min | night | longest run of misses | WQL | MASE | sMAPE | MSIS 95 | night over | GPU cost |\n%s\n", level, rule(15))
	for _, r := range results {
		s, reference, fitted := score(r, lead, evaluate.Tessera), score(r, lead, evaluate.Reference), score(r, lead, "last-headroom")
		if s == nil {
			continue
		}
		name := r.Series
		if !slices.Contains(gated, name) {
			name += " *"
		}
		fmt.Fprintf(out, "| %s | %d | %s | %s | %s | %s | %s | %s | %d | %s | %s | %s | %s | %s | %.3f |\n", name, s.Count, show(s.Pinball, 4),
			over(s, reference), over(s, fitted), show(s.Covered, 3), class(s, "first-10m"), class(s, "night"), s.Misses, show(s.WQL, 4),
			show(s.MASE, 3), show(s.SMAPE, 1), show(s.MSIS, 2), show(s.NightOver, 3), s.Cost/s.Foresight)
	}
	fmt.Fprintln(out, "\n\\* not among the series of the targets")
	fmt.Fprintln(out)
}

func writePooled(out io.Writer, pooled []evaluate.Pooled) {
	fmt.Fprintf(out, "| lead | method | ratio | worst | on | beats last x head-room | covers within .02 | covered | first 10 min | WQL | MASE | sMAPE | night over | GPU cost |\n%s\n", rule(14))
	for _, p := range pooled {
		if p.Ahead == nil {
			p.Ahead = new(int)
		}
		name := p.Method
		if name == evaluate.Tessera {
			name = "**tessera**"
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %d of %d | %d | %s | %s | %s | %s | %s | %s | %s |\n", p.Lead, name, show(p.Ratio, 3), show(p.Worst, 3), p.WorstOf,
			*p.Ahead, p.Series, p.Within, show(p.Mean.Covered, 3), class(&p.Mean, "first-10m"), show(p.Mean.WQL, 4), show(p.Mean.MASE, 3), show(p.Mean.SMAPE, 1),
			show(p.Mean.NightOver, 3), show(p.Over, 3))
	}
	fmt.Fprintln(out)
}

// writeLosses writes the loss of every method on every series.
func writeLosses(out io.Writer, results []evaluate.Result) {
	for _, lead := range leadsOf(results) {
		var methods []string
		for _, s := range results[0].Scores {
			if !slices.Contains(methods, s.Method) {
				methods = append(methods, s.Method)
			}
		}
		fmt.Fprintf(out, "#### Pinball loss by method, %s ahead\n\n| series | %s |\n%s\n", lead, strings.Join(methods, " | "), rule(len(methods)+1))
		for _, r := range results {
			if score(r, lead, evaluate.Tessera) == nil {
				continue
			}
			fmt.Fprintf(out, "| %s |", r.Series)
			for _, m := range methods {
				s := score(r, lead, m)
				if s == nil {
					s = &evaluate.Score{}
				}
				fmt.Fprintf(out, " %s |", show(s.Pinball, 4))
			}
			fmt.Fprintln(out)
		}
		fmt.Fprintln(out)
	}
}

// writeCoverage writes how Tessera covers: a row a lead.
func writeCoverage(out io.Writer, pooled []evaluate.Pooled) {
	report := evaluate.NewReport(nil, 0)
	fmt.Fprintf(out, "#### Coverage of every quantile, and of what is bought by class of the hour\n\n| lead |")
	for _, l := range report.Levels {
		fmt.Fprintf(out, " %s |", strconv.FormatFloat(l, 'g', -1, 64))
	}
	fmt.Fprintf(out, " %s |\n%s\n", strings.Join(evaluate.Classes, " | "), rule(1+len(report.Levels)+len(evaluate.Classes)))
	for _, p := range pooled {
		if p.Method != evaluate.Tessera {
			continue
		}
		fmt.Fprintf(out, "| %s |", p.Lead)
		for _, c := range p.Mean.Coverage {
			fmt.Fprintf(out, " %.3f |", c)
		}
		for _, c := range evaluate.Classes {
			fmt.Fprintf(out, " %s |", class(&p.Mean, c))
		}
		fmt.Fprintln(out)
	}
}

func rule(columns int) string { return strings.Repeat("|---", columns) + "|" }

// score returns what a method scored at a lead, or nil.
func score(r evaluate.Result, lead evaluate.Length, method string) *evaluate.Score {
	for i := range r.Scores {
		if r.Scores[i].Lead == lead && r.Scores[i].Method == method {
			return &r.Scores[i]
		}
	}
	return nil
}

func show(v *float64, digits int) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v, 'f', digits, 64)
}

func class(s *evaluate.Score, name string) string {
	if v, ok := s.Classes[name]; ok {
		return show(&v, 3)
	}
	return "-"
}

// over is the loss of a score over that of another.
func over(s, other *evaluate.Score) string {
	if other == nil || s.Pinball == nil || other.Pinball == nil || *other.Pinball == 0 {
		return "-"
	}
	v := *s.Pinball / *other.Pinball
	return show(&v, 3)
}
