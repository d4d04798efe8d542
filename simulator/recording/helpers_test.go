package recording

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

// read takes all rows, and checks what every recording promises.
func read(t testing.TB, name string, r io.Reader, opt Options) ([]Row, About, error) {
	t.Helper()
	in, err := Open(name, r, opt)
	if err != nil {
		return nil, About{}, err
	}
	var rows []Row
	for {
		row, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, in.About(), err
		}
		if n := len(rows); n > 0 && row.At < rows[n-1].At {
			t.Fatalf("row %d at %d, after one at %d", n, row.At, rows[n-1].At)
		}
		for _, x := range []float64{row.Requests, row.Work, row.CV} {
			if !(x >= 0) || math.IsInf(x, 0) {
				t.Fatalf("row %+v", row)
			}
		}
		rows = append(rows, row)
	}
	if _, err := in.Next(); !errors.Is(err, io.EOF) {
		t.Fatalf("after the end: %v", err)
	}
	if len(rows) == 0 {
		t.Fatal("no rows and no complaint")
	}
	return rows, in.About(), nil
}

func mustRead(t testing.TB, text string, opt Options) ([]Row, About) {
	t.Helper()
	rows, about, err := read(t, "f", strings.NewReader(text), opt)
	if err != nil {
		t.Fatal(err)
	}
	return rows, about
}

// totals sums requests and work by name.
func totals(rows []Row) (requests, work map[string]float64) {
	requests, work = map[string]float64{}, map[string]float64{}
	for _, r := range rows {
		requests[r.Name] += r.Requests
		work[r.Name] += r.Work
	}
	return requests, work
}

func near(x, y float64) bool { return math.Abs(x-y) <= 1e-9*(1+math.Abs(y)) }
