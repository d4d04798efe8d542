package panel

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/forecast"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

const minute = time.Minute

// office is the shape that the languages of a zone share: mean 1 over the day, a steep
// morning, a dip at noon, a busier Monday, quiet weekends.
func office(t time.Time) float64 {
	h := float64(t.Hour()) + float64(t.Minute())/60
	hump := func(at float64) float64 { return math.Exp(-(h - at) * (h - at) / 4) }
	rate := 0.05 + 2.6*hump(10.5) + 2.2*hump(15)
	switch t.Weekday() {
	case time.Saturday, time.Sunday:
		rate *= 0.15
	case time.Monday:
		rate *= 1.2
	}
	return rate
}

// counted draws how many requests come in a minute at a rate, over-dispersed, as a
// rate again.
func counted(random *rand.Rand, rate float64) float64 {
	mean := rate * 60
	mean *= math.Exp(0.1*random.NormFloat64() - 0.005)
	n := 0.0
	if mean > 200 {
		n = math.Round(max(0, mean+math.Sqrt(mean)*random.NormFloat64()))
	} else {
		for p := random.ExpFloat64(); p < mean; p += random.ExpFloat64() {
			n++
		}
	}
	return n / 60
}

// language is a series of the same shape as its family, at a level.
type language struct {
	level float64
	begin int // minute of its first observation
	f     forecast.Forecaster
}

