package observe

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/internal/kube"
	"github.com/tessera-autoscaler/tessera/observe/cluster"
	"github.com/tessera-autoscaler/tessera/observe/prometheus"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

// shown is a cluster that shows one thing.
type shown struct {
	view cluster.View
	err  error
}

func (s *shown) Look(context.Context, time.Time, control.Settings) (cluster.View, error) {
	return s.view, s.err
}

// told are signals that say one thing.
type told struct {
	reading prometheus.Reading
	err     error
	reads   int
	models  int
}

func (s *told) Read(context.Context, time.Time) (prometheus.Reading, error) {
	s.reads++
	return s.reading, s.err
}
func (s *told) Use(models []fleet.Model) { s.models = len(models) }
func (s *told) History(_ context.Context, m fleet.ModelName, _ time.Time) ([]forecast.Observation, error) {
	return []forecast.Observation{{Value: float64(len(m)), Known: true}}, nil
}

// settings are of two models and of an offering for five dollars an hour.
func settings() control.Settings {
	var s control.Settings
	s.Catalog = fleet.Catalog{Currency: "USD", Offerings: []fleet.Offering{
		{Name: "a1", GPU: "a100-80gb", GPUs: 1, Price: fleet.PerHour(fleet.Micros(5_000_000, "USD"))},
	}}
	s.Policy.Currency = "USD"
	s.Policy.Models = []fleet.Model{{Name: "de", Group: "team-de"}, {Name: "fr", Group: "team-fr"}}
	return s
}

// running is a node with two servers of fr, one with a pod, and one of a model that
// left the policy.
func running() cluster.View {
	slice := func(at int) fleet.SliceID { return fleet.SliceID{GPU: fleet.GPUID{Node: "n1"}, Start: at} }
	v := cluster.View{
		Nodes: []fleet.Node{{
			ID: "n1", Offering: "a1", State: fleet.NodeReady, RequestedAt: start, ReadyAt: start,
			GPUs: []fleet.GPU{{Type: "a100-80gb", Geometry: fleet.Geometry{{Profile: "1g.10gb", Start: 0}, {Profile: "1g.10gb", Start: 1}, {Profile: "2g.20gb", Start: 2}}}},
		}},
		Replicas: []fleet.Replica{
			{ID: "fr-1", Model: "fr", Slice: slice(0), State: fleet.ReplicaReady},
			{ID: "fr-2", Model: "fr", Slice: slice(1), State: fleet.ReplicaPending},
			{ID: "it-1", Model: "it", Slice: slice(2), State: fleet.ReplicaReady},
		},
		Pods:   map[fleet.ReplicaID]cluster.PodRef{"fr-1": {Namespace: "speech", Name: "fr-a"}, "it-1": {Namespace: "speech", Name: "it-a"}},
		Places: map[fleet.ModelName][]fleet.Place{"de": {}, "fr": {{Variant: "fp16"}}},
		Holds:  []fleet.Hold{{Model: "fr", By: "kubectl"}},
		Doubts: []fleet.Doubt{{Subject: "z", Cause: "of the cluster"}},
		Ledger: kube.Ledger{Sequence: 12},
	}
	return v
}

func measuredFr() prometheus.Reading {
	return prometheus.Reading{
		Models: map[fleet.ModelName]fleet.ModelSignals{"fr": {
			Arrivals: fleet.Measured(3, time.Second, 0.75), Backlog: fleet.Measured(0, time.Second, 1),
			Attainment: fleet.Unknown("no bucket"), Utilisation: fleet.Measured(0.2, time.Second, 1),
		}},
		InFlight:    map[prometheus.PodKey]fleet.Signal{{Namespace: "speech", Pod: "fr-a"}: fleet.Measured(4, 2*time.Second, 1)},
		Counted:     map[fleet.ModelName]bool{"fr": true},
		Utilisation: map[prometheus.PodKey]fleet.Signal{{Namespace: "speech", Pod: "fr-a"}: fleet.Measured(0.6, time.Second, 1)},
		Doubts:      []fleet.Doubt{{Subject: "a", Cause: "of the signals"}},
	}
}

