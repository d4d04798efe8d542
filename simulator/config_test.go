package simulator

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// TestNewRefuses what a world cannot be made of, and says what it is.
func TestNewRefuses(t *testing.T) {
	model := func(change func(*fleet.Model)) []fleet.Model {
		m := testModel("m", fleet.CentralQueue, 1)
		change(&m)
		return []fleet.Model{m}
	}
	fine := model(func(*fleet.Model) {})
	for _, c := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"a model twice", Config{Models: append(fine, fine...)}, "model m is there twice"},
		{"traffic of no model", Config{Models: fine, Sources: feed("x", at())}, `traffic names model "x"`},
		{"no time to serve in", Config{Models: model(func(m *fleet.Model) { m.SLO.Limit = 0 })}, "nothing is served in no time"},
		{"figures that are none", Config{Models: model(func(m *fleet.Model) { measure(m).Seconds[0] = math.NaN() })}, "model m, variant v on a100-80gb/1g.10gb: seconds[0]"},
		{"patience that is none", Config{Patience: math.NaN()}, "patience is NaN"},
		{"patience below zero", Config{Patience: -1}, "patience is -1"},
		{"a fault that nobody knows", Config{Faults: []Fault{{Kind: "earthquake"}}}, `fault "earthquake" is not known`},
		{"a fault before the start", Config{Faults: []Fault{{Kind: StockOut, At: -1}}}, "times are not negative"},
		{"a fault of no offering", Config{Faults: []Fault{{Kind: StockOut, Offering: "x"}}}, "no offering x"},
		{"a catalog out of order", Config{Catalog: fleet.Catalog{Offerings: []fleet.Offering{{Name: "b"}, {Name: "a"}}}}, "not sorted by name: a comes after b"},
		{"a price below zero", Config{Catalog: fleet.Catalog{Offerings: []fleet.Offering{{Name: "b", Price: fleet.PerHour(usd(-1))}}}}, "must not be negative"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(c.cfg)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("answered %v, want %q in it", err, c.want)
			}
		})
	}
}

// TestBrokenTrafficPanics: no result could be trusted after it.
func TestBrokenTrafficPanics(t *testing.T) {
	for name, l := range map[string]list{
		"back in time": {{At: time.Second, Work: 1}, {At: 0, Work: 1}},
		"no number":    {{At: 0, Work: math.NaN()}},
		"below zero":   {{At: 0, Work: -1}},
		"endless":      {{At: 0, Work: math.Inf(1)}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it is let pass")
				}
			}()
			advance(build(t, Config{Models: []fleet.Model{testModel("m", fleet.CentralQueue, 1)}, Sources: feed("m", &l)}), time.Minute)
		})
	}
}

// TestTimeDoesNotRunBackwards.
func TestTimeDoesNotRunBackwards(t *testing.T) {
	w := build(t, Config{})
	advance(w, time.Hour)
	advance(w, time.Minute)
	if !w.Now().Equal(start.Add(time.Hour)) {
		t.Errorf("it is %v", w.Now())
	}
	if _, err := w.Observe(t.Context(), start); err == nil {
		t.Error("the past can be observed")
	}
}

// TestHistoryIsWhatHadEnded: bins as rates, oldest first, none that was not over.
func TestHistoryIsWhatHadEnded(t *testing.T) {
	past := Past{{At: -3 * time.Minute, Requests: 60}, {At: -2 * time.Minute, Requests: 120}, {At: -time.Minute, Requests: 0}}
	w := build(t, Config{Models: []fleet.Model{testModel("m", fleet.CentralQueue, 1)}, Past: map[fleet.ModelName]Past{"m": past}})
	for _, c := range []struct {
		until time.Duration
		want  []float64
	}{{0, []float64{1, 2, 0}}, {-1, []float64{1, 2}}, {-2 * time.Minute, []float64{1}}, {-time.Hour, nil}} {
		got, err := w.History(t.Context(), "m", start.Add(c.until))
		if err != nil || len(got) != len(c.want) {
			t.Fatalf("until %v there are %d bins, want %d (%v)", c.until, len(got), len(c.want), err)
		}
		for i, o := range got {
			if o.Value != c.want[i] || !o.Known || !o.At.Equal(start.Add(past[i].At)) {
				t.Errorf("until %v bin %d is %+v", c.until, i, o)
			}
		}
	}
	if _, err := w.History(t.Context(), "x", start); err == nil {
		t.Error("a model that is not there has a history")
	}
}
