package clairvoyant

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// input is four hours of two models, one of which goes up and down.
func input(seed uint64) Input {
	return Input{
		Duration: 4 * time.Hour, Settings: small(fleet.LeastLoad),
		Open: func(m fleet.ModelName) (traffic.Source, error) {
			l := traffics(seed)[m]
			return &l, nil
		},
		NodeStart: func(fleet.Offering, int) time.Duration { return 3 * time.Minute },
	}
}

func traffics(seed uint64) map[fleet.ModelName]list {
	return map[fleet.ModelName]list{"a": day(seed, 4, 20), "b": day(seed+1, 4, 1)}
}

// TestAScheduleKeepsItsTargetsForLessThanAFleetThatStands: with what rehearsals teach,
// targets are kept in the world, for less than the fleet of the busiest hour costs, and
// the same traffic has the same schedule.
func TestAScheduleKeepsItsTargetsForLessThanAFleetThatStands(t *testing.T) {
	in := input(1)
	plan := func() (*Schedule, float64) {
		p, err := New(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		for range 6 {
			s, err := p.Plan(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			r := drive(t, newWorld(t, in.Settings, traffics(1)), in.Settings, s, in.Duration)
			a, b := *r.ByModel["a"].Attainment, *r.ByModel["b"].Attainment
			if a >= 0.95 && b >= 0.95 {
				return s, r.Cost.Float()
			}
			p.Learn([]float64{(1 - a) * float64(r.ByModel["a"].Requests), (1 - b) * float64(r.ByModel["b"].Requests)})
		}
		t.Fatal("no schedule of six kept the targets")
		return nil, 0
	}
	s, cost := plan()
	// Twenty requests a second take two whole GPUs, which carry 16 each.
	if standing := 2 * 4 * in.Duration.Hours(); cost >= 0.9*standing {
		t.Errorf("the schedule costs %.2f, a fleet that stands %.2f", cost, standing)
	}
	if again, _ := plan(); !reflect.DeepEqual(s, again) {
		t.Error("the same world has two schedules")
	}
}

// TestWhatMayWaitIsSpreadWithinItsDeadline: nobody is planned for before it comes, to
// the grid, nor later than it may wait, and the busiest minute is less busy.
func TestWhatMayWaitIsSpreadWithinItsDeadline(t *testing.T) {
	var at []float64
	for i := range 900 {
		at = append(at, 3600+float64(i)/3) // five busy minutes
	}
	wait := 1800.0
	later := evenly(at, wait, 4*3600)
	busiest := map[int]int{}
	for i := range at {
		if later[i] < at[i]-deferGrid.Seconds() || later[i] > at[i]+wait+deferGrid.Seconds() {
			t.Fatalf("request %d came at %v and is planned for at %v", i, at[i], later[i])
		}
		busiest[int(later[i]/60)]++
	}
	for minute, n := range busiest {
		if n > 40 { // 900 within 35 minutes are 26 a minute
			t.Errorf("%d are planned for in minute %d", n, minute)
		}
	}
}

// TestFleetsThatAreNotPlanned: sessions, offerings of which no node has one GPU, and
// hundreds of nodes are somebody else's.
func TestFleetsThatAreNotPlanned(t *testing.T) {
	for name, change := range map[string]func(*Input){
		"sessions":   func(in *Input) { in.Settings.Policy.Models[0].Profile.Serves = fleet.ServesSessions },
		"too many":   func(in *Input) { in.Settings.Catalog.Offerings[0].Limit = 101 },
		"eight GPUs": func(in *Input) { in.Settings.Catalog.Offerings[0].GPUs = 8 },
	} {
		in := input(1)
		change(&in)
		if _, err := New(context.Background(), in); !errors.Is(err, ErrNotPlannable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAPlannerLearns: who missed too much is planned for with less, and nobody gets more
// meanwhile; where all keep their targets, room that is left is used.
func TestAPlannerLearns(t *testing.T) {
	planned := func(missed ...float64) []float64 {
		p := &Planner{allowed: []float64{100, 100}, planned: []float64{80, 80}}
		p.Learn(missed)
		return p.planned
	}
	if got := planned(200, 10); got[0] >= 80 || got[0] < 30 || got[1] != 80 {
		t.Errorf("of 100 allowed, 200 and 10 were missed: it plans for %v in place of 80", got)
	}
	if got := planned(90, 10); got[0] <= 80 || got[1] <= got[0] || got[1] > 100 {
		t.Errorf("of 100 allowed, 90 and 10 were missed: it plans for %v in place of 80", got)
	}
}
