package bound

import (
	"errors"
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// Input is a world and what was served in it.
type Input struct {
	Start    time.Time
	Duration time.Duration
	Settings control.Settings // models, catalog, and which of its offerings may be bought

	// Open yields the traffic of a model as the world met it, from its beginning.
	// It is called once for each model; a nil source is no traffic.
	Open func(fleet.ModelName) (traffic.Source, error)

	// InSLO is how many requests of each model were served within its SLO by the
	// end; of sessions how many seconds ran in real time, rounded down. A model that is
	// not named served none.
	InSLO map[fleet.ModelName]int64

	// Reserved is what is paid for the whole run whatever is used of it. The nodes
	// themselves are offerings that cost nothing, up to their limits.
	Reserved fleet.Money

	// NodeStart is the start-up, all stages, of the n-th node of an offering that
	// is asked for in this world, n from 0. Nil means that nothing is known, and
	// start-ups are free.
	NodeStart func(o fleet.Offering, n int) time.Duration

	// LoadScores are the standard normal scores of the loads of a model's weights
	// in this world, in the order in which they begin. With them the bound counts
	// that a replica holds its slice while it loads, and holds for controllers that
	// begin no more loads of a model than there are scores. Nil, or none: loads that
	// vary count as free, and any number may begin.
	LoadScores func(fleet.ModelName) []float64
}

// Answer is the bound and what it is made of. Its parts are bounds too, each with
// less in it, and for people: only LowerBound is rounded down to the millionth.
type Answer struct {
	LowerBound fleet.Money `json:"lower_bound"`
	Parts      Parts       `json:"parts"`
	Chosen     Chosen      `json:"chosen"`
	Models     []ModelPart `json:"models"` // sorted by name
}

// Parts are the steps by which the bound rises, in units of the currency, without what
// is paid for reserved nodes.
type Parts struct {
	Fluid   float64 `json:"fluid"`    // work at the price of slices, nodes divisible, start-up free
	StartUp float64 `json:"start_up"` // with start-ups and deadlines
	Whole   float64 `json:"whole"`    // with whole nodes: the bound
}

// Chosen are the multipliers that the bound rests on.
type Chosen struct {
	Step         time.Duration      `json:"step"`          // length of a bin
	StartUp      time.Duration      `json:"startup"`       // charged for each start of a node
	Discarded    float64            `json:"discarded"`     // taken off, because slow starts can be given back: currency units
	SkipPrice    float64            `json:"skip_price"`    // of leaving work undone, per unit of its price
	MeanCapacity float64            `json:"mean_capacity"` // mean price of a unit of ready capacity
	SlicePrices  map[string]float64 `json:"slice_prices"`  // currency units an hour, by kind of slice
}

// ModelPart says what one model adds.
type ModelPart struct {
	Model    fleet.ModelName `json:"model"`
	Requests int64           `json:"requests"`
	Skipped  int64           `json:"skipped"` // at most so many may be left undone; seconds of sessions
	Fluid    float64         `json:"fluid"`   // price of all its work, currency units
	Excused  float64         `json:"excused"` // the most that the skipped ones can take off
}

func (in Input) validate() error {
	var errs []error
	if in.Duration <= 0 {
		errs = append(errs, fmt.Errorf("the duration is %v: give that of the run", in.Duration))
	}
	if in.Open == nil {
		errs = append(errs, errors.New("there is no way to open the traffic: set Open"))
	}
	for _, m := range in.Settings.Policy.Models {
		if m.SLO.Limit <= 0 {
			errs = append(errs, fmt.Errorf("model %s: its SLO's limit is %v, and nothing is served in no time", m.Name, m.SLO.Limit))
		}
		for _, v := range m.Profile.Variants {
			for _, p := range v.Slices {
				if err := m.Profile.Check(p); err != nil {
					errs = append(errs, fmt.Errorf("model %s, variant %s on %s: %w", m.Name, v.Name, p.Kind, err))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// allowed lists the offerings that may be bought.
func (in Input) allowed() []fleet.Offering {
	var out []fleet.Offering
	for _, o := range in.Settings.Catalog.Offerings {
		if in.Settings.Policy.Buys(o.Name) && o.Limit > 0 && o.GPUs > 0 {
			out = append(out, o)
		}
	}
	return out
}
