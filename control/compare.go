package control

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// compare values the ways to cover what free slices do not: the best packing,
// GPUs dedicated to one model each, each offering alone, and waiting. All of
// them go into the plan; the answer gets the reason for what won.
func (d *decider) compare(short []shortfall, q question, a *answer) error {
	free := question{d: d, problem: q.problem, ids: q.ids}
	free.problem.GPUs = withoutPurchases(q.problem.GPUs, q.problem.Current)
	warm, err := free.solve()
	if err != nil {
		return err
	}
	layout := a.layout()
	mixed := slices.ContainsFunc(a.gpus, func(g placedGPU) bool { return g.bought && g.mixed() })
	covered := map[fleet.ModelName]float64{}
	for name, left := range warm.unserved {
		covered[name] = left - a.unserved[name]
	}
	dedicated, dedicatedLayout, possible := d.dedicated(covered)
	name, other := "dedicated", "no mixture costs less"
	if mixed {
		name, other = "mixed", "dedicated"
	}
	d.plan.Candidates = append(d.plan.Candidates, fleet.Candidate{
		Name: name, Layout: layout, Price: a.price, Unmet: unmet(a.unserved), Chosen: true, Verdict: "covers the need at the least price",
	})
	if mixed {
		d.dedicatedCandidate(dedicated, dedicatedLayout, possible, a)
		text := "more than the limits allow"
		if possible {
			text = dedicated.Describe()
		}
		a.why = fleet.Because(fleet.ReasonMixed, "price", a.price.Describe(), "layout", layout, "dedicated", text)
	} else {
		if len(short) == 1 {
			other = "no other model is short"
		}
		a.why = fleet.Because(fleet.ReasonDedicated, "model", strings.Join(a.models(), " and "), "price", a.price.Describe(), "layout", layout, "mixed", other)
	}
	if err := d.otherOfferings(q, a); err != nil {
		return err
	}
	d.plan.Candidates = append(d.plan.Candidates, fleet.Candidate{
		Name: "wait", Layout: "nothing new", Price: fleet.PerHour(fleet.Micros(0, d.settings.Catalog.Currency)),
		Unmet: unmet(warm.unserved), Verdict: "leaves " + unmet(warm.unserved) + " unserved by " + clock(d.in.Now.Add(d.horizons.lead)),
	})
	return nil
}

func (d *decider) dedicatedCandidate(price fleet.Rate, layout string, possible bool, a *answer) {
	c := fleet.Candidate{Name: "dedicated", Layout: layout, Price: price}
	switch {
	case !possible:
		c.Verdict = "no offering serves one of the models alone"
	default:
		c.Verdict = "costs " + price.Sub(a.price).Describe() + " more"
	}
	d.plan.Candidates = append(d.plan.Candidates, c)
}

// otherOfferings values each allowed offering that the answer does not use.
func (d *decider) otherOfferings(q question, a *answer) error {
	used := map[string]bool{}
	for _, g := range a.gpus {
		used[string(g.offering.Name)] = used[string(g.offering.Name)] || g.bought
	}
	standing := withoutPurchases(q.problem.GPUs, q.problem.Current)
	for i, g := range q.problem.GPUs {
		if used[g.Name] || *g.MaxNodes == *standing[i].MaxNodes {
			continue
		}
		alone := question{d: d, problem: q.problem, ids: q.ids, buy: true}
		alone.problem.GPUs = slices.Clone(standing)
		alone.problem.GPUs[i] = g
		before := d.memory.Sequence
		other, err := alone.solve()
		d.memory.Sequence = before // the names of what is not bought are free again
		if err != nil {
			return err
		}
		c := fleet.Candidate{Name: g.Name, Layout: other.layout(), Price: other.price, Unmet: unmet(other.unserved)}
		c.Verdict = "costs " + other.price.Sub(a.price).Describe() + " more"
		if c.Unmet != "nothing" {
			c.Verdict = "leaves " + c.Unmet + " unserved"
		}
		d.plan.Candidates = append(d.plan.Candidates, c)
	}
	return nil
}

