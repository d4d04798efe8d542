package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// hours writes a series file of two series of 9 days with a shape of the day, times
// in RFC 3339 or seconds, the rows of the series mixed.
func hours(t *testing.T, name string, stamp func(i int) string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("series,time,value\n")
	for i := range 9 * 24 {
		value := fmt.Sprint(20 + 3*((i*7)%11) + 10*(i%24))
		if i == 100 {
			value = ""
		}
		fmt.Fprintf(&b, "\"b, of two\",%s,%s\na,%s,%d\n", stamp(i), value, stamp(i), 5+i%24)
	}
	replace(name, b.String())(t)
}

func inSeconds(i int) string { return strconv.Itoa(3600 * i) }

func inParis(i int) string {
	return time.Date(2026, 9, 14, i, 0, 0, 0, time.FixedZone("", 7200)).Format(time.RFC3339)
}

// lines reads CSV.
func lines(t *testing.T, text string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

const quantileColumns = "mean,q0.025,q0.05,q0.1,q0.25,q0.5,q0.75,q0.9,q0.95,q0.975,q0.99,q0.995"

func TestForecastWritesEverySeriesWithItsOwnTimes(t *testing.T) {
	t.Chdir(t.TempDir())
	for form, stamp := range map[string]func(int) string{"seconds": inSeconds, "RFC 3339": inParis} {
		hours(t, "hours.csv", stamp)
		got := invoke(t, "forecast", "--input", "hours.csv", "--step", "1h", "--horizon", "30", "--season", "24,168", "-o", "csv")
		succeeded(t, got)
		rows := lines(t, got.stdout)
		if strings.Join(rows[0], ",") != "series,time,"+quantileColumns || len(rows) != 1+2*30 {
			t.Fatalf("%s: %d rows below %q", form, len(rows)-1, rows[0])
		}
		for i, row := range rows[1:] {
			want := []string{"b, of two", stamp(216 + i)}
			if i >= 30 {
				want = []string{"a", stamp(216 + i - 30)}
			}
			if diff := cmp.Diff(want, row[:2]); diff != "" {
				t.Fatalf("%s, row %d (-want +got):\n%s", form, i, diff)
			}
			var q []float64
			for _, text := range row[3:] {
				v, err := strconv.ParseFloat(text, 64)
				if err != nil {
					t.Fatal(err)
				}
				q = append(q, v)
			}
			if !slices.IsSorted(q) {
				t.Errorf("%s, row %d: the quantiles cross: %v", form, i, q)
			}
		}
		again := invoke(t, "forecast", "--input", "hours.csv", "--step", "1h", "--horizon", "30", "--season", "24,168", "-o", "csv", "--jobs", "7")
		if again.stdout != got.stdout {
			t.Errorf("%s: on more cores the answer is another", form)
		}
	}
}

func TestForecastForPeopleAndPrograms(t *testing.T) {
	t.Chdir(t.TempDir())
	hours(t, "hours.csv", inSeconds)
	table := invoke(t, "forecast", "--input", "hours.csv", "--step", "1h", "--horizon", "24")
	succeeded(t, table)
	for _, text := range []string{"SERIES", "b, of two", "216", "RESTS ON", " to "} {
		if !strings.Contains(table.stdout, text) {
			t.Errorf("the table does not show %q:\n%s", text, table.stdout)
		}
	}
	var all forecastJSON
	got := invoke(t, "forecast", "--input", "hours.csv", "--step", "1h", "--horizon", "24", "-o", "json")
	succeeded(t, got)
	if err := json.Unmarshal([]byte(got.stdout), &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Levels) != 11 || len(all.Series) != 2 || len(all.Series[1].Points) != 24 || all.Series[1].Series != "a" || all.Series[1].Note == "" {
		t.Errorf("%+v", all)
	}
	if p := all.Series[1].Points[0]; p.Time != inSeconds(216) || len(p.Quantiles) != 11 {
		t.Errorf("%+v", p)
	}
}

func TestBacktestWritesOneRowAForecast(t *testing.T) {
	t.Chdir(t.TempDir())
	hours(t, "hours.csv", inParis)
	got := invoke(t, "forecast", "backtest", "--input", "hours.csv", "--step", "1h", "--lead", "10m,3h", "--from", "0.5", "--delay", "30m", "-o", "csv")
	succeeded(t, got)
	rows := lines(t, got.stdout)
	if strings.Join(rows[0], ",") != "series,origin,lead,time,actual,"+quantileColumns {
		t.Fatalf("%q", rows[0])
	}
	place := map[string]int{}
	for i := range 216 {
		place[inParis(i)] = i
	}
	count := map[string]int{}
	for _, row := range rows[1:] {
		origin, lead, target := place[row[1]], row[2], place[row[3]]
		// The delay hides the newest bin, and the lead counts from the newest that ended.
		ahead := map[string]int{"10m": 2, "3h": 4}[lead]
		if target-origin != ahead || target < 108 {
			t.Fatalf("%v", row[:5])
		}
		if want := fmt.Sprint(5 + target%24); row[0] == "a" && row[4] != want {
			t.Errorf("the actual value is %s, want %s", row[4], want)
		}
		count[row[0]+" "+lead]++
	}
	want := map[string]int{"b, of two 10m": 108, "b, of two 3h": 108, "a 10m": 108, "a 3h": 108}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// elapsed is the line of a table that no two runs share.
var elapsed = regexp.MustCompile(`CPU time of tessera: .*`)

func TestBacktestTablesAndPictures(t *testing.T) {
	t.Chdir(t.TempDir())
	hours(t, "hours.csv", inSeconds)
	got := invoke(t, "forecast", "backtest", "--input", "hours.csv", "--step", "1h", "--lead", "1h,6h", "--plot", "new/pictures")
	succeeded(t, got)
	for _, text := range append([]string{
		"b, of two: 216 bins of 1h, 1 gap", "all 2 series", "coverage of tessera", "Q0.995", "MONDAY-MORNING", "refits counted", "BEATS HEADROOM", "6h",
	}, "tessera", "ewma-tracker", "last-headroom", "last-value", "yesterday-tracker", "dynamo-kalman", "crane-dsp", "phpa-holt-winters", "aws-hourly") {
		if !strings.Contains(got.stdout, text) {
			t.Errorf("the table does not show %q:\n%s", text, got.stdout)
		}
	}
	for _, name := range []string{"a.png", "b__of_two.png"} {
		file, err := os.ReadFile(filepath.Join("new", "pictures", name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(bytes.NewReader(file)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	one := func(args ...string) string {
		o := invoke(t, append([]string{"forecast", "backtest", "--input", "hours.csv", "--step", "1h"}, args...)...)
		succeeded(t, o)
		return elapsed.ReplaceAllString(o.stdout, "")
	}
	if one("--jobs", "1") != one("--jobs", "5") {
		t.Error("on more cores the scores are others")
	}
	few := one("--against", "last-value")
	if !strings.Contains(few, "last-value") || strings.Contains(few, "dynamo") {
		t.Errorf("--against has no effect:\n%s", few)
	}
	if one("--gpu-capacity", "10", "--gpu-price", "3", "--late-price", "9") == one("--gpu-capacity", "40", "--gpu-price", "3", "--late-price", "30") {
		t.Error("prices have no effect")
	}
	var fields object
	o := invoke(t, "forecast", "backtest", "--input", "hours.csv", "--step", "1h", "--against", "none", "-o", "json")
	succeeded(t, o)
	if err := json.Unmarshal([]byte(o.stdout), &fields); err != nil {
		t.Fatal(err)
	}
	expect(t, "the report", fields, map[string]string{"level": "number", "levels": "array", "reference": "string", "series": "array", "pooled": "array"})
}

// Standard input will do as a file.
func TestForecastReadsStandardInput(t *testing.T) {
	t.Chdir(t.TempDir())
	hours(t, "hours.csv", inSeconds)
	text, err := os.ReadFile("hours.csv")
	if err != nil {
		t.Fatal(err)
	}
	var out, diagnostics bytes.Buffer
	root := newRoot(&out, &diagnostics)
	root.SetIn(bytes.NewReader(text))
	root.SetArgs([]string{"forecast", "--input", "-", "--step", "1h", "--horizon", "2", "-o", "csv"})
	if err := root.Execute(); err != nil || strings.Count(out.String(), "\n") != 5 {
		t.Errorf("%v: %q", err, out.String())
	}
}

func TestForecastLinesThatMakeNoSense(t *testing.T) {
	t.Chdir(t.TempDir())
	for line, says := range map[string][]string{
		"forecast":                                                  {"--input FILE", "see 'autoscaler forecast --help'"},
		"forecast --input f.csv --horizon 3":                        {"--step", "such as 1m"},
		"forecast --input f.csv --step 1h":                          {"--horizon", "such as 48"},
		"forecast --input f.csv --step 1h --horizon 0":              {"--horizon 0", "give 1 to"},
		"forecast --input f.csv --step 1h --horizon 3 --season 1":   {"--season 1"},
		"forecast --input f.csv --step 1h --horizon 3 --season day": {"--season", "see 'autoscaler forecast --help'"},
		"forecast --input f.csv --step 1500ms --horizon 3":          {"--step", "whole seconds"},
		"forecast --input f.csv --step 10 --horizon 3":              {"--step", "unit"},
		"forecast --input f.csv --step 1h --horizon 3 -o yaml":      {`-o "yaml"`, "table, csv, json"},
		"forecast --input f.csv --step 1h --horizon 3 --jobs 0":     {"--jobs 0"},
		"forecast f.csv":    {"f.csv", "see 'autoscaler forecast --help'"},
		"forecast backtest": {"--input FILE", "see 'autoscaler forecast backtest --help'"},
		"forecast backtest --input f.csv --step 1m --lead 10":                {`--lead "10"`, "such as 10m,30m"},
		"forecast backtest --input f.csv --step 1m --lead 10m,10m":           {"twice"},
		"forecast backtest --input f.csv --step 1m --lead 0s":                {`--lead "0s"`},
		"forecast backtest --input f.csv --step 1m --from 1":                 {"from = 1"},
		"forecast backtest --input f.csv --step 1m --from nan":               {"from = NaN"},
		"forecast backtest --input f.csv --step 1m --newsvendor 90":          {"level = 90"},
		"forecast backtest --input f.csv --step 1m --zone Europe/Pariss":     {"Europe/Pariss", "IANA"},
		"forecast backtest --input f.csv --step 1m --against dynamo-kalmann": {`--against "dynamo-kalmann"`, "did you mean dynamo-kalman?"},
		"forecast backtest --input f.csv --step 1m --gpu-capacity -1":        {"capacity of a GPU = -1"},
		"forecast backtest --input f.csv --step 1m --event -1":               {"--event -1"},
		"forecast backtest --input f.csv --step 1m --plots d":                {"did you mean --plot?"},
		"forecast backtest --input f.csv --step 1m -o parquet":               {`-o "parquet"`},
	} {
		t.Run(line, func(t *testing.T) { failed(t, invoke(t, words(line)...), exitUsage, says...) })
	}
}

func TestSeriesThatAreWrong(t *testing.T) {
	t.Chdir(t.TempDir())
	hours(t, "hours.csv", inSeconds)
	replace("negative.csv", "series,time,value\na,0,1\na,60,-1\na,120,3\na,180,3\n")(t)
	replace("nan.csv", "series,time,value\na,0,1\na,60,NaN\n")(t)
	replace("three.csv", "series,time,value\na,0,1\na,60,2\na,120,3\n")(t)
	for _, tt := range []struct {
		line, at string
		says     []string
	}{
		{"forecast --input nowhere.csv --step 1m --horizon 3", "read series", []string{"nowhere.csv"}},
		{"forecast --input nan.csv --step 1m --horizon 3", "nan.csv:3:6: ", []string{"leave it empty"}},
		{"forecast --input hours.csv --step 1m --horizon 3", "hours.csv:2: ", []string{"row every 1h", "give --step 1h"}},
		{"forecast backtest --input hours.csv --step 30m", "hours.csv:2: ", []string{"row every 1h", "give --step 1h"}},
		{"forecast backtest --input hours.csv --step 3h", "hours.csv:4:", []string{"1h apart", "nothing is resampled"}},
		{"forecast backtest --input negative.csv --step 1m", "negative.csv:3:6: ", []string{"negative"}},
		{"forecast backtest --input three.csv --step 1m --lead 1h", "three.csv: ", []string{"nothing was scored", "--from"}},
	} {
		t.Run(tt.line, func(t *testing.T) {
			got := invoke(t, words(tt.line)...)
			failed(t, got, exitInput, tt.says...)
			if !strings.HasPrefix(got.stderr, tt.at) {
				t.Errorf("the message does not begin with %q: %q", tt.at, got.stderr)
			}
		})
	}
	succeeded(t, invoke(t, "forecast", "--input", "negative.csv", "--step", "1m", "--horizon", "3"))
}

func TestForecastHelp(t *testing.T) {
	cores := regexp.MustCompile(`(at the same time) \(default \d+\)`)
	for _, name := range []string{"forecast", "forecast backtest"} {
		got := invoke(t, append(strings.Fields(name), "--help")...)
		succeeded(t, got)
		golden(t, filepath.Join("help", strings.ReplaceAll(name, " ", "-")+".txt"), cores.ReplaceAllString(got.stdout, "$1 (default all cores)"))
	}
}

// A slow series holds nothing back but the answers behind it, of which only a few
// are kept, and their order stays that of the file.
func TestSlowSeriesKeepTheirPlace(t *testing.T) {
	items := make([]int, 500)
	for i := range items {
		items[i] = i
	}
	release := make(chan struct{})
	var begun atomic.Int64
	var order []int
	done := make(chan error)
	go func() {
		done <- inOrder(t.Context(), 3, items, func(i int) (int, error) {
			begun.Add(1)
			if i == 0 {
				<-release
			}
			return i, nil
		}, func(i int) error { order = append(order, i); return nil })
	}()
	for begun.Load() < 10 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond)
	if n := begun.Load(); n > 30 {
		t.Errorf("%d series were worked on behind the slow one", n)
	}
	close(release)
	if err := <-done; err != nil || !slices.Equal(order, items) {
		t.Errorf("%v, order %v", err, order)
	}
}

// The error is that of the earliest series, and nothing is emitted behind it.
func TestTheFirstWrongSeriesIsTold(t *testing.T) {
	var emitted []int
	err := inOrder(t.Context(), 4, []int{0, 1, 2, 3, 4, 5, 6, 7}, func(i int) (int, error) {
		if i == 3 || i == 5 {
			return 0, fmt.Errorf("series %d", i)
		}
		return i, nil
	}, func(i int) error { emitted = append(emitted, i); return nil })
	if err == nil || err.Error() != "series 3" || !slices.Equal(emitted, []int{0, 1, 2}) {
		t.Errorf("%v after %v", err, emitted)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := inOrder(ctx, 1, []int{1}, func(i int) (int, error) { return i, nil }, func(int) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
