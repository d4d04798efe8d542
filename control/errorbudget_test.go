package control

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// days lets a model be looked at every minute for some days. Of its requests, a share
// is late that the world makes of the notch.
func days(n int, target float64, world func(minute, notch int) (rate, late fleet.Signal)) (b ErrorBudget, burnt float64) {
	requests, late := 0.0, 0.0
	for minute := range n * 24 * 60 {
		rate, attained := world(minute, b.Notch)
		b = b.look(monday.Add(time.Duration(minute)*time.Minute), target, rate, attained)
		if r, ok := rate.Read(); ok {
			if a, ok := attained.Read(); ok && minute > 24*60 {
				requests, late = requests+r, late+r*(1-a)
			}
		}
	}
	return b, late / requests / (1 - target)
}

func seen(v float64) fleet.Signal { return fleet.Measured(v, 0, 1) }

// TestErrorBudgetIsSpentAndKept: where each notch doubles what is missed, from too little
// or from too much, the misses of two weeks end up below the target's and not far below.
func TestErrorBudgetIsSpentAndKept(t *testing.T) {
	const target = 0.99
	for _, begin := range []float64{0.0004, 0.002, 0.01, 0.05} {
		_, burnt := days(14, target, func(minute, notch int) (fleet.Signal, fleet.Signal) {
			busy := 1 + math.Sin(2*math.Pi*float64(minute)/(24*60))
			return seen(0.1 + 5*busy), seen(1 - min(1, begin*math.Exp2(float64(notch))*busy/1.5))
		})
		if burnt > 1 || burnt < 0.1 {
			t.Errorf("missing %v of all without any correction, it uses %.2f of what the target allows", begin, burnt)
		}
	}
}

// TestErrorBudgetStaysWithinBounds whatever is seen, and what is not known changes
// nothing.
func TestErrorBudgetStaysWithinBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target := rapid.SampledFrom([]float64{0.5, 0.9, 0.95, 0.99, 0.999}).Draw(t, "target")
		quantile := rapid.SampledFrom([]float64{0.5, 0.8, 0.95, 0.98}).Draw(t, "quantile")
		var b ErrorBudget
		now := monday
		for range rapid.IntRange(1, 200).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.IntRange(-10, 100).Draw(t, "minutes")) * time.Minute)
			rate, share := seen(rapid.Float64Range(0, 1e6).Draw(t, "rate")), seen(rapid.Float64Range(-1, 2).Draw(t, "share"))
			before := b
			if rapid.Bool().Draw(t, "unknown") {
				share = fleet.Unknown("nothing ended")
			}
			b = b.look(now, target, rate, share)
			if _, known := share.Read(); !known && (b.Notch != before.Notch || b.Long != before.Long) {
				t.Fatalf("an unknown changed %+v to %+v", before, b)
			}
			if b.Notch < tightest || b.Notch > loosest || math.Abs(float64(b.Notch-before.Notch)) > 1 {
				t.Fatalf("notch %d after %d", b.Notch, before.Notch)
			}
			sized, level := b.target(target), b.quantile(quantile)
			if !(sized > 0 && sized < 1) || sized < min(target, leastTarget) || !(level > 0 && level < 1) || level < min(quantile, leastQuantile) {
				t.Fatalf("sized for %v of %v at quantile %v of %v", sized, target, level, quantile)
			}
		}
	})
}

// TestAColdStartTellsNothing: what was missed while the first capacity started is not
// held against sizing.
func TestAColdStartTellsNothing(t *testing.T) {
	b, _ := days(1, 0.99, func(minute, _ int) (fleet.Signal, fleet.Signal) {
		if minute < 30 {
			return seen(10), seen(0)
		}
		return seen(10), seen(0.995)
	})
	if b.Notch < 0 {
		t.Errorf("notch %d a day after a cold start", b.Notch)
	}
}

// TestNightsForgiveNothing: hours with hardly any requests do not loosen what busy
// hours will need.
func TestNightsForgiveNothing(t *testing.T) {
	loosest := 0
	days(7, 0.99, func(minute, notch int) (fleet.Signal, fleet.Signal) {
		hour := minute / 60 % 24
		if hour >= 20 || hour < 8 {
			if minute > 24*60 && hour < 8 {
				loosest = max(loosest, notch)
			}
			return seen(0.05), seen(1)
		}
		return seen(50), seen(1 - min(1, 0.008*math.Exp2(float64(notch))))
	})
	if loosest > 0 {
		t.Errorf("in the night it went up to notch %d", loosest)
	}
}

// TestAnHourOfMissesIsNoticed at any target: after a clean day everything is missed, and
// within three hours sizing lets less miss.
func TestAnHourOfMissesIsNoticed(t *testing.T) {
	for _, target := range []float64{0.5, 0.7, 0.8, 0.9, 0.99} {
		var clean, after int
		days(2, target, func(minute, notch int) (fleet.Signal, fleet.Signal) {
			late := 0.0
			if minute >= 24*60 {
				late = 1
			}
			switch minute {
			case 24*60 - 1:
				clean = notch
			case 27 * 60:
				after = notch
			}
			return seen(5), seen(1 - late)
		})
		if clean <= 0 || after >= clean {
			t.Errorf("target %v: notch %d after a clean day, %d after three hours of misses", target, clean, after)
		}
	}
}

// TestWhatANotchMissesDecidesWhetherItGoes: after a bad day a notch that now keeps its share
// stays, one that does not is taken, and once more than all of the budget is spent the next
// one goes every hour, however quiet the last one was.
func TestWhatANotchMissesDecidesWhetherItGoes(t *testing.T) {
	const target = 0.99
	now := time.Date(2026, 9, 16, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name              string
		long, since, hour float64 // shares of the budget: of days, since the change, of the last hour
		held              time.Duration
		want              int
	}{
		{"it keeps its share now", 0.85, 0.6, 0.6, 3 * time.Hour, 0},
		{"it misses too much", 0.85, 0.9, 0.6, 3 * time.Hour, -1},
		{"but the last hour was quiet", 0.85, 0.9, 0.2, 3 * time.Hour, 0},
		{"all is spent", 1.2, 0.1, 0, 3 * time.Hour, -1},
		{"all is spent, and it was just changed", 1.2, 0.1, 0, 30 * time.Minute, 0},
	} {
		of := func(requests, share float64) Missed { return Missed{requests, requests * share * (1 - target)} }
		b := ErrorBudget{Long: of(1e6, c.long), Since: of(5e4, c.since), Short: of(1e4, c.hour), First: now.Add(-48 * time.Hour), Changed: now.Add(-c.held)}
		if got := b.judge(now, target).Notch; got != c.want {
			t.Errorf("%s: notch %d, want %d", c.name, got, c.want)
		}
	}
}

// TestTheQuantileFollowsSlowlyAtFirst: one notch below zero hardly moves the quantile of
// demand, and the lowest one more than as many above.
func TestTheQuantileFollowsSlowlyAtFirst(t *testing.T) {
	beyond := func(notch int) float64 { return (1 - ErrorBudget{Notch: notch}.quantile(0.95)) / 0.05 }
	if v := beyond(-1); v < 0.9 || v > 1 {
		t.Errorf("at -1 the quantile leaves %.2f of what it left", v)
	}
	if v := beyond(-4); v > 0.26 {
		t.Errorf("at -4 the quantile leaves %.2f of what it left", v)
	}
	for notch := tightest; notch < loosest; notch++ {
		if beyond(notch) > beyond(notch+1) {
			t.Errorf("the quantile is lower at %d than at %d", notch, notch+1)
		}
	}
}
