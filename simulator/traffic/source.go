package traffic

import "time"

// MaxRequests bounds the requests of one scenario. NewGenerated and ReadTrace
// each refuse to exceed it alone; whoever adds them up checks the sum.
const MaxRequests = 10_000_000

// Request is one arrival: At is the time since the scenario's start, Work its
// size as a multiple of the model's average request.
type Request struct {
	At   time.Duration
	Work float64
}

// Source yields one model's requests in time order until it reports false, and
// false for ever after. The same seed yields the same requests, whatever is done
// with them. A Source is not safe for concurrent use.
type Source interface {
	Next() (Request, bool)
}

// Bin is a number of requests, counted or expected, in the bin that begins at
// At. Before the scenario's start At is negative.
type Bin struct {
	At       time.Duration
	Requests float64
}

// Merge yields the requests of all sources in time order; where times are equal
// the earlier source of the list goes first. A model that several zones or files
// feed is one merged source.
func Merge(sources ...Source) Source {
	m := &merged{sources: sources, heads: make([]head, len(sources))}
	for i := range sources {
		m.refill(i)
	}
	return m
}

// head is the next request of a source that is being merged.
type head struct {
	request Request
	ok      bool
}

type merged struct {
	sources []Source
	heads   []head
}

func (m *merged) refill(i int) { m.heads[i].request, m.heads[i].ok = m.sources[i].Next() }

// Next scans the heads: a model has few sources, so a heap would cost more.
func (m *merged) Next() (Request, bool) {
	first := -1
	for i, h := range m.heads {
		if h.ok && (first < 0 || h.request.At < m.heads[first].request.At) {
			first = i
		}
	}
	if first < 0 {
		return Request{}, false
	}
	next := m.heads[first].request
	m.refill(first)
	return next, true
}
