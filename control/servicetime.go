package control

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

const (
	// serviceStep is how much slower than the step before a step of the factor takes a request
	// to be served, and serviceSteps how many there are: together no more than twice.
	serviceStep, serviceSteps = 1.1, 7
	// serviceHalfLife is after how many minutes what was measured counts half.
	serviceHalfLife = 120.0
	// serviceMinutes and serviceRequests are how many minutes and requests must have been counted
	// before they say anything: with work that varies by its mean, 400 requests take
	// between 0.9 and 1.1 times the mean in nineteen cases of twenty.
	serviceMinutes, serviceRequests = 30, 400.0
	// serviceLeast and serviceMost are the shares of their time between which what the profile
	// explains tells something: with less, servers are idle, and with more, they batch.
	serviceLeast, serviceMost = 0.2, 0.5
	// serviceSettled is for how long the servers must have been the same ones.
	serviceSettled = 3 * time.Minute
	// hard is the busy share from which servers give nothing back that the profile cannot
	// account for, and contradicted how far beyond the profile that is.
	hard, contradicted = 0.9, 1.3
)

// ServiceTime is how long servers of a model are busy for what arrives, beside the most
// that their profile explains. A server that batches is busy for less than that, by how
// much the signals do not tell: so this finds servers that are slower than their profile,
// or requests that carry more work, and never ones that are faster.
type ServiceTime struct {
	Busy      float64 `json:"busy"`           // servers at work, summed over minutes, recent ones counting more
	Explained float64 `json:"explained"`      // likewise, at most, by the profile
	Requests  float64 `json:"requests"`       // likewise, that arrived
	Minutes   int     `json:"minutes"`        // ever counted
	Step      int     `json:"step,omitempty"` // of the factor in force
}

// Factor is by how much the times of the profile are lengthened: 1 to 2.
func (t ServiceTime) Factor() float64 { return math.Pow(serviceStep, float64(t.Step)) }

// workload is what servers did in a minute.
type workload struct {
	busy, explained float64 // servers at work: as measured, and at most by the profile
	servers         int
	rate            float64 // requests a second
}

// tells tells whether servers were busy enough, and not so much that they had to batch.
func (w workload) tells() bool {
	share := w.explained / float64(w.servers)
	return share >= serviceLeast && share <= serviceMost
}

// add takes in a minute. What no server could need is not believed, such as of one that
// hangs.
func (t ServiceTime) add(w workload) ServiceTime {
	fade := math.Exp2(-1 / serviceHalfLife)
	t.Busy = t.Busy*fade + min(w.busy, 2*w.explained)
	t.Explained = t.Explained*fade + w.explained
	t.Requests = t.Requests*fade + w.rate*time.Minute.Seconds()
	if t.Minutes++; t.Minutes < serviceMinutes || t.Requests < serviceRequests {
		return t
	}
	steps := math.Log(t.Busy/t.Explained) / math.Log(serviceStep)
	for t.Step < serviceSteps && steps >= float64(t.Step+1) {
		t.Step++
	}
	for t.Step > 0 && steps < float64(t.Step)-0.5 {
		t.Step--
	}
	return t
}

// workOf measures what the servers of a streaming model did in the last minute, false
// where that is not known.
func workOf(p policy.Policy, m fleet.Model, pool []server, seen fleet.ModelSignals) (workload, bool) {
	rate, counted := p.Signals.Fresh(seen.Arrivals).Read()
	busy, measured := p.Signals.Fresh(seen.Utilisation).Read()
	if !counted || !measured || m.Kind != fleet.Streaming || m.Profile.Sessions() {
		return workload{}, false
	}
	w, sum := workload{rate: rate}, 0.0
	for _, s := range pool {
		if s.ready() && s.perf != nil {
			w.servers++
			sum += longestEach(*s.perf)
		}
	}
	if w.servers == 0 {
		return workload{}, false
	}
	// Requests that go to servers in turn take the mean; who looks at all does not send
	// more of them to the slow ones.
	w.busy, w.explained = min(busy, 1)*float64(w.servers), rate*sum/float64(w.servers)
	return w, true
}

