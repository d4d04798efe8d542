package simulator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// Controller decides at every tick; the loop of package control is one.
type Controller interface {
	Tick(ctx context.Context, now time.Time) (control.Record, error)
}

// Run is one run of a controller in a world.
type Run struct {
	World    *World
	Duration time.Duration
	Every    time.Duration       // between two ticks; the first is at once
	Policy   policy.Policy       // whose caps are watched
	Progress func(share float64) // called now and then; may be nil
}

// sampleEvery is the step of the timeline.
const sampleEvery = 15 * time.Minute

// Drive lets the world run to its end with the controller ticking in it. What
// falls on one instant happens in this order: the world, the tick, the sample.
func (r Run) Drive(ctx context.Context, c Controller) (Result, error) {
	if r.Duration <= 0 || r.Every <= 0 {
		return Result{}, fmt.Errorf("simulate %v with a tick every %v: both must be positive", r.Duration, r.Every)
	}
	w := r.World
	start := w.Now()
	end := start.Add(r.Duration)
	timeline, purchases := []Sample{}, []Purchase{}
	sampleBefore := func(until time.Time) {
		for at := start.Add(time.Duration(len(timeline)) * sampleEvery); at.Before(until); at = at.Add(sampleEvery) {
			w.AdvanceTo(at)
			timeline = append(timeline, w.Sample())
			r.progress(at.Sub(start))
		}
	}
	watch, caps := newAudit(w, r.Policy), newCapWatch(w, r.Policy)
	violations, held := 0, 0
	for at := start; at.Before(end); at = at.Add(r.Every) {
		if err := ctx.Err(); err != nil {
			return Result{}, fmt.Errorf("simulate: %w", err)
		}
		sampleBefore(at)
		w.AdvanceTo(at)
		watch.before()
		record, err := c.Tick(ctx, at)
		if err != nil {
			return Result{}, fmt.Errorf("tick at %s: %w", at.UTC().Format(time.RFC3339), err)
		}
		violations += watch.after()
		caps.tick(at, record)
		purchases = append(purchases, purchasesOf(record)...)
		held += heldByBudget(record)
	}
	sampleBefore(end)
	w.AdvanceTo(end)
	r.progress(r.Duration)
	out := w.Result()
	out.Timeline, out.Purchases, out.BudgetViolations, out.BudgetsHeld = timeline, purchases, violations, held
	out.CostOfCaps = caps.costs(end)
	return out, w.conserved(out)
}

func (r Run) progress(since time.Duration) {
	if r.Progress != nil {
		r.Progress(float64(since) / float64(r.Duration))
	}
}

// conserved checks that no request, no money and no GPU time was lost or made, and
// that time in the system obeys Little's law.
func (w *World) conserved(r Result) error {
	var errs []error
	there := w.outstanding()
	for i, m := range w.models {
		errs = append(errs, m.little(there[i], w.now))
		got := r.ByModel[string(m.Name)]
		if got.Requests != got.Served+got.Dropped+got.Waiting {
			errs = append(errs, fmt.Errorf("model %s: %d requests came, but %d were served, %d dropped and %d wait",
				m.Name, got.Requests, got.Served, got.Dropped, got.Waiting))
		}
	}
	sum := w.ended.paid
	w.bills(func(b *bill) { sum = sum.Add(b.paid).Add(b.due(w.now)) })
	if sum.Compare(r.Cost) != 0 {
		errs = append(errs, fmt.Errorf("the nodes cost %s, but %s was paid", sum, r.Cost))
	}
	if shared, all := w.shared(); shared.Compare(all) != 0 {
		errs = append(errs, fmt.Errorf("the nodes cost %s, but the models bear %s", all, shared))
	}
	if gpus := w.gpuTimes(); gpus.paid != gpus.worked.plus(gpus.idled) {
		errs = append(errs, fmt.Errorf("GPUs were paid for %v h, but worked for %v h and idled for %v h",
			gpus.paid.inHours(), gpus.worked.inHours(), gpus.idled.inHours()))
	}
	return errors.Join(errs...)
}

// purchasesOf lists the nodes that a tick bought. The first of them carries what
// was weighed against each other for all.
func purchasesOf(record control.Record) []Purchase {
	var out []Purchase
	for i, step := range record.Plan.Steps {
		buy, ok := step.(fleet.BuyNode)
		if !ok || i < len(record.Outcomes) && record.Outcomes[i].Result != control.Done {
			continue
		}
		p := Purchase{At: record.Plan.At, Node: buy.Node, Reason: buy.Reason}
		if len(out) == 0 {
			p.Candidates = record.Plan.Candidates
		}
		out = append(out, p)
	}
	return out
}

// heldByBudget counts the purchases that a cap held back in a tick.
func heldByBudget(record control.Record) int {
	held := 0
	for _, reason := range record.Plan.Held {
		if reason.Code == fleet.ReasonHeldBudget || reason.Code == fleet.ReasonHeldUnitCost {
			held++
		}
	}
	return held
}
