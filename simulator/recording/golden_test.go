package recording

import (
	"bufio"
	"compress/gzip"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tessera-autoscaler/tessera/simulator/internal/recorded"
)

// column sums the fields of a recorded file by another reader than ours: weights
// multiplies them, names says whose they are.
func summed(t *testing.T, path string, name func(f []string) string, value func(f []string) float64) map[string]float64 {
	t.Helper()
	var r io.Reader = recorded.Open(t, path)
	if strings.HasSuffix(path, ".gz") {
		unpacked, err := gzip.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		r = unpacked
	}
	out := map[string]float64{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Split(strings.TrimSpace(lines.Text()), ",")
		if x := value(f); !math.IsNaN(x) {
			out[name(f)] += x
		}
	}
	if err := lines.Err(); err != nil || len(out) == 0 {
		t.Fatalf("%s: %v, sums %v", path, err, out)
	}
	return out
}

// field is a number in a column; a header or an empty field is none.
func field(i int) func([]string) float64 {
	return func(f []string) float64 {
		x, err := strconv.ParseFloat(f[i], 64)
		if err != nil {
			return math.NaN()
		}
		return x
	}
}

func one([]string) string { return AnyModel }

func named(i int) func([]string) string { return func(f []string) string { return f[i] } }

// Every file of the recorded data is read whole: requests, and work where it is
// made of tokens, are the sums of its columns.
func TestRecordedFilesAreReadWhole(t *testing.T) {
	times := func(n float64, value func([]string) float64) func([]string) float64 {
		return func(f []string) float64 { return n * value(f) }
	}
	rows := func(i int) func([]string) float64 { return func(f []string) float64 { return 0*field(i)(f) + 1 } }
	for path, tt := range map[string]struct {
		opt   Options
		name  func([]string) string
		value func([]string) float64
		work  func([]string) float64
	}{
		"azure_llm_2023/AzureLLMInferenceTrace_conv.csv.gz": {Options{Work: &Linear{1, 2}}, one, rows(1), func(f []string) float64 { return field(1)(f) + 2*field(2)(f) }},
		"azure_llm_2023/AzureLLMInferenceTrace_code.csv.gz": {Options{Work: &Linear{1, 2}}, one, rows(1), func(f []string) float64 { return field(1)(f) + 2*field(2)(f) }},
		"servegen/client_rates_10min.csv.gz":                {Options{}, named(1), times(600, field(4)), nil},
		"servegen/fleet_rate_10min.csv":                     {Options{}, named(0), times(600, field(2)), nil},
		"bank_calls/calls_5min.csv.gz":                      {Options{}, one, field(2), nil},
		"bank_calls/taylor_30min.csv.gz":                    {Options{Step: 30 * time.Minute}, one, field(0), nil},
		"nab/nyc_taxi.csv.gz":                               {Options{}, one, field(1), nil},
		"nab/Twitter_volume_AAPL.csv.gz":                    {Options{}, one, field(1), nil},
		"nab/Twitter_volume_AMZN.csv.gz":                    {Options{}, one, field(1), nil},
		"nab/Twitter_volume_CRM.csv.gz":                     {Options{}, one, field(1), nil},
		"nab/Twitter_volume_CVS.csv.gz":                     {Options{}, one, field(1), nil},
		"nab/Twitter_volume_FB.csv.gz":                      {Options{}, one, field(1), nil},
		"crane_dsp/input0.csv.gz":                           {Options{Unit: Rates}, one, times(60, field(1)), nil},
		"crane_dsp/input4.csv.gz":                           {Options{}, one, field(1), nil},
		"internet_traffic/A1H.txt.gz":                       {Options{Step: time.Hour}, one, field(0), nil},
		"internet_traffic/A5M.txt.gz":                       {Options{Step: 5 * time.Minute}, one, field(0), nil},
		"alibaba_genai_2026/qps_per_minute.csv":             {Options{Step: time.Minute, Unit: Rates, Columns: Columns{Time: "unix_minute", Model: "request_type", Requests: "sum_value"}}, named(1), times(60, field(2)), nil},
		"alibaba_genai_2026/requests_per_minute_by_model.csv": {
			Options{Step: time.Minute, Columns: Columns{Time: "minute", Work: "exec_seconds"}}, named(1), field(2), field(3),
		},
	} {
		t.Run(path, func(t *testing.T) {
			want := summed(t, path, tt.name, tt.value)
			all, _, err := read(t, path, recorded.Open(t, path), tt.opt)
			if err != nil {
				t.Fatal(err)
			}
			requests, work := totals(all)
			same(t, "requests", want, requests)
			if tt.work != nil {
				same(t, "work", summed(t, path, tt.name, tt.work), work)
			}
		})
	}
}

// The columns of prompt tokens are read whole, and their empty minutes are no rows.
func TestRecordedGapsAreNoRows(t *testing.T) {
	const path = "sageserve_o365/prompt_tokens_per_minute.csv.gz"
	all, about, err := read(t, path, recorded.Open(t, path), Options{})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, r := range all {
		counts[r.Name]++
	}
	requests, _ := totals(all)
	for i, name := range []string{"A_dev", "A_prod", "B_dev", "B_prod"} {
		whose := func([]string) string { return name }
		if want := summed(t, path, whose, field(i+1)); !near(requests[name], want[name]) {
			t.Errorf("%s: %v tokens, want %v", name, requests[name], want[name])
		}
		if want := summed(t, path, whose, func(f []string) float64 { return 0*field(i+1)(f) + 1 }); counts[name] != want[name] {
			t.Errorf("%s: %v rows, want %v", name, counts[name], want[name])
		}
	}
	if about.Step != time.Minute || about.Dated || !about.Dense {
		t.Errorf("%+v", about)
	}
}

func same(t *testing.T, what string, want, got map[string]float64) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(near)); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}
