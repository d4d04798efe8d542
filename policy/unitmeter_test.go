package policy_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// look is one look of a meter.
type look struct {
	after time.Duration
	rate  int64   // micros an hour
	units float64 // a second; below zero is unknown
}

// TestTheMeterIsTheBooksOfTheTrailingDay: whatever is looked at and when, the cost is
// what a person finds who writes down every minute, keeps those of the last 24 hours of
// the clock, and strikes out those of which something is unknown.
func TestTheMeterIsTheBooksOfTheTrailingDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		looks := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) look {
			return look{
				after: rapid.SampledFrom([]time.Duration{-time.Hour, 0, 15 * time.Second, time.Minute, 5 * time.Minute, 6 * time.Minute, 7 * time.Hour}).Draw(t, "after"),
				rate:  rapid.Int64Range(0, 90_000_000).Draw(t, "rate"),
				units: rapid.SampledFrom([]float64{-1, 0, 0.5, 7, 1000}).Draw(t, "units"),
			}
		}), 0, 120).Draw(t, "looks")
		type line struct {
			at, hour time.Time
			money    fleet.Money
			units    float64
			known    time.Duration
		}
		var books []line
		var meter policy.UnitMeter
		now, first := noon, true
		for _, l := range looks {
			before := now
			now = now.Add(l.after)
			units := fleet.Measured(l.units, 0, 1)
			rate := fleet.PerHour(fleet.Micros(l.rate, "USD"))
			meter = meter.Look(now, rate, units)
			span := now.Sub(before)
			if span < 0 { // hours that did not come yet are forgotten
				var kept []line
				for _, b := range books {
					if !b.hour.After(now) {
						kept = append(kept, b)
					}
				}
				books = kept
			}
			if !first && l.units >= 0 && span > 0 && span <= 5*time.Minute {
				books = append(books, line{now, now.Truncate(time.Hour), rate.For(span), l.units * span.Seconds(), span})
			}
			first = false
		}
		var money fleet.Money
		var known time.Duration
		units := 0.0
		for _, b := range books {
			if b.hour.After(now.Add(-24 * time.Hour)) {
				money, units, known = money.Add(b.money), units+b.units, known+b.known
			}
		}
		cost, read := meter.Cost("talk").Read()
		if want := known >= time.Hour && units > 0; read != want {
			t.Fatalf("known is %v, want %v: %v of the day, %v units", read, want, known, units)
		}
		if read && math.Abs(cost.Float()-money.Float()/units*1000) > 2e-6 {
			t.Fatalf("a thousand cost %s, the books say %s for %v units", cost, money, units)
		}
	})
}

// TestNothingServedIsNoPrice: neither a group that served nothing nor one of which
// nothing is known has a cost, whatever was paid.
func TestNothingServedIsNoPrice(t *testing.T) {
	for cause, units := range map[string]fleet.Signal{
		"no unit was served within the SLO": fleet.Measured(0, 0, 1),
		"now nobody answers":                fleet.Unknown("nobody answers"),
	} {
		var m policy.UnitMeter
		for at := noon; at.Before(noon.Add(3 * time.Hour)); at = at.Add(time.Minute) {
			m = m.Look(at, fleet.PerHour(usd("5")), units)
		}
		if got := m.Cost("talk"); !strings.Contains(got.Unknown, cause) {
			t.Errorf("the cost is %s, unknown because %q, want %q", got.Cost, got.Unknown, cause)
		}
	}
}

// TestACapOnTheCostOfWorkHoldsWhileItIsExceeded, and neither at the cap nor while the
// cost is unknown; of a group, for the group alone.
func TestACapOnTheCostOfWorkHoldsWhileItIsExceeded(t *testing.T) {
	limit := policy.Budget{Per: policy.ThousandUnits, Amount: usd("0.30"), Group: "talk", OnExceeded: policy.Hold, Unit: "token"}
	a100, _ := market().Offering("a100")
	for _, c := range []struct {
		cost   fleet.UnitCost
		payer  fleet.GroupName
		allows bool
	}{
		{fleet.UnitCost{Group: "talk", Cost: usd("0.31")}, "talk", false},
		{fleet.UnitCost{Group: "talk", Cost: usd("0.31")}, "notes", true},
		{fleet.UnitCost{Group: "talk", Cost: usd("0.30")}, "talk", true},
		{fleet.UnitCost{Group: "talk", Cost: usd("9"), Unknown: "nothing was served"}, "talk", true},
		{fleet.UnitCost{Group: "notes", Cost: usd("9")}, "talk", true}, // of another group: nothing is known of talk
	} {
		w := newWorld()
		w.Spend.UnitCosts = []fleet.UnitCost{c.cost}
		purse, err := policy.NewPurse(guarded(limit), market(), w.Snapshot)
		if err != nil {
			t.Fatal(err)
		}
		why, ok := purse.Allows(a100, []fleet.GroupWeight{{Group: c.payer, Slices: 1}})
		if ok != c.allows {
			t.Errorf("%+v: a node for %s is allowed: %v (%s)", c.cost, c.payer, ok, why)
		}
		if want := "a100 waits: work cost $0.3100 per thousand tokens over the trailing day, above the cap of $0.3000 per thousand tokens for talk"; !ok && why.String() != want {
			t.Errorf("the reason is %q, want %q", why, want)
		}
		if _, known := w.Spend.UnitCost("talk").Read(); known == (len(purse.Blind()) > 0) {
			t.Errorf("%+v: what is unknown is told as %v", c.cost, purse.Blind())
		}
	}
}
