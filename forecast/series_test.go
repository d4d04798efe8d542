package forecast

import (
	"bufio"
	"compress/gzip"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// monday is the start of every generated series.
var monday = time.Date(2024, 11, 18, 0, 0, 0, 0, time.UTC)

// officeHours returns the true rate of a service used by people at work: two
// humps on work days, little at night and on weekends, and a burst in the first
// minutes of each hour, when meetings begin.
func officeHours(t time.Time, peak float64) float64 {
	h := float64(t.Hour()) + float64(t.Minute())/60
	hump := func(at, width float64) float64 { return math.Exp(-(h - at) * (h - at) / (2 * width * width)) }
	rate := 0.02 + 0.98*(hump(10, 1.6)+0.9*hump(15, 1.8))/1.05
	if day := t.Weekday(); day == time.Saturday || day == time.Sunday {
		rate *= 0.1
	}
	burst := [6]float64{1.9, 1.6, 1.35, 1.2, 1.1, 1.05}
	if m := t.Minute(); m < len(burst) {
		rate *= burst[m]
	}
	return peak * rate
}

// generated returns Poisson counts a minute, as rates, around officeHours times
// a level that wanders from hour to hour and differs from day to day.
func generated(seed uint64, days int, peak float64) []Observation {
	rng := rand.New(rand.NewPCG(seed, 1))
	series := make([]Observation, days*1440)
	wander, today := 0.0, 0.0
	for i := range series {
		at := monday.Add(time.Duration(i) * time.Minute)
		if i%1440 == 0 {
			today = 0.08 * rng.NormFloat64()
		}
		wander = 0.99*wander + 0.01*rng.NormFloat64()
		mean := 60 * officeHours(at, peak) * math.Exp(today+wander)
		series[i] = Observation{At: at, Value: float64(poisson(rng, mean)) / 60, Known: true}
	}
	return series
}

// poisson draws a count: exactly for small means, rounded normal for large ones.
func poisson(rng *rand.Rand, mean float64) int {
	if mean > 200 {
		return int(max(0, math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())))
	}
	k, p, limit := 0, rng.Float64(), math.Exp(-mean)
	for p > limit {
		k++
		p *= rng.Float64()
	}
	return k
}

// recorded opens a file of the recorded data, or skips the test.
func recorded(tb testing.TB, name string) io.Reader {
	tb.Helper()
	root := os.Getenv("TESSERA_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "data")
	}
	file, err := os.Open(filepath.Join(root, name))
	if err != nil {
		tb.Skipf("recorded data is absent: set TESSERA_DATA to its folder (%v)", err)
	}
	tb.Cleanup(func() { _ = file.Close() })
	if !strings.HasSuffix(name, ".gz") {
		return file
	}
	zipped, err := gzip.NewReader(file)
	if err != nil {
		tb.Fatalf("read %s: %v", name, err)
	}
	return zipped
}

// readSeries reads one observation from each line that read accepts.
func readSeries(tb testing.TB, name string, read func(line string) (Observation, bool)) []Observation {
	tb.Helper()
	var series []Observation
	lines := bufio.NewScanner(recorded(tb, name))
	for lines.Scan() {
		if o, ok := read(lines.Text()); ok {
			series = append(series, o)
		}
	}
	if err := lines.Err(); err != nil || len(series) == 0 {
		tb.Fatalf("read %s: %d observations, %v", name, len(series), err)
	}
	return series
}

func crane(tb testing.TB, index string) []Observation {
	tb.Helper()
	return readSeries(tb, "crane_dsp/input"+index+".csv.gz", func(line string) (Observation, bool) {
		at, value, _ := strings.Cut(line, ",")
		sec, err := strconv.ParseInt(at, 10, 64)
		v, err2 := strconv.ParseFloat(value, 64)
		return Observation{At: time.Unix(sec, 0), Value: v, Known: true}, err == nil && err2 == nil
	})
}

// internet is one value a line every five minutes.
func internet(tb testing.TB) []Observation {
	tb.Helper()
	at := time.Date(2005, 6, 7, 6, 55, 0, 0, time.UTC)
	return readSeries(tb, "internet_traffic/A5M.txt.gz", func(line string) (Observation, bool) {
		v, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
		at = at.Add(5 * time.Minute)
		return Observation{At: at.Add(-5 * time.Minute), Value: v, Known: true}, err == nil
	})
}

func taxi(tb testing.TB) []Observation {
	tb.Helper()
	return readSeries(tb, "nab/nyc_taxi.csv.gz", func(line string) (Observation, bool) {
		at, value, _ := strings.Cut(line, ",")
		t, err := time.Parse("2006-01-02 15:04:05", at)
		v, err2 := strconv.ParseFloat(value, 64)
		return Observation{At: t, Value: v / 1800, Known: true}, err == nil && err2 == nil
	})
}

// genai returns requests a second of the busiest model of the recording, by
// minute; minutes without a row had no request.
func genai(tb testing.TB) []Observation {
	tb.Helper()
	sparse := readSeries(tb, "alibaba_genai_2026/requests_per_minute_by_model.csv", func(line string) (Observation, bool) {
		f := strings.Split(line, ",")
		if len(f) != 4 || f[1] != "M0002" {
			return Observation{}, false
		}
		t, err := time.Parse("2006-01-02T15:04", f[0])
		v, err2 := strconv.ParseFloat(f[2], 64)
		return Observation{At: t, Value: v / 60, Known: true}, err == nil && err2 == nil
	})
	var series []Observation
	at := sparse[0].At
	for _, o := range sparse {
		for ; at.Before(o.At); at = at.Add(time.Minute) {
			series = append(series, Observation{At: at, Known: true})
		}
		series = append(series, o)
		at = at.Add(time.Minute)
	}
	return series
}

// fleetRate is a fleet of clients of a language model, every ten minutes.
func fleetRate(tb testing.TB, model string) []Observation {
	tb.Helper()
	return readSeries(tb, "servegen/fleet_rate_10min.csv", func(line string) (Observation, bool) {
		f := strings.Split(line, ",")
		if len(f) != 3 || f[0] != model {
			return Observation{}, false
		}
		sec, err := strconv.ParseInt(f[1], 10, 64)
		v, err2 := strconv.ParseFloat(f[2], 64)
		return Observation{At: time.Unix(sec, 0), Value: v, Known: true}, err == nil && err2 == nil
	})
}
