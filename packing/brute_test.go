package packing_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

var smallProblems = flag.Int("small", 150, "small random problems that are compared with brute force")

// Every answer to a problem of up to three GPUs leaves out no more value, and of
// answers that leave out no more costs no more, than any layout there is. The
// problems are the same in every run; ten thousand of them:
//
//	go test ./packing -run EqualsBruteForce -small 10000 -timeout 30m
func TestASmallAnswerEqualsBruteForce(t *testing.T) {
	draw := rapid.Custom(drawSmall)
	for seed := range *smallProblems {
		p := draw.Example(seed)
		a := solved(t, p, packing.Options{})
		best := bruteForce(p)
		less := lost(p, a)
		switch {
		case len(a.Unspread) > 0:
			// Work comes before spreading: only where both cannot be had.
			if best.lost <= less+1e-9 {
				t.Fatalf("problem %d: %v is not spread, brute force does for %v\n%s", seed, a.Unspread, best.cost, asJSON(p))
			}
		case math.Abs(less-best.lost) > 1e-9:
			t.Fatalf("problem %d: %v lost, brute force loses %v\n%s", seed, less, best.lost, asJSON(p))
		case a.Cost != best.cost:
			t.Fatalf("problem %d: cost %v, brute force %v\n%s\n%s", seed, a.Cost, best.cost, asJSON(p), a.Describe())
		}
	}
}

// drawSmall makes a problem of at most three GPUs, some of them shared, and three
// models, some of them on two nodes.
func drawSmall(r *rapid.T) packing.Problem {
	p := drawProblem(r, 3)
	if rapid.Bool().Draw(r, "shares") {
		shared(r, p)
	}
	room := 3
	for i, g := range p.GPUs {
		n := rapid.IntRange(0, room/g.PerNode).Draw(r, "nodes")
		if i == len(p.GPUs)-1 {
			n = room / g.PerNode
		}
		p.GPUs[i].MaxNodes = &n
		room -= n * g.PerNode
	}
	for i := range p.Models {
		p.Models[i].Spread = max(1, rapid.IntRange(-2, 2).Draw(r, "spread"))
	}
	return p
}

// brute is the least value that must be left out, and the least cost of leaving
// out no more.
type brute struct {
	lost float64
	cost packing.Amount
}

// bruteForce tries all numbers of nodes, all ways to cut their GPUs and all ways
// to give the slices to models.
func bruteForce(p packing.Problem) brute {
	best := brute{lost: math.Inf(1)}
	var nodes [][]fleetSlice // Of every node, what its GPUs are cut into.
	var buy func(k, count, first int, cost packing.Amount)
	buy = func(k, count, first int, cost packing.Amount) {
		if k == len(p.GPUs) {
			if best.lost == 0 && cost >= best.cost {
				return
			}
			if l := leastLost(p, nodes); l < best.lost-1e-9 || l < best.lost+1e-9 && cost < best.cost {
				best = brute{l, cost}
			}
			return
		}
		buy(k+1, 0, 0, cost)
		if count == *p.GPUs[k].MaxNodes {
			return
		}
		price, _ := packing.ParseAmount(p.GPUs[k].PricePerHour)
		ways := nodeCuts(p, p.GPUs[k])
		for i := first; i < len(ways); i++ {
			nodes = append(nodes, ways[i])
			buy(k, count+1, i, cost+packing.Amount(p.GPUs[k].PerNode)*price)
			nodes = nodes[:len(nodes)-1]
		}
	}
	buy(0, 0, 0, 0)
	return best
}

// fleetSlice is a slice of a kind of GPU, shares being slices of their own.
type fleetSlice struct {
	gpu     string
	profile fleet.ProfileName
}

// nodeCuts lists what a node can be cut into, as slices.
func nodeCuts(p packing.Problem, g packing.GPU) [][]fleetSlice {
	gpu := gpuCuts(p, g)
	out := gpu
	for range g.PerNode - 1 {
		var more [][]fleetSlice
		for _, a := range out {
			for _, b := range gpu {
				more = append(more, append(slices.Clone(a), b...))
			}
		}
		out = more
	}
	return distinct(out)
}

