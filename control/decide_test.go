package control_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator"
)

// TestEveryRecordReplaysToTheSameBytes over a day in which metrics vanish for a
// while and purchases are refused.
func TestEveryRecordReplaysToTheSameBytes(t *testing.T) {
	wholeDays(t)
	s := newStage(t, smallPolicy(), 6, 1,
		simulator.Fault{At: 10 * time.Hour, For: 20 * time.Minute, Kind: simulator.MetricsMissing},
		simulator.Fault{At: 7 * time.Hour, For: 15 * time.Minute, Kind: simulator.StockOut})
	s.run(t, 24*time.Hour, nil)
	steps := 0
	for i, line := range s.tape.lines {
		then, now, err := control.Replay(s.tape.settings[0], line)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(then, now) {
			t.Fatalf("record %d of %s:\n%s\nreplays as\n%s", i, s.tape.records[i].Plan.At, then, now)
		}
		steps += len(s.tape.records[i].Plan.Steps)
	}
	if steps < 20 {
		t.Errorf("only %d steps in a day: nothing was replayed", steps)
	}
}

// TestPlansHoldTogether: every step of every plan has its precondition when the
// steps before it are done, carries a reason, and fast ticks only start replicas.
func TestPlansHoldTogether(t *testing.T) {
	wholeDays(t)
	s := newStage(t, smallPolicy(), 8, 2)
	seen := map[fleet.StepKind]int{}
	s.run(t, 24*time.Hour, func(r control.Record) {
		view := r.Inputs.Snapshot.Clone()
		for _, step := range r.Plan.Steps {
			seen[step.Kind()]++
			if err := step.Apply(&view); err != nil {
				t.Errorf("%s: %s: %v", r.Plan.ID, step.Describe(), err)
			}
			if step.Because().Code == "" {
				t.Errorf("%s: %s has no reason", r.Plan.ID, step.Describe())
			}
			if r.Inputs.Pace == control.Fast && step.Kind() != fleet.KindStartReplica {
				t.Errorf("%s: a fast tick would %s", r.Plan.ID, step.Describe())
			}
		}
		for _, o := range r.Outcomes {
			if o.Result != control.Done {
				t.Errorf("%s: %s %s: %s", r.Plan.ID, o.Step, o.Result, o.Detail)
			}
		}
	})
	for _, kind := range []fleet.StepKind{fleet.KindBuyNode, fleet.KindStartReplica, fleet.KindStopReplica, fleet.KindDrainNode, fleet.KindReturnNode} {
		if seen[kind] == 0 {
			t.Errorf("a whole day had no %s: the test shows nothing of it", kind)
		}
	}
}

// TestTheFleetFollowsTheDay: it grows before the morning and is given back at
// night, and the service level holds.
func TestTheFleetFollowsTheDay(t *testing.T) {
	wholeDays(t)
	s := newStage(t, smallPolicy(), 10, 3)
	gpus := map[int]int{}
	s.run(t, 24*time.Hour, func(control.Record) {
		if s.at.Minute() == 0 {
			gpus[s.at.Hour()] = s.world.Sample().GPUs
		}
	})
	if gpus[10] <= gpus[4] || gpus[23] >= gpus[10] {
		t.Errorf("GPUs by hour: %v", gpus)
	}
	for name, m := range s.world.Result().ByModel {
		if m.Attainment == nil || *m.Attainment < 0.985 {
			t.Errorf("%s attained %v", name, m.Attainment)
		}
	}
}

// TestUnknownNeverLowers: while signals are unknown, in the evening when traffic
// falls, nothing that serves is stopped and no node goes.
func TestUnknownNeverLowers(t *testing.T) {
	wholeDays(t)
	blind := simulator.Fault{At: 15 * time.Hour, For: 100 * time.Minute, Kind: simulator.MetricsMissing}
	s := newStage(t, smallPolicy(), 10, 4, blind)
	recovered := 0
	s.run(t, 20*time.Hour, func(r control.Record) {
		since := r.Inputs.Now.Sub(monday)
		dark := since >= blind.At && since < blind.At+blind.For
		for _, step := range r.Plan.Steps {
			switch step.Kind() {
			case fleet.KindStopReplica, fleet.KindDrainNode:
				if dark {
					t.Errorf("%s: %s though nothing is known", r.Plan.ID, step.Describe())
				}
				if since >= blind.At+blind.For {
					recovered++
				}
			}
		}
	})
	if recovered == 0 {
		t.Error("nothing shrank after the signals came back")
	}
}

