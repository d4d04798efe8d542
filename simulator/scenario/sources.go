package scenario

import (
	"fmt"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// Source opens a model's traffic in the world of a seed once more, as World does:
// the same requests at the same nanosecond. A model without traffic has an empty
// source.
func (s *Scenario) Source(model fleet.ModelName, seed uint64) (traffic.Source, error) {
	var list []traffic.Source
	for _, f := range s.feeds {
		for _, m := range f.models {
			if m != model {
				continue
			}
			source, err := f.open(m, 0, seed)
			if err != nil {
				return nil, fmt.Errorf("open the traffic of %s: %w", model, err)
			}
			list = append(list, source)
		}
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return traffic.Merge(list...), nil
}
