package simulator

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// usd is money in millionths of a dollar.
func usd(micros int64) fleet.Money { return fleet.Micros(micros, "USD") }

// paidModels are two models of group a and b, which both fit on an A100.
func paidModels() []fleet.Model {
	a, b := testModel("a", fleet.CentralQueue, 1), testModel("b", fleet.CentralQueue, 1)
	a.Group, b.Group = "A", "B"
	large := *measure(&b)
	large.Kind.Profile = "3g.40gb"
	b.Profile.Variants[0].Slices = append(b.Profile.Variants[0].Slices, large)
	return []fleet.Model{a, b}
}

// TestMinimumBilling: a node that goes early is paid to the end of it, one that
// stays is paid for its life; the GPU-hours that were paid agree.
func TestMinimumBilling(t *testing.T) {
	for _, c := range []struct{ life, paid time.Duration }{
		{0, time.Hour},
		{time.Minute, time.Hour},
		{time.Hour, time.Hour},
		{90 * time.Minute, 90 * time.Minute},
	} {
		catalog := testCatalog()
		catalog.Offerings[0].MinimumBilling = time.Hour
		w := build(t, Config{Catalog: catalog, Models: paidModels()})
		do(t, w, buyNode("n"))
		if got := observe(t, w).Nodes[0].BilledUntil; !got.Equal(start.Add(time.Hour)) {
			t.Errorf("billed until %v", got)
		}
		advance(w, c.life)
		do(t, w, fleet.DrainNode{Node: "n"}, fleet.ReturnNode{Node: "n"})
		advance(w, 10*time.Hour)
		r := w.Result()
		if want := usd(int64(3_600_000 * c.paid.Hours())); r.Cost.Compare(want) != 0 || r.GPUHours != c.paid.Hours() {
			t.Errorf("a life of %v costs %s for %v GPU-hours, want %s for %v", c.life, r.Cost, r.GPUHours, want, c.paid.Hours())
		}
		if err := w.conserved(r); err != nil {
			t.Error(err)
		}
	}
}

// TestGroupsPayByMemorySlices: what a node costs falls to those on it by the
// memory slices they hold, however much of it nobody uses; what a node costs
// while nobody is on it, to all in proportion.
func TestGroupsPayByMemorySlices(t *testing.T) {
	w := build(t, Config{Models: paidModels()})
	buy := buyNode("n")
	buy.GPUs[0].Geometry = append(fleet.Geometry{{Profile: "1g.10gb", Start: 0}}, halves()[1])
	do(t, w, buy) // $3.60 an hour, a tenth of a cent a second
	check := func(name string, a, b int64) {
		t.Helper()
		s := observe(t, w).Spend
		if s.Groups[0].Day.Compare(usd(a)) != 0 || s.Groups[1].Day.Compare(usd(b)) != 0 {
			t.Errorf("%s: A pays %s and B %s, want %s and %s", name, s.Groups[0].Day, s.Groups[1].Day, usd(a), usd(b))
		}
	}
	advance(w, 100*time.Second)
	check("an empty node", 0, 0)
	if got := observe(t, w).Spend.Day; got.Compare(usd(100_000)) != 0 {
		t.Errorf("the fleet pays %s for it, want %s", got, usd(100_000))
	}
	do(t, w, startOn("n", 0, "a", "ra"))
	advance(w, 200*time.Second)
	check("A alone pays all, also what was paid for nobody", 200_000, 0)
	do(t, w, startOn("n", 4, "b", "rb"))
	advance(w, 300*time.Second)
	check("a fifth and four fifths, and half of what was for nobody", 100_000+20_000+60_000, 80_000+40_000)
	do(t, w, fleet.StopReplica{Replica: "ra"})
	advance(w, 400*time.Second)
	check("B alone", 120_000+40_000, 180_000+60_000)
}

// TestMoneyIsCountedByDayAndMonth, both in UTC wherever the scenario starts.
func TestMoneyIsCountedByDayAndMonth(t *testing.T) {
	from := time.Date(2024, 11, 29, 22, 0, 0, 0, time.UTC).In(time.FixedZone("", -7*3600))
	w := build(t, Config{Start: from, Models: paidModels()})
	do(t, w, buyNode("n"), startOn("n", 0, "a", "ra"))
	for _, c := range []struct {
		after      time.Duration
		day, month float64 // hours that were paid
	}{
		{2*time.Hour - 1, 2, 2},
		{2 * time.Hour, 0, 2},
		{3 * time.Hour, 1, 3},
		{26*time.Hour - 1, 24, 26},
		{26 * time.Hour, 0, 0}, // December begins
		{27 * time.Hour, 1, 1},
		{26*time.Hour + 31*24*time.Hour - 1, 24, 31 * 24},
		{26*time.Hour + 31*24*time.Hour, 0, 0}, // and the year
	} {
		advance(w, c.after)
		s := observe(t, w).Spend
		day, month := usd(int64(c.day*3_600_000)), usd(int64(c.month*3_600_000))
		if s.Day.Compare(day) != 0 || s.Month.Compare(month) != 0 {
			t.Errorf("after %v the day costs %s and the month %s, want %s and %s", c.after, s.Day, s.Month, day, month)
		}
		if g := s.Groups[0]; g.Day.Compare(day) != 0 || g.Month.Compare(month) != 0 {
			t.Errorf("after %v the group pays %s and %s, want %s and %s", c.after, g.Day, g.Month, day, month)
		}
	}
}

// TestSplitIsExact: the parts add up, each right to a millionth.
func TestSplitIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		amount := usd(random.Int64N(1_000_000_000))
		weights := make([]int64, 1+random.IntN(6))
		for i := range weights {
			weights[i] = random.Int64N(9)
		}
		weights[random.IntN(len(weights))]++
		var all int64
		for _, g := range weights {
			all += g
		}
		sum := usd(0)
		for i, part := range split(amount, weights) {
			sum = sum.Add(part)
			exact := float64(amount.Micros()) * float64(weights[i]) / float64(all)
			if off := float64(part.Micros()) - exact; off > 1 || off < -1 {
				t.Fatalf("%s by %v: part %d is %s", amount, weights, i, part)
			}
		}
		if sum.Compare(amount) != 0 {
			t.Fatalf("%s by %v adds up to %s", amount, weights, sum)
		}
	}
}
