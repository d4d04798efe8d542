package peer

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// TestEveryPeerRunsAMorning: each peer, in a world of two models from midnight to
// eleven in Paris with a stock-out and minutes without metrics, serves most of what
// comes, conserves requests and money (Drive checks), asks for nothing impossible,
// stays within its bounds, and repeats itself to the byte.
func TestEveryPeerRunsAMorning(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := morning(t, name), morning(t, name)
			if first.Hash != second.Hash {
				t.Errorf("the same seed gave %s and %s", first.Hash, second.Hash)
			}
			if first.Requests < 1000 {
				t.Fatalf("only %d requests came: the test shows nothing", first.Requests)
			}
			if share := float64(first.Served) / float64(first.Requests); share < 0.8 {
				t.Errorf("%.3f of the requests were served", share)
			}
			t.Logf("attainment %.4f, cost %s, %d actions", *first.Attainment, first.Cost, first.ScaleActions)
		})
	}
}

func morning(t *testing.T, name string) simulator.Result {
	t.Helper()
	settings := settingsOf(speech("de", fleet.Async, 15*time.Minute), one)
	setup := setupOf(1, 60, settings, nil)
	known := map[fleet.ModelName]Known{"de": {Peak: 1, Mean: 0.5}, "en": {Peak: 10, Mean: 5}}
	scaler, err := NewScaler(name, settings, setup, known)
	if err != nil {
		t.Fatal(err)
	}
	w := worldOf(t, settings, traffic.ShapeOfficeHours, map[fleet.ModelName]float64{"de": 1, "en": 10}, 1,
		simulator.Fault{At: 6 * time.Hour, For: 20 * time.Minute, Kind: simulator.StockOut},
		simulator.Fault{At: 7 * time.Hour, For: 10 * time.Minute, Kind: simulator.MetricsMissing})
	c, err := NewCluster(w, w, settings, setup, scaler)
	if err != nil {
		t.Fatal(err)
	}
	result, err := simulator.Run{World: w, Duration: 9 * time.Hour, Every: c.Every(), Policy: settings.Policy}.Drive(t.Context(), watched{t, w, c})
	if err != nil {
		t.Fatal(err)
	}
	if err := result.Seal(); err != nil {
		t.Fatal(err)
	}
	return result
}

// watched complains of what a cluster must not do.
type watched struct {
	t     *testing.T
	world *simulator.World
	*Cluster
}

func (w watched) tick(now time.Time, r control.Record) {
	w.t.Helper()
	for _, refused := range refusals(r) {
		if !strings.Contains(refused, string(simulator.OutOfStock)) {
			w.t.Errorf("%s: %s", now, refused)
		}
	}
	if len(r.Outcomes) != len(r.Plan.Steps) || r.Plan.ID == "" || !r.Plan.At.Equal(now) {
		w.t.Errorf("%s: the record is not whole: %d steps, %d outcomes", now, len(r.Plan.Steps), len(r.Outcomes))
	}
	for _, s := range r.Plan.Steps {
		if s.Because().Code == "" {
			w.t.Errorf("%s: %s has no reason", now, s.Describe())
		}
	}
	for _, d := range w.deployments {
		if d.replicas < d.least || d.replicas > d.most {
			w.t.Errorf("%s: %s is asked to have %d replicas, outside %d to %d", now, d.model.Name, d.replicas, d.least, d.most)
		}
		if d.count() != d.replicas {
			w.t.Errorf("%s: %s has %d pods, and %d are asked for", now, d.model.Name, d.count(), d.replicas)
		}
		if !slices.IsSortedFunc(d.pending, byCreation) || slices.ContainsFunc(d.pending, (*pod).placed) {
			w.t.Errorf("%s: what waits for a place of %s is not what has none, in order of creation", now, d.model.Name)
		}
		for _, p := range slices.Concat(d.pods, d.leaving) {
			if !p.placed() || p.slot.pod != p {
				w.t.Errorf("%s: pod %d of %s has no place and is not pending", now, p.born, d.model.Name)
			}
		}
	}
}

func (w watched) Tick(ctx context.Context, now time.Time) (control.Record, error) {
	r, err := w.Cluster.Tick(ctx, now)
	w.tick(now, r)
	return r, err
}

// placed tells whether the pod has a place.
func (p *pod) placed() bool { return p.slot != nil }
