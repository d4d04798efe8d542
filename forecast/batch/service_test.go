package batch

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// service is a recorded series of a service, with horizons of an hour or so and
// of a day.
type service struct {
	name   string
	values []float64
	step   time.Duration
}

func (s service) horizons() []int {
	return []int{max(1, int(time.Hour/s.step)), int(day / s.step)}
}

// column reads one column of the lines that begin in a way, or skips the test.
func column(tb testing.TB, name, begin string, at int) []float64 {
	tb.Helper()
	root := os.Getenv("TESSERA_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	file, err := os.Open(filepath.Join(root, name))
	if err != nil {
		tb.Skipf("recorded data is absent: set TESSERA_DATA to its folder (%v)", err)
	}
	defer func() { _ = file.Close() }()
	var in io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(file); err != nil {
			tb.Fatal(err)
		}
	}
	var out []float64
	for lines := bufio.NewScanner(in); lines.Scan(); {
		fields := strings.Split(lines.Text(), ",")
		if !strings.HasPrefix(lines.Text(), begin) || at >= len(fields) {
			continue
		}
		if v, err := strconv.ParseFloat(strings.TrimSpace(fields[at]), 64); err == nil {
			out = append(out, v)
		}
	}
	return out
}

func services(tb testing.TB) []service {
	tb.Helper()
	var all []service
	for i := range 8 {
		name := fmt.Sprintf("crane_dsp/input%d.csv.gz", i)
		all = append(all, service{name, column(tb, name, "", 1), time.Minute})
	}
	return append(all,
		service{"internet_traffic", column(tb, "internet_traffic/A5M.txt.gz", "", 0), 5 * time.Minute},
		service{"nyc_taxi", column(tb, "nab/nyc_taxi.csv.gz", "", 1), 30 * time.Minute},
		service{"servegen m-large", column(tb, "servegen/fleet_rate_10min.csv", "m-large", 2), 10 * time.Minute},
		service{"servegen m-mid", column(tb, "servegen/fleet_rate_10min.csv", "m-mid", 2), 10 * time.Minute})
}

// trial12 forecasts from twelve origins in the last third of a series and
// returns the summed absolute error and the share inside the 95 % interval.
func trial12(t *testing.T, s service, horizon int, r recipe) (sum, inside float64) {
	t.Helper()
	const origins = 12
	gap := max(1, (len(s.values)/3-horizon)/origins)
	for k := range origins {
		end := len(s.values) - horizon - k*gap
		a, err := answer(s.values[:end], Options{Step: s.step, Horizon: horizon}, r)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		for j, y := range s.values[end : end+horizon] {
			sum += abs(y - a.Mean[j])
			if q := a.Quantiles[j]; y >= q[0] && y <= q[8] {
				inside += 1 / float64(origins*horizon)
			}
		}
	}
	return sum, inside
}

// TestServiceAblation prints what the absolute error on the service series
// becomes without each expert, as the geometric mean over series and horizons:
//
//	go test ./forecast/batch -run TestServiceAblation -ablation -v
func TestServiceAblation(t *testing.T) {
	if !*ablation {
		t.Skip("a table for people: ask for it with -ablation")
	}
	all := services(t)
	whole := map[string]float64{}
	names := append([]string{""}, expertNames(t, wave(700, 24, 168))...)
	fmt.Println("| without | absolute error, of the whole's | largest of one series and horizon | coverage of 95 % |")
	fmt.Println("|---|---|---|---|")
	for _, name := range names {
		var logs, most, covered, n float64
		for _, s := range all {
			for _, horizon := range s.horizons() {
				sum, inside := trial12(t, s, horizon, recipe{without: name})
				key := fmt.Sprint(s.name, horizon)
				if name == "" {
					whole[key] = sum
				}
				ratio := sum / whole[key]
				logs += math.Log(ratio)
				most = max(most, ratio)
				covered += inside
				n++
			}
		}
		fmt.Printf("| %s | %.3f | %.3f | %.3f |\n", name, math.Exp(logs/n), most, covered/n)
	}
}
