package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/tessera-autoscaler/tessera/forecast/series"
)

const (
	m4Horizon = 48
	m4Season  = 24
)

// m4Point is what the M4 competition scores: a point forecast with a 95 % interval.
type m4Point struct{ median, low, high float64 }

// m4Scores are means over all series: sMAPE from 0 to 200, MASE and MSIS scaled by the
// seasonal naive error in the history, and the share of values within the interval.
type m4Scores struct {
	smape, mase, msis, coverage float64
	banded                      bool
}

// writeM4 scores the forecasts beside the benchmarks of the competition.
func writeM4(out io.Writer, work string) error {
	history, err := readHourly(filepath.Join(work, "m4-history.csv.gz"))
	if err != nil {
		return err
	}
	actual, err := readHourly(filepath.Join(work, "m4-actual.csv.gz"))
	if err != nil {
		return err
	}
	ours, err := readForecasts(filepath.Join(work, "m4-forecast.csv"))
	if err != nil {
		return err
	}
	rows := []struct {
		name   string
		of     func(name string, history []float64) []m4Point
		banded bool
	}{
		{"**tessera**", func(name string, _ []float64) []m4Point { return ours[name] }, true},
		{"seasonal naive", func(_ string, h []float64) []m4Point { return seasonalNaive(h) }, true},
		{"naive 2", func(_ string, h []float64) []m4Point { return naive2(h) }, false},
	}
	scores := make([]m4Scores, len(rows))
	for i, r := range rows {
		scores[i].banded = r.banded
		for name, h := range history {
			f := r.of(name, h)
			if len(f) != m4Horizon || len(actual[name]) != m4Horizon {
				return fmt.Errorf("series %s: %d forecasts for %d points, want %d", name, len(f), len(actual[name]), m4Horizon)
			}
			scores[i].add(h, actual[name], f, float64(len(history)))
		}
	}
	base := scores[len(scores)-1]
	fmt.Fprintf(out, "| M4 hourly, %d series, last %d points of train | sMAPE | MASE | OWA | MSIS 95 | coverage 95 |\n|---|---|---|---|---|---|\n", len(history), m4Horizon)
	for i, s := range scores {
		owa := (s.smape/base.smape + s.mase/base.mase) / 2
		msis, coverage := "-", "-"
		if s.banded {
			msis, coverage = fmt.Sprintf("%.2f", s.msis), fmt.Sprintf("%.3f", s.coverage)
		}
		fmt.Fprintf(out, "| %s | %.3f | %.3f | %.3f | %s | %s |\n", rows[i].name, s.smape, s.mase, owa, msis, coverage)
	}
	return nil
}

// add adds one of n series.
func (s *m4Scores) add(history, actual []float64, f []m4Point, n float64) {
	scale := 0.0
	for i := m4Season; i < len(history); i++ {
		scale += math.Abs(history[i] - history[i-m4Season])
	}
	scale /= float64(len(history) - m4Season)
	n *= float64(len(actual))
	for i, y := range actual {
		miss := math.Abs(y - f[i].median)
		if sum := math.Abs(y) + math.Abs(f[i].median); sum > 0 {
			s.smape += 200 * miss / sum / n
		}
		s.mase += miss / scale / n
		s.msis += (f[i].high - f[i].low + 40*max(0, f[i].low-y) + 40*max(0, y-f[i].high)) / scale / n
		if f[i].low <= y && y <= f[i].high {
			s.coverage += 1 / n
		}
	}
}

// seasonalNaive repeats the last season, with the normal interval of its errors.
func seasonalNaive(x []float64) []m4Point {
	sum := 0.0
	for i := m4Season; i < len(x); i++ {
		sum += (x[i] - x[i-m4Season]) * (x[i] - x[i-m4Season])
	}
	spread := math.Sqrt(sum / float64(len(x)-m4Season))
	out := make([]m4Point, m4Horizon)
	for h := range out {
		v, w := x[len(x)-m4Season+h%m4Season], 1.96*spread*math.Sqrt(float64(h/m4Season+1))
		out[h] = m4Point{v, v - w, v + w}
	}
	return out
}

// readHourly reads whole series by name.
func readHourly(path string) (map[string][]float64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read from
	all, err := series.Read(path, file, series.Options{Step: time.Hour})
	out := map[string][]float64{}
	for _, s := range all {
		out[s.Name] = s.Values
	}
	return out, err
}

// readForecasts reads what "autoscaler forecast -o csv" wrote.
func readForecasts(path string) (map[string][]m4Point, error) {
	out := map[string][]m4Point{}
	columns := map[string]int{}
	return out, records(path, func(f []string) error {
		if len(columns) == 0 {
			for i, name := range f {
				columns[name] = i
			}
			return errOther
		}
		v, err := numbers(f[columns["q0.5"]], f[columns["q0.025"]], f[columns["q0.975"]])
		name := f[0]
		out[name] = append(out[name], m4Point{v[0], v[1], v[2]})
		return err
	})
}
