package main

import (
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
)

// embedded is the simulated world that the service runs when it has no cluster.
type embedded struct {
	*simulator.World
	name     string
	start    time.Time
	at       time.Time
	speed    float64
	fast     time.Duration
	settings control.Settings
}

func newEmbedded(s *service) (*embedded, error) {
	sc, err := s.load()
	if err != nil {
		return nil, err
	}
	world, err := sc.Endless(s.seed)
	if err != nil {
		return nil, err
	}
	fast := sc.Settings.Policy.Ticks.Fast
	return &embedded{World: world, name: sc.Name, start: sc.Start, at: sc.Start.Add(-fast), speed: s.speed, fast: fast, settings: sc.Settings}, nil
}

// next lets the world run to the next tick and tells its time.
func (e *embedded) next() time.Time {
	e.at = e.at.Add(e.fast)
	e.AdvanceTo(e.at)
	return e.at
}

// every is the wall-clock time between two ticks.
func (e *embedded) every() time.Duration {
	return time.Duration(float64(e.fast) / e.speed)
}

func (e *embedded) describe() string {
	return fmt.Sprintf("embedded world %s, %gx", e.name, e.speed)
}

// reloaded takes the policy of a scenario that was read anew. The models of a
// world are fixed: a policy that adds or drops some, or changes what they run on,
// needs a restart.
func (e *embedded) reloaded(sc *scenario.Scenario) (control.Settings, error) {
	was := map[string]bool{}
	for _, m := range e.settings.Policy.Models {
		was[string(m.Name)] = true
	}
	for _, m := range sc.Settings.Policy.Models {
		if !was[string(m.Name)] {
			return control.Settings{}, fmt.Errorf("model %s is new: a simulated world keeps its models; restart to add it", m.Name)
		}
		delete(was, string(m.Name))
	}
	for name := range was {
		return control.Settings{}, fmt.Errorf("model %s is gone: a simulated world keeps its models; restart to drop it", name)
	}
	return sc.Settings, nil
}