// live lets languages live for some days, and calls look before each minute is seen.
func live(t testing.TB, days int, seed uint64, languages []language, look func(m int, now time.Time, rates []float64)) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	rates := make([]float64, len(languages))
	for m := range days * 24 * 60 {
		at := monday.Add(time.Duration(m) * minute)
		for i, l := range languages {
			rates[i] = counted(random, l.level*office(at))
		}
		look(m, at, rates)
		for i, l := range languages {
			if m < l.begin {
				continue
			}
			if err := l.f.Observe(forecast.Observation{At: at, Value: rates[i], Known: true}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestANewLanguageBorrowsTheShape of its family and not its level: from its second hour
// on it is forecast at a fraction of the loss that it has alone.
func TestANewLanguageBorrowsTheShape(t *testing.T) {
	const days, begin = 9, 7*24*60 + 6*60 // at six on the second Monday
	family := NewFamily(minute, forecast.NewSeasonal(minute))
	languages := []language{
		{level: 3, f: family.Join(forecast.NewSeasonal(minute))},
		{level: 2, f: family.Join(forecast.NewSeasonal(minute))},
		{level: 0.5, begin: begin, f: family.Join(forecast.NewSeasonal(minute))},
		{level: 0.5, begin: begin, f: forecast.NewSeasonal(minute)}, // alone
	}
	leads := []time.Duration{30 * minute, time.Hour, 4 * time.Hour}
	type said struct {
		target int
		q      [2]float64
	}
	var pending [2][]said
	var loss [2]float64
	var covered [2]int
	scored := 0
	live(t, days, 3, languages, func(m int, now time.Time, rates []float64) {
		for who := range pending {
			for len(pending[who]) > 0 && pending[who][0].target <= m {
				p := pending[who][0]
				pending[who] = pending[who][1:]
				y := rates[2+who]
				loss[who] += forecast.Pinball(0.5, y, p.q[0]) + forecast.Pinball(0.9, y, p.q[1])
				if y <= p.q[1] {
					covered[who]++
				}
				if who == 0 {
					scored++
				}
			}
		}
		if m < begin+120 || m%5 != 0 {
			return
		}
		for i := range languages[:3] {
			p := languages[i].f.Forecast(now, leads)
			if i == 2 {
				pending[0] = append(pending[0], said{m + 60, [2]float64{p.Quantile(0.5, time.Hour), p.Quantile(0.9, time.Hour)}})
			}
		}
		p := languages[3].f.Forecast(now, leads)
		pending[1] = append(pending[1], said{m + 60, [2]float64{p.Quantile(0.5, time.Hour), p.Quantile(0.9, time.Hour)}})
	})
	t.Logf("loss in the family %.4g, alone %.4g; 0.9 covered %.3f and %.3f", loss[0]/float64(scored), loss[1]/float64(scored),
		float64(covered[0])/float64(scored), float64(covered[1])/float64(scored))
	if loss[0] > 0.5*loss[1] {
		t.Errorf("loss %.4g in the family, %.4g alone: it borrows too little", loss[0]/float64(scored), loss[1]/float64(scored))
	}
	if c := float64(covered[0]) / float64(scored); c < 0.82 || c > 0.99 {
		t.Errorf("0.9 quantiles cover %.3f", c)
	}
}

// TestOneThatDiffersIsLeftAlone: a member whose day is not the family's is forecast
// nearly as well as alone.
func TestOneThatDiffersIsLeftAlone(t *testing.T) {
	family := NewFamily(minute, forecast.NewSeasonal(minute))
	a, b := family.Join(forecast.NewSeasonal(minute)), family.Join(forecast.NewSeasonal(minute))
	odd, alone := family.Join(forecast.NewSeasonal(minute)), forecast.NewSeasonal(minute)
	random := rand.New(rand.NewPCG(4, 4))
	leads := []time.Duration{15 * minute, time.Hour, 4 * time.Hour}
	var loss [2]float64
	type said struct {
		target int
		q      [2]float64
	}
	var pending []said
	for m := range 12 * 24 * 60 {
		at := monday.Add(time.Duration(m) * minute)
		if m%7 == 0 && m > 24*60 {
			var q [2]float64
			for i, f := range []forecast.Forecaster{a, b, odd, alone} {
				p := f.Forecast(at, leads)
				if i >= 2 {
					q[i-2] = p.Quantile(0.9, time.Hour)
				}
			}
			if m > 5*24*60 {
				pending = append(pending, said{m + 60, q})
			}
		}
		night := counted(random, 0.8*office(at.Add(12*time.Hour)))
		for len(pending) > 0 && pending[0].target <= m {
			for i, q := range pending[0].q {
				loss[i] += forecast.Pinball(0.9, night, q)
			}
			pending = pending[1:]
		}
		for f, v := range map[forecast.Forecaster]float64{a: counted(random, 3*office(at)), b: counted(random, 2*office(at)), odd: night, alone: night} {
			if err := f.Observe(forecast.Observation{At: at, Value: v, Known: true}); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("loss in the family %.4g, alone %.4g", loss[0], loss[1])
	if loss[0] > 1.05*loss[1] {
		t.Errorf("the family makes it %.2f times worse", loss[0]/loss[1])
	}
}

// TestTotalsAgreeWithParts: after reconciling, the medians of the members add up to
// nearer the total's than before, and bands stay in order.
func TestTotalsAgreeWithParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		point := func(label string) forecast.Point {
			q := make([]float64, len(levels))
			v := rapid.Float64Range(0, 100).Draw(t, label)
			for i := range q {
				v += rapid.Float64Range(0, 10).Draw(t, label)
				q[i] = v
			}
			return forecast.Point{Lead: time.Hour, Mean: q[middle], Quantiles: q}
		}
		members := make([]*member, rapid.IntRange(1, 6).Draw(t, "members"))
		sum := 0.0
		for i := range members {
			members[i] = &member{path: forecast.Path{Basis: forecast.BasisSeasonal, Points: []forecast.Point{point("member")}}}
			for k := range members[i].trust.taken {
				members[i].trust.taken[k] = rapid.Float64Range(0, 1).Draw(t, "taken")
			}
			sum += members[i].path.Points[0].Quantiles[middle]
		}
		total := forecast.Path{Basis: forecast.BasisSeasonal, Points: []forecast.Point{point("total")}}
		reconcile(members, total)
		after := 0.0
		for _, m := range members {
			q := m.path.Points[0].Quantiles
			after += q[middle]
			for j := 1; j < len(q); j++ {
				if q[j] < q[j-1] || q[j] < 0 || math.IsNaN(q[j]) {
					t.Fatalf("quantiles %v", q)
				}
			}
		}
		goal := total.Points[0].Quantiles[middle]
		if math.Abs(after-goal) > math.Abs(sum-goal)+1e-9 {
			t.Fatalf("the parts added up to %v before and to %v after, the total is %v", sum, after, goal)
		}
	})
}

// TestHistoriesMayComeOneAfterTheOther: taught one member after the other, the family
// forecasts the same as taught minute by minute.
func TestHistoriesMayComeOneAfterTheOther(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 8))
	const minutes = 4 * 24 * 60
	var series [3][]forecast.Observation
	for m := range minutes {
		at := monday.Add(time.Duration(m) * minute)
		for i, level := range []float64{3, 1, 0.2} {
			series[i] = append(series[i], forecast.Observation{At: at, Value: counted(random, level*office(at)), Known: m%500 != i})
		}
	}
	var paths [2][3]forecast.Path
	for way := range paths {
		family := NewFamily(minute, forecast.NewSeasonal(minute))
		var members [3]forecast.Forecaster
		for i := range members {
			members[i] = family.Join(forecast.NewSeasonal(minute))
		}
		observe := func(i, m int) {
			if err := members[i].Observe(series[i][m]); err != nil {
				t.Fatal(err)
			}
		}
		for k := range 3 * minutes {
			if way == 0 {
				observe(k%3, k/3)
			} else {
				observe(k/minutes, k%minutes)
			}
		}
		for i := range members {
			paths[way][i] = members[i].Forecast(monday.Add(minutes*minute), forecast.Leads(4*time.Hour))
		}
	}
	for i := range series {
		for k, pt := range paths[0][i].Points {
			other := paths[1][i].Points[k]
			if math.Abs(pt.Mean-other.Mean) > 0.02*pt.Mean {
				t.Fatalf("member %d at %s: mean %v minute by minute, %v one after the other", i, pt.Lead, pt.Mean, other.Mean)
			}
		}
	}
}