// TestNoPlanCommitsAboveAHardCap, whatever the cap, the load and the stock-outs.
func TestNoPlanCommitsAboveAHardCap(t *testing.T) {
	wholeDays(t)
	const worlds = 12
	held := 0
	for seed := range uint64(worlds) {
		draws := rand.New(rand.NewPCG(seed, 1))
		p := smallPolicy()
		limit := dollars(4 + draws.Int64N(36))
		p.Budgets = []policy.Budget{{Per: policy.Hour, Amount: limit, OnExceeded: policy.Hold}}
		s := newStage(t, p, 1+19*draws.Float64(), seed, simulator.Fault{At: 6 * time.Hour, For: time.Hour, Kind: simulator.StockOut})
		s.run(t, 9*time.Hour, func(r control.Record) {
			if committed := s.world.Sample().Rate; committed.Hourly().Compare(limit) > 0 {
				t.Fatalf("seed %d: at %s %s is committed under a cap of %s", seed, s.at, committed.Describe(), limit.Describe())
			}
			for _, reason := range r.Plan.Held {
				if reason.Code == fleet.ReasonHeldBudget {
					held++
				}
			}
		})
	}
	if held == 0 {
		t.Error("no cap ever held anything back: the test shows nothing")
	}
}

// TestShedWithdrawsTheLeastValuableFirst: a cap that is lowered by a reload takes
// from the summaries before it takes from the streams, and floors stay.
func TestShedWithdrawsTheLeastValuableFirst(t *testing.T) {
	wholeDays(t)
	p := keepsErrorBudgets(smallPolicy())
	s := newStage(t, p, 20, 5)
	s.run(t, 11*time.Hour, nil)
	before := s.world.Sample()
	p.Budgets = []policy.Budget{{Per: policy.Hour, Amount: dollars(10), OnExceeded: policy.Shed}}
	s.loop.Use(control.Settings{Policy: p, Catalog: smallCatalog()})
	sheds := 0
	s.run(t, 2*time.Hour, func(r control.Record) {
		for _, step := range r.Plan.Steps {
			if step.Because().Code == fleet.ReasonShed {
				sheds++
			}
		}
	})
	after := s.world.Sample()
	if after.Rate.Hourly().Compare(dollars(10)) > 0 || sheds == 0 {
		t.Errorf("spending went from %s to %s under a cap of $10.00/h, with %d steps that shed", before.Rate.Describe(), after.Rate.Describe(), sheds)
	}
	serving := s.serving(t)
	for _, m := range p.Models {
		if serving[m.Name] < m.MinReplicas {
			t.Errorf("%s has %d replicas, its floor is %d", m.Name, serving[m.Name], m.MinReplicas)
		}
	}
}

// TestARefusedPurchaseIsPlannedAnew, never sent again as it was.
func TestARefusedPurchaseIsPlannedAnew(t *testing.T) {
	wholeDays(t)
	s := newStage(t, smallPolicy(), 6, 6, simulator.Fault{At: 0, For: 30 * time.Minute, Kind: simulator.StockOut})
	asked := map[fleet.NodeID]bool{}
	refused, done := 0, 0
	s.run(t, time.Hour, func(r control.Record) {
		for i, step := range r.Plan.Steps {
			buy, ok := step.(fleet.BuyNode)
			if !ok {
				continue
			}
			if asked[buy.Node] {
				t.Errorf("%s: %s was asked for before", r.Plan.ID, buy.Node)
			}
			asked[buy.Node] = true
			if r.Outcomes[i].Result == control.Refused {
				refused++
			} else {
				done++
			}
		}
	})
	if refused == 0 || done == 0 {
		t.Errorf("%d purchases refused, %d done", refused, done)
	}
}

// TestDecideKeepsItsInputs: deciding changes nothing it was given.
func TestDecideKeepsItsInputs(t *testing.T) {
	wholeDays(t)
	s := newStage(t, smallPolicy(), 10, 7)
	s.run(t, 12*time.Hour, func(r control.Record) {
		before := r.Inputs.Snapshot.Describe() + fmt.Sprint(r.Inputs.Memory)
		if _, err := control.Decide(s.loop.Settings(), policy.NewSizer(), r.Inputs); err != nil {
			t.Fatal(err)
		}
		if after := r.Inputs.Snapshot.Describe() + fmt.Sprint(r.Inputs.Memory); after != before {
			t.Fatalf("%s changed its inputs:\n%s\n%s", r.Plan.ID, before, after)
		}
	})
}
