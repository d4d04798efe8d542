package scenario

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// Endless builds a world whose traffic never ends: when the scenario is over,
// generated traffic goes on by the calendar, and recordings begin again.
func (s *Scenario) Endless(seed uint64) (*simulator.World, error) {
	return s.world(seed, func(f source, m fleet.ModelName) (traffic.Source, error) {
		e := &endless{span: s.Duration, open: func(lap int) (traffic.Source, error) {
			return f.open(m, lap, seed)
		}}
		var err error
		e.current, err = e.open(0)
		return e, err
	})
}

// endless plays a source again and again, each lap a span later.
type endless struct {
	open    func(lap int) (traffic.Source, error)
	current traffic.Source
	lap     int
	span    time.Duration
}

// quiet is for how long nothing may come, at least three laps, before traffic is
// taken to have ended: longer than the quietest week of any shape.
const quiet = 8 * 24 * time.Hour

// Next is the next request of this lap or a later one. A lap that cannot be
// opened ends the traffic: it was opened once with the same description.
func (e *endless) Next() (traffic.Request, bool) {
	for range max(3, int(quiet/e.span)) {
		if r, ok := e.current.Next(); ok {
			r.At += time.Duration(e.lap) * e.span
			return r, true
		}
		next, err := e.open(e.lap + 1)
		if err != nil {
			return traffic.Request{}, false
		}
		e.current, e.lap = next, e.lap+1
	}
	return traffic.Request{}, false
}
