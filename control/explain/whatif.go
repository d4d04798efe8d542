package explain

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// WhatIf is one thing that, had it been other, would have changed the plan.
type WhatIf struct {
	Kind    string `json:"kind"` // demand, cap, signal, hold, stock or doubt
	Subject string `json:"subject"`
	// Factor is the one nearest to 1, of those looked at, by which the demand of the model would have
	// to be multiplied; at Within the plan is still the same. Absent where it is not about demand.
	Factor float64 `json:"factor,omitempty"`
	Within float64 `json:"within,omitempty"`
	// Beyond tells that every factor looked at further out, as far as a quarter or four times,
	// differs in the same way.
	Beyond bool `json:"beyond,omitempty"`
	// Need is what the plan made capacity for by a time, and Then what it would have been, in
	// requests or sessions a second.
	Need float64   `json:"need,omitempty"`
	Then float64   `json:"then,omitempty"`
	By   time.Time `json:"by,omitzero"`
	// Differs is what would have been done, and Text the whole sentence.
	Differs string `json:"differs"`
	Text    string `json:"text"`
}

// The search for the nearest factor goes outward from 1 in steps of a fifth, as far as
// a quarter and four times; the first step that differs is halved until it is a fifth of a
// percent wide.
const (
	outermost = 4.0
	strides   = 8
	narrow    = 1.002
)

// supposition decides again and again from the same record.
type supposition struct {
	settings control.Settings
	inputs   control.Inputs
	sizer    *policy.Sizer
	base     control.Decision
	look     func(act) bool
	did      acts
}

func suppose(s control.Settings, in control.Inputs, f focus) (*supposition, error) {
	w := &supposition{settings: s, inputs: in, sizer: policy.NewSizer()}
	d, err := control.Decide(s, w.sizer, in)
	if err != nil {
		return nil, fmt.Errorf("decide again: %w", err)
	}
	w.base, w.look = d, f.looks(d.Plan, in.Pace)
	w.did = actsOf(d.Plan, in.Snapshot, w.look)
	return w, nil
}

// outcome is what would have been decided.
type outcome struct {
	control.Decision
	did     acts
	differs string // from the plan, in words; empty where it does not
}

// under decides under other settings or inputs.
func (w *supposition) under(s control.Settings, in control.Inputs) (outcome, error) {
	d, err := control.Decide(s, w.sizer, in)
	if err != nil {
		return outcome{}, fmt.Errorf("decide with one thing changed: %w", err)
	}
	did := actsOf(d.Plan, in.Snapshot, w.look)
	return outcome{d, did, w.did.apart(did)}, nil
}

// all lists what would have changed the plan, and what was tried and would not have.
// Changes of demand come first, the smallest before the others.
func (w *supposition) all() (would []WhatIf, not []string, err error) {
	for _, m := range w.settings.Policy.Models {
		found := false
		for _, outward := range []float64{1 / outermost, outermost} {
			v, ok, err := w.nearest(m, outward)
			if err != nil {
				return nil, nil, err
			}
			if found = found || ok; ok {
				would = append(would, v)
			}
		}
		if !found {
			not = append(not, fmt.Sprintf("the demand of %s between a quarter and four times", m.Name))
		}
	}
	slices.SortStableFunc(would, func(a, b WhatIf) int {
		return cmp.Compare(math.Abs(math.Log(a.Factor)), math.Abs(math.Log(b.Factor)))
	})
	for _, c := range changes(w.settings, w.inputs) {
		s, in := w.settings, w.inputs
		c.apply(&s, &in)
		o, err := w.under(s, in)
		switch {
		case err != nil:
			return nil, nil, err
		case o.differs == "":
			not = append(not, c.text)
		default:
			would = append(would, WhatIf{Kind: c.kind, Subject: c.subject, Differs: o.differs, Text: fmt.Sprintf("%s, %s", c.text, o.differs)})
		}
	}
	return would, not, nil
}

// nearest finds the factor of a model's demand nearest to 1, on the side of outermost, at
// which the plan differs.
func (w *supposition) nearest(m fleet.Model, outermost float64) (WhatIf, bool, error) {
	same, other := 1.0, 0.0
	var then outcome
	try := func(factor float64) error {
		o, err := w.under(w.settings, Scaled(w.inputs, m, factor))
		if o.differs == "" {
			same = factor
		} else {
			then, other = o, factor
		}
		return err
	}
	stride := 0
	for other == 0 {
		if stride++; stride > strides {
			return WhatIf{}, false, nil
		}
		if err := try(math.Pow(outermost, float64(stride)/strides)); err != nil {
			return WhatIf{}, false, err
		}
	}
	for max(same/other, other/same) > narrow {
		if err := try(math.Sqrt(same * other)); err != nil {
			return WhatIf{}, false, err
		}
	}
	v := WhatIf{Kind: "demand", Subject: string(m.Name), Factor: other, Within: same, Differs: then.differs, Beyond: true}
	for ; stride <= strides && v.Beyond; stride++ {
		o, err := w.under(w.settings, Scaled(w.inputs, m, math.Pow(outermost, float64(stride)/strides)))
		if err != nil {
			return WhatIf{}, false, err
		}
		v.Beyond = o.differs == v.Differs
	}
	of, ahead := w.matters(then)
	before, _ := needOf(w.base.Needs, m.Name)
	after, _ := needOf(then.Needs, m.Name)
	v.Need, v.Then, v.By = of(before), of(after), w.inputs.Now.Add(ahead)
	v.Text = v.sentence()
	return v, true, nil
}

// matters is the need that weighs on what differs, and how far ahead it looks: what is
// bought or started must serve by the lead time, on a fast tick at once, and what goes is
// not needed for longer.
func (w *supposition) matters(then outcome) (func(control.Need) float64, time.Duration) {
	load, lead, keep := control.Horizons(w.settings, then.Memory)
	if w.inputs.Pace == control.Fast {
		return func(n control.Need) float64 { return n.Now }, load
	}
	for _, kind := range []fleet.StepKind{fleet.KindBuyNode, fleet.KindStartReplica, fleet.KindKeepNode, fleet.KindReshape} {
		if w.did.of(kind) != then.did.of(kind) {
			return func(n control.Need) float64 { return n.Lead }, lead
		}
	}
	return func(n control.Need) float64 { return n.Keep }, keep
}

// sentence tells a change of demand.
func (v WhatIf) sentence() string {
	side := ""
	switch {
	case v.Beyond && v.Factor < 1:
		side = " or less"
	case v.Beyond:
		side = " or more"
	}
	return fmt.Sprintf("with %s at %s/s%s by %s (the plan: %s/s; %.3f times its demand), %s",
		v.Subject, digits(v.Then), side, v.By.UTC().Format("Mon 15:04"), digits(v.Need), v.Factor, v.Differs)
}

// digits prints a rate in three digits.
func digits(v float64) string { return fmt.Sprintf("%.3g", v) }
