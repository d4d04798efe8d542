package control

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/policy"
)

// sessionNeed sizes a model of sessions over the horizons, in sessions a second. The load
// that is forecast is sized like any other rate. What runs and waits needs its streams
// whatever that is: a load that has just fallen leaves the sessions of before, and one that
// the forecast missed shows in them first. Unlike the count of arrivals of one minute, of
// which a long session sees hundreds, they say without noise how many streams are in use.
func sessionNeed(m fleet.Model, p policy.Policy, path forecast.Path, seen fleet.ModelSignals, running fleet.Signal, h horizons) Need {
	n := Need{Model: m.Name, Basis: path.Basis}
	arrivals, waiting := known(p.Signals.Fresh(seen.Arrivals)), known(p.Signals.Fresh(seen.Backlog))
	if path.Basis == forecast.BasisNone {
		path.Points = nil
	}
	streams, counted := p.Signals.Fresh(running).Read()
	held := policy.SessionRate(m, int(math.Ceil(soonRunning(m, streams+waiting, arrivals, h.load)-1e-9)))
	if counted && len(path.Points) > 0 {
		arrivals = 0 // the forecast rests on them, and what runs tells the rest
	}
	q, span := p.Quantile(m.Name), chanceSpan(m)
	n.Now = max(arrivals, held, highestRate(path, q, span, h.load))
	n.Lead = max(n.Now, highestRate(path, q, span, h.lead))
	n.Keep = max(n.Lead, highestRate(path, q, span, h.keep+lingering(m)))
	return n
}

// bin is the time in which the arrivals that a forecast rests on were counted.
const bin = time.Minute

// chanceSpan is the span over which as many sessions or requests would have to be counted
// to vary by chance as much as what is forecast of a model does: the bin of requests, and
// two mean durations of sessions, whose load is a mean over those that may run still.
func chanceSpan(m fleet.Model) time.Duration {
	if !m.Profile.Sessions() {
		return bin
	}
	return max(bin, 2*meanDuration(m))
}

// highestRate is the highest quantile of the rate at which requests or sessions come, up
// to a lead. The quantiles of a forecast are those of a count over a span of time, of which
// chance alone is a part. That part is in what the sizer knows of chance already, which
// takes arrivals to come by chance at a rate, and is taken out.
func highestRate(path forecast.Path, level float64, span, until time.Duration) float64 {
	level = min(max(level, 0.005), 0.995) // as far as forecasts go
	z := math.Sqrt2 * math.Erfinv(2*level-1)
	highest := 0.0
	for i, point := range path.Points {
		if i > 0 && path.Points[i-1].Lead >= until {
			break
		}
		excess := path.Quantile(level, point.Lead) - point.Mean
		chance := z * z * point.Mean / span.Seconds()
		highest = max(highest, point.Mean+math.Copysign(math.Sqrt(max(0, excess*excess-chance)), excess))
	}
	return highest
}

// soonRunning is how many sessions run after a while where so many do now and others
// come at a rate, if that is more: those of now end with their mean duration, and
// those that come make up for them.
func soonRunning(m fleet.Model, now, arrivals float64, after time.Duration) float64 {
	left := math.Exp(-after.Seconds() / m.Profile.MeanWork)
	return max(now, now*left+arrivals*m.Profile.MeanWork*(1-left))
}

// running sums the sessions on a model's servers that do not drain: those on servers
// that do end where they are. It is unknown where one server does not tell.
func (d *decider) running(m fleet.ModelName) fleet.Signal {
	total, age := 0.0, time.Duration(0)
	for _, r := range d.in.Snapshot.Replicas {
		if r.Model != m || r.State != fleet.ReplicaReady {
			continue
		}
		n, ok := r.InFlight.Read()
		if !ok {
			return fleet.Unknown("a server does not tell what is in flight")
		}
		total, age = total+n, max(age, r.InFlight.Age())
	}
	return fleet.Measured(total, age, 1)
}

// meanDuration is how long a session of a model lasts on average.
func meanDuration(m fleet.Model) time.Duration {
	return time.Duration(m.Profile.MeanWork * float64(time.Second))
}

// drained is the time, in mean durations, in which six of seven sessions end.
const drained = 2

// lingering is how much further ahead the demand of sessions is looked at before a server
// of theirs is given back: it keeps its slice, and its node, until the sessions on it have
// ended, and what is needed again by then saved nothing.
func lingering(m fleet.Model) time.Duration {
	if !m.Profile.Sessions() {
		return 0
	}
	return drained * meanDuration(m)
}

// window is for how long the highest need of a model is kept. What came within the
// mean duration of a session mostly runs still.
func (d *decider) window(m fleet.Model) time.Duration {
	window := d.settings.Policy.ScaleDown.StabilizationWindow
	if m.Profile.Sessions() {
		window = max(window, meanDuration(m))
	}
	return window
}
