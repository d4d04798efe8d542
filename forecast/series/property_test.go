package series

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// Whatever is written in long form is read back, in either form of time, with the
// rows of the series mixed in any way, zipped or not.
func TestWhatIsWrittenIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		step := time.Duration(rapid.IntRange(1, 7200).Draw(t, "step")) * time.Second
		clock := Clock{seconds: rapid.Bool().Draw(t, "seconds")}
		values := rapid.SliceOfN(rapid.OneOf(rapid.Just(math.NaN()), rapid.Float64Range(-1e15, 1e15)), 1, 20)
		var want []Series
		for i := range rapid.IntRange(1, 4).Draw(t, "series") {
			s := Series{
				Name: fmt.Sprint(i, rapid.StringMatching(`[ -~]{0,8}`).Draw(t, "name")), Step: step, Clock: clock,
				Start:  time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "start"), 0).UTC(),
				Values: values.Draw(t, "values"),
			}
			// A series begins and ends with a row; one of its values is known.
			s.Values = append(s.Values, float64(i))
			want = append(want, s)
		}
		var rows [][]string
		next := make([]int, len(want))
		for left := len(want); left > 0; {
			i := 0
			if rows != nil { // the first row of each in turn, then any
				i = rapid.IntRange(0, len(want)-1).Draw(t, "whose")
			}
			for j := range next {
				if next[j] == 0 {
					i = j
					break
				}
			}
			s := &want[i]
			if next[i] >= len(s.Values) {
				continue
			}
			text := ""
			if v := s.Values[next[i]]; v == v {
				text = Exact(v)
			}
			rows = append(rows, []string{s.Name, s.Time(next[i]), text})
			if next[i]++; next[i] == len(s.Values) {
				left--
			}
		}
		var file bytes.Buffer
		w := csv.NewWriter(&file)
		if err := w.WriteAll(append([][]string{Header}, rows...)); err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "zipped") {
			var zipped bytes.Buffer
			z := gzip.NewWriter(&zipped)
			_, _ = z.Write(file.Bytes())
			_ = z.Close()
			file = zipped
		}
		got, err := Read("f.csv", &file, Options{Step: step})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmp.AllowUnexported(Clock{})); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// FuzzRead reads anything: it never fails to come to an end, and what it takes is a
// grid of finite values or gaps.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"series,time,value\na,0,1\na,3600,\na,7200,2\n",
		"series,time,value\na,2026-09-14T09:00:00+02:00,1\nb,2026-09-14T09:00:00Z,-1e12\n",
		"\ufeffseries,time,value\r\n\"a\"\"b\",0,1\r\n",
		"series,time,value\na,0,1\na,1,2\n", "series,time,value\na,0,nan\n", "\x1f\x8b\x08\x00\x00",
	} {
		f.Add(text, false)
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, rates bool) {
		all, err := Read("f.csv", strings.NewReader(text), Options{Step: time.Hour, Rates: rates})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f.csv:") {
				t.Errorf("an error without a place: %v", err)
			}
			return
		}
		if len(all) == 0 {
			t.Error("neither a series nor an error")
		}
		names := map[string]bool{}
		for _, s := range all {
			if s.Name == "" || names[s.Name] || s.Gaps() == len(s.Values) {
				t.Errorf("series %q: %d bins, %d gaps", s.Name, len(s.Values), s.Gaps())
			}
			names[s.Name] = true
			for _, v := range s.Values {
				if math.Abs(v) > mostValue || rates && v < 0 {
					t.Errorf("series %q has the value %v", s.Name, v)
				}
			}
		}
	})
}

func TestWriterNamesItsColumnsAndRoundsToTenDigits(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out, "series", "time")
	w.Write(1./3, []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1e6}, "a,b", "0")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "series,time,mean,q0.025,q0.05,q0.1,q0.25,q0.5,q0.75,q0.9,q0.95,q0.975,q0.99,q0.995\n\"a,b\",0,0.3333333333,0,1,2,3,4,5,6,7,8,9,1000000\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