func see(t *testing.T, o *Observer, now time.Time) fleet.Snapshot {
	t.Helper()
	s, err := o.Observe(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// reads asserts what a signal says: a number, or part of why it has none.
func reads(t *testing.T, what string, s fleet.Signal, want string) {
	t.Helper()
	if got := s.String(); !strings.Contains(got, want) {
		t.Errorf("%s is %s, want %s", what, got, want)
	}
}

func TestObserverJoinsClusterAndSignals(t *testing.T) {
	signals := &told{reading: measuredFr()}
	o := join(&shown{view: running()}, signals, settings())
	s := see(t, o, minute(0))

	if len(s.Models) != 3 || s.Models[0].Model != "de" || s.Models[1].Model != "fr" || s.Models[2].Model != "it" {
		t.Fatalf("models %v", s.Models)
	}
	de, fr, it := s.Model("de"), s.Model("fr"), s.Model("it")
	reads(t, "arrivals of fr", fr.Arrivals, "3")
	reads(t, "utilisation of fr, by its pods", fr.Utilisation, "0.6")
	reads(t, "arrivals of de", de.Arrivals, "unknown (nothing measures this model)")
	reads(t, "arrivals of it, which left the policy", it.Arrivals, "unknown")
	if de.Places == nil || len(de.Places) != 0 || len(fr.Places) != 1 {
		t.Errorf("de is started at %v and fr at %v", de.Places, fr.Places)
	}
	for id, want := range map[fleet.ReplicaID]string{"fr-1": "4", "fr-2": "unknown (it has no pod)", "it-1": "unknown (not measured"} {
		r, _ := s.Replica(id)
		reads(t, "in flight of "+string(id), r.InFlight, want)
		if r.InFlight.Unmeasured() != (id == "it-1") {
			t.Errorf("whether anything sets out to measure %s: %v", id, r.InFlight)
		}
	}
	lost := measuredFr()
	lost.InFlight = nil
	r, _ := see(t, join(&shown{view: running()}, &told{reading: lost}, settings()), minute(0)).Replica("fr-1")
	if reads(t, "in flight of a pod whose target went away", r.InFlight, "no target tells"); r.InFlight.Unmeasured() {
		t.Error("a target that went away is taken for one that never was")
	}
	if s.Sequence != 12 || len(s.Holds) != 1 || len(s.Doubts) != 2 || s.Doubts[0].Subject != "a" || !s.At.Equal(minute(0)) {
		t.Errorf("got sequence %d, holds %v, doubts %v", s.Sequence, s.Holds, s.Doubts)
	}
	if past, err := o.History(t.Context(), "fr", start); err != nil || len(past) != 1 {
		t.Errorf("history %v, %v", past, err)
	}
}

func TestUtilisationIsThePacksWherePodsDoNotTell(t *testing.T) {
	reading := measuredFr()
	reading.Utilisation = map[prometheus.PodKey]fleet.Signal{{Namespace: "speech", Pod: "fr-a"}: fleet.Unknown("no DCGM")}
	o := join(&shown{view: running()}, &told{reading: reading}, settings())
	reads(t, "utilisation", see(t, o, start).Model("fr").Utilisation, "0.2")
}

// A server of signals that is away makes everything unknown, and never the fleet unseen.
func TestSignalsThatCannotBeAsked(t *testing.T) {
	signals := &told{reading: measuredFr(), err: errors.New("connection refused")}
	o := join(&shown{view: running()}, signals, settings())
	s := see(t, o, start)
	for _, m := range s.Models {
		for _, signal := range []fleet.Signal{m.Arrivals, m.Backlog, m.Attainment, m.Utilisation} {
			reads(t, string(m.Model), signal, "unknown (connection refused)")
		}
	}
	r, _ := s.Replica("fr-1")
	reads(t, "in flight", r.InFlight, "unknown (connection refused)")
	if len(s.Doubts) != 2 || s.Doubts[0].Subject != "prometheus" || s.Doubts[0].Cause != "connection refused" {
		t.Errorf("doubts %v", s.Doubts)
	}
	if len(s.Nodes) != 1 || s.Model("de").Places == nil {
		t.Errorf("the fleet is not seen: %v", s)
	}

	signals.err = nil
	reads(t, "arrivals, when it is back", see(t, o, minute(1)).Model("fr").Arrivals, "3")
}

func TestAClusterThatCannotBeSeenIsNoSnapshot(t *testing.T) {
	if s, err := join(&shown{err: errors.New("waiting")}, &told{}, settings()).Observe(t.Context(), start); err == nil {
		t.Errorf("got %v", s)
	}
}

// A tick looks twice and asks once; the ages grow by the time between.
func TestAReadingIsUsedAgain(t *testing.T) {
	signals := &told{reading: measuredFr()}
	o := join(&shown{view: running()}, signals, settings())
	see(t, o, start)
	s := see(t, o, start.Add(3*time.Second))
	if signals.reads != 1 {
		t.Errorf("it was asked %d times", signals.reads)
	}
	r, _ := s.Replica("fr-1")
	fr := s.Model("fr")
	if fr.Arrivals.Age() != 4*time.Second || r.InFlight.Age() != 5*time.Second || fr.Utilisation.Age() != 4*time.Second {
		t.Errorf("ages %s, %s, %s", fr.Arrivals.Age(), r.InFlight.Age(), fr.Utilisation.Age())
	}
	if text, _ := fr.Arrivals.MarshalJSON(); !strings.Contains(string(text), `"coverage":0.75`) {
		t.Errorf("the coverage is lost: %s", text)
	}
	if s := see(t, o, start); s.Model("fr").Arrivals.Age() != time.Second || signals.reads != 1 {
		t.Errorf("the reading was changed: %s", s.Model("fr").Arrivals.Age())
	}
	see(t, o, start.Add(5*time.Second))
	if signals.reads != 2 {
		t.Errorf("it was asked %d times", signals.reads)
	}
	o.Use(settings())
	see(t, o, start.Add(6*time.Second))
	if signals.reads != 3 {
		t.Errorf("after a reload it was asked %d times", signals.reads)
	}
}

func TestSettingsReachTheSignals(t *testing.T) {
	signals := &told{}
	o := join(&shown{}, signals, settings())
	if signals.models != 2 {
		t.Errorf("%d models", signals.models)
	}
	smaller := settings()
	smaller.Policy.Models = smaller.Policy.Models[:1]
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100 {
			o.Use(smaller)
		}
	}()
	for range 100 {
		see(t, o, start)
	}
	<-done
	if s := see(t, o, start); signals.models != 1 || len(s.Models) != 1 {
		t.Errorf("%d models, snapshot has %d", signals.models, len(s.Models))
	}
}

// A model without a server whose demand nobody sees would sleep for ever unseen.
func TestAModelThatNothingCanWakeIsADoubt(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*cluster.View, *control.Settings, *told)
		told   bool
	}{
		"nobody sees its demand": {func(*cluster.View, *control.Settings, *told) {}, true},
		"it is seen": {func(_ *cluster.View, _ *control.Settings, s *told) {
			s.reading.Models["de"] = fleet.ModelSignals{Arrivals: fleet.Measured(0, time.Second, 1)}
		}, false},
		"it runs":                 {func(v *cluster.View, _ *control.Settings, _ *told) { v.Replicas[0].Model = "de" }, false},
		"it always has a server":  {func(_ *cluster.View, s *control.Settings, _ *told) { s.Policy.Models[0].MinReplicas = 1 }, false},
		"it can be put nowhere":   {func(v *cluster.View, _ *control.Settings, _ *told) { v.Places["de"] = []fleet.Place{} }, false},
		"nothing at all was read": {func(_ *cluster.View, _ *control.Settings, s *told) { s.err = errors.New("connection refused") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			view, set, signals := running(), settings(), &told{reading: measuredFr()}
			view.Places["de"] = []fleet.Place{{Variant: "fp16"}}
			tt.change(&view, &set, signals)
			var doubts []string
			for _, d := range see(t, join(&shown{view: view}, signals, set), start).Doubts {
				if d.Subject == "model de" {
					doubts = append(doubts, d.Cause)
				}
			}
			if (len(doubts) == 1) != tt.told || tt.told && !strings.Contains(doubts[0], "minReplicas 1") {
				t.Errorf("got %q", doubts)
			}
		})
	}
}

// An offering that rests after a purchase that failed is told until its time is over.
func TestAnOfferingThatRestsIsTold(t *testing.T) {
	v := running()
	v.Ledger.BackOff("a1", start, 5*time.Minute, 5*time.Minute)
	o := join(&shown{view: v}, &told{reading: measuredFr()}, settings())
	if s := see(t, o, minute(4)); len(s.Unavailable) != 1 || s.Unavailable[0].Offering != "a1" {
		t.Errorf("%v", s.Unavailable)
	}
	if s := see(t, o, minute(5)); len(s.Unavailable) != 0 {
		t.Errorf("%v", s.Unavailable)
	}
}
