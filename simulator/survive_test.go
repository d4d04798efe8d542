package simulator

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// randomFaults are up to a dozen of all kinds in the first hours, which overlap.
func randomFaults(span time.Duration, offerings []fleet.OfferingName, models []fleet.ModelName) *rapid.Generator[[]Fault] {
	var instants []time.Duration // each as likely as any other
	for at := time.Duration(0); at < span; at += 17 * time.Second {
		instants = append(instants, at)
	}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Fault {
		f := Fault{Kind: rapid.SampledFrom(FaultKinds()).Draw(t, "kind"), At: rapid.SampledFrom(instants).Draw(t, "at")}
		fields := f.Kind.Fields()
		for _, name := range slices.Concat(fields.Needs, fields.Takes) {
			switch name {
			case "for":
				f.For = time.Duration(rapid.SampledFrom([]int{0, 1, 90, 600, 1800}).Draw(t, "for")) * time.Second
			case "by":
				f.By = time.Duration(rapid.IntRange(0, 1200).Draw(t, "by")) * time.Second
			case "factor":
				f.Factor = rapid.SampledFrom([]float64{1, 3, 20, 1000}).Draw(t, "factor")
				if f.Kind == MetricsLying {
					f.Factor = rapid.SampledFrom([]float64{0, 0.1, 10, 1000}).Draw(t, "lie")
				}
			case "offering":
				f.Offering = rapid.SampledFrom(append(offerings, "")).Draw(t, "offering")
			case "model":
				f.Model = rapid.SampledFrom(append(models, "")).Draw(t, "model")
			case "count":
				f.Count = rapid.IntRange(0, 3).Draw(t, "count")
			}
		}
		return f
	}), 0, 12)
}

// TestFaultyWorldsConserve: whatever goes wrong and whatever is done meanwhile, no
// request, no money and no GPU time is lost or made, and the bills are those of the
// lives of the nodes.
func TestFaultyWorldsConserve(t *testing.T) {
	const span = 90 * time.Minute
	catalog := randomCatalog()
	rate := catalog.Offerings[1].Price
	catalog.Offerings[1].Purchase, catalog.Offerings[1].Price = fleet.Reserved, fleet.PerHour(fleet.Micros(0, "USD"))
	catalog.Offerings[2].Purchase, catalog.Offerings[2].Interruptions = fleet.Spot, 2
	var models []fleet.ModelName
	for _, m := range randomModels() {
		models = append(models, m.Name)
	}
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64Range(1, 1000).Draw(rt, "seed")
		sources := map[fleet.ModelName]traffic.Source{}
		for _, m := range models {
			sources[m] = poisson(t, m, 0.7, span, seed)
		}
		faults := randomFaults(span, []fleet.OfferingName{"duo", "solo"}, models).Draw(rt, "faults")
		w := build(t, Config{
			Start: time.Date(2024, 11, 30, 23, 0, 0, 0, time.UTC), Catalog: catalog, Models: randomModels(), Sources: sources, Seed: seed, Patience: 10,
			Faults: faults, Reserved: []Reservation{{Offering: "duo", Nodes: 2, Price: rate}},
			Signals: rapid.SampledFrom([]Scraping{{}, {Every: 15 * time.Second, Window: time.Minute, Delay: 20 * time.Second}}).Draw(rt, "signals"),
		})
		lives := map[fleet.NodeID]*life{}
		lostAt := map[fleet.NodeID]time.Time{}
		advance := func(to time.Time) { // so that every death is met in its instant, and every notice before its end
			for w.Now().Before(to) {
				next := w.Now().Add(time.Minute)
				for _, f := range faults {
					if at := w.start.Add(f.At); at.After(w.Now()) && at.Before(next) {
						next = at
					}
				}
				if to.Before(next) {
					next = to
				}
				w.AdvanceTo(next)
				for id, l := range lives {
					n := w.byNode[id]
					switch {
					case n != nil:
						lostAt[id] = n.LostAt
					case l.till.IsZero():
						l.till, l.lost = w.Now(), true
						if at := lostAt[id]; !at.IsZero() && at.Before(w.Now()) {
							l.till = at
						}
					}
				}
			}
			checkLaws(rt, w)
			_ = observe(t, w)
		}
		for _, a := range randomActs().Draw(rt, "acts") {
			advance(w.Now().Add(a.After))
			if a.Step == nil || w.Do(t.Context(), "test", a.Step) != nil {
				continue
			}
			checkLaws(rt, w)
			switch s := a.Step.(type) {
			case fleet.BuyNode:
				if lives[s.Node] == nil {
					lives[s.Node] = &life{offering: s.Offering, from: w.Now()}
				}
			case fleet.ReturnNode:
				if lives[s.Node].till.IsZero() {
					lives[s.Node].till = w.Now()
				}
			}
		}
		advance(w.Now().Add(2 * time.Hour))
		want := rate.For(w.Now().Sub(w.start)).Times(2)
		for _, l := range lives {
			o, _ := catalog.Offering(l.offering)
			paid := w.Now().Sub(l.from)
			if !l.till.IsZero() {
				paid = l.till.Sub(l.from)
				if !l.lost {
					paid = max(paid, o.MinimumBilling)
				}
			}
			want = want.Add(o.Price.For(paid))
		}
		if r := w.Result(); r.Cost.Compare(want) != 0 {
			rt.Fatalf("the world costs %s, its nodes and reservations %s", r.Cost, want)
		}
	})
}

