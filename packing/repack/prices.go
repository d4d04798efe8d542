package repack

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// slicePrice is a slice's part of its GPU's price, by memory.
func (b *book) slicePrice(gpu string, profile fleet.ProfileName) packing.Amount {
	k := b.types[gpu]
	whole, shares := shareOf(profile)
	row, _ := k.spec.Profile(whole)
	return part(k.price, int64(row.Memory), int64(k.spec.MemorySlices)*int64(shares))
}

// startPrice is what a slice costs while the replica on it warms up.
func (b *book) startPrice(gpu string, s packing.Slice) packing.Amount {
	var longest time.Duration
	for _, name := range occupants(s) {
		longest = max(longest, b.opt.replica(name).WarmUp)
	}
	return times(b.slicePrice(gpu, s.Profile), longest)
}

// drainPrice is what a slice costs while its replica goes, and the disruption.
func (b *book) drainPrice(gpu string, s packing.Slice) packing.Amount {
	var longest time.Duration
	for _, name := range occupants(s) {
		longest = max(longest, b.opt.replica(name).Drain)
	}
	return times(b.slicePrice(gpu, s.Profile), longest) + b.opt.Disruption
}

// buyPrice is what a node costs before it is there.
func (b *book) buyPrice(k *kind) packing.Amount { return times(k.node(), k.terms.Lead) }

// reshapePrice is what the node, or one GPU of it, costs while it is cut.
func (b *book) reshapePrice(k *kind, flips bool) packing.Amount {
	d, out := k.terms.ReshapeTime, k.price
	if flips && k.terms.ModeFlip > 0 {
		d = k.terms.ModeFlip
	}
	if k.wholeNode() {
		out = k.node()
	}
	return times(out, d)
}
