package control_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/simulator"
)

var errBroken = errors.New("broken")

// brittle stands between a loop and its world, and breaks on demand.
type brittle struct {
	control.Ports
	looks, failLook int // observations so far, and the one that fails
	tape            *tape
	failWriting     bool
	acts, cancelAt  int // steps done so far, and the one at which the tick is cancelled
	cancel          context.CancelFunc
	shut            bool // withholds every step, as shadow mode does
	settled         []string
	noPast          fleet.ModelName   // whose history cannot be read
	asked           []fleet.ModelName // whose history was asked for
}

func (b *brittle) Observe(ctx context.Context, now time.Time) (fleet.Snapshot, error) {
	if b.looks++; b.looks == b.failLook {
		return fleet.Snapshot{}, errBroken
	}
	return b.Observer.Observe(ctx, now)
}

func (b *brittle) Do(ctx context.Context, plan fleet.PlanID, step fleet.Step) error {
	if b.shut {
		return fmt.Errorf("%s: %w", step.Describe(), control.ErrWithheld)
	}
	err := b.Actuator.Do(ctx, plan, step)
	if b.acts++; b.acts == b.cancelAt {
		b.cancel()
	}
	return err
}

func (b *brittle) Settle(_ context.Context, plan fleet.PlanID, seen fleet.Snapshot) error {
	b.settled = append(b.settled, string(plan)+" "+seen.At.Format(time.RFC3339))
	return errBroken // which is told, and changes nothing
}

func (b *brittle) Begin(ctx context.Context, s control.Settings) error {
	if b.failWriting {
		return errBroken
	}
	return b.tape.Begin(ctx, s)
}

