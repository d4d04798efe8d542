package traffic

import (
	"time"

	"github.com/tessera-autoscaler/tessera/simulator/recording"
)

// series is the recording of one model.
type series struct {
	streams []*stream // by their first row
	window  float64   // requests after the start
	before  float64   // requests of the history
	// Over the whole recording:
	requests float64
	work     float64
	mean     float64 // work of the average request
	sized    bool    // rows carry work

	open, filled Gaps
}

// stream is what one client sent; a recording that does not tell clients apart has
// one of them.
type stream struct {
	client     string
	past, rows []row // before and after the start, by time
	window     float64
	last       recording.Row
}

// row is a bin or a request of one stream.
type row struct {
	at       time.Duration // since the scenario's start
	requests float64
	work     float64 // of all of them
	cv       float64 // of the times between them; 0 where unknown
}

// Gaps are stretches of time of which a recording says nothing.
type Gaps struct {
	Count int
	Total time.Duration
}

func (g *Gaps) add(length time.Duration) {
	if length > 0 {
		g.Count++
		g.Total += length
	}
}

// stream finds the stream of a client, a new one if need be.
func (s *series) stream(client string) *stream {
	if n := len(s.streams); n > 0 && client == "" && s.streams[0].client == "" {
		return s.streams[0]
	}
	for _, known := range s.streams {
		if known.client == client {
			return known
		}
	}
	s.streams = append(s.streams, &stream{client: client})
	return s.streams[len(s.streams)-1]
}

// add takes a row of the file in. Bins that begin at the same time, of several
// names that are one model here, become one.
func (f *stream) add(at time.Duration, r recording.Row, s *series, p *parser) {
	s.requests += r.Requests
	s.work += r.Work
	f.last = r
	if at < -p.opt.History || at >= p.opt.Duration || r.Requests == 0 {
		return
	}
	kept := &f.rows
	if at < 0 {
		kept = &f.past
		s.before += r.Requests
	} else {
		s.window += r.Requests
		f.window += r.Requests
	}
	if last := len(*kept) - 1; p.about.Step > 0 && last >= 0 && (*kept)[last].at == at {
		(*kept)[last].requests += r.Requests
		(*kept)[last].work += r.Work
		return
	}
	*kept = append(*kept, row{at, r.Requests, r.Work, r.CV})
}

// gap looks at the time between the end of a name's last bin and its next row, and
// fills it by a straight line where that is wanted.
func (s *series) gap(from, to time.Duration, next recording.Row, p *parser) {
	if to <= from {
		return
	}
	within := min(to, p.opt.Duration) - max(from, 0)
	if to-from > p.opt.Fill || next.Client != "" {
		s.open.add(within)
		return
	}
	s.filled.add(within)
	f := s.stream("")
	before := f.last
	step, bins := p.about.Step, int64((to-from)/p.about.Step)+1
	for i := int64(1); i < bins; i++ {
		share := float64(i) / float64(bins)
		r := before
		r.At += i * int64(step)
		r.Requests += share * (next.Requests - before.Requests)
		r.Work += share * (next.Work - before.Work)
		f.add(from, r, s, p)
		from += step
	}
}
