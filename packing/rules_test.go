package packing_test

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

var printRules = flag.Bool("rules", false, "print the table of cost against simple rules")

// A rule is a way to lay models out that people use today. It answers the GPUs of
// each kind, or false where it cannot serve a model.
type rule struct {
	name string
	lay  func(p packing.Problem) (map[string]int, bool)
}

var rules = []rule{
	{"whole GPU per model", wholePerModel},
	{"one geometry, tuned", oneGeometry},
	{"first-fit decreasing", func(p packing.Problem) (map[string]int, bool) { return fitDecreasing(p, firstPlace) }},
	{"best-fit decreasing", func(p packing.Problem) (map[string]int, bool) { return fitDecreasing(p, bestPlace) }},
	{"greedy of nos", nosGreedy},
}

// The table of docs/packing.md:
//
//	go test ./packing -run AgainstSimpleRules -rules -v
func TestCostAgainstSimpleRules(t *testing.T) {
	names := []string{"parva-S1", "parva-S2", "parva-S3", "parva-S4", "parva-S5", "parva-S6", "r15", "r40n8", "r40x3"}
	if *printRules {
		names = append(names, "r300x4", "r1000x4")
	}
	var table strings.Builder
	table.WriteString("| instance | Tessera | at least |")
	for _, r := range rules {
		fmt.Fprintf(&table, " %s |", r.name)
	}
	table.WriteString("\n|---|--:|--:|" + strings.Repeat("--:|", len(rules)) + "\n")
	for _, name := range names {
		p := recorded(t, name)
		a := solved(t, p, packing.Options{})
		fmt.Fprintf(&table, "| %s | %.2f | %.2f |", name, float64(a.Cost)/1e9, float64(a.LowerBound)/1e9)
		for _, r := range rules {
			gpus, ok := r.lay(p)
			if !ok {
				table.WriteString(" none |")
				continue
			}
			cost := costOf(p, gpus)
			if cost < a.Cost {
				t.Errorf("%s: %s costs %v, less than %v", name, r.name, cost, a.Cost)
			}
			fmt.Fprintf(&table, " %.2f (+%.0f%%) |", float64(cost)/1e9, 100*(float64(cost)/float64(a.Cost)-1))
		}
		table.WriteString("\n")
	}
	if !*printRules {
		return
	}
	t.Logf("\n%s", table.String())
	text, err := os.ReadFile("../docs/packing.md")
	if err != nil || !strings.Contains(string(text), table.String()) {
		t.Errorf("docs/packing.md does not hold this table (%v)", err)
	}
}

// costOf is the price of the whole nodes that hold so many GPUs.
func costOf(p packing.Problem, gpus map[string]int) packing.Amount {
	sum := packing.Amount(0)
	for _, g := range p.GPUs {
		price, _ := packing.ParseAmount(g.PricePerHour)
		nodes := (gpus[g.Name] + g.PerNode - 1) / g.PerNode
		sum += packing.Amount(nodes*g.PerNode) * price
	}
	return sum
}

func priceOf(g packing.GPU) float64 {
	price, _ := packing.ParseAmount(g.PricePerHour)
	return float64(price)
}

// wholePerModel gives every model GPUs of its own, each in one piece, of the kind
// on which that is cheapest.
func wholePerModel(p packing.Problem) (map[string]int, bool) {
	gpus := map[string]int{}
	for _, m := range p.Models {
		best, on, count := math.Inf(1), "", 0
		for _, g := range p.GPUs {
			does := 0.0
			for _, profile := range []fleet.ProfileName{fleet.WholeGPU, largest(g)} {
				does = max(does, m.Throughput[g.Name][profile])
			}
			if does == 0 {
				continue
			}
			n := int(math.Ceil(m.Demand/does - 1e-9))
			if cost := float64(n) * priceOf(g); cost < best {
				best, on, count = cost, g.Name, n
			}
		}
		if count == 0 {
			return nil, false
		}
		gpus[on] += count
	}
	return gpus, true
}

