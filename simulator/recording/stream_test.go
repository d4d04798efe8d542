package recording

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

// trace draws a Trace CSV: bins of a minute, or single requests.
func trace(t *rapid.T, binned bool, label string) string {
	text := "time,model,requests,work\n"
	at := time.Date(2024, 11, 18, 9, 0, 0, 0, time.UTC)
	for i := range rapid.IntRange(1, 20).Draw(t, label+" rows") {
		gap := rapid.IntRange(min(i, 1), 3).Draw(t, label+" gap")
		at = at.Add(time.Duration(gap) * time.Minute)
		for _, model := range []string{"a", "b"} {
			n := 1
			if binned {
				n = rapid.IntRange(0, 30).Draw(t, label+" requests")
			}
			text += fmt.Sprintf("%s,%s,%d,%d\n", at.Format(time.RFC3339), model, n, n*rapid.IntRange(0, 4).Draw(t, label+" work"))
		}
	}
	return text
}

// through reads a trace, changes it and writes it again.
func through(t *rapid.T, text string, step time.Duration, scale float64, change func(Rows) Rows) string {
	in, err := Open("t.csv", strings.NewReader(text), Options{Step: step})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := NewWriter(&b, in.About(), scale)
	if err != nil {
		t.Fatal(err)
	}
	rows := change(in)
	for {
		r, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func same0(r Rows) Rows { return r }

// draw draws bins or single requests, and the step.
func draw(t *rapid.T, label string, binned bool) (string, time.Duration) {
	if binned {
		return trace(t, true, label), time.Minute
	}
	return trace(t, false, label), 0
}

// Whatever the trace: written as it is it stays the same, doubled and halved it
// is the same, moved there and back it is the same.
func TestRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, step := draw(t, "t", rapid.Bool().Draw(t, "binned"))
		if diff := cmp.Diff(text, through(t, text, step, 1, same0)); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(text, through(t, through(t, text, step, 2, same0), step, 0.5, same0)); diff != "" {
			t.Fatal(diff)
		}
		by := time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, "by"))
		later := through(t, text, step, 1, func(r Rows) Rows { return Shift(r, by) })
		if diff := cmp.Diff(text, through(t, later, step, 1, func(r Rows) Rows { return Shift(r, -by) })); diff != "" {
			t.Fatal(diff)
		}
	})
}

// A slice of a mix is the mix of slices, and a mix has the requests and the work
// of its parts.
func TestMixes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		binned := rapid.Bool().Draw(t, "binned")
		left, step := draw(t, "left", binned)
		right, _ := draw(t, "right", binned)
		open := func(text string) Rows {
			r, err := Open("t.csv", strings.NewReader(text), Options{Step: step})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		from := time.Date(2024, 11, 18, 9, rapid.IntRange(-5, 30).Draw(t, "from"), 0, 0, time.UTC)
		to := from.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "for")) * time.Minute)
		one := collect(t, Slice(Mix(binned, open(left), open(right)), from, to))
		two := collect(t, Mix(binned, Slice(open(left), from, to), Slice(open(right), from, to)))
		if diff := cmp.Diff(one, two); diff != "" {
			t.Fatal(diff)
		}
		requests, work := totals(collect(t, Mix(binned, open(left), open(right))))
		leftN, leftW := totals(collect(t, open(left)))
		rightN, rightW := totals(collect(t, open(right)))
		for _, m := range []string{"a", "b"} {
			if requests[m] != leftN[m]+rightN[m] || work[m] != leftW[m]+rightW[m] {
				t.Fatalf("%s: %v requests of work %v", m, requests[m], work[m])
			}
		}
	})
}