// dedicated is the least price of covering the same with GPUs of one model each.
func (d *decider) dedicated(covered map[fleet.ModelName]float64) (fleet.Rate, string, bool) {
	total := fleet.PerHour(fleet.Micros(0, d.settings.Catalog.Currency))
	var layouts []string
	for _, m := range d.models() {
		lacks := covered[m.Name]
		if lacks <= 0 {
			continue
		}
		var least fleet.Rate
		var layout string
		for _, name := range d.settings.Policy.Offerings {
			o, _ := d.settings.Catalog.Offering(name)
			most, geometry := d.fullGPU(m, o)
			if most <= 0 {
				continue
			}
			gpus := math.Ceil(lacks / most)
			price := o.Price.Times(int(math.Ceil(gpus / float64(o.GPUs))))
			if layout == "" || price.Compare(least) < 0 {
				least, layout = price, fmt.Sprintf("%.0f×%s %s", gpus, geometry, m.Name)
			}
		}
		if layout == "" {
			return fleet.Rate{}, "", false
		}
		total, layouts = total.Add(least), append(layouts, layout)
	}
	return total, strings.Join(layouts, "; "), true
}

// fullGPU is the most that one GPU of an offering does for a model alone, and
// the geometry that does it.
func (d *decider) fullGPU(m fleet.Model, o fleet.Offering) (float64, fleet.Geometry) {
	whole := fleet.Geometry{{Profile: fleet.WholeGPU}}
	most, shape := 0.0, whole
	for _, g := range append([]fleet.Geometry{whole}, maximal()[o.GPU]...) {
		sum := 0.0
		for _, p := range g {
			_, c, _ := best(d.sizer, m, fleet.SliceKind{GPU: o.GPU, Profile: p.Profile}, len(g))
			sum += c
		}
		if sum > most {
			most, shape = sum, g
		}
	}
	return most, shape
}

// layout prints what is bought: "2× whole transcribe-en; 3g.40gb transcribe-fr".
func (a answer) layout() string {
	var layouts []string
	for _, g := range a.gpus {
		if g.bought {
			layouts = append(layouts, g.layout())
		}
	}
	return repeated(layouts, "; ")
}

// repeated joins texts, neighbours that are equal counted: "7×whole image-a".
func repeated(texts []string, separator string) string {
	var out []string
	for i := 0; i < len(texts); {
		n := 1
		for i+n < len(texts) && texts[i+n] == texts[i] {
			n++
		}
		text := texts[i]
		if n > 1 && strings.Contains(text, " + ") {
			text = "(" + text + ")"
		}
		if n > 1 {
			text = fmt.Sprintf("%d×%s", n, text)
		}
		out = append(out, text)
		i += n
	}
	return strings.Join(out, separator)
}

// mixed tells whether a GPU holds more than one model.
func (g placedGPU) mixed() bool {
	return len(modelsOn(g.slices)) > 1
}

// models lists who sits on what is bought.
func (a answer) models() []string {
	var all []packing.Slice
	for _, g := range a.gpus {
		if g.bought {
			all = append(all, g.slices...)
		}
	}
	return modelsOn(all)
}

func modelsOn(on []packing.Slice) []string {
	names := map[string]bool{}
	for _, s := range on {
		if s.Model != "" {
			names[string(s.Model)] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// unmet prints what is left unserved.
func unmet(left map[fleet.ModelName]float64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(left)) {
		if left[name] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", name, rate(left[name])))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// withoutPurchases limits every offering to what stands.
func withoutPurchases(gpus []packing.GPU, current []packing.Placed) []packing.GPU {
	nodes := map[string]map[int]bool{}
	for _, p := range current {
		if nodes[p.Type] == nil {
			nodes[p.Type] = map[int]bool{}
		}
		nodes[p.Type][p.Node] = true
	}
	out := slices.Clone(gpus)
	for i := range out {
		standing := len(nodes[out[i].Name])
		out[i].MaxNodes = &standing
	}
	return out
}
