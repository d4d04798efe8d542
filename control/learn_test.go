package control_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// slower is a catalog whose nodes take so many times as long to come.
func slower(c fleet.Catalog, times float64) fleet.Catalog {
	out := fleet.Catalog{Currency: c.Currency}
	for _, o := range c.Offerings {
		for _, d := range []*fleet.Delay{&o.Lead.Node, &o.Lead.Driver, &o.Lead.Image} {
			d.P50, d.P95 = time.Duration(times*float64(d.P50)), time.Duration(times*float64(d.P95))
		}
		out.Offerings = append(out.Offerings, o)
	}
	return out
}

// secretive is a world that does not say when anything was asked for, nor how long its
// start took, nor how busy anybody is, so that nothing is to be learnt of it.
type secretive struct{ *simulator.World }

func (w secretive) Observe(ctx context.Context, now time.Time) (fleet.Snapshot, error) {
	s, err := w.World.Observe(ctx, now)
	for i := range s.Nodes {
		s.Nodes[i].RequestedAt = time.Time{}
	}
	for i := range s.Replicas {
		s.Replicas[i].Stages = nil
	}
	for i := range s.Models {
		s.Models[i].Utilisation = fleet.Unknown("nobody says")
	}
	return s, err
}

// ledger counts a run's requests, those that missed their service level, and the cost.
type ledger struct{ requests, late, dollars float64 }

func (s *stage) ledger() ledger {
	r := s.world.Result()
	out := ledger{dollars: r.Cost.Float()}
	for _, m := range r.ByModel {
		out.requests += float64(m.Served + m.Dropped)
		out.late += float64(m.Served + m.Dropped - m.InSLO)
	}
	return out
}

// elsewhere puts a loop that believes a catalog and a policy into a world that is not
// like them: its nodes and its models are others. With blank nothing is to be learnt.
func elsewhere(t *testing.T, world fleet.Catalog, models []fleet.Model, peak float64, seed uint64, blank bool) *stage {
	t.Helper()
	cfg := simulator.Config{
		Start: monday, Catalog: world, Models: models, Seed: seed, Patience: 20,
		Sources: map[fleet.ModelName]traffic.Source{}, Past: map[fleet.ModelName]simulator.Past{},
	}
	for name, part := range map[fleet.ModelName]float64{"transcribe-en": 1, "transcribe-fr": 0.1, "summarize": 0.05} {
		g := traffic.Generated{Model: name, Shape: traffic.ShapeTopOfHour, Zone: "Europe/Paris", Peak: peak * part}
		source, err := traffic.NewGenerated(g, monday, 72*time.Hour, seed)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Sources[name], cfg.Past[name] = source, g.History(monday, 72*time.Hour, time.Minute, seed)
	}
	w, err := simulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{world: w, tape: &tape{}, at: monday}
	ports := control.Ports{Observer: w, Actuator: w, Journal: s.tape, Historian: w}
	if blank {
		ports.Observer = secretive{w}
	}
	s.loop = control.NewLoop(ports, control.Settings{Policy: keepsErrorBudgets(smallPolicy()), Catalog: smallCatalog()}, slog.New(slog.DiscardHandler))
	if err := s.loop.Prime(t.Context(), monday); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestNodesThatComeLateAreAskedForEarlier: where nodes take twice as long as the catalog
// says, loops that have learnt for a day miss clearly less on the next, over several worlds,
// than ones that cannot.
func TestNodesThatComeLateAreAskedForEarlier(t *testing.T) {
	wholeDays(t)
	var late [2]float64
	for seed := uint64(31); seed <= 33; seed++ {
		for i, blank := range []bool{true, false} {
			s := elsewhere(t, slower(smallCatalog(), 2), smallPolicy().Models, 40, seed, blank)
			s.run(t, 28*time.Hour, nil)
			before := s.ledger()
			s.run(t, 4*time.Hour, nil) // the second morning
			late[i] += s.ledger().late - before.late
			d := s.learnt().Leads["a100"]
			if blank && d.Count != 0 || !blank && (d.Count < 5 || d.Delay.P95 < 17*time.Minute || d.Prior.P95 != 11*time.Minute) {
				t.Errorf("nothing told %v: of nodes that take 14 minutes, seldom more than 22, was learnt %+v", blank, d)
			}
		}
	}
	if late[1] > 0.75*late[0] {
		t.Errorf("%.0f requests of the second mornings were late with what was learnt, and %.0f without", late[1], late[0])
	}
}

// lengthened are models whose servers take so many times as long as their profile says.
func lengthened(models []fleet.Model, times float64) []fleet.Model {
	out := slices.Clone(models)
	for i := range out {
		v := out[i].Profile.Variants[0]
		v.Slices = slices.Clone(v.Slices)
		for j := range v.Slices {
			v.Slices[j].Seconds = slices.Clone(v.Slices[j].Seconds)
			for k := range v.Slices[j].Seconds {
				v.Slices[j].Seconds[k] *= times
			}
		}
		out[i].Profile.Variants = []fleet.Variant{v}
	}
	return out
}

// TestServersThatAreSlowerThanTheirProfileGetMoreOfThem: what they are busy with early in
// the day tells it, and what is late of the day is a small part of what is late where
// nobody says how busy they are. A profile that is right stays as it is.
func TestServersThatAreSlowerThanTheirProfileGetMoreOfThem(t *testing.T) {
	wholeDays(t)
	var late [2]float64
	for i, blank := range []bool{true, false} {
		s := elsewhere(t, smallCatalog(), lengthened(smallPolicy().Models, 1.6), 15, 31, blank)
		s.run(t, 12*time.Hour, nil)
		late[i] = s.ledger().late
		for name, p := range s.learnt().Services {
			if f := p.Factor(); p.Requests > 500 && (f < 1.2 || f > 1.6) {
				t.Errorf("of servers of %s that take 1.6 times as long was learnt %v: %+v", name, f, p)
			}
		}
	}
	if late[1] > 0.2*late[0] {
		t.Errorf("%.0f requests were late with what was learnt, and %.0f without", late[1], late[0])
	}
	s := elsewhere(t, smallCatalog(), smallPolicy().Models, 15, 31, false)
	s.run(t, 12*time.Hour, func(r control.Record) {
		for name, p := range r.Inputs.Memory.Learnt.Services {
			if p.Step != 0 {
				t.Fatalf("at %s %s, whose profile is right, is taken to be slower by %v: %+v", s.at, name, p.Factor(), p)
			}
		}
	})
	if p := s.learnt().Services["transcribe-en"]; p.Requests < 500 {
		t.Errorf("nothing was learnt where nothing was to be corrected: %+v", p)
	}
}

// learnt is what the newest record holds.
func (s *stage) learnt() control.Learnt {
	return s.tape.records[len(s.tape.records)-1].Inputs.Memory.Learnt
}