func collect(t *rapid.T, rows Rows) []Row {
	var out []Row
	for {
		r, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
}

// A summary adds up: its requests are those of its rows, at any scale to half a
// request for each model.
func TestSummariesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, step := draw(t, "t", rapid.Bool().Draw(t, "binned"))
		scale := rapid.SampledFrom([]float64{0.1, 0.5, 1, 1.7, 10}).Draw(t, "scale")
		in, err := Open("t.csv", strings.NewReader(text), Options{Step: step})
		if err != nil {
			t.Fatal(err)
		}
		s, err := Summarise(in, in.About())
		if err != nil {
			t.Fatal(err)
		}
		again, err := Open("t.csv", strings.NewReader(text), Options{Step: step})
		if err != nil {
			t.Fatal(err)
		}
		requests, _ := totals(collect(t, again))
		sum := 0.0
		for _, m := range s.Models {
			if m.Requests != requests[m.Name] || m.Peak < m.Mean*0.99 && step > 0 {
				t.Fatalf("%+v, want %v requests", m, requests[m.Name])
			}
			sum += m.Requests
		}
		if sum != s.Requests || s.Rows != int64(strings.Count(text, "\n")-1) {
			t.Fatalf("%v requests in %d rows", s.Requests, s.Rows)
		}
		out := through(t, text, step, scale, same0)
		if strings.Count(out, "\n") == 1 {
			return
		}
		scaled, err := Open("t.csv", strings.NewReader(out), Options{Step: step})
		if err != nil {
			t.Fatal(err)
		}
		got, _ := totals(collect(t, scaled))
		for m, n := range requests {
			if math.Abs(got[m]-n*scale) > 0.5 {
				t.Fatalf("%s: %v requests of %v at scale %v", m, got[m], n, scale)
			}
		}
	})
}

// A known recording, by hand.
func TestSummaryByHand(t *testing.T) {
	in, err := Open("f", strings.NewReader("time,model,requests,work\n60,a,60,120\n120,a,180,180\n300,a,0,0\n"), Options{Step: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Summarise(in, in.About())
	if err != nil {
		t.Fatal(err)
	}
	m := s.Models[0]
	// Five minutes of 60, 180 and three times 0: mean 48, variance 4896.
	if m.Mean != 0.8 || m.Peak != 3 || !near(m.PeakToMean, 3.75) || !near(*m.Dispersion, 4896.0/48) || *m.MeanWork != 1.25 || m.CV != nil {
		t.Errorf("%+v", m)
	}
	if s.Gaps.Count != 1 || s.Gaps.Seconds != 120 || s.Dated || s.To.Sub(s.From) != 5*time.Minute {
		t.Errorf("%+v", s)
	}
}

// parquetRow is our columns as another program would write them.
type parquetRow struct {
	Time     time.Time `parquet:"time,timestamp(microsecond)"`
	Model    string    `parquet:"model,dict"`
	Requests int64     `parquet:"requests"`
	Work     float64   `parquet:"work"`
}

func parquetFile(t testing.TB, rows ...parquetRow) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := parquet.Write(&b, rows, parquet.Compression(&parquet.Zstd)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func parquetSample(t testing.TB) []byte {
	at := time.Date(2024, 11, 18, 9, 0, 0, 0, time.UTC)
	return parquetFile(t, parquetRow{at, "a", 3, 6}, parquetRow{at, "b", 1, 1}, parquetRow{at.Add(time.Minute), "a", 0, 0})
}

// A Parquet file holds what the same CSV holds, however it is read.
func TestParquetIsTheSameAsCSV(t *testing.T) {
	data := parquetSample(t)
	const text = "time,model,requests,work\n2024-11-18T09:00,a,3,6\n2024-11-18T09:00,b,1,1\n2024-11-18T09:01,a,0,0\n"
	want, _ := mustRead(t, text, Options{Step: time.Minute})
	for name, r := range map[string]io.Reader{"a file": bytes.NewReader(data), "a stream": io.MultiReader(bytes.NewReader(data))} {
		got, about, err := read(t, "f.parquet", r, Options{Step: time.Minute})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" || about.Format != Parquet || !about.Sized {
			t.Errorf("%s: %+v %s", name, about, diff)
		}
	}
	_, _, err := read(t, "f.parquet", bytes.NewReader(data), Options{})
	if wrong, ok := errors.AsType[*Error](err); !ok || wrong.Line != 1 || wrong.Fault != FaultNumber {
		t.Errorf("got %v", err)
	}
	few := DefaultLimits
	few.Rows = 2
	_, _, err = read(t, "f.parquet", bytes.NewReader(data), Options{Step: time.Minute, Limits: &few})
	if wrong, ok := errors.AsType[*Error](err); !ok || wrong.Fault != FaultSize {
		t.Errorf("got %v", err)
	}
}