// largest is the profile that takes all of a GPU.
func largest(g packing.GPU) fleet.ProfileName {
	spec, ok := fleet.LookupGPU(g.MIG)
	if !ok {
		return fleet.WholeGPU
	}
	return spec.Profiles[len(spec.Profiles)-1].Name
}

// oneGeometry cuts all GPUs of one kind alike, in the kind and geometry that cost
// least for this demand: each model takes, slice by slice, those that do most for
// their part of the GPU.
func oneGeometry(p packing.Problem) (map[string]int, bool) {
	best := map[string]int(nil)
	for _, g := range p.GPUs {
		spec, _ := fleet.LookupGPU(g.MIG)
		for _, geometry := range packing.Maximal(spec) {
			n, ok := alike(p, g, spec, geometry)
			if !ok {
				continue
			}
			if gpus := map[string]int{g.Name: n}; best == nil || costOf(p, gpus) < costOf(p, best) {
				best = gpus
			}
		}
	}
	return best, best != nil
}

// alike counts the GPUs of one geometry that serve every model. Slices of a kind
// are handed out from a common stock; GPUs are added until it suffices.
func alike(p packing.Problem, g packing.GPU, spec fleet.GPUSpec, geometry fleet.Geometry) (int, bool) {
	counts := geometry.Counts()
	stock, gpus := map[fleet.ProfileName]int{}, 0
	models := slices.Clone(p.Models)
	slices.SortStableFunc(models, func(a, b packing.Model) int { return cmp.Compare(b.Demand, a.Demand) })
	for _, m := range models {
		rest := m.Demand
		for rest > 1e-9 {
			best, pick := 0.0, fleet.ProfileName("")
			for _, row := range spec.Profiles {
				worth := min(rest, m.Throughput[g.Name][row.Name]) / float64(row.Memory)
				if counts[row.Name] > 0 && stock[row.Name] == 0 {
					worth /= 4 // A slice of a new GPU only where none in stock is nearly as good.
				}
				if counts[row.Name] > 0 && worth > best {
					best, pick = worth, row.Name
				}
			}
			if best == 0 {
				return 0, false
			}
			if stock[pick] == 0 {
				gpus++
				for name, n := range counts {
					stock[name] += n
				}
			}
			stock[pick]--
			rest -= m.Throughput[g.Name][pick]
		}
	}
	return gpus, true
}

// piece is one slice that a model is to have.
type piece struct {
	gpu     packing.GPU
	profile fleet.MIGProfile
}

// pieces chooses for every model slices of the one kind that does most for its
// share of a GPU's price, as many as it needs, the last as small as will do.
func pieces(p packing.Problem) ([]piece, bool) {
	var out []piece
	for _, m := range p.Models {
		best, chosen := 0.0, piece{}
		cost := func(x piece) float64 { return priceOf(x.gpu) * float64(x.profile.Memory) }
		var all []piece
		for _, g := range p.GPUs {
			spec, _ := fleet.LookupGPU(g.MIG)
			for _, row := range spec.Profiles {
				if does := m.Throughput[g.Name][row.Name]; does > 0 {
					x := piece{g, row}
					all = append(all, x)
					if worth := min(does, m.Demand) / cost(x); worth > best {
						best, chosen = worth, x
					}
				}
			}
		}
		if best == 0 {
			return nil, false
		}
		does := m.Throughput[chosen.gpu.Name][chosen.profile.Name]
		n := int(math.Ceil(m.Demand/does - 1e-9))
		rest := m.Demand - float64(n-1)*does
		last := chosen
		for _, x := range all {
			if m.Throughput[x.gpu.Name][x.profile.Name] >= rest && cost(x) < cost(last) {
				last = x
			}
		}
		out = append(append(out, slices.Repeat([]piece{chosen}, n-1)...), last)
	}
	slices.SortStableFunc(out, func(a, b piece) int {
		return cmp.Or(cmp.Compare(b.profile.Memory, a.profile.Memory), cmp.Compare(b.profile.Compute, a.profile.Compute))
	})
	return out, true
}

