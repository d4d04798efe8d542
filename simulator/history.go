package simulator

import (
	"context"
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// Past is what was recorded of a model before the start: bins of one minute,
// oldest first, at negative times.
type Past []traffic.Bin

// History tells a controller the demand before the start, as rates by minute: the
// bins that had ended by the given time.
func (w *World) History(_ context.Context, name fleet.ModelName, until time.Time) ([]forecast.Observation, error) {
	if _, ok := w.byModel[name]; !ok {
		return nil, fmt.Errorf("there is no model %s", name)
	}
	past := w.past[name]
	out := make([]forecast.Observation, 0, len(past))
	for _, bin := range past {
		at := w.start.Add(bin.At)
		if at.Add(time.Minute).After(until) {
			break
		}
		out = append(out, forecast.Observation{At: at, Value: bin.Requests / time.Minute.Seconds(), Known: true})
	}
	return out, nil
}
