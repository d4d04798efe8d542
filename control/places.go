package control

import (
	"fmt"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// placeable is the policy with what the world can start: of each model only the
// builds and kinds of slices for which there is a place, and those on which it
// already runs. No GPU is bought for a server that nobody deployed.
func placeable(p policy.Policy, s fleet.Snapshot) policy.Policy {
	if !slices.ContainsFunc(s.Models, func(m fleet.ModelSignals) bool { return m.Places != nil }) {
		return p
	}
	running := map[fleet.ModelName][]fleet.Place{}
	for _, r := range s.Replicas {
		if kind, ok := s.KindOf(r); ok {
			running[r.Model] = append(running[r.Model], fleet.Place{Variant: r.Variant, Kind: kind})
		}
	}
	p.Models = slices.Clone(p.Models)
	for i := range p.Models {
		m := &p.Models[i]
		if places := s.Model(m.Name).Places; places != nil {
			m.Profile = within(m.Profile, append(slices.Clone(places), running[m.Name]...))
		}
	}
	return p
}

// within is the profile on some places only.
func within(p fleet.PerformanceProfile, places []fleet.Place) fleet.PerformanceProfile {
	p.Variants = slices.Clone(p.Variants)
	for i := range p.Variants {
		v := &p.Variants[i]
		v.Slices = slices.DeleteFunc(slices.Clone(v.Slices), func(perf fleet.Performance) bool {
			return !slices.Contains(places, fleet.Place{Variant: v.Name, Kind: perf.Kind})
		})
	}
	return p
}

// theirs says of every model that somebody holds whether it has what it needs.
func (d *decider) theirs() []fleet.Reason {
	var out []fleet.Reason
	for i, m := range d.models() {
		hold, held := d.in.Snapshot.Held(m.Name)
		if need := d.needs[i]; held && need.Have < need.Lead {
			out = append(out, policy.HeldBy(hold, fmt.Sprintf("%s, which needs %s and has %s,", m.Name, rate(need.Lead), rate(need.Have))))
		}
	}
	return out
}