// fitDecreasing puts the slices, the largest first, on the GPU that a rule picks
// among those with room, and on a new one where none has.
func fitDecreasing(p packing.Problem, pick func(spec fleet.GPUSpec, open []fleet.Geometry, profile fleet.ProfileName) int) (map[string]int, bool) {
	all, ok := pieces(p)
	open := map[string][]fleet.Geometry{}
	gpus := map[string]int{}
	for _, x := range all {
		spec, _ := fleet.LookupGPU(x.gpu.MIG)
		at := pick(spec, open[x.gpu.Name], x.profile.Name)
		if at < 0 {
			at = len(open[x.gpu.Name])
			open[x.gpu.Name] = append(open[x.gpu.Name], nil)
			gpus[x.gpu.Name]++
		}
		starts := packing.Fits(spec, open[x.gpu.Name][at], x.profile.Name)
		open[x.gpu.Name][at] = append(open[x.gpu.Name][at], fleet.Placement{Profile: x.profile.Name, Start: starts[len(starts)-1]})
	}
	return gpus, ok
}

func firstPlace(spec fleet.GPUSpec, open []fleet.Geometry, profile fleet.ProfileName) int {
	return slices.IndexFunc(open, func(g fleet.Geometry) bool { return len(packing.Fits(spec, g, profile)) > 0 })
}

// bestPlace is the fullest GPU with room.
func bestPlace(spec fleet.GPUSpec, open []fleet.Geometry, profile fleet.ProfileName) int {
	best, most := -1, -1
	for i, g := range open {
		full := 0
		for _, s := range g {
			row, _ := spec.Profile(s.Profile)
			full += row.Memory
		}
		if full > most && len(packing.Fits(spec, g, profile)) > 0 {
			best, most = i, full
		}
	}
	return best
}

// nosGreedy does as the partitioner of nos: it serves the pending slices one after
// the other, the smallest first, from what is free; where nothing is free it gives
// the first GPU that is not in use, or a new one, the known geometry that provides
// most of the slices still pending. Its table knows no slices of double memory.
func nosGreedy(p packing.Problem) (map[string]int, bool) {
	all, ok := pieces(p)
	slices.Reverse(all)
	gpus := map[string]int{}
	free := map[string]map[fleet.ProfileName]int{}
	for i, x := range all {
		have := free[x.gpu.Name]
		if have == nil {
			have = map[fleet.ProfileName]int{}
			free[x.gpu.Name] = have
		}
		if have[x.profile.Name] == 0 {
			pending := map[fleet.ProfileName]int{}
			for _, y := range all[i:] {
				if y.gpu.Name == x.gpu.Name {
					pending[y.profile.Name]++
				}
			}
			for name, n := range have {
				pending[name] -= n
			}
			for name, n := range mostProvided(x.gpu, x.profile.Name, pending) {
				have[name] += n
			}
			gpus[x.gpu.Name]++
		}
		have[x.profile.Name]--
	}
	return gpus, ok
}

// mostProvided is the geometry with a profile that provides most pending slices.
func mostProvided(g packing.GPU, profile fleet.ProfileName, pending map[fleet.ProfileName]int) map[fleet.ProfileName]int {
	spec, _ := fleet.LookupGPU(g.MIG)
	var known []fleet.ProfileName
	for _, row := range spec.Profiles {
		if double := row.Compute == 1 && row.Memory == 2; !row.MediaEngines && !double || row.Name == profile {
			known = append(known, row.Name)
		}
	}
	var best map[fleet.ProfileName]int
	most := -1
	for _, geometry := range packing.Maximal(spec, known...) {
		counts, provides := geometry.Counts(), 0
		for name, n := range counts {
			provides += max(0, min(n, pending[name]))
		}
		if counts[profile] > 0 && provides > most {
			best, most = counts, provides
		}
	}
	return best
}
