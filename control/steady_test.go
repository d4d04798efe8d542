package control_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/policy"
)

// TestConstantLoadMovesNothing: under noise around a constant load the fleet
// changes direction at most once in a stabilisation window, and reshapes nothing.
func TestConstantLoadMovesNothing(t *testing.T) {
	wholeDays(t)
	s := newStage(t, smallPolicy(), 10, 11)
	s.world = constantWorld(t, map[fleet.ModelName]float64{"transcribe-en": 9, "transcribe-fr": 0.9, "summarize": 0.4}, 11)
	s.reloop(t, smallPolicy())
	direction, changes, turned, actions := 0, 0, time.Time{}, 0
	s.run(t, 24*time.Hour, func(r control.Record) {
		if s.at.Sub(monday) < 2*time.Hour {
			return // the fleet comes up, and what load there is must be learnt
		}
		for _, step := range r.Plan.Steps {
			actions++
			way := 0
			switch step.Kind() {
			case fleet.KindBuyNode:
				way = 1
			case fleet.KindReturnNode:
				way = -1
			case fleet.KindReshape:
				t.Errorf("at %s: %s", s.at, step.Describe())
			case fleet.KindKeepNode:
				t.Errorf("at %s: %s", s.at, step.Describe())
			}
			if way != 0 && way != direction {
				if changes++; direction != 0 && s.at.Sub(turned) < 10*time.Minute {
					t.Errorf("at %s the fleet turned %v after it had turned before", s.at, s.at.Sub(turned))
				}
				direction, turned = way, s.at
			}
		}
	})
	if changes > 6 || actions > 240 {
		t.Errorf("the fleet changed direction %d times, with %d actions, under a constant load", changes, actions)
	}
}

// TestTheOrderOfInputsDoesNotMatter, to the byte.
func TestTheOrderOfInputsDoesNotMatter(t *testing.T) {
	draws := rand.New(rand.NewPCG(12, 1))
	for _, load := range []float64{0.3, 0.8} {
		settings, in := rush(15, 8, load)
		d := decided(t, settings, in)
		if len(d.Plan.Steps) == 0 && load > 0.5 {
			t.Fatal("nothing is planned: the test shows nothing")
		}
		want, _ := json.Marshal(d.Plan)
		for range 10 {
			in.Snapshot = in.Snapshot.Clone()
			in.Snapshot.Models = slices.Clone(in.Snapshot.Models)
			shuffle(draws, in.Snapshot.Nodes)
			shuffle(draws, in.Snapshot.Replicas)
			shuffle(draws, in.Snapshot.Models)
			d, err := control.Decide(settings, policy.NewSizer(), in)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := json.Marshal(d.Plan); !bytes.Equal(got, want) {
				t.Fatalf("%s\nbecomes, with its inputs in another order,\n%s", want, got)
			}
		}
	}
}

func shuffle[T any](draws *rand.Rand, list []T) {
	draws.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// TestWorkThatMayWaitADayIsServedOverHalfOfIt: the fine steps of the first hour weigh no
// more than their time.
func TestWorkThatMayWaitADayIsServedOverHalfOfIt(t *testing.T) {
	p := smallPolicy()
	p.Models[0].SLO.Limit = 24 * time.Hour
	s := control.Settings{Policy: p, Catalog: smallCatalog()}
	path := forecast.Path{At: monday, Basis: forecast.BasisSeasonal}
	for _, lead := range forecast.Leads(24 * time.Hour) {
		v := 24.0 // in the first hour, and nothing after it
		if lead >= time.Hour {
			v = 0
		}
		path.Points = append(path.Points, forecast.Point{Lead: lead, Mean: v, Quantiles: slices.Repeat([]float64{v}, 11)})
	}
	in := control.Inputs{Now: monday, Pace: control.Planning, Snapshot: fleet.Snapshot{At: monday}, Forecasts: []control.ModelForecast{{Model: p.Models[0].Name, Path: path}}}
	if need := decided(t, s, in).Needs[0]; math.Abs(need.Keep-24./13) > 0.01 { // by the thirteenth hour
		t.Errorf("24/s for an hour, which may wait for half a day, need %v/s", need.Keep)
	}
	stage := newStage(t, p, 1, 30)
	stage.run(t, time.Second, nil)
	points := stage.loop.Forecasts()[0].Path.Points
	if last := points[len(points)-1].Lead; last < 24*time.Hour {
		t.Errorf("the forecast reaches %v ahead, and work may wait a day", last)
	}
}
