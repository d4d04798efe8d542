package bound

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// nano is the unit of prices: thousand-millionths of a currency unit an hour.
const nanoPerMicro = 1000

// pool is GPUs that can be cut alike, whoever sells them, at the price of the
// cheapest. Prices of slices that it can bear, every dearer one can.
type pool struct {
	gpu        fleet.GPUType
	name       string  // of the GPU; of the offering where there is none
	memoryMiB  int64   // of a node without GPUs
	price      int64   // nano an hour for one GPU, rounded down
	sold       bool    // some cost money; else they have no price
	free       int     // GPUs that cost nothing more to use: they are reserved
	first, end int     // its kinds
	geometries [][]int // slices by kind of the pool, of every way to cut one that leaves no room
}

// kind is a kind of slice of a pool.
type kind struct {
	pool    int
	profile fleet.ProfileName
}

// shop is what may be bought.
type shop struct {
	offerings []fleet.Offering // that cost money
	pools     []pool
	kinds     []kind
}

func newShop(offerings []fleet.Offering) *shop {
	s := &shop{}
	for _, o := range offerings {
		price := o.Price.Hourly().Micros() * nanoPerMicro / int64(o.GPUs)
		name := string(o.GPU)
		if o.GPU == fleet.CPU {
			name = string(o.Name)
		}
		i := slices.IndexFunc(s.pools, func(p pool) bool { return p.name == name })
		if i < 0 {
			i = len(s.pools)
			s.cut(pool{gpu: o.GPU, name: name, memoryMiB: o.MemoryMiB})
		}
		p := &s.pools[i]
		switch {
		case o.Price.Hourly().IsZero():
			p.free += o.Limit * o.GPUs
			continue
		case !p.sold || price < p.price:
			p.price, p.sold = price, true
		}
		s.offerings = append(s.offerings, o)
	}
	return s
}

// cut adds a pool with every way to cut its GPUs.
func (s *shop) cut(p pool) {
	p.first = len(s.kinds)
	spec, _ := fleet.LookupGPU(p.gpu)
	for _, row := range spec.Profiles {
		s.kinds = append(s.kinds, kind{len(s.pools), row.Name})
	}
	s.kinds = append(s.kinds, kind{len(s.pools), fleet.WholeGPU})
	p.end = len(s.kinds)
	for _, g := range packing.Maximal(spec) {
		counts := make([]int, p.end-p.first)
		for profile, n := range g.Counts() {
			j := slices.IndexFunc(spec.Profiles, func(row fleet.MIGProfile) bool { return row.Name == profile })
			counts[j] = n
		}
		p.geometries = append(p.geometries, counts)
	}
	whole := make([]int, p.end-p.first)
	whole[len(whole)-1] = 1
	p.geometries = append(p.geometries, whole)
	s.pools = append(s.pools, p)
}

// dearestSlice bounds prices of slices that nothing else does: a million an hour.
const dearestSlice = 1e15

// afford makes prices of slices such that no geometry costs more than its GPU: in
// whole nano, rounded down, and scaled down where they are too dear.
func (s *shop) afford(prices []float64) []int64 {
	out := make([]int64, len(prices))
	for i, x := range prices {
		if x > 0 {
			out[i] = int64(min(x, dearestSlice))
		}
	}
	for _, p := range s.pools {
		if !p.sold {
			continue
		}
		own := out[p.first:p.end]
		for dearest := p.dearest(own); dearest > p.price; dearest = p.dearest(own) {
			for j := range own {
				own[j] = int64(float64(own[j]) * (float64(p.price) / float64(dearest)) * (1 - 1e-12))
			}
		}
	}
	return out
}

// raise lifts prices as far as the GPUs' prices allow, one kind after the other, from
// the first or from the last.
func (s *shop) raise(prices []int64, fromLast bool) []int64 {
	out := slices.Clone(prices)
	for _, p := range s.pools {
		if !p.sold {
			continue
		}
		for i := range p.end - p.first {
			if fromLast {
				i = p.end - p.first - 1 - i
			}
			out[p.first+i] += p.room(out[p.first:p.end], i)
		}
	}
	return out
}

// room is by how much the price of one kind of the pool may rise.
func (p *pool) room(prices []int64, kind int) int64 {
	room := p.price
	for _, counts := range p.geometries {
		if counts[kind] == 0 {
			continue
		}
		sum := int64(0)
		for j, n := range counts {
			sum += int64(n) * prices[j]
		}
		room = min(room, (p.price-sum)/int64(counts[kind]))
	}
	return max(0, room)
}

// free is what all slices of the GPUs that are reserved are worth together, at most, in
// nano an hour.
func (s *shop) free(prices []int64) float64 {
	sum := 0.0
	for _, p := range s.pools {
		sum += float64(p.free) * float64(p.dearest(prices[p.first:p.end]))
	}
	return sum
}

// dearest is what the dearest geometry costs at prices by kind of the pool.
func (p *pool) dearest(prices []int64) int64 {
	most := int64(0)
	for _, counts := range p.geometries {
		sum := int64(0)
		for j, n := range counts {
			sum += int64(n) * prices[j]
		}
		most = max(most, sum)
	}
	return most
}

// on is how a variant performs on a kind, where it may stand there.
func (s *shop) on(v fleet.Variant, k int) (fleet.Performance, bool) {
	p := s.pools[s.kinds[k].pool]
	perf, ok := v.On(fleet.SliceKind{GPU: p.gpu, Profile: s.kinds[k].profile})
	if ok && p.gpu == fleet.CPU && perf.MemoryMiB > p.memoryMiB {
		return perf, false
	}
	return perf, ok
}
