package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/forecast/series"
)

// teller tells forecasts one after the other, and what is left at the end.
type teller struct {
	tell   func(forecasted) error
	finish func() error
}

// teller returns the one for the form that was asked for.
func (f *forecastFlags) teller(out io.Writer) teller {
	switch f.output {
	case "csv":
		return tellCSV(out)
	case "json":
		return tellJSON(out)
	}
	return tellTable(out)
}

func tellCSV(out io.Writer) teller {
	w := series.NewWriter(out, "series", "time")
	return teller{func(f forecasted) error {
		for h, q := range f.Quantiles {
			w.Write(f.Mean[h], q, f.Name, f.Time(len(f.Values)+h))
		}
		return w.Flush()
	}, w.Flush}
}

// forecastJSON is what -o json prints.
type forecastJSON struct {
	Levels []float64    `json:"levels"`
	Series []seriesJSON `json:"series"`
}

type seriesJSON struct {
	Series string      `json:"series"`
	Note   string      `json:"note"` // what the forecast rests on
	Points []pointJSON `json:"points"`
}

type pointJSON struct {
	Time      string    `json:"time"`
	Mean      float64   `json:"mean"`
	Quantiles []float64 `json:"quantiles"` // at levels
}

func tellJSON(out io.Writer) teller {
	all := forecastJSON{Levels: forecast.Levels(), Series: []seriesJSON{}}
	return teller{func(f forecasted) error {
		s := seriesJSON{Series: f.Name, Note: f.Note}
		for h, q := range f.Quantiles {
			s.Points = append(s.Points, pointJSON{f.Time(len(f.Values) + h), f.Mean[h], q})
		}
		all.Series = append(all.Series, s)
		return nil
	}, func() error {
		if len(all.Series) == 0 {
			return nil // there was an error, which is told instead
		}
		return indented(out, all)
	}}
}

// indented prints a value as JSON for people and programs.
func indented(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// tellTable shows of each series the first step, the last one and the busiest: the
// median, and the band that holds nineteen of twenty values.
func tellTable(out io.Writer) teller {
	t := newTable("SERIES", "BINS", "GAPS", "LAST", "NEXT", "95 % BAND", "AT THE END", "95 % BAND", "HIGHEST MEDIAN", "AT", "RESTS ON")
	return teller{func(f forecasted) error {
		last, best := len(f.Quantiles)-1, 0
		for h, q := range f.Quantiles {
			if q[medianColumn] > f.Quantiles[best][medianColumn] {
				best = h
			}
		}
		t.AppendRow(table.Row{
			f.Name, grouped(int64(len(f.Values))), grouped(int64(f.Gaps())), lastKnown(f.Series),
			short(f.Quantiles[0][medianColumn]), bandOf(f.Quantiles[0]),
			short(f.Quantiles[last][medianColumn]), bandOf(f.Quantiles[last]),
			short(f.Quantiles[best][medianColumn]), f.Time(len(f.Values) + best), f.Note,
		})
		return nil
	}, func() error {
		if t.Length() == 0 {
			return nil
		}
		_, err := io.WriteString(out, untrailed(t.Render())+"\n")
		return err
	}}
}

// medianColumn, lowColumn and highColumn are the places of 0.5, 0.025 and 0.975 among
// the levels.
var (
	medianColumn = slices.Index(forecast.Levels(), 0.5)
	lowColumn    = slices.Index(forecast.Levels(), 0.025)
	highColumn   = slices.Index(forecast.Levels(), 0.975)
)

func bandOf(q []float64) string { return short(q[lowColumn]) + " to " + short(q[highColumn]) }

// short prints a number in four digits.
func short(v float64) string { return fourDigits(&v) }

func lastKnown(s *series.Series) string {
	for _, v := range slices.Backward(s.Values) {
		if v == v { // no gap
			return short(v)
		}
	}
	return "none"
}

// untrailed takes the spaces off the ends of lines.
func untrailed(text string) string {
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprint(&b, strings.TrimRight(line, " "))
	}
	return b.String()
}
