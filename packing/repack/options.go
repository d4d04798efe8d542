package repack

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// Options say what steps cost, and how hard to look.
type Options struct {
	// Keep is how long the new layout will be kept: what a step saves counts for so
	// long. It must be positive.
	Keep time.Duration

	// Disruption is the price in money of taking one replica away, whatever it is.
	Disruption packing.Amount

	// Replica is how long replicas take that Models does not name.
	Replica Replica
	Models  map[string]Replica // By model.

	// Types says how nodes behave, by name of GPU. Those that it does not name come
	// and are cut at once, and only a node as a whole.
	Types map[string]Terms

	// Tries limits the work, in layouts tried; zero is 300.
	Tries int

	// Stop is asked now and then whether to end with the best plan so far, which says
	// then that it is truncated; nil never ends it.
	Stop func() bool
}

// Replica is how long a replica occupies a slice without serving anything new.
type Replica struct {
	WarmUp time.Duration // From its start until it serves.
	Drain  time.Duration // From being told to go until its slice is free.
}

// Terms is how the nodes of one type behave.
type Terms struct {
	Lead           time.Duration      // From asking for a node until it is there; paid for.
	MinimumBilling time.Duration      // What a node is paid for at least.
	Reshape        fleet.ReshapeScope // What must be empty to be cut anew; empty is the node.
	ReshapeTime    time.Duration
	ModeFlip       time.Duration // A reshape between undivided and cut; zero takes as long as any other.
}

// What is longer than most is not accepted, and money above unaffordable counts as
// that much, so that no sum overflows.
const (
	most         = 366 * 24 * time.Hour
	unaffordable = packing.Amount(1e15)
)

func (o Options) validate() error {
	var errs []error
	check := func(name string, d, least time.Duration) {
		if d < least || d > most {
			errs = append(errs, fmt.Errorf("%s: %v, must be from %v to %v", name, d, least, most))
		}
	}
	check("keep", o.Keep, 1)
	if o.Disruption < 0 || o.Disruption > unaffordable {
		errs = append(errs, fmt.Errorf("disruption: %v, must be from 0 to a million", o.Disruption))
	}
	replica := func(name string, r Replica) {
		check(name+".warm_up", r.WarmUp, 0)
		check(name+".drain", r.Drain, 0)
	}
	replica("replica", o.Replica)
	for _, name := range sortedKeys(o.Models) {
		replica("models."+name, o.Models[name])
	}
	for _, name := range sortedKeys(o.Types) {
		t, at := o.Types[name], "types."+name
		check(at+".lead", t.Lead, 0)
		check(at+".minimum_billing", t.MinimumBilling, 0)
		check(at+".reshape_time", t.ReshapeTime, 0)
		check(at+".mode_flip", t.ModeFlip, 0)
		if !slices.Contains([]fleet.ReshapeScope{"", fleet.ReshapeNode, fleet.ReshapeGPU}, t.Reshape) {
			errs = append(errs, fmt.Errorf("%s.reshape: %q, must be %q or %q", at, t.Reshape, fleet.ReshapeNode, fleet.ReshapeGPU))
		}
	}
	if o.Tries < 0 {
		errs = append(errs, fmt.Errorf("tries: %d, must not be negative", o.Tries))
	}
	return errors.Join(errs...)
}

func (o Options) tries() int { return cmp.Or(o.Tries, 300) }

func (o Options) replica(model packing.Occupant) Replica {
	if r, ok := o.Models[string(model)]; ok {
		return r
	}
	return o.Replica
}

// times is an amount an hour over a time, rounded up.
func times(perHour packing.Amount, d time.Duration) packing.Amount {
	hi, lo := bits.Mul64(uint64(perHour), uint64(d))
	lo, carry := bits.Add64(lo, uint64(time.Hour)-1, 0)
	if hi+carry >= uint64(time.Hour) {
		return unaffordable
	}
	out, _ := bits.Div64(hi+carry, lo, uint64(time.Hour))
	return packing.Amount(min(out, uint64(unaffordable)))
}

// part is a share of an amount, rounded up.
func part(a packing.Amount, num, den int64) packing.Amount {
	hi, lo := bits.Mul64(uint64(a), uint64(num))
	lo, carry := bits.Add64(lo, uint64(den)-1, 0)
	out, _ := bits.Div64(hi+carry, lo, uint64(den))
	return packing.Amount(out)
}
