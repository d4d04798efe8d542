package evaluate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/forecast/series"
)

// monday is the start of every generated series.
var monday = time.Date(2024, 11, 18, 0, 0, 0, 0, time.UTC)

var nan = math.NaN()

func ours() Entrant {
	return Ours(func(step time.Duration, zone *time.Location) forecast.Forecaster {
		return forecast.NewSeasonal(step, forecast.In(zone), forecast.Unit(0))
	})
}

func everyone() []Entrant { return append([]Entrant{ours()}, Rivals()...) }

func named(t *testing.T, name string) Entrant {
	t.Helper()
	for _, e := range everyone() {
		if e.Name == name {
			return e
		}
	}
	t.Fatalf("there is no method %q", name)
	return Entrant{}
}

// daily is a series with a shape of the day, noise and gaps.
func daily(seed uint64, step time.Duration, n int) *series.Series {
	rng := rand.New(rand.NewPCG(seed, 7))
	s := &series.Series{Name: fmt.Sprint("daily", seed), Start: monday, Step: step, Values: make([]float64, n)}
	for i := range s.Values {
		phase := 2 * math.Pi * float64(time.Duration(i)*step%(24*time.Hour)) / float64(24*time.Hour)
		s.Values[i] = max(0, 20-12*math.Cos(phase)+3*rng.NormFloat64())
		if rng.IntN(40) == 0 {
			s.Values[i] = nan
		}
	}
	return s
}

// trial is one that a test changes where it must.
func trial(leads ...time.Duration) Trial {
	return Trial{Leads: leads, From: 0.5, Level: 0.9, GPUs: GPUs{Price: 1}}
}

// play runs a trial that must succeed and returns its rows.
func play(t testing.TB, tr Trial, s *series.Series, entrants []Entrant) (Result, []Row) {
	t.Helper()
	var rows []Row
	r, err := tr.Run(s, entrants, func(r Row) { rows = append(rows, r) })
	if err != nil {
		t.Fatal(err)
	}
	return r, rows
}
