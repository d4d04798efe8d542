package judge

import (
	"context"
	"fmt"
	"slices"

	"github.com/tessera-autoscaler/tessera/simulator"
)

// Entrant is a scenario of a comparison.
type Entrant struct {
	Trials []*Trial // one for each seed
	Inputs string   // digest of the scenario and all files that it names
	Tuned  Tuned    // setups found for it
}

// Comparison is controllers, scenarios and seeds, each with each.
type Comparison struct {
	Entrants    []Entrant
	Controllers []string
	Bound       bool
	Store       Store
	Workers     int
	// Done is told of every run that ended, one call at a time: how many of all it
	// was, and whether its result was kept before. It may be nil.
	Done func(done, all int, r simulator.Result, kept bool)
}

// Run runs everything that the store does not have yet. The results come by
// scenario, controller and seed, in the order in which they were asked for, and
// are the same on any number of workers. What is finished when the context ends is
// in the store.
func (c Comparison) Run(ctx context.Context) ([]simulator.Result, error) {
	type one struct {
		trial  *Trial
		inputs string
		job    Job
	}
	var list []one
	for _, e := range c.Entrants {
		for _, name := range c.Controllers {
			for _, t := range e.Trials {
				job := Job{Controller: name, Setup: e.Tuned.Setup(t.Scenario.Name, name), Bound: c.Bound}
				list = append(list, one{t, e.Inputs, job})
			}
		}
	}
	results := make([]simulator.Result, len(list))
	turn := make(chan int, 1)
	turn <- 0
	err := each(ctx, c.Workers, len(list), func(ctx context.Context, i int) error {
		r, kept, err := c.Store.Run(ctx, list[i].trial, list[i].inputs, list[i].job)
		if err != nil {
			return fmt.Errorf("%s, controller %s, seed %d: %w", list[i].trial.Scenario.Name, list[i].job.Controller, list[i].trial.Seed, err)
		}
		results[i] = r
		done := <-turn + 1
		if c.Done != nil {
			c.Done(done, len(list), r, kept)
		}
		turn <- done
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// Against adds to every result its regret over the clairvoyant of the same
// scenario, seed and length, where there is one.
func Against(results []simulator.Result) {
	for i := range results {
		r := &results[i]
		r.RegretClairvoyant = nil
		at := slices.IndexFunc(results, func(o simulator.Result) bool {
			return o.Controller == Clairvoyant && o.Scenario == r.Scenario && o.Seed == r.Seed && o.SimulatedSeconds == r.SimulatedSeconds
		})
		if at >= 0 && results[at].Cost.Micros() > 0 && r.Controller != Clairvoyant {
			r.RegretClairvoyant = new(r.Cost.Float()/results[at].Cost.Float() - 1)
		}
	}
}
