package judge

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
)

// Truth is the traffic of a world as it will come, minute by minute. It is not
// changed once it was read.
type Truth struct {
	start time.Time
	work  map[fleet.ModelName][]float64 // that arrives in each minute, in average requests
}

// readTruth opens the traffic of a world and adds it up.
func readTruth(s *scenario.Scenario, seed uint64) (*Truth, error) {
	t := &Truth{start: s.Start, work: map[fleet.ModelName][]float64{}}
	minutes := int((s.Duration + time.Minute - 1) / time.Minute)
	for _, m := range s.Settings.Policy.Models {
		source, err := s.Source(m.Name, seed)
		if err != nil {
			return nil, err
		}
		work := make([]float64, minutes)
		for {
			r, ok := source.Next()
			i := int(r.At / time.Minute)
			if !ok || i >= minutes {
				break
			}
			work[i] += r.Work
		}
		t.work[m.Name] = work
	}
	return t, nil
}

// Known is what a static peer is told of the traffic, and what layouts are made
// for.
func (t *Truth) Known() map[fleet.ModelName]peer.Known {
	out := make(map[fleet.ModelName]peer.Known, len(t.work))
	for name, work := range t.work {
		peak, sum := 0.0, 0.0
		for _, w := range work {
			peak = max(peak, w)
			sum += w
		}
		out[name] = peer.Known{Peak: peak / 60, Mean: sum / 60 / float64(max(1, len(work)))}
	}
	return out
}

// minute is the minute of an instant, counted from the start of the scenario.
func (t *Truth) minute(at time.Time) int { return int(at.Sub(t.start) / time.Minute) }

// mean is the average rate of a model over n minutes from a first one, in average
// requests a second. There is none outside of the scenario.
func (t *Truth) mean(m fleet.ModelName, first, n int) float64 {
	work := t.work[m]
	sum := 0.0
	for i := max(0, first); i < min(first+n, len(work)); i++ {
		sum += work[i]
	}
	return sum / 60 / float64(n)
}
