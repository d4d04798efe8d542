package series

import (
	"bytes"
	"compress/gzip"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// read reads a text that must be right.
func read(t *testing.T, text string, o Options) []Series {
	t.Helper()
	all, err := Read("f.csv", strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestReadKeepsGapsOrderAndTheFormOfTimes(t *testing.T) {
	gap := math.NaN()
	for _, tt := range []struct {
		name, text string
		step       time.Duration
		want       map[string][]float64
		order      []string
		first      string // the time of the first bin of the first series, written again
	}{
		{"seconds", "series,time,value\na,0,1\na,60,\na,120,2.5\n", time.Minute, map[string][]float64{"a": {1, gap, 2.5}}, []string{"a"}, "0"},
		{"a bin without a row is a gap", "series,time,value\na,0,1\na,60,2\na,240,-3\n", time.Minute, map[string][]float64{"a": {1, 2, gap, gap, -3}}, []string{"a"}, "0"},
		{"RFC 3339", "series,time,value\na,2026-09-14T09:00:00Z,1\na,2026-09-14T10:00:00Z,2\n", time.Hour, map[string][]float64{"a": {1, 2}}, []string{"a"}, "2026-09-14T09:00:00Z"},
		{"an offset", "series,time,value\na,2026-09-14T09:00:00+02:00,1\na,2026-09-14T08:00:00Z,2\n", time.Hour, map[string][]float64{"a": {1, 2}}, []string{"a"}, "2026-09-14T09:00:00+02:00"},
		{"rows of series mixed", "series,time,value\nb,0,1\na,0,2\nb,1,3\na,1,4\n", time.Second, map[string][]float64{"b": {1, 3}, "a": {2, 4}}, []string{"b", "a"}, "0"},
		{"quotes, CRLF and a byte order mark", "\ufeffseries,time,value\r\n\"a,b\",0, 1e3 \r\n", time.Second, map[string][]float64{"a,b": {1000}}, []string{"a,b"}, "0"},
		{"a clock that jitters", "series,time,value\na,0,1\na,62,2\na,119,3\n", time.Minute, map[string][]float64{"a": {1, 2, 3}}, []string{"a"}, "0"},
		{"a value first that is unknown", "series,time,value\na,0,\na,1,2\n", time.Second, map[string][]float64{"a": {gap, 2}}, []string{"a"}, "0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var zipped bytes.Buffer
			w := gzip.NewWriter(&zipped)
			_, _ = w.Write([]byte(tt.text))
			_ = w.Close()
			for _, text := range []string{tt.text, zipped.String()} {
				all := read(t, text, Options{Step: tt.step})
				got, order := map[string][]float64{}, []string{}
				for _, s := range all {
					got[s.Name], order = s.Values, append(order, s.Name)
				}
				if diff := cmp.Diff(tt.want, got, cmpopts.EquateNaNs()); diff != "" {
					t.Errorf("values (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.order, order); diff != "" {
					t.Errorf("order (-want +got):\n%s", diff)
				}
				if all[0].Time(0) != tt.first {
					t.Errorf("the first time is %s, want %s", all[0].Time(0), tt.first)
				}
			}
		})
	}
}

// What is wrong says where it is and how to mend it.
func TestWrongFilesSayWhereAndHowToMendIt(t *testing.T) {
	const head = "series,time,value\n"
	for _, tt := range []struct {
		name, text string
		step       time.Duration
		rates      bool
		at         string
		says       []string
	}{
		{"empty", "", 0, false, "f.csv:1:1: ", []string{"empty", "series,time,value"}},
		{"no rows", head, 0, false, "f.csv:1: ", []string{"no row"}},
		{"other header", "time,series,value\n", 0, false, "f.csv:1:1: ", []string{"time,series,value", "must be series,time,value"}},
		{"short header", "series,time\n", 0, false, "f.csv:1:8: ", []string{"must be series,time,value"}},
		{"long header", "series,time,value,unit\n", 0, false, "f.csv:1:19: ", []string{`"unit"`}},
		{"short row", head + "a,0\n", 0, false, "f.csv:2:1: ", []string{"2 fields", "has 3"}},
		{"no name", head + ",0,1\n", 0, false, "f.csv:2:1: ", []string{"no name"}},
		{"no time", head + "a,,1\n", 0, false, "f.csv:2:3: ", []string{"empty", "RFC 3339"}},
		{"time of no form", head + "a,14.9.2026,1\n", 0, false, "f.csv:2:3: ", []string{"14.9.2026", "RFC 3339", "integer seconds"}},
		{"milliseconds", head + "a,1726304400000,1\n", 0, false, "f.csv:2:3: ", []string{"milliseconds"}},
		{"fraction of a second", head + "a,2026-09-14T09:00:00.5Z,1\n", 0, false, "f.csv:2:3: ", []string{"fraction"}},
		{"two forms of time", head + "a,0,1\nb,1970-01-01T00:01:00Z,1\n", 0, false, "f.csv:3:3: ", []string{"another form"}},
		{"NaN", head + "a,0,NaN\n", 0, false, "f.csv:2:5: ", []string{"NaN", "gap"}},
		{"infinite", head + "a,0,-inf\n", 0, false, "f.csv:2:5: ", []string{"-inf", "beyond"}},
		{"enormous", head + "a,0,1e400\n", 0, false, "f.csv:2:5: ", []string{"1e400", "beyond"}},
		{"no number", head + "a,0,\"1,5\"\n", 0, false, "f.csv:2:5: ", []string{`"1,5"`, "point"}},
		{"negative rate", head + "a,0,-1\n", 0, true, "f.csv:2:5: ", []string{"-1", "negative"}},
		{"twice", head + "a,60,1\nb,60,1\na,60,2\n", 0, false, "f.csv:4:3: ", []string{"60 twice", "line 2"}},
		{"unsorted", head + "a,60,1\na,0,2\n", 0, false, "f.csv:3:3: ", []string{"goes back", "line 2", "sort"}},
		{"clock that jumps", head + "a,0,1\na,60,1\na,1726304400,2\n", 0, false, "f.csv:4:3: ", []string{"jumps", "more than a year"}},
		{"clock that was set", head + "a,0,1\na,60,1\na,150,2\n", 0, false, "f.csv:4:3: ", []string{"30s off the bins of 1m", "round"}},
		{"finer than its step", head + "a,0,1\na,60,1\n", time.Hour, false, "f.csv:3:3: ", []string{"1m apart", "--step", "nothing is resampled"}},
		{"coarser than its step", head + "a,0,1\na,300,1\na,600,1\na,1200,1\n", 0, false, "f.csv:2: ", []string{"row every 5m", "give --step 5m"}},
		{"all gaps", head + "a,0,\na,60,\n", 0, false, "f.csv:2: ", []string{"no value at all"}},
		{"no CSV", head + "\"a,0,1\n", 0, false, "f.csv:2:", []string{"no CSV"}},
		{"half a gzip", "\x1f\x8b\x08\x00", 0, false, "f.csv: ", []string{"cannot be read"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.step == 0 {
				tt.step = time.Minute
			}
			all, err := Read("f.csv", strings.NewReader(tt.text), Options{Step: tt.step, Rates: tt.rates})
			var wrong *Error
			if !errors.As(err, &wrong) || all != nil {
				t.Fatalf("%d series and the error %v", len(all), err)
			}
			if !strings.HasPrefix(err.Error(), tt.at) {
				t.Errorf("it does not begin with %q: %v", tt.at, err)
			}
			for _, text := range tt.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("it does not say %q: %v", text, err)
				}
			}
		})
	}
}

// A file cannot ask for more memory than it is given, however few rows it has.
func TestBinsOfAFileAreBounded(t *testing.T) {
	text := "series,time,value\na,0,1\nb,0,1\na,600,1\nb,600,1\n"
	for most, fits := range map[int]bool{1202: true, 1201: false} {
		_, err := Read("f.csv", strings.NewReader(text), Options{Step: time.Second, most: most})
		if fits != (err == nil || strings.Contains(err.Error(), "row every")) {
			t.Errorf("%d bins: %v", most, err)
		}
		if !fits && (!strings.HasPrefix(err.Error(), "f.csv:5:3: ") || !strings.Contains(err.Error(), "split it")) {
			t.Error(err)
		}
	}
}

func TestStepIsWholeSeconds(t *testing.T) {
	for _, step := range []time.Duration{0, -time.Second, time.Millisecond, 1500 * time.Millisecond} {
		if _, err := Read("f.csv", strings.NewReader("series,time,value\na,0,1\n"), Options{Step: step}); err == nil {
			t.Errorf("a step of %v is taken", step)
		}
	}
}
