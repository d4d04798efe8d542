package peers

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/simulator/judge"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
	"pgregory.net/rapid"
)

// original is a peer whose own code runs here, beside its port.
type original struct {
	name string // of results
	port string
	make func(*testing.T, knobs) peer.Scaler
	time func(*testing.T, func(*testing.T)) // runs what uses the original
	most int                                // ticks of a drawn series
}

var originals = []original{
	{name: "hpa-real", port: "hpa", make: newHorizontal, time: synctest.Test, most: 250},
	{name: "keda-real", port: "keda-lag", make: newKEDA, time: synctest.Test, most: 250},
	{name: "kpa-real", port: "kpa", make: newKPA, time: wallTime, most: 1000},
}

// wallTime runs what needs no other clock.
func wallTime(t *testing.T, f func(*testing.T)) { f(t) }

// TestPortsDecideAsOriginals promises that each port asks for exactly as many
// replicas as the original at every tick of every drawn series, for any setup that a
// search may try, with replicas that start slowly and measurements that fail. There
// is no tolerance: a difference of one replica at one tick fails.
func TestPortsDecideAsOriginals(t *testing.T) {
	settings := load(t, "testdata/evening.yaml", "").Settings
	for _, o := range originals {
		t.Run(o.port, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				setup := drawSetup(rt, o.port, settings)
				if found := o.difference(t, settings, setup, drawSeries(rt, settings, o.most)); found != "" {
					rt.Fatal(found)
				}
			})
		})
	}
}

// TestPortsDecideAsOriginalsOnRecordedLoad promises the same for a day of the
// recorded load of three image models, under the documented defaults.
func TestPortsDecideAsOriginalsOnRecordedLoad(t *testing.T) {
	settings := load(t, "testdata/evening.yaml", "").Settings
	for _, o := range originals {
		t.Run(o.port, func(t *testing.T) {
			setup := judge.DefaultSetup(settings)
			scaler, err := peer.NewScaler(o.port, settings, setup, nil)
			if err != nil {
				t.Fatal(err)
			}
			s := recordedSeries(t, settings, scaler.Every(), 24)
			if found := o.difference(t, settings, setup, s); found != "" {
				t.Fatal(found)
			}
		})
	}
}

// difference drives port and original in lockstep, with what the original decides,
// and tells the first tick at which they differ.
func (o original) difference(t *testing.T, settings control.Settings, setup peer.Setup, s series) (found string) {
	t.Helper()
	port, err := peer.NewScaler(o.port, settings, setup, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.time(t, func(t *testing.T) {
		k := knobs{peer: o.port, settings: settings, setup: setup}
		real := o.make(t, k)
		var models []*deployment
		for i, m := range settings.Policy.Models {
			d := &deployment{model: m}
			d.least, d.most = k.bounds(m)
			d.asked = min(max(s.start[i], d.least), d.most)
			d.ready = d.asked
			models = append(models, d)
		}
		start := time.Date(2026, 9, 14, 0, 0, 0, 0, time.UTC)
		for tick := range s.ticks() {
			now := start.Add(time.Duration(tick) * real.Every())
			views := make([]peer.View, len(models))
			for i, d := range models {
				views[i] = d.view(tick, s.readings[d.model.Name][tick])
			}
			want := real.Scale(now, views)
			got := port.Scale(now, slices.Clone(views))
			for i, d := range models {
				before := *d
				d.ask(tick, s.lead, got[i])
				ported := d.asked
				*d = before
				d.ask(tick, s.lead, want[i])
				if ported != d.asked && found == "" {
					found = fmt.Sprintf("tick %d, model %s: the port asks for %d replicas and the original for %d (%d were asked for, %d are ready, concurrency %v, backlog %v, setup %v, %+v)",
						tick, d.model.Name, ported, d.asked, before.asked, before.ready, s.readings[d.model.Name][tick].concurrency, s.readings[d.model.Name][tick].backlog,
						setup.Parameters, setup.Deployments[d.model.Name])
				}
			}
			if found != "" {
				return
			}
		}
	})
	return found
}

// drawSetup draws what a search may try: any of the values of each parameter, and
// bounds.
func drawSetup(t *rapid.T, port string, settings control.Settings) peer.Setup {
	setup := judge.DefaultSetup(settings)
	setup.Parameters = map[string]float64{}
	for _, p := range peer.Parameters(port) {
		if rapid.Bool().Draw(t, p.Name+" is set") {
			setup.Parameters[p.Name] = rapid.SampledFrom(p.Try).Draw(t, p.Name)
		}
	}
	if setup.Parameters["target"] == 0 && setup.Parameters["target-share"] == 0 {
		delete(setup.Parameters, "target-share") // a search that sets the target to nothing finds nothing
	}
	for _, m := range settings.Policy.Models {
		d := setup.Deployments[m.Name]
		d.Min = rapid.IntRange(0, 3).Draw(t, "min")
		d.Max = d.Min + rapid.IntRange(1, 40).Draw(t, "more")
		setup.Deployments[m.Name] = d
	}
	return setup
}
