package control

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/policy"
)

// Pace tells a fast tick, which moves models within warm capacity, from a
// planning tick, which also buys, reshapes and gives back.
type Pace string

// The paces.
const (
	Fast     Pace = "fast"
	Planning Pace = "planning"
)

// Settings are what people wrote, as the loop uses it. A record refers to the
// settings that were begun last before it.
type Settings struct {
	Policy  policy.Policy `json:"policy"`
	Catalog fleet.Catalog `json:"catalog"`
}

// ModelForecast is what was forecast for a model.
type ModelForecast struct {
	Model fleet.ModelName `json:"model"`
	Path  forecast.Path   `json:"path"`
}

// Inputs are everything that a decision depends on, beside the settings.
type Inputs struct {
	Now       time.Time       `json:"now"`
	Pace      Pace            `json:"pace"`
	Snapshot  fleet.Snapshot  `json:"snapshot"`
	Forecasts []ModelForecast `json:"forecasts"` // sorted by model
	// Outlook is what is expected further ahead, where a cap by the day or the month asks
	// for it: on the first planning tick of an hour of the clock.
	Outlook *Outlook `json:"outlook,omitempty"`
	Memory  Memory   `json:"memory"`
}

// Outcome is what became of a step.
type Outcome struct {
	Step   string `json:"step"`   // kind and subject
	Result string `json:"result"` // one of the results below
	Detail string `json:"detail,omitempty"`
}

// The results of a step.
const (
	Done     = "done"
	Dropped  = "dropped"  // no longer true when it was looked at again
	Refused  = "refused"  // by the actuator
	Withheld = "withheld" // would have been done, were it not for shadow mode
)

// Record is one tick: what it knew, what it decided and what came of it.
type Record struct {
	Inputs   Inputs     `json:"inputs"`
	Needs    []Need     `json:"needs"`
	Plan     fleet.Plan `json:"plan"`
	Capped   []Capped   `json:"capped,omitempty"` // models that caps leave short
	Outcomes []Outcome  `json:"outcomes,omitempty"`
}

// recorded is a record as it is read back: the plan stays bytes, since it is
// compared and not carried out.
type recorded struct {
	Inputs Inputs          `json:"inputs"`
	Plan   json.RawMessage `json:"plan"`
}

// Replay decides again from a record's inputs, and returns the plan of the
// record and the plan of now, as JSON. They are equal to the byte unless the
// code that decides, or the settings, changed in between.
func Replay(s Settings, record []byte) (then, now []byte, err error) {
	var r recorded
	if err := json.Unmarshal(record, &r); err != nil {
		return nil, nil, fmt.Errorf("read record: %w", err)
	}
	decision, err := Decide(s, policy.NewSizer(), r.Inputs)
	if err != nil {
		return nil, nil, fmt.Errorf("decide again: %w", err)
	}
	now, err = json.Marshal(decision.Plan)
	if err != nil {
		return nil, nil, fmt.Errorf("write plan: %w", err)
	}
	return r.Plan, now, nil
}