// TestTheLoopSurvivesEveryFault: whatever goes wrong, it neither panics nor gives up,
// keeps its caps, and serves what comes once all is well.
func TestTheLoopSurvivesEveryFault(t *testing.T) {
	const span, calm = 90 * time.Minute, 90 * time.Minute
	var models []fleet.Model
	for _, name := range []fleet.ModelName{"en", "fr"} {
		m := testModel(name, fleet.LeastLoad, 0.9, 1.2, 1.6, 2)
		m.SLO.Limit, m.MinReplicas = 3*time.Second, 1
		measure(&m).Load = fleet.Delay{P50: 20 * time.Second, P95: 40 * time.Second}
		models = append(models, m)
	}
	live := sessionModel("live", 4, 2*time.Minute, 10*time.Second)
	measure(&live).Load, measure(&live).Interference, live.MinReplicas = fleet.Fixed(20*time.Second), 0.1, 1
	models = append(models, live)
	catalog := testCatalog()
	catalog.Offerings[0].Lead = fleet.LeadTime{Node: fleet.Delay{P50: 4 * time.Minute, P95: 7 * time.Minute}}
	spot := catalog.Offerings[0]
	spot.Name, spot.Purchase, spot.Interruptions, spot.Price = "spot", fleet.Spot, 0.5, fleet.PerHour(usd(1_200_000))
	catalog.Offerings = append(catalog.Offerings, spot)
	p := policy.Policy{
		Name: "t", Currency: "USD", Ticks: policy.Ticks{Fast: 15 * time.Second, Plan: time.Minute}, Forecast: policy.Forecast{Quantile: 0.95}, Models: models,
		ScaleUp: policy.ScaleUp{MaxNodes: 10}, ScaleDown: policy.ScaleDown{StabilizationWindow: 10 * time.Minute, MaxNodes: 2},
		Signals: policy.Signals{MaxAge: 5 * time.Minute, MaxHold: time.Hour}, Offerings: []fleet.OfferingName{"a100", "spot"},
		Budgets: []policy.Budget{{Per: policy.Hour, Amount: usd(12_000_000), OnExceeded: policy.Hold}, {Per: policy.Day, Amount: usd(60_000_000), OnExceeded: policy.Shed}},
	}
	for seed := range uint64(20) {
		faults := randomFaults(span, []fleet.OfferingName{"a100", "spot"}, []fleet.ModelName{"en", "fr", "live"}).Example(int(seed))
		signals := []Scraping{{}, {Every: 15 * time.Second, Window: time.Minute, Delay: 20 * time.Second}}[seed%2]
		w := build(t, Config{
			Catalog: catalog, Models: models, Seed: seed, Patience: 20, Faults: faults, Signals: signals,
			Sources: map[fleet.ModelName]traffic.Source{"en": plain(t, "en", 2, span+calm, seed), "fr": plain(t, "fr", 0.5, span+calm, seed), "live": poisson(t, "live", 0.05, span+calm, seed)},
		})
		loop := control.NewLoop(control.Ports{Observer: w, Actuator: w, Journal: forgetful{}}, control.Settings{Policy: p, Catalog: catalog}, slog.New(slog.DiscardHandler))
		r, err := Run{World: w, Duration: span + calm, Every: p.Ticks.Fast, Policy: p}.Drive(t.Context(), loop)
		if err != nil {
			t.Fatalf("under %v: %v", faults, err)
		}
		if r.BudgetViolations != 0 {
			t.Errorf("under %v: %d violations of the caps", faults, r.BudgetViolations)
		}
		slow := slices.ContainsFunc(faults, func(f Fault) bool { return f.Kind == SlowStart }) // of what is bought then, some never comes
		if !slow && !slices.ContainsFunc(r.Timeline[len(r.Timeline)-4:], func(s Sample) bool { return s.Replicas > 0 }) {
			t.Errorf("after %v nothing serves: %+v", faults, r.Timeline[len(r.Timeline)-1])
		}
	}
}
