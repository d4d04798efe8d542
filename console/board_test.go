package console

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/policy"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew; read the difference before keeping it")

// noon is the world's time of the fixture, wall the wall clock of its boards.
var (
	noon = time.Date(2024, 11, 18, 12, 0, 0, 0, time.UTC)
	wall = time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)
)

// board makes a board with a registry of its own and a clock that stands still
// until it is moved.
func board() (*Board, *prometheus.Registry, *time.Time) {
	reg, now := prometheus.NewRegistry(), wall
	b := NewBoard(reg, Build{Version: "1.2.3", Revision: "0a1b2c", GoVersion: "go1.26"})
	b.clock, b.pulse.born = func() time.Time { return now }, wall
	return b, reg, &now
}

func dollars(text string) fleet.Money {
	m, err := fleet.ParseMoney(text, "USD")
	if err != nil {
		panic(err)
	}
	return m
}

// fixture is a fleet of two nodes with three models: French on its target, German
// below it, and Norwegian, of which nothing is known.
func fixture() State {
	live := fleet.SLO{Limit: 300 * time.Millisecond, Target: 0.995}
	settings := control.Settings{
		Policy: policy.Policy{
			Name: "speech", Currency: "USD",
			Models: []fleet.Model{
				{Name: "transcribe-de", Language: "de", Group: "meetings", Class: "live", Kind: fleet.Streaming, SLO: live},
				{Name: "transcribe-fr", Language: "fr", Group: "meetings", Class: "live", Kind: fleet.Streaming, SLO: live},
				{Name: "transcribe-no", Language: "no", Class: "live", Kind: fleet.Streaming, SLO: live},
			},
			Budgets: []policy.Budget{
				{Per: policy.Hour, Amount: dollars("12"), OnExceeded: policy.Hold},
				{Per: policy.Month, Amount: dollars("1000"), Group: "meetings", OnExceeded: policy.Alert},
			},
			Offerings: []fleet.OfferingName{"a2-ultragpu-1g"},
			Signals:   policy.Signals{MaxAge: time.Minute},
		},
		Catalog: fleet.Catalog{Currency: "USD", Offerings: []fleet.Offering{
			{Name: "a2-ultragpu-1g", GPU: "a100-80gb", GPUs: 1, Purchase: fleet.OnDemand, Price: fleet.PerHour(dollars("5.07")), Lead: fleet.LeadTime{Node: fleet.Fixed(10 * time.Minute)}},
		}},
	}
	cut := fleet.Geometry{{Profile: "3g.40gb", Start: 0}, {Profile: "2g.20gb", Start: 4}, {Profile: "1g.10gb", Start: 6}}
	at := func(node fleet.NodeID, start int) fleet.SliceID {
		return fleet.SliceID{GPU: fleet.GPUID{Node: node}, Start: start}
	}
	quiet := fleet.Measured(0, 2*time.Second, 1)
	snapshot := fleet.Snapshot{
		At: noon,
		Nodes: []fleet.Node{
			{ID: "node-00001", Offering: "a2-ultragpu-1g", State: fleet.NodeReady, RequestedAt: noon.Add(-time.Hour), ReadyAt: noon.Add(-50 * time.Minute), GPUs: []fleet.GPU{{Type: "a100-80gb", Geometry: cut}}, Stages: []fleet.Stage{{Name: "node", Began: noon.Add(-time.Hour), Ended: noon.Add(-55 * time.Minute)}}},
			{ID: "node-00002", Offering: "a2-ultragpu-1g", State: fleet.NodeStarting, RequestedAt: noon.Add(-time.Minute), GPUs: []fleet.GPU{{Type: "a100-80gb", Geometry: cut}}},
		},
		Replicas: []fleet.Replica{
			{ID: "replica-1", Model: "transcribe-fr", Variant: "fp16", Slice: at("node-00001", 0), State: fleet.ReplicaReady, Since: noon.Add(-40 * time.Minute), InFlight: fleet.Measured(3, time.Second, 1)},
			{ID: "replica-2", Model: "transcribe-de", Variant: "fp16", Slice: at("node-00001", 4), State: fleet.ReplicaDraining, Since: noon.Add(-time.Minute), InFlight: fleet.Unknown("no answer")},
			{ID: "replica-3", Model: "transcribe-de", Variant: "int8", Slice: at("node-00002", 0), State: fleet.ReplicaPending, Since: noon.Add(-time.Minute), InFlight: quiet},
		},
		Models: []fleet.ModelSignals{
			{Model: "transcribe-de", Arrivals: fleet.Measured(10, 5*time.Second, 1), Backlog: fleet.Measured(7, 2*time.Second, 1), Attainment: fleet.Measured(0.95, time.Second, 1), Utilisation: fleet.Measured(0.9, time.Second, 1)},
			{Model: "transcribe-fr", Arrivals: fleet.Measured(30, 4*time.Second, 1), Backlog: quiet, Attainment: fleet.Measured(0.999, time.Second, 1), Utilisation: fleet.Measured(0.5, time.Second, 1)},
		},
		Holds:  []fleet.Hold{{Model: "transcribe-no", By: "kubectl-scale", Since: noon.Add(-10 * time.Minute), Until: noon.Add(20 * time.Minute)}},
		Doubts: []fleet.Doubt{{Subject: "deployment speech/transcribe-no", Cause: "it lacks the label tessera.dev/variant: add it"}, {Subject: "node gpu-7", Cause: "it is of no offering of the catalog: label it tessera.dev/offering", Money: true}},
		Spend:  fleet.Spend{Day: dollars("61.5"), Month: dollars("1234.56"), Groups: []fleet.GroupSpend{{Group: "meetings", Day: dollars("61.5"), Month: dollars("1100")}}},
	}
	path := forecast.Path{At: noon, Basis: forecast.BasisSeasonal, Points: []forecast.Point{
		{Lead: 0, Mean: 10, Quantiles: []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
		{Lead: 10 * time.Minute, Mean: 20, Quantiles: []float64{10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30}},
	}}
	need := fleet.Because(fleet.ReasonDemand, "model", "transcribe-de", "need", "12/s", "at", "12:10", "have", "8/s")
	return State{
		Settings: settings, World: "embedded world, 600x", Mode: ModeActive,
		Took: 40 * time.Millisecond, PolicyLoadedAt: wall.Add(-time.Hour),
		Record: control.Record{
			Inputs: control.Inputs{
				Now: noon, Pace: control.Planning, Snapshot: snapshot,
				Forecasts: []control.ModelForecast{{Model: "transcribe-de", Path: path}},
				Memory: control.Memory{Learnt: control.Learnt{
					Leads:    map[fleet.OfferingName]control.Delays{"a2-ultragpu-1g": {Count: 7, Delay: fleet.Delay{P50: 11 * time.Minute, P95: 14 * time.Minute}}},
					Services: map[fleet.ModelName]control.ServiceTime{"transcribe-de": {Minutes: 50, Step: 1}},
				}},
			},
			Needs: []control.Need{
				{Model: "transcribe-de", Now: 10.8, Lead: 12, Keep: 13, Have: 14, Ready: 8, Basis: forecast.BasisSeasonal},
				{Model: "transcribe-fr", Now: 31, Lead: 33, Keep: 34, Have: 40, Ready: 40, Basis: forecast.BasisLevel},
			},
			Plan: fleet.Plan{
				ID: "plan-00007", At: noon,
				Steps: []fleet.Step{
					fleet.StartReplica{Replica: "replica-4", Model: "transcribe-de", Variant: "fp16", Slice: at("node-00001", 6), Reason: need},
					fleet.StopReplica{Replica: "replica-3", Reason: need},
				},
				Held: []fleet.Reason{fleet.Because(fleet.ReasonHeldUnknown, "subject", "transcribe-no", "signal", "arrivals", "cause", "no series")},
				Candidates: []fleet.Candidate{
					{Name: "mixed", Layout: "1g.10gb transcribe-de", Price: fleet.PerHour(dollars("0")), Chosen: true, Verdict: "already paid"},
					{Name: "dedicated", Layout: "7g.80gb transcribe-de", Price: fleet.PerHour(dollars("5.07")), Unmet: "nothing", Verdict: "costs $5.07/h more"},
				},
			},
			Outcomes: []control.Outcome{
				{Step: "start-replica replica-4", Result: control.Done},
				{Step: "stop-replica replica-3", Result: control.Refused, Detail: "conflict"},
			},
		},
	}
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); go test ./console -rewrite writes it anew:\n%s", file, diff)
	}
}

