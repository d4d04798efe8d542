package control

import (
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

const (
	// surprise is how unlikely it must be, by chance, that nothing on a GPU ended, as a
	// natural logarithm: far more than a single test asks for, because looks that follow each
	// other under overload are alike.
	surprise = 40.0
	// suffering is the share of its target below which a model suffers.
	suffering = 0.9
	// leastStill and stillBatches are for how long nothing must have ended, in time and in
	// the longest batches of the servers there.
	leastStill   = 90 * time.Second
	stillBatches = 20
	// nextVerdict is the least time between two verdicts, and nextAfterError that after one
	// that was wrong.
	nextVerdict    = 10 * time.Minute
	nextAfterError = time.Hour
	// verdictLasts is after how long a GPU that is still there is tried again.
	verdictLasts = 24 * time.Hour
	// looksKept is how many looks at a model's servers are remembered, and looksBefore and
	// heldBefore what is taken for granted before the first.
	looksKept               = 2000.0
	looksBefore, heldBefore = 10.0, 8.0
	// leastHeld and mostHeld bound the share of looks in which nothing falls by chance.
	leastHeld, mostHeld = 0.05, 0.98
)

// Progress is what is seen of work that ends. A server that works holds now more, now
// fewer requests; on a GPU that hangs no server ever comes to hold fewer. How often that
// happens by chance is learnt of each model, and the looks at all servers of a GPU are
// taken together.
type Progress struct {
	// Holds are the servers that hold requests.
	Holds map[fleet.ReplicaID]Hold `json:"holds,omitempty"`
	// Looks tell of each model how often its servers were looked at while they held some.
	Looks map[fleet.ModelName]Looks `json:"looks,omitempty"`
	// Stuck are the GPUs on which nothing ends, sorted.
	Stuck []StuckGPU `json:"stuck,omitempty"`
	// Next is when another may be found to be stuck.
	Next time.Time `json:"next,omitzero"`
}

// Hold is a server that holds requests.
type Hold struct {
	Count    float64   `json:"count"`
	Read     time.Time `json:"read"`     // when it was counted
	Since    time.Time `json:"since"`    // nothing ended on its GPU
	Surprise float64   `json:"surprise"` // by that, as a natural logarithm
}

// Looks counts looks at servers that held some requests, and those in which they held no
// fewer than at the look before.
type Looks struct {
	All  float64 `json:"all"`
	Held float64 `json:"held"`
}

// share is how likely it is that a server holds no fewer requests than before.
func (l Looks) share() float64 {
	return min(max((l.Held+heldBefore)/(l.All+looksBefore), leastHeld), mostHeld)
}

func (l Looks) add(held bool) Looks {
	if l.All >= looksKept {
		l.All, l.Held = l.All/2, l.Held/2
	}
	l.All++
	if held {
		l.Held++
	}
	return l
}

// StuckGPU is a GPU whose servers hold requests of which none ends.
type StuckGPU struct {
	GPU     fleet.GPUID `json:"gpu"`
	Since   time.Time   `json:"since"`
	Servers int         `json:"servers"`
	Holding float64     `json:"holding"` // requests
}

// reason says what was seen.
func (g StuckGPU) reason() fleet.Reason {
	return fleet.Because(fleet.ReasonStuck, "gpu", g.GPU, "servers", g.Servers, "holding", g.Holding, "since", clock(g.Since))
}

// stuck finds the verdict on a GPU.
func (p Progress) stuck(id fleet.GPUID) (StuckGPU, bool) {
	i := slices.IndexFunc(p.Stuck, func(g StuckGPU) bool { return g.GPU == id })
	if i < 0 {
		return StuckGPU{}, false
	}
	return p.Stuck[i], true
}

// watched is a server of requests with what was and is seen of it.
type watched struct {
	replica fleet.Replica
	perf    *fleet.Performance
	before  Hold
	known   bool // before
	now     float64
	read    time.Time // when it was counted now; zero where it was not
}

// counted tells whether the server was counted before and again now.
func (w watched) counted() bool { return w.known && !w.read.IsZero() }

// telling tells whether it would be worth telling that the server holds no fewer: one that
// always has a full batch does as well.
func (w watched) telling() bool {
	return w.counted() && w.before.Count < float64(w.perf.MaxBatch())
}

// look takes what the servers hold now, and finds GPUs on which nothing ends. What is not
// known says nothing.
func (p Progress) look(s Settings, in Inputs) Progress {
	byGPU, order := p.watch(s, in)
	next := Progress{Holds: map[fleet.ReplicaID]Hold{}, Looks: map[fleet.ModelName]Looks{}, Next: p.Next}
	for _, m := range s.Policy.Models {
		if l, ok := p.Looks[m.Name]; ok {
			next.Looks[m.Name] = l
		}
	}
	var found StuckGPU
	var refuted []fleet.GPUID
	most := surprise
	for _, id := range order {
		servers := byGPU[id]
		_, stuck := p.stuck(id)
		alive := slices.ContainsFunc(servers, func(w watched) bool { return w.counted() && w.now < w.before.Count })
		if stuck && alive {
			next.Next = in.Now.Add(nextAfterError)
			refuted = append(refuted, id)
		}
		sum := next.hold(in.Now, servers, alive, stuck)
		if !stuck && sum >= most && next.stoodStill(in.Now, servers) && suffers(s, in.Snapshot, servers) {
			most, found = sum, next.verdict(id, servers)
		}
	}
	next.Stuck = p.standing(in, refuted)
	if found.Servers > 0 && !in.Now.Before(next.Next) {
		next.Stuck, next.Next = append(next.Stuck, found), in.Now.Add(nextVerdict)
		slices.SortFunc(next.Stuck, func(a, b StuckGPU) int { return fleet.SliceID{GPU: a.GPU}.Compare(fleet.SliceID{GPU: b.GPU}) })
	}
	return next
}

// standing are the verdicts that hold on: of GPUs that are there still, and on which nothing
// was seen to end.
func (p Progress) standing(in Inputs, refuted []fleet.GPUID) []StuckGPU {
	var out []StuckGPU
	for _, g := range p.Stuck {
		_, there := in.Snapshot.Node(g.GPU.Node)
		if there && !slices.Contains(refuted, g.GPU) && in.Now.Sub(g.Since) < verdictLasts {
			out = append(out, g)
		}
	}
	return out
}

// watch lists the servers of requests that are up by GPU, and the GPUs in the order of the
// snapshot's replicas.
func (p Progress) watch(s Settings, in Inputs) (map[fleet.GPUID][]watched, []fleet.GPUID) {
	byGPU := map[fleet.GPUID][]watched{}
	var order []fleet.GPUID
	for _, r := range in.Snapshot.Replicas {
		m, known := s.Policy.Model(r.Model)
		kind, there := in.Snapshot.KindOf(r)
		if !known || !there || m.Profile.Sessions() || r.State == fleet.ReplicaPending {
			continue
		}
		w := watched{replica: r, perf: performance(m, r.Variant, kind)}
		if w.perf == nil {
			continue
		}
		w.before, w.known = p.Holds[r.ID]
		if n, ok := s.Policy.Signals.Fresh(r.InFlight).Read(); ok {
			if at := in.Now.Add(-r.InFlight.Age()); !w.known || at.After(w.before.Read) {
				w.now, w.read = n, at
			}
		}
		if byGPU[r.Slice.GPU] == nil {
			order = append(order, r.Slice.GPU)
		}
		byGPU[r.Slice.GPU] = append(byGPU[r.Slice.GPU], w)
	}
	return byGPU, order
}

// hold notes what the servers of a GPU hold and sums up how surprising it is that none of
// it ended. Nothing is learnt from a GPU that is stuck.
func (p *Progress) hold(now time.Time, servers []watched, alive, stuck bool) float64 {
	sum := 0.0
	for _, w := range servers {
		h, model := w.before, w.replica.Model
		if w.telling() && !stuck {
			held := w.now >= h.Count
			h.Surprise -= math.Log(p.Looks[model].share())
			p.Looks[model] = p.Looks[model].add(held)
		}
		if !w.read.IsZero() {
			h.Count, h.Read = w.now, w.read
		}
		if !w.known || alive {
			h.Since, h.Surprise = now, 0
		}
		if h.Count > 0 {
			p.Holds[w.replica.ID] = h
			sum += h.Surprise
		}
	}
	return sum
}

// stoodStill tells whether a server of a GPU has held what it holds for so long that it
// should have ended.
func (p Progress) stoodStill(now time.Time, servers []watched) bool {
	longest, since := leastStill, now
	for _, w := range servers {
		if h, holds := p.Holds[w.replica.ID]; holds {
			batch := time.Duration(w.perf.Seconds[len(w.perf.Seconds)-1] * float64(time.Second))
			longest = max(longest, stillBatches*batch)
			if h.Since.Before(since) {
				since = h.Since
			}
		}
	}
	return now.Sub(since) >= longest
}

// suffers tells whether a model with a server among these is seen to miss its target by far.
func suffers(s Settings, snap fleet.Snapshot, servers []watched) bool {
	return slices.ContainsFunc(servers, func(w watched) bool {
		m, _ := s.Policy.Model(w.replica.Model)
		share, known := s.Policy.Signals.Fresh(snap.Model(w.replica.Model).Attainment).Read()
		return known && share < suffering*m.SLO.Target
	})
}

// verdict is what is seen on a GPU.
func (p Progress) verdict(id fleet.GPUID, servers []watched) StuckGPU {
	out := StuckGPU{GPU: id}
	for _, w := range servers {
		if h, holds := p.Holds[w.replica.ID]; holds {
			out.Servers++
			out.Holding += h.Count
			if out.Since.IsZero() || h.Since.Before(out.Since) {
				out.Since = h.Since
			}
		}
	}
	return out
}
