package evaluate

import (
	"bytes"
	"image/png"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/forecast/series"
)

// A picture can be made of anything that was scored: gaps, zeros, one row, a spike.
func TestPicturesOfAllKindsOfSeries(t *testing.T) {
	gaps := daily(1, time.Minute, 12*1440)
	for i := 9 * 1440; i < 9*1440+300; i++ {
		gaps.Values[i] = nan
	}
	spike := daily(2, time.Hour, 200)
	spike.Values[150] = 1e12
	for name, s := range map[string]*series.Series{
		"gaps": gaps, "spike": spike,
		"zeros":   {Name: "zeros", Start: monday, Step: time.Hour, Values: make([]float64, 100)},
		"one row": {Name: "one", Start: monday, Step: time.Hour, Values: []float64{1, 2}},
	} {
		tr := trial(time.Hour)
		p := NewPicture(s, tr.Leads[0], tr.Level, nil)
		if _, err := tr.Run(s, []Entrant{ours()}, p.Add); err != nil {
			t.Fatal(err)
		}
		var once, again bytes.Buffer
		if err := p.Draw(&once); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := p.Draw(&again); err != nil || !bytes.Equal(once.Bytes(), again.Bytes()) {
			t.Errorf("%s: drawn twice it differs (%v)", name, err)
		}
		img, err := png.Decode(&once)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if size := img.Bounds().Size(); size.X != 1760 || size.Y != 935 {
			t.Errorf("%s: %v", name, size)
		}
	}
	if err := NewPicture(spike, time.Hour, 0.9, nil).Draw(&bytes.Buffer{}); err == nil {
		t.Error("a picture of nothing")
	}
}

// Few rows stand for many, and no miss that is alone is lost.
func TestThinKeepsMissesAndPeaks(t *testing.T) {
	rows := make([]drawn, 4001)
	for i := range rows {
		rows[i] = drawn{target: i, actual: 1, low: 0.5, median: 1, high: 1.5, bought: 1.2}
	}
	rows[7].actual = 9 // a peak that was bought
	rows[7].bought = 10
	for _, i := range []int{100, 1234, 4000} {
		rows[i] = drawn{target: i, actual: 2, low: 0.1, median: 1, high: 1.5, bought: 1.2, missed: true}
	}
	few := thin(rows, 500)
	if len(few) > 500 || len(few) < 250 {
		t.Errorf("%d rows", len(few))
	}
	var misses []int
	peak := 0.0
	for i, r := range few {
		if r.missed {
			misses = append(misses, r.target)
		}
		peak = max(peak, r.actual)
		if i > 0 && r.target <= few[i-1].target {
			t.Errorf("row %d goes back", i)
		}
	}
	if len(misses) != 3 || misses[0] != 100 || misses[1] != 1234 || misses[2] != 4000 || peak != 9 {
		t.Errorf("misses %v, peak %g", misses, peak)
	}
}