// longestEach is the most time, in seconds, that a server takes for a request: for most
// profiles that of one alone, beside busy neighbours.
func longestEach(p fleet.Performance) float64 {
	longest := 0.0
	for i, n := range p.Batch {
		longest = max(longest, p.Seconds[i]/float64(n))
	}
	return longest * (1 + p.Interference)
}

// learnServices takes in a minute of every model whose servers were the same for a while,
// were busy enough, and worked on what arrived and not on what had piled up.
func (l *Learnt) learnServices(s Settings, in Inputs) {
	if in.Pace != Planning {
		return
	}
	known, pools, changed := l.Services, poolsOf(s.Policy, in.Snapshot), newestChanges(in)
	l.Services = make(map[fleet.ModelName]ServiceTime, len(known))
	for _, m := range s.Policy.Models {
		t, seen := known[m.Name], in.Snapshot.Model(m.Name)
		w, ok := workOf(s.Policy, m, pools[m.Name], seen)
		backlog, counted := s.Policy.Signals.Fresh(seen.Backlog).Read()
		settled := in.Now.Sub(changed[m.Name]) >= serviceSettled+seen.Utilisation.Age()
		if ok && counted && settled && backlog < w.rate && w.tells() {
			t = t.add(w)
		}
		if t.Minutes > 0 {
			l.Services[m.Name] = t
		}
	}
}

// newestChanges tells when the servers of each model changed last: now, where one starts
// or drains.
func newestChanges(in Inputs) map[fleet.ModelName]time.Time {
	out := map[fleet.ModelName]time.Time{}
	for _, r := range in.Snapshot.Replicas {
		at := r.Since
		if r.State != fleet.ReplicaReady {
			at = in.Now
		}
		if at.After(out[r.Model]) {
			out[r.Model] = at
		}
	}
	return out
}

// lengthen answers the settings with profiles as slow as was measured.
func (l Learnt) lengthen(s Settings) Settings {
	for i := range s.Policy.Models { // a copy already
		m := &s.Policy.Models[i]
		if l.Services[m.Name].Step == 0 {
			continue
		}
		factor := l.Services[m.Name].Factor()
		m.Profile.Variants = slices.Clone(m.Profile.Variants)
		for j := range m.Profile.Variants {
			v := &m.Profile.Variants[j]
			v.Slices = slices.Clone(v.Slices)
			for k := range v.Slices {
				times := slices.Clone(v.Slices[k].Seconds)
				for b := range times {
					times[b] *= factor
				}
				v.Slices[k].Seconds = times
			}
		}
	}
	return s
}

// keepStrained keeps the capacity of the models whose servers are so busy that the profile,
// by which some of them are not needed, cannot be right about them now: they may be moved,
// but there are not to be less of them. An unknown keeps nothing, nor does anything stay
// above a cap.
func (d *decider) keepStrained() {
	pools := poolsOf(d.settings.Policy, d.in.Snapshot)
	for i, m := range d.models() {
		n := &d.needs[i]
		w, ok := workOf(d.settings.Policy, m, pools[m.Name], d.in.Snapshot.Model(m.Name))
		if !ok || n.Shed > 0 || n.Have <= n.Keep || w.busy < hard*float64(w.servers) || w.busy <= contradicted*w.explained {
			continue
		}
		if n.Keep = n.Have; w.servers > m.MinReplicas {
			d.plan.Held = append(d.plan.Held, fleet.Because(fleet.ReasonHeldBusy, "subject", m.Name,
				"busy", wholePercent(w.busy/float64(w.servers)), "explained", wholePercent(w.explained/float64(w.servers))))
		}
	}
}

// wholePercent prints a share for people.
func wholePercent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }
