package control

import (
	"math"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// compare values other ways to cover what a chosen answer covers: GPUs dedicated
// to one model each, each other offering alone, and waiting until the need is
// due. All of them go into the plan; the reason for what won is answered.
func (d *decider) compare(asked question, chosen answer, left map[fleet.ModelName]float64, due time.Time) (fleet.Reason, error) {
	same := asked.covering(chosen)
	before := d.memory.Sequence
	defer func() { d.memory.Sequence = before }() // the names of what is not bought are free again
	wait, err := same.buying(nil).solve()
	if err != nil {
		return fleet.Reason{}, err
	}
	verdict := "covers the need at the least price that was found"
	if len(left) > 0 {
		verdict = "leaves " + unmet(left) + " unserved; more may not be had"
	}
	own := fleet.Candidate{Name: "dedicated", Layout: chosen.layout(), Price: chosen.price, Unmet: unmet(left), Chosen: true, Verdict: verdict}
	dedicated := fleet.Candidate{Name: "dedicated", Verdict: "takes more nodes than may be had"}
	text := "more than the limits allow"
	price, layout, possible := d.dedicated(same, wait.unserved)
	if possible {
		text = price.Describe()
		dedicated.Price, dedicated.Layout, dedicated.Verdict = price, layout, versus(price, chosen.price, "")
	}
	why := fleet.Because(fleet.ReasonMixed, "price", chosen.price.Describe(), "layout", own.Layout, "dedicated", text)
	if chosen.mixed() {
		own.Name = "mixed"
		d.plan.Candidates = append(d.plan.Candidates, own, dedicated)
	} else {
		other := "no mixture that was found costs less"
		if len(wait.unserved) == 1 {
			other = "no other model is short"
		}
		why = fleet.Because(fleet.ReasonDedicated, "model", strings.Join(chosen.models(), " and "), "price", chosen.price.Describe(), "layout", own.Layout, "mixed", other)
		d.plan.Candidates = append(d.plan.Candidates, own)
	}
	if err := d.otherOfferings(same, chosen); err != nil {
		return fleet.Reason{}, err
	}
	d.plan.Candidates = append(d.plan.Candidates, fleet.Candidate{
		Name: "wait", Layout: "nothing new", Price: d.free(), Unmet: unmet(wait.unserved),
		Verdict: "leaves " + unmet(wait.unserved) + " unserved by " + clock(due),
	})
	return why, nil
}

// versus says what a candidate costs beside what was chosen, and what it leaves
// unserved of what that covers.
func versus(price, chosen fleet.Rate, left string) string {
	more := price.Sub(chosen)
	text, but := "costs the same", "but"
	switch more.Compare(fleet.Rate{}) {
	case 1:
		text, but = "costs "+more.Describe()+" more", "and"
	case -1:
		text = "costs " + chosen.Sub(price).Describe() + " less"
	}
	if left != "" {
		text += ", " + but + " leaves " + left + " unserved"
	}
	return text
}

// otherOfferings values each offering that may be bought and that the answer does
// not buy.
func (d *decider) otherOfferings(same question, chosen answer) error {
	used := chosen.bought()
	for _, g := range same.problem.GPUs {
		further := same.further(g)
		if used[g.Name] > 0 || further == 0 {
			continue
		}
		other, err := same.buying(map[string]int{g.Name: further}).solve()
		if err != nil {
			return err
		}
		left := unmet(other.unserved)
		d.plan.Candidates = append(d.plan.Candidates, fleet.Candidate{
			Name: g.Name, Layout: other.layout(), Price: other.price, Unmet: left, Verdict: versus(other.price, chosen.price, left),
		})
	}
	return nil
}

// dedicated is the least price of serving so much of each model on bought nodes
// of its own, false where those may not be had.
func (d *decider) dedicated(q question, serve map[fleet.ModelName]float64) (price fleet.Rate, layout string, possible bool) {
	price = d.free()
	spent := map[string]int{}
	var layouts []string
	for _, m := range q.problem.Models {
		lacks := serve[fleet.ModelName(m.Name)]
		if lacks == 0 {
			continue
		}
		var least fleet.Rate
		var text, from string
		var nodes int
		for _, g := range q.problem.GPUs {
			offering, _ := d.settings.Catalog.Offering(fleet.OfferingName(g.Name))
			carries, geometry := fullGPU(m, offering)
			gpus := math.Ceil(lacks / carries * (1 - 1e-9))
			n := math.Ceil(gpus / float64(offering.GPUs))
			if carries == 0 || n > float64(q.further(g)-spent[g.Name]) {
				continue
			}
			if c := offering.Price.Times(int(n)); text == "" || c.Compare(least) < 0 {
				least, text, from, nodes = c, times(int(gpus), geometry.String()+" "+m.Name), g.Name, int(n)
			}
		}
		if text == "" {
			return fleet.Rate{}, "", false
		}
		price, layouts = price.Add(least), append(layouts, text)
		spent[from] += nodes
	}
	return price, strings.Join(layouts, "; "), true
}

// fullGPU is the most that one GPU of an offering does for a model alone, and
// the geometry that does it.
func fullGPU(m packing.Model, o fleet.Offering) (float64, fleet.Geometry) {
	most, shape := 0.0, undivided[0]
	for _, g := range shapes(o.GPU) {
		sum := 0.0
		for _, p := range g {
			sum += m.Throughput[string(o.Name)][p.Profile]
		}
		if sum > most {
			most, shape = sum, g
		}
	}
	return most, shape
}
