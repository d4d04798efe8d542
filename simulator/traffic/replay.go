package traffic

import (
	"math"
	"math/rand/v2"
	"time"
)

// cursor walks the rows of one model.
type cursor struct {
	rows   []row
	series *series
	scale  float64
	end    time.Duration
	random *rand.Rand
	size   sampler
	index  int     // of the next row
	seen   float64 // recorded requests of the rows before it
}

// scatter is a number of arrivals at independent uniform times in an interval,
// yielded in order: of k left, the first lies a share 1 - U^(1/k) into what is
// left of the interval.
type scatter struct {
	begin         time.Duration
	offset, width float64
	left          int64
}

func newScatter(begin, end time.Duration, n int64) scatter {
	return scatter{begin: begin, width: float64(max(end-begin, 1)), left: n}
}

func (s *scatter) next(random *rand.Rand) time.Duration {
	s.offset += (s.width - s.offset) * -math.Expm1(-random.ExpFloat64()/float64(s.left))
	s.left--
	return s.begin + time.Duration(min(s.offset, s.width-1))
}

// binReplay yields rows that are bins.
type binReplay struct {
	cursor
	step    time.Duration
	burst   burst
	clumped bool // the bin's arrivals are of gamma gaps
	arrival scatter
	gaps    gammaGaps
	work    float64
}

// Next implements Source.
func (b *binReplay) Next() (Request, bool) {
	for b.arrival.left == 0 && b.gaps.left == 0 {
		if b.index == len(b.rows) {
			return Request{}, false
		}
		r := b.rows[b.index]
		b.index++
		n := scaled(b.seen+r.requests, b.scale) - scaled(b.seen, b.scale)
		b.seen += r.requests
		b.work = b.series.relative(r)
		end := min(r.at+b.step, b.end)
		shape := b.burst.shape(r, b.scale)
		if b.clumped = shape != 1; b.clumped {
			b.gaps = newGammaGaps(r.at, end, n, shape, b.random)
		} else {
			b.arrival = newScatter(r.at, end, n)
		}
	}
	request := Request{Work: b.work * b.size.next()}
	if b.clumped {
		request.At = b.gaps.next(b.random)
	} else {
		request.At = b.arrival.next(b.random)
	}
	return request, true
}

// relative is the work of one request of a row, as a multiple of the average.
func (s *series) relative(r row) float64 {
	if !s.sized || r.requests == 0 {
		return 1
	}
	return r.work / r.requests / s.mean
}

// copySpread bounds how far the copies of a request lie behind it.
const copySpread = time.Minute

// rowReplay yields rows that are requests. Rows of one time are a group: first
// all of them come at that time, then round by round the copies that the scale
// adds, scattered up to the next group.
type rowReplay struct {
	cursor
	group   int   // the group is the rows from here
	stop    int   // to here
	round   int64 // copies of each row before this one; 0 is the row itself
	arrival scatter
}

// Next implements Source.
func (r *rowReplay) Next() (Request, bool) {
	rows := r.rows
	for {
		if r.index == r.stop && !r.turn() {
			return Request{}, false
		}
		i := r.index
		r.index++
		if r.copies(i) <= r.round {
			continue
		}
		at := rows[i].at
		if r.round > 0 {
			at = r.arrival.next(r.random)
		}
		return Request{At: at, Work: r.series.relative(rows[i]) * r.size.next()}, true
	}
}

// copies is how many requests a row becomes.
func (r *rowReplay) copies(i int) int64 {
	return scaled(float64(i+1), r.scale) - scaled(float64(i), r.scale)
}

// turn begins the next round of the group, or the first of the next group; false
// means the end.
func (r *rowReplay) turn() bool {
	rows := r.rows
	if r.arrival.left > 0 {
		r.round++
		r.index = r.group
		return true
	}
	if r.stop == len(rows) {
		return false
	}
	r.group, r.round, r.index = r.stop, 0, r.stop
	for r.stop < len(rows) && rows[r.stop].at == rows[r.group].at {
		r.stop++
	}
	extra := scaled(float64(r.stop), r.scale) - scaled(float64(r.group), r.scale)
	for i := r.group; i < r.stop; i++ {
		extra -= min(1, r.copies(i))
	}
	begin := rows[r.group].at
	end := min(begin+copySpread, r.end)
	if r.stop < len(rows) {
		end = min(end, rows[r.stop].at)
	}
	r.arrival = newScatter(begin, end, extra)
	return true
}
