package control_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// captions is a model of sessions of ten minutes, twelve on a small slice.
func captions(name fleet.ModelName) fleet.Model {
	m := speech(name, fleet.Streaming, 5*time.Second)
	m.MinReplicas = 1
	m.Profile.Serves, m.Profile.MeanWork, m.Profile.WorkCV, m.Profile.WhenFull = fleet.ServesSessions, 600, 1, fleet.FullWaits
	for i := range m.Profile.Variants[0].Slices {
		perf := &m.Profile.Variants[0].Slices[i]
		perf.Batch, perf.Seconds = nil, nil
		perf.Streams = map[fleet.ProfileName]int{"1g.10gb": 12, "3g.40gb": 40, "7g.80gb": 100}[perf.Kind.Profile]
	}
	return m
}

// callIn makes average sessions, one in every so much time, until it ends.
type callIn struct {
	at, every, until time.Duration
}

func (c *callIn) Next() (traffic.Request, bool) {
	if c.at += c.every; c.at >= c.until {
		return traffic.Request{}, false
	}
	return traffic.Request{At: c.at, Work: 1}, true
}

// sessionStage is a loop in a world of one model of sessions of ten minutes.
func sessionStage(t *testing.T, source traffic.Source, past simulator.Past) *stage {
	t.Helper()
	return sessionStageOf(t, 600, source, past)
}

