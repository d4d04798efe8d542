package simulator

import (
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// World is the simulated fleet with its traffic. It implements the ports of
// package control. It is not safe for concurrent use.
type World struct {
	start   time.Time
	now     int64 // nanoseconds since the start
	seed    uint64
	catalog fleet.Catalog
	faults  []Fault
	past    map[fleet.ModelName]Past
	heap    heap
	events  int64

	models   []*model
	byModel  map[fleet.ModelName]*model
	nodes    []*node    // all that ever were, by index; nil once gone
	seen     []*replica // scratch of Observe: those that were last seen, by id
	live     []*node    // in order of purchase
	reserved []*reserved
	ended    ended
	replicas []*replica // all that ever were, by index; nil once gone

	// Ids are used once: what was there before does not come back because an old
	// step arrives again.
	byNode    map[fleet.NodeID]*node       // nil once gone
	byReplica map[fleet.ReplicaID]*replica // likewise

	bought           map[fleet.OfferingName]int
	rests            map[fleet.OfferingName]rest
	strikes          []strike // by fault
	scraping         Scraping
	scrapes          *scrapes // nil where none are needed
	reconfigurations int
	actions          int
	lost             int // nodes that were taken away or died
	ledger           ledger
}

// New builds an empty world at the start of its traffic.
func New(cfg Config) (*World, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("build the world: %w", err)
	}
	w := &World{
		start: cfg.Start, seed: cfg.Seed, catalog: cfg.Catalog, faults: cfg.Faults, past: cfg.Past,
		byModel: map[fleet.ModelName]*model{}, byNode: map[fleet.NodeID]*node{},
		byReplica: map[fleet.ReplicaID]*replica{}, bought: map[fleet.OfferingName]int{}, rests: map[fleet.OfferingName]rest{},
		ledger: newLedger(cfg.Models, cfg.Catalog.Currency), ended: ended{paid: fleet.Micros(0, cfg.Catalog.Currency)},
	}
	w.await()
	w.reserve(cfg.Reserved)
	into := minuteOffset(cfg.Start)
	for _, spec := range cfg.Models {
		m := newModel(spec, int32(len(w.models)), cfg.Patience, into)
		m.source, m.draws = cfg.Sources[spec.Name], w.stream("model/"+string(spec.Name))
		w.models = append(w.models, m)
		w.byModel[spec.Name] = m
	}
	w.scrape(cfg.Signals)
	for _, m := range w.models {
		w.expect(m)
	}
	w.scheduleMidnight()
	return w, nil
}

// AdvanceTo lets everything happen that happens up to and including t. Time does
// not run backwards: an earlier t changes nothing.
func (w *World) AdvanceTo(t time.Time) {
	until := int64(t.Sub(w.start))
	for len(w.heap.events) > 0 && w.heap.events[0].at <= until {
		e := w.heap.pop()
		w.now = e.at
		w.events++
		w.happen(e)
	}
	w.now = max(w.now, until)
}

// Now is the world's time.
func (w *World) Now() time.Time { return w.time(w.now) }

func (w *World) happen(e event) {
	switch e.kind {
	case evArrival:
		m := w.models[e.subject]
		w.arrive(m, m.next)
		w.expect(m)
	case evBatchDone:
		w.batchDone(e)
	case evSessionEnds:
		w.sessionEnds(e)
	case evPatience:
		w.patienceEnds(e)
	case evNodeReady:
		w.nodeReady(w.nodes[e.subject])
	case evReplicaReady:
		if r := w.replicas[e.subject]; r != nil {
			w.begin(r)
		}
	case evReshaped:
		w.reshaped(w.nodes[e.subject], int(e.detail))
	case evMidnight:
		w.midnight()
	case evFault:
		w.faultBegins(e.subject)
	case evFaultOver:
		w.faultEnds(e.subject)
	case evNotice:
		w.noticed(w.nodes[e.subject])
	case evTaken:
		w.taken(w.nodes[e.subject])
	case evScrape:
		w.capture()
	}
}

// expect puts a model's next arrival into the heap. A source that goes back in
// time or yields work that is no positive number is a bug, and panics: no result
// could be trusted after it.
func (w *World) expect(m *model) {
	if m.source == nil {
		return
	}
	next, ok := m.source.Next()
	if !ok {
		m.source = nil
		return
	}
	if int64(next.At) < w.now || !(next.Work >= 0 && next.Work <= maxWork) {
		panic(fmt.Sprintf("simulator: traffic of %s yields work %v at %v when it is %v", m.Name, next.Work, next.At, time.Duration(w.now)))
	}
	m.next = request{at: int64(next.At), work: next.Work}
	w.heap.push(event{at: m.next.at, kind: evArrival, subject: m.index})
}

// maxWork bounds the work of one request, in average requests, so that the time
// of a batch fits into nanoseconds.
const maxWork = 1e6

func (w *World) time(at int64) time.Time { return w.start.Add(time.Duration(at)) }