func (b *brittle) Append(ctx context.Context, r control.Record) error {
	if b.failWriting {
		return errBroken
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.tape.Append(ctx, r)
}

func (b *brittle) History(ctx context.Context, m fleet.ModelName, until time.Time) ([]forecast.Observation, error) {
	b.asked = append(b.asked, m)
	if m == b.noPast {
		return nil, errBroken
	}
	return b.Historian.History(ctx, m, until)
}

// newBrittle puts a loop into a world through ports that break.
func newBrittle(t *testing.T) (*brittle, *control.Loop) {
	t.Helper()
	s := newStage(t, smallPolicy(), 4, 20)
	b := &brittle{Ports: control.Ports{Observer: s.world, Actuator: s.world, Historian: s.world}, tape: s.tape}
	return b, control.NewLoop(control.Ports{Observer: b, Actuator: b, Journal: b, Historian: b},
		control.Settings{Policy: smallPolicy(), Catalog: smallCatalog()}, slog.New(slog.DiscardHandler))
}

// TestASecondLookThatFailsActsOnNothing, says so, leaves a record, and is made up
// for at once by the next tick.
func TestASecondLookThatFailsActsOnNothing(t *testing.T) {
	b, loop := newBrittle(t)
	b.failLook = 2
	r, err := loop.Tick(t.Context(), monday)
	if !errors.Is(err, errBroken) || b.acts != 0 || len(r.Plan.Steps) == 0 {
		t.Fatalf("error %v, %d steps done of\n%s", err, b.acts, r.Plan.Describe())
	}
	if len(b.tape.records) != 1 {
		t.Errorf("%d records of a tick that acted on nothing", len(b.tape.records))
	}
	r, err = loop.Tick(t.Context(), monday)
	if err != nil || r.Inputs.Pace != control.Planning || b.acts == 0 {
		t.Errorf("the next tick is %s, does %d steps, error %v", r.Inputs.Pace, b.acts, err)
	}
}

// TestNothingIsDoneWithoutAJournal: a record that cannot be written is an error,
// and until the journal is back no further step is taken.
func TestNothingIsDoneWithoutAJournal(t *testing.T) {
	b, loop := newBrittle(t)
	b.failWriting = true
	if _, err := loop.Tick(t.Context(), monday); !errors.Is(err, errBroken) || b.acts != 0 {
		t.Fatalf("error %v, %d steps", err, b.acts)
	}
	b.failWriting = false
	b.failLook = b.looks + 2
	_, _ = loop.Tick(t.Context(), monday)
	b.failWriting = true
	if _, err := loop.Tick(t.Context(), monday); !errors.Is(err, errBroken) || b.acts == 0 {
		t.Fatalf("the tick whose record is lost: error %v, %d steps", err, b.acts)
	}
	done, looks := b.acts, b.looks
	if _, err := loop.Tick(t.Context(), monday); !errors.Is(err, errBroken) || b.acts != done || b.looks != looks {
		t.Errorf("after a lost record: error %v, %d more steps, %d more looks", err, b.acts-done, b.looks-looks)
	}
	b.failWriting = false
	if _, err := loop.Tick(t.Context(), monday); err != nil {
		t.Error(err)
	}
}

// TestACancelledTickRecordsWhatItDid, and does no further step.
func TestACancelledTickRecordsWhatItDid(t *testing.T) {
	b, loop := newBrittle(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b.cancel, b.cancelAt = cancel, 1
	r, err := loop.Tick(ctx, monday)
	if !errors.Is(err, context.Canceled) || b.acts != 1 || len(r.Plan.Steps) < 2 {
		t.Fatalf("error %v, %d steps done of\n%s", err, b.acts, r.Plan.Describe())
	}
	if len(b.tape.records) != 1 || len(b.tape.records[0].Outcomes) != 1 {
		t.Errorf("the record does not tell what was done: %+v", b.tape.records)
	}
}

// TestModelsComeAndGoWithThePolicy: what was learnt of those that stay is kept, a
// new one is taught its past once, and one that left is forgotten.
func TestModelsComeAndGoWithThePolicy(t *testing.T) {
	b, loop := newBrittle(t)
	settings := loop.Settings()
	all := settings.Policy.Models
	settings.Policy.Models = all[1:] // without the summaries
	loop.Use(settings)
	if err := loop.Prime(t.Context(), monday); err != nil {
		t.Fatal(err)
	}
	if _, err := loop.Tick(t.Context(), monday); err != nil {
		t.Fatal(err)
	}
	if len(b.asked) != 2 || len(loop.Forecasts()) != 2 {
		t.Errorf("history of %v, forecasts of %d models", b.asked, len(loop.Forecasts()))
	}
	settings.Policy.Models = all[:2] // with summaries, without transcribe-fr
	loop.Use(settings)
	r, err := loop.Tick(t.Context(), monday)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.asked) != 3 || b.asked[2] != "summarize" {
		t.Errorf("history of %v", b.asked)
	}
	if len(r.Needs) != 2 || len(r.Plan.Steps) > 0 && r.Inputs.Pace != control.Fast {
		t.Errorf("%+v", r)
	}
	for _, n := range r.Needs {
		if n.Model == "transcribe-en" && n.Basis != forecast.BasisSeasonal {
			t.Errorf("what was learnt of %s is gone: %s", n.Model, n.Basis)
		}
	}
	if b.tape.settings[len(b.tape.settings)-1].Policy.Models[0].Name != "summarize" {
		t.Error("the journal does not hold the settings in force")
	}
}

// TestWhatWasBegunIsSettledAtEveryTick, with the plan and the snapshot of that tick;
// that it fails does not fail the tick. A tick that
// sees nothing settles nothing.
func TestWhatWasBegunIsSettledAtEveryTick(t *testing.T) {
	b, loop := newBrittle(t)
	b.failLook = 5 // the first look of the third tick, when each before looked twice
	for i := range 3 {
		at := monday.Add(time.Duration(i) * time.Minute)
		b.Observer.(*simulator.World).AdvanceTo(at)
		if _, err := loop.Tick(t.Context(), at); (err != nil) != (i == 2) {
			t.Fatalf("tick %d: %v", i, err)
		}
	}
	want := []string{"plan-20260914T000000Z 2026-09-14T00:00:00Z", "plan-20260914T000100Z 2026-09-14T00:01:00Z"}
	if !slices.Equal(b.settled, want) {
		t.Errorf("settled %q", b.settled)
	}
}

// TestAWithheldStepIsPlannedOnAsIfItWereDone: the steps that rest on it are tried
// too, and the record says of each that it would have been done.
func TestAWithheldStepIsPlannedOnAsIfItWereDone(t *testing.T) {
	b, loop := newBrittle(t)
	b.shut = true
	r, err := loop.Tick(t.Context(), monday)
	if err != nil || len(r.Outcomes) < 2 || len(r.Outcomes) != len(r.Plan.Steps) {
		t.Fatalf("%v: %d outcomes of %d steps", err, len(r.Outcomes), len(r.Plan.Steps))
	}
	for _, o := range r.Outcomes {
		if o.Result != control.Withheld {
			t.Errorf("%+v", o)
		}
	}
	if s, _ := b.Observe(t.Context(), monday); len(s.Nodes) > 0 {
		t.Errorf("shadow mode bought %d nodes", len(s.Nodes))
	}
}

// TestAModelWithoutAPastKeepsNoOtherFromTheirs.
func TestAModelWithoutAPastKeepsNoOtherFromTheirs(t *testing.T) {
	b, loop := newBrittle(t)
	b.noPast = loop.Settings().Policy.Models[0].Name
	if err := loop.Prime(t.Context(), monday); !errors.Is(err, errBroken) {
		t.Fatalf("error %v", err)
	}
	r, err := loop.Tick(t.Context(), monday)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range r.Needs {
		if primed := n.Basis == forecast.BasisSeasonal; primed == (n.Model == b.noPast) {
			t.Errorf("%s rests on %s", n.Model, n.Basis)
		}
	}
}
