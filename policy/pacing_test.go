package policy_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// claims draws models that ask for money.
func claims(t *rapid.T) []policy.Claim {
	var out []policy.Claim
	for i := range rapid.IntRange(1, 8).Draw(t, "models") {
		cost := rapid.Int64Range(0, 100).Draw(t, "cost")
		out = append(out, policy.Claim{
			Model: fleet.ModelName(fmt.Sprintf("m%d", i)), Async: rapid.Bool().Draw(t, "async"),
			Worth: float64(rapid.IntRange(0, 5).Draw(t, "worth")),
			Cost:  fleet.Micros(cost*1e6, "USD"), Floor: fleet.Micros(rapid.Int64Range(0, cost).Draw(t, "floor")*1e6, "USD"),
		})
	}
	return out
}

// asked is what models cost if some of them give way.
func asked(claims []policy.Claim, without []fleet.ModelName) fleet.Money {
	sum := fleet.Micros(0, "USD")
	for _, c := range claims {
		if slices.Contains(without, c.Model) {
			sum = sum.Add(c.Floor)
		} else {
			sum = sum.Add(c.Cost)
		}
	}
	return sum
}

// TestWhatGivesWayIsTheLeastThatIsWorthLeast: nobody where the money lasts for all; never
// anyone while a model that is asynchronous beside a streaming one, or worth less, serves
// and would save something; and no more than until what is worth more fits.
func TestWhatGivesWayIsTheLeastThatIsWorthLeast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := claims(t)
		spent, allowed := usd("10"), fleet.Micros(rapid.Int64Range(0, 900).Draw(t, "allowed")*1e6, "USD")
		gives := policy.GiveWay(all, spent, allowed, nil)
		whole := asked(all, nil)
		if !allowed.Less(spent.Add(whole).Add(whole.Share(1, 10))) && len(gives) > 0 {
			t.Fatalf("%v give way of %v though %s are allowed", gives, all, allowed)
		}
		for _, g := range all {
			for _, c := range all {
				before := c.Async && !g.Async || c.Async == g.Async && c.Worth < g.Worth
				if slices.Contains(gives, g.Model) && before && c.Floor.Less(c.Cost) && !slices.Contains(gives, c.Model) {
					t.Fatalf("%v gives way before %v", g, c)
				}
			}
		}
		if n := len(gives); n > 0 && asked(all, gives[:n-1]).Add(spent).Compare(allowed) <= 0 && asked(all, gives).Micros()*103/100+spent.Micros() <= allowed.Micros() {
			t.Fatalf("%s gives way of %v though what is worth more fits without it", gives[n-1], all)
		}
		if again := policy.GiveWay(all, spent, allowed, gives); !slices.Equal(again, gives) {
			t.Fatalf("%v gave way, and then %v, though nothing changed", gives, again)
		}
		if price := policy.ShadowPrice(all, gives); (price > 0) && len(gives) == 0 {
			t.Fatalf("the price is %v though nothing gives way", price)
		}
	})
}

// TestWhatGaveWayComesBackWhenItFits, and not while only what is worth more does.
func TestWhatGaveWayComesBackWhenItFits(t *testing.T) {
	all := []policy.Claim{
		{Model: "notes", Async: true, Worth: 9, Cost: usd("40"), Floor: usd("0")},
		{Model: "talk", Worth: 2, Cost: usd("50"), Floor: usd("5")},
	}
	for _, c := range []struct {
		allowed string
		before  []fleet.ModelName
		gives   bool
	}{
		{"100", nil, false},
		{"100", []fleet.ModelName{"notes"}, false},
		{"80", nil, false},
		{"80", []fleet.ModelName{"notes"}, true},
		{"45", nil, true},
		{"45", []fleet.ModelName{"notes"}, true},
	} {
		got := policy.GiveWay(all, usd("0"), usd(c.allowed), c.before)
		if (len(got) > 0) != c.gives || slices.Contains(got, "talk") {
			t.Errorf("of $%s, with %v before, %v give way", c.allowed, c.before, got)
		}
	}
}

// TestAMonthIsSpentInEqualSharesOfItsDays: never more than what is left, all of it where
// that is enough, and on the last day all that is left.
func TestAMonthIsSpentInEqualSharesOfItsDays(t *testing.T) {
	month := policy.Budget{Per: policy.Month, Amount: usd("1000"), OnExceeded: policy.Hold}
	for _, c := range []struct{ earlier, today, later, want string }{
		{"0", "50", "900", "1000"}, {"0", "50", "1450", "33.333333"}, {"900", "50", "0", "100"}, {"980", "50", "0", "20"}, {"1200", "50", "50", "0"},
	} {
		if got := policy.Allowance(month, usd(c.earlier), usd(c.today), usd(c.later)); got.Compare(usd(c.want)) != 0 {
			t.Errorf("after $%s, with $%s wanted today and $%s later, today may cost %s, want $%s", c.earlier, c.today, c.later, got, c.want)
		}
	}
	december := time.Date(2026, 12, 31, 23, 59, 0, 0, time.UTC)
	if end := month.End(december); !end.Equal(december.Add(time.Minute)) {
		t.Errorf("December ends at %s", end)
	}
}
