package scenario

import (
	"errors"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// traffic reads every entry and checks the sum of what they bring.
func (r *reader) traffic(feeds []feed) error {
	total := 0.0
	for i, f := range feeds {
		at := strictyaml.Index("spec.traffic", i)
		var s source
		var err error
		switch {
		case (f.Trace == "") == (f.Generate == nil):
			r.doc.Complain(at, "has neither or both of trace and generate").Hint("give one of them")
			continue
		case f.Generate != nil:
			s = r.generated(at, i, f)
		default:
			s, err = r.trace(at, i, f)
		}
		if err != nil {
			return err
		}
		total += s.expects
		r.scenario.feeds = append(r.scenario.feeds, s)
	}
	if total > traffic.MaxRequests {
		r.doc.Complain("spec.traffic", "brings about %.0f requests, and a scenario holds at most %d", total, traffic.MaxRequests).
			Hint("multiply peaks and scales by %.3g, or shorten the scenario", 0.995*traffic.MaxRequests/total)
	}
	return r.doc.Err()
}

// generated checks a generator by opening it once.
func (r *reader) generated(at string, part int, f feed) source {
	for _, inert := range ofTraces {
		if path := at + "." + inert; r.doc.Has(path) {
			r.doc.Complain(path, "has no effect on generated traffic").OnKey().Hint("leave it out")
		}
	}
	g := *f.Generate
	r.known(at+".generate.model", g.Model)
	spec := traffic.Generated{
		Model: g.Model, Shape: g.Shape, Zone: g.Zone, Peak: g.Peak, Steady: g.Steady, Part: part,
		Work: traffic.WorkSpread{Kind: g.Work.Spread, CV: g.Work.CV},
	}
	for _, z := range g.Zones {
		spec.Zones = append(spec.Zones, traffic.ZoneWeight{Zone: z.Zone, Weight: z.Weight})
	}
	s := r.scenario
	out := source{
		models: []fleet.ModelName{g.Model},
		open: func(_ fleet.ModelName, lap int, seed uint64) (traffic.Source, error) {
			again := spec
			again.Lap = lap
			return traffic.NewGenerated(again, s.Start.Add(time.Duration(lap)*s.Duration), s.Duration, seed)
		},
		past: func(_ fleet.ModelName, seed uint64) []traffic.Bin {
			if s.History < time.Minute {
				return nil
			}
			return spec.History(s.Start, s.History, time.Minute, seed)
		},
	}
	var wrong *traffic.SpecError
	if _, err := out.open(g.Model, 0, 1); errors.As(err, &wrong) {
		path := at + ".generate." + wrong.Field
		r.doc.Complain(path, "%s", wrong.What).Hint("%s", wrong.Fix)
		return out
	}
	for _, bin := range spec.Expected(s.Start, s.Duration, time.Hour, 1) {
		out.expects += bin.Requests
	}
	return out
}

// known complains about a model that the policy does not have.
func (r *reader) known(at string, name fleet.ModelName) {
	p := r.scenario.Settings.Policy
	if _, ok := p.Model(name); ok {
		return
	}
	var names []string
	for _, m := range p.Models {
		names = append(names, string(m.Name))
	}
	r.doc.Complain(at, "the policy has no model %q", name).Suggest(string(name), names)
}
