package simulator

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// shortness is a script whose records also say which models caps leave short.
type shortness struct {
	script
	capped map[time.Duration][]control.Capped
}

func (s *shortness) Tick(ctx context.Context, now time.Time) (control.Record, error) {
	record, err := s.script.Tick(ctx, now)
	record.Capped = s.capped[now.Sub(s.world.start)]
	return record, err
}

// TestWhatACapCostIsWhatWasMissedMeanwhile, beyond the share that is missed otherwise:
// one in four here, and three in four while the cap leaves the model short.
func TestWhatACapCostIsWhatWasMissedMeanwhile(t *testing.T) {
	var arrivals list
	for minute := range 60 { // four requests a minute of half a second of work, within one second
		at, late := time.Duration(minute)*time.Minute, 1
		if minute >= 20 && minute < 30 || minute >= 50 && minute < 52 {
			late = 3
		}
		for i := range 4 {
			work := 1.0
			if i < late {
				work = 4 // two seconds
			}
			arrivals = append(arrivals, traffic.Request{At: at + time.Duration(5+10*i)*time.Second, Work: work})
		}
	}
	w := build(t, Config{Models: []fleet.Model{testModel("a", fleet.CentralQueue, 0.5), testModel("b", fleet.CentralQueue, 0.5)}, Sources: feed("a", &arrivals)})
	limit := policy.Budget{Per: policy.Hour, Amount: usd(62_000_000), OnExceeded: policy.Hold}
	c := &shortness{capped: map[time.Duration][]control.Capped{}}
	c.world = w
	buy := buyNode("n")
	buy.GPUs[0].Geometry = sevenths()
	c.plans = map[time.Duration]fleet.Plan{0: {Steps: []fleet.Step{buy, startOn("n", 0, "a", "r")}}}
	for minute := range 60 {
		if minute >= 20 && minute < 30 || minute >= 50 && minute < 52 {
			rise := usd(int64(1_000_000 * (1 + minute%3)))
			c.capped[time.Duration(minute)*time.Minute] = []control.Capped{{Model: "a", Budget: limit, Lacks: 1, Rise: rise}, {Model: "b", Budget: limit, Lacks: 1, Rise: rise}}
		}
	}
	p := policy.Policy{Budgets: []policy.Budget{limit}, Ticks: policy.Ticks{Fast: 15 * time.Second, Plan: time.Minute}}
	r, err := Run{World: w, Duration: time.Hour, Every: 15 * time.Second, Policy: p}.Drive(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.CostOfCaps) != 2 {
		t.Fatalf("the caps cost %+v", r.CostOfCaps)
	}
	// A tick is added to each spell, in which what came within the limit may end; the
	// first request of a minute ends before it.
	got := r.CostOfCaps[0]
	if got.Model != "a" || got.Judged < 48 || got.Judged > 50 || got.Missed < 36 || got.Missed > 38 || len(got.Spells) != 2 {
		t.Errorf("the cost is %+v", got)
	}
	if off := got.MissedOtherwise - 0.25; math.Abs(off) > 0.01 {
		t.Errorf("%v were missed otherwise, want a quarter", got.MissedOtherwise)
	}
	want := 100 * (got.Missed/got.Judged - got.MissedOtherwise)
	if got.Points == nil || math.Abs(*got.Points-want) > 1e-9 || math.Abs(*got.PointsOfRun-want*got.Judged/240) > 1e-9 {
		t.Errorf("it cost %v points and %v of the run, want %v", *got.Points, *got.PointsOfRun, want)
	}
	if got.Rise != "$3.00 per hour" || !got.Spells[0].From.Equal(start.Add(20*time.Minute)) || got.Spells[1].To.Sub(got.Spells[1].From) > 3*time.Minute {
		t.Errorf("the cap had to rise by %s; spells %+v", got.Rise, got.Spells)
	}
	// Nobody asked for b: it was short, and it lost nothing.
	if b := r.CostOfCaps[1]; b.Model != "b" || b.Points != nil || b.Judged != 0 {
		t.Errorf("of a model without requests the cost is %+v", b)
	}
	again := r
	again.CostOfCaps = nil
	if err := again.Seal(); err != nil || again.Hash == "" {
		t.Error(err)
	}
}

// TestWhatACapCostIsTold in a sentence, of one spell and of many.
func TestWhatACapCostIsTold(t *testing.T) {
	at := func(hour, minute int) time.Time {
		return start.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
	}
	points := 0.8
	c := CapCost{
		Cap: "$62.00 per hour", Model: "transcribe-fr", Points: &points, Rise: "$3.10 per hour", ShortSeconds: 4800,
		Spells: []CapSpell{{From: at(10, 0), To: at(11, 20), Missed: 7}},
	}
	want := "the cap of $62.00 per hour cost transcribe-fr 0.80 points of attainment on Mon 18 Nov 10:00-11:20; $3.10 per hour more would have admitted each node that it refused"
	if got := c.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	c.Group, c.Rise, c.Points = "captions", "", nil
	c.Spells = append(c.Spells, CapSpell{From: at(13, 0), To: at(13, 30), Missed: 9})
	want = "the cap of $62.00 per hour for captions cost transcribe-fr nothing in 2 spells of 80 minutes in all, the worst on Mon 18 Nov 13:00-13:30"
	if got := c.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