func TestReadinessTellsTheTruth(t *testing.T) {
	blind := func(s State) State {
		s.Record.Inputs.Snapshot.Models = nil
		return s
	}
	stale := func(s State) State {
		s.Settings.Policy.Signals.MaxAge = time.Second // older than all of them
		return s
	}
	refused := func(s State) State {
		s.PolicyError = "line 3: no such class"
		return s
	}
	unloaded := func(s State) State {
		s.PolicyLoadedAt = time.Time{}
		return s
	}
	same := func(s State) State { return s }
	trouble := errors.New("observe: connection refused")

	for _, tt := range []struct {
		name   string
		play   func(b *Board, now *time.Time)
		broken []string // names of the checks that do not hold
	}{
		{"before the first tick", func(*Board, *time.Time) {}, []string{"policy", "tick", "fresh", "signals"}},
		{"only failed ticks", func(b *Board, _ *time.Time) { b.TickFailed(trouble) }, []string{"policy", "tick", "fresh", "signals"}},
		{"after a good tick", func(b *Board, _ *time.Time) { b.Publish(same(fixture())) }, nil},
		{"one failed tick after a good one", func(b *Board, _ *time.Time) { b.Publish(fixture()); b.TickFailed(trouble) }, nil},
		{"good tick as old as is allowed", func(b *Board, now *time.Time) { b.Publish(fixture()); *now = now.Add(time.Minute) }, nil},
		{"good tick too old", func(b *Board, now *time.Time) { b.Publish(fixture()); *now = now.Add(time.Minute + 1) }, []string{"fresh"}},
		{"failing for too long", func(b *Board, now *time.Time) {
			b.Publish(fixture())
			*now = now.Add(2 * time.Minute)
			b.TickFailed(trouble)
		}, []string{"fresh"}},
		{"good again", func(b *Board, now *time.Time) {
			b.TickFailed(trouble)
			*now = now.Add(time.Hour)
			b.Publish(fixture())
		}, nil},
		{"policy refused, the old one in force", func(b *Board, _ *time.Time) { b.Publish(refused(fixture())) }, nil},
		{"no policy", func(b *Board, _ *time.Time) { b.Publish(unloaded(fixture())) }, []string{"policy"}},
		{"demand known of no model", func(b *Board, _ *time.Time) { b.Publish(blind(fixture())) }, []string{"signals"}},
		{"demand too old of every model", func(b *Board, _ *time.Time) { b.Publish(stale(fixture())) }, []string{"signals"}},
		{"shutting down", func(b *Board, _ *time.Time) { b.Publish(fixture()); b.SetNotReady("shutting down") }, []string{"serving"}},
		{"shutting down while ticks go on", func(b *Board, _ *time.Time) { b.SetNotReady("shutting down"); b.Publish(fixture()) }, []string{"serving"}},
		{"taken back", func(b *Board, _ *time.Time) { b.Publish(fixture()); b.SetNotReady("later"); b.SetNotReady("") }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, _, now := board()
			tt.play(b, now)
			v := b.look(false).readiness(time.Minute)
			var broken []string
			for _, c := range v.Checks {
				if !c.OK {
					broken = append(broken, c.Name)
					if c.Detail == "" {
						t.Errorf("check %s does not hold and gives no cause", c.Name)
					}
				}
			}
			if diff := cmp.Diff(tt.broken, broken); diff != "" {
				t.Errorf("checks that do not hold (-want +got):\n%s", diff)
			}
			if v.Ready != (len(tt.broken) == 0) {
				t.Errorf("ready = %t with broken checks %v", v.Ready, broken)
			}
		})
	}
}

func TestTheLoopIsAliveWhileItTriesAndStuckWhenItDoesNot(t *testing.T) {
	b, _, now := board()
	alive := func() bool { return b.look(false).liveness(5 * time.Minute).OK }
	*now = wall.Add(5 * time.Minute)
	if !alive() {
		t.Error("stuck before the first tick was due")
	}
	*now = wall.Add(6 * time.Minute)
	if alive() {
		t.Error("alive although no tick ever came")
	}
	b.TickFailed(errors.New("observe: connection refused"))
	if !alive() {
		t.Error("a failing loop counts as stuck; a restart would not mend it")
	}
	b.Publish(fixture())
	*now = wall.Add(12 * time.Minute)
	if alive() {
		t.Error("alive although the last tick was six minutes ago")
	}
}