// gpuCuts lists what a GPU can be cut into: every maximal geometry of the profiles
// that models use, each of its slices in one piece or in any of its shares.
func gpuCuts(p packing.Problem, g packing.GPU) [][]fleetSlice {
	used := map[fleet.ProfileName]bool{}
	for _, m := range p.Models {
		for profile := range m.Throughput[g.Name] {
			whole, _, _ := strings.Cut(string(profile), "/")
			used[fleet.ProfileName(whole)] = true
		}
	}
	geometries := []fleet.Geometry{{{Profile: fleet.WholeGPU}}}
	delete(used, fleet.WholeGPU)
	if spec, ok := fleet.LookupGPU(g.MIG); ok && len(used) > 0 {
		geometries = append(geometries, packing.Maximal(spec, slices.Sorted(maps.Keys(used))...)...)
	}
	var out [][]fleetSlice
	for _, geometry := range geometries {
		ways := [][]fleetSlice{nil}
		for _, s := range geometry {
			pieces := []fleet.ProfileName{s.Profile}
			for _, share := range g.Shared {
				if strings.HasPrefix(string(share), string(s.Profile)+"/") {
					pieces = append(pieces, share)
				}
			}
			var more [][]fleetSlice
			for _, way := range ways {
				for _, piece := range pieces {
					next := slices.Clone(way)
					for range sharesIn(piece) {
						next = append(next, fleetSlice{g.Name, piece})
					}
					more = append(more, next)
				}
			}
			ways = more
		}
		out = append(out, ways...)
	}
	return distinct(out)
}

func sharesIn(profile fleet.ProfileName) int {
	_, count, ok := strings.Cut(string(profile), "/")
	if !ok {
		return 1
	}
	n, _ := strconv.Atoi(count)
	return n
}

// distinct sorts every list and keeps one of equals.
func distinct(all [][]fleetSlice) [][]fleetSlice {
	seen := map[string]bool{}
	var out [][]fleetSlice
	for _, list := range all {
		slices.SortFunc(list, func(a, b fleetSlice) int { return strings.Compare(string(a.profile), string(b.profile)) })
		if key := fmt.Sprint(list); !seen[key] {
			seen[key] = true
			out = append(out, list)
		}
	}
	return out
}

// leastLost gives the slices to models in every way that puts a model on as many
// nodes as it must be, or on none.
func leastLost(p packing.Problem, nodes [][]fleetSlice) float64 {
	type slot struct {
		fleetSlice
		node, n int
	}
	var all []slot
	for node, list := range nodes {
		for i, s := range list {
			if last := len(all) - 1; i > 0 && all[last].fleetSlice == s {
				all[last].n++
			} else {
				all = append(all, slot{s, node, 1})
			}
		}
	}
	rest := make([]float64, len(p.Models))
	on := make([][]int, len(p.Models))
	for m := range rest {
		rest[m] = p.Models[m].Demand
		on[m] = make([]int, len(nodes))
	}
	best := math.Inf(1)
	count := func() {
		sum := 0.0
		for m, x := range rest {
			where := 0
			for _, n := range on[m] {
				if n > 0 {
					where++
				}
			}
			if where > 0 && where < p.Models[m].Spread {
				return
			}
			if x > 1e-9 {
				sum += cmp.Or(p.Models[m].Value, 1) * x
			}
		}
		best = min(best, sum)
	}
	var give func(i, m, left int)
	give = func(i, m, left int) {
		switch {
		case best == 0:
			return
		case i == len(all):
			count()
			return
		case m == len(p.Models) || left == 0:
			next := 0
			if i+1 < len(all) {
				next = all[i+1].n
			}
			give(i+1, 0, next)
			return
		}
		does := p.Models[m].Throughput[all[i].gpu][all[i].profile]
		for n := 0; n <= left; n++ {
			on[m][all[i].node] += n
			rest[m] -= float64(n) * does
			give(i, m+1, left-n)
			enough := rest[m] <= 0 // More of the same node is of no use.
			rest[m] += float64(n) * does
			on[m][all[i].node] -= n
			if does == 0 || enough && n > 0 {
				break
			}
		}
	}
	if len(all) == 0 {
		count()
	} else {
		give(0, 0, all[0].n)
	}
	return best
}