// TestAGapIsNotZero: a member that nobody sees does not lower the total, and one that
// is wrong is told so.
func TestAGapIsNotZero(t *testing.T) {
	family := NewFamily(minute, forecast.NewSeasonal(minute))
	a, b := family.Join(forecast.NewSeasonal(minute)), family.Join(forecast.NewSeasonal(minute))
	for m := range 600 {
		at := monday.Add(time.Duration(m) * minute)
		_ = a.Observe(forecast.Observation{At: at, Value: 4, Known: true})
		_ = b.Observe(forecast.Observation{At: at, Value: 2, Known: m < 500})
	}
	now := monday.Add(600 * minute)
	leads := forecast.Leads(time.Hour)
	if got := a.Forecast(now, leads).Quantile(0.5, 10*minute); math.Abs(got-4) > 0.3 {
		t.Errorf("the one that is seen is forecast at %v, it is at 4", got)
	}
	if got := b.Forecast(now, leads).Quantile(0.5, 10*minute); math.Abs(got-2) > 0.3 {
		t.Errorf("the one that is not seen is forecast at %v, it was at 2", got)
	}
	if err := a.Observe(forecast.Observation{At: monday, Value: 1, Known: true}); !errors.Is(err, forecast.ErrOutOfOrder) {
		t.Errorf("error %v for an old bin, want %v", err, forecast.ErrOutOfOrder)
	}
	if err := a.Observe(forecast.Observation{At: now, Value: math.NaN(), Known: true}); !errors.Is(err, forecast.ErrInvalid) {
		t.Errorf("error %v for what is no rate, want %v", err, forecast.ErrInvalid)
	}
}

// TestMembersThatLeftAreForgotten, and no longer count.
func TestMembersThatLeftAreForgotten(t *testing.T) {
	family := NewFamily(minute, forecast.NewSeasonal(minute))
	a, b, c := family.Join(forecast.NewSeasonal(minute)), family.Join(forecast.NewSeasonal(minute)), family.Join(forecast.NewSeasonal(minute))
	leads := forecast.Leads(time.Hour)
	for m := range 3 {
		now := monday.Add(time.Duration(m) * minute)
		for _, f := range []forecast.Forecaster{a, b, c} {
			if f != c || m == 0 {
				_ = f.Observe(forecast.Observation{At: now, Value: 1, Known: true})
				f.Forecast(now.Add(minute), leads)
				f.Forecast(now.Add(minute), leads) // twice at one time is one round
			}
		}
	}
	if len(family.members) != 2 {
		t.Errorf("%d members, want the two that are still asked for", len(family.members))
	}
}