// sessionStageOf is one of sessions that last so many seconds on average.
func sessionStageOf(t *testing.T, mean float64, source traffic.Source, past simulator.Past) *stage {
	t.Helper()
	p := smallPolicy()
	p.Models = []fleet.Model{captions("captions")}
	p.Models[0].Profile.MeanWork = mean
	world, err := simulator.New(simulator.Config{
		Start: monday, Catalog: smallCatalog(), Models: p.Models, Seed: 1,
		Sources: map[fleet.ModelName]traffic.Source{"captions": source}, Past: map[fleet.ModelName]simulator.Past{"captions": past},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{world: world, tape: &tape{}, at: monday}
	s.loop = control.NewLoop(control.Ports{Observer: world, Actuator: world, Journal: s.tape, Historian: world},
		control.Settings{Policy: p, Catalog: smallCatalog()}, slog.New(slog.DiscardHandler))
	if err := s.loop.Prime(t.Context(), s.at); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSessionsKeepTheirStreams: when nobody comes any more, the need does not fall
// below what runs, no session is cut, and the fleet goes once they have ended.
func TestSessionsKeepTheirStreams(t *testing.T) {
	s := sessionStage(t, &callIn{every: 4 * time.Second, until: 3 * time.Hour}, nil)
	s.run(t, 3*time.Hour, nil)
	most := s.serving(t)["captions"]
	running := func() int {
		snapshot, err := s.world.Observe(t.Context(), s.world.Now())
		if err != nil {
			t.Fatal(err)
		}
		n := 0.0
		for _, r := range snapshot.Replicas {
			if r.State == fleet.ReplicaReady {
				v, _ := r.InFlight.Read()
				n += v
			}
		}
		return int(n)
	}
	if running() < 140 {
		t.Fatalf("%d sessions run, 150 should", running())
	}
	m := captions("captions")
	s.run(t, 9*time.Minute, func(r control.Record) {
		if need, floor := r.Needs[0], policy.SessionRate(m, running()); r.Inputs.Snapshot.At.Equal(s.at) && need.Now < floor*(1-1e-9) && len(r.Plan.Steps) == 0 {
			t.Fatalf("at %s the need is %v/s while %d sessions run, which take %v/s", s.at, need.Now, running(), floor)
		}
	})
	s.run(t, 3*time.Hour, nil)
	if left := s.serving(t)["captions"]; left > most/2 {
		t.Errorf("%d of %d servers are left when nobody calls", left, most)
	}
	r := s.world.Result().ByModel["captions"]
	if r.Served+r.Dropped != r.Requests || r.Waiting != 0 {
		t.Errorf("%d of %d sessions ended, %d were refused, %d are there", r.Served, r.Requests, r.Dropped, r.Waiting)
	}
	// Only what came before the first servers were there was refused.
	if *r.Attainment < 0.9 {
		t.Errorf("%.4f in real time", *r.Attainment)
	}
}

// TestSessionsFollowTheDay: through a day of office hours the target is met.
func TestSessionsFollowTheDay(t *testing.T) {
	wholeDays(t)
	g := traffic.Generated{Model: "captions", Shape: traffic.ShapeOfficeHours, Zone: "Europe/Paris", Peak: 0.4, Work: traffic.WorkSpread{Kind: traffic.WorkExponential}}
	source, err := traffic.NewGenerated(g, monday, 24*time.Hour, 3)
	if err != nil {
		t.Fatal(err)
	}
	s := sessionStage(t, source, g.History(monday, 7*24*time.Hour, time.Minute, 3))
	var high, low int
	s.run(t, 24*time.Hour, func(control.Record) {
		switch n := s.serving(t)["captions"]; s.at.Hour() {
		case 9:
			high = max(high, n)
		case 23:
			low = n
		}
	})
	if got := *s.world.Result().Attainment; got < 0.99 {
		t.Errorf("%.4f of the session-seconds ran in real time", got)
	}
	if low >= high {
		t.Errorf("%d servers at night, %d in the morning", low, high)
	}
}

// TestAnUnknownConcurrencyIsNoZero: where servers do not tell what is in flight, the
// rate stands in.
func TestAnUnknownConcurrencyIsNoZero(t *testing.T) {
	s := sessionStage(t, &callIn{every: 4 * time.Second, until: 3 * time.Hour}, nil)
	s.run(t, 90*time.Minute, nil)
	last := s.tape.records[len(s.tape.records)-1]
	in := last.Inputs
	in.Snapshot = in.Snapshot.Clone()
	settings := s.loop.Settings()
	before, err := control.Decide(settings, policy.NewSizer(), in)
	if err != nil {
		t.Fatal(err)
	}
	for i := range in.Snapshot.Replicas {
		in.Snapshot.Replicas[i].InFlight = fleet.Unknown("not told")
	}
	after, err := control.Decide(settings, policy.NewSizer(), in)
	if err != nil {
		t.Fatal(err)
	}
	if got, arrivals := after.Needs[0], 0.25; got.Now < arrivals*0.9 || got.Keep < 0.8*before.Needs[0].Keep {
		t.Errorf("the need is %+v without a count of what runs, %+v with it", got, before.Needs[0])
	}
}

// TestWhatCameWithinASessionIsKept: sessions of an hour keep the highest need of an
// hour, and not only that of the scale-down delay.
func TestWhatCameWithinASessionIsKept(t *testing.T) {
	s := sessionStageOf(t, 3600, &callIn{every: 40 * time.Second, until: 2 * time.Hour}, nil)
	s.run(t, 2*time.Hour, nil)
	last := s.tape.records[len(s.tape.records)-1].Needs[0]
	s.run(t, 45*time.Minute, nil)
	if got := s.tape.records[len(s.tape.records)-1].Needs[0]; got.Keep < last.Lead || got.Now >= last.Lead {
		t.Errorf("45 minutes after the last call %v/s are needed and %v/s kept; the need was %v/s", got.Now, got.Keep, last.Lead)
	}
}

// TestASmallModelNeedsItsLoadAndNotTheChanceOfAMinute: of 36 captions at once, of which
// two or three begin in a minute, twice as many streams are more than enough.
func TestASmallModelNeedsItsLoadAndNotTheChanceOfAMinute(t *testing.T) {
	wholeDays(t)
	g := traffic.Generated{Model: "captions", Shape: traffic.ShapeOfficeHours, Zone: "Europe/Paris", Peak: 0.04, Work: traffic.WorkSpread{Kind: traffic.WorkExponential}}
	source, err := traffic.NewGenerated(g, monday, 24*time.Hour, 3)
	if err != nil {
		t.Fatal(err)
	}
	s := sessionStageOf(t, 900, source, g.History(monday, 7*24*time.Hour, time.Minute, 3))
	highest := 0.0
	s.run(t, 12*time.Hour, func(r control.Record) { highest = max(highest, r.Needs[0].Lead) })
	if highest > 2*0.04 {
		t.Errorf("up to %v/s are needed, 0.04/s come at the busiest hour", highest)
	}
	if got := *s.world.Result().Attainment; got < 0.99 {
		t.Errorf("%.4f of the session-seconds ran in real time", got)
	}
}
