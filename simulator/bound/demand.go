package bound

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// calendar divides the run into bins; the last may be shorter.
type calendar struct {
	duration, step time.Duration
	bins           int
}

func newCalendar(duration, step time.Duration) calendar {
	return calendar{duration, step, int((duration + step - 1) / step)}
}

// length of a bin in seconds.
func (c calendar) length(i int) float64 {
	return min(c.step, c.duration-time.Duration(i)*c.step).Seconds()
}

// demand is the work of one model: how much of it comes in each bin, apart by
// crowd and by the bins in which it must be done if it is to be in time. It does
// not grow with the number of requests.
type demand struct {
	fleet.Model
	pace
	calendar
	reach   int            // bins, after that of its arrival, in which any request may be done
	rest    time.Duration  // what remains of the limit after so many
	work    [2][][]float64 // average requests by crowd and bin; second: those that reach one bin further
	sizes   []*sizes       // by crowd
	count   int64
	held    *presence // nil where nothing is known of it
	live    *sessions // nil for models of requests; the work of sessions is their seconds, in the last crowd
	skipped int64     // requests that were not served in time; of sessions the seconds, rounded up
}

func newDemand(m fleet.Model, s *shop, c calendar, scores []float64) *demand {
	d := &demand{Model: m, pace: newPace(m, s), calendar: c, sizes: make([]*sizes, len(crowds))}
	limit := min(m.SLO.Limit, c.duration)
	if m.Profile.Sessions() {
		d.live = newSessions(m, c)
		limit = min(d.live.wait, c.duration)
	}
	d.reach, d.rest = int(limit/c.step), limit%c.step
	for i := range d.work {
		d.work[i] = make([][]float64, len(crowds))
	}
	if d.live != nil {
		for i := range d.work {
			d.work[i][len(crowds)-1] = make([]float64, c.bins)
		}
		return d
	}
	if loads, always := d.loads(s, scores); d.reach == 0 {
		d.held = newPresence(loads, always, limit, c)
	}
	return d
}

// read takes in the model's traffic.
func (d *demand) read(ctx context.Context, source traffic.Source) error {
	class := make([]int, d.largest+1)
	for n := range class {
		class[n] = crowdOf(n)
	}
	if len(class) > 0 {
		class[d.largest] = len(crowds) - 1
	}
	// A batch is timed in whole nanoseconds, rounded down: each request in it may
	// have been spared one.
	spared := 1e-9 / d.least
	c := crowd{limit: int64(d.SLO.Limit), most: max(1, d.largest), emit: func(r traffic.Request, together int) {
		d.add(r, class[min(together, d.largest)], spared)
	}}
	for {
		r, ok := source.Next()
		if !ok || r.At >= d.duration {
			break
		}
		if d.count%65536 == 0 {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("read the traffic of %s: %w", d.Name, err)
			}
		}
		if !(r.Work >= 0 && r.Work <= maxWork) || r.At < 0 {
			return fmt.Errorf("the traffic of %s yields work %v at %v: work is between 0 and %v, and times are not negative", d.Name, r.Work, r.At, maxWork)
		}
		d.count++
		if d.live != nil {
			d.stream(d.live.add(r))
			continue
		}
		if d.held != nil {
			d.held.add(r.At, d.calendar)
		}
		c.add(r)
	}
	c.flush()
	if d.live != nil {
		d.endStreams()
	}
	return nil
}

// served takes note of how much of the demand was served in time.
func (d *demand) served(amount int64) error {
	came, unit := d.count, "requests"
	if d.live != nil {
		came, unit = int64(d.live.asked+d.live.slack)+1, "seconds of sessions"
		d.live.missed = max(0, d.live.asked+d.live.slack-float64(amount))
	}
	switch d.skipped = came - amount; {
	case d.skipped < 0:
		return fmt.Errorf("model %s: %d %s are said to have been served in time, and %d came: give the traffic of the run", d.Name, amount, unit, came)
	case amount > 0 && d.largest == 0:
		return fmt.Errorf("model %s: %d %s are said to have been served, and nothing that may be bought serves it", d.Name, amount, unit)
	}
	return nil
}

func (d *demand) add(r traffic.Request, class int, spared float64) {
	bin := int(r.At / d.step)
	further := 0
	if into := r.At - time.Duration(bin)*d.step; into+d.rest > d.step && bin+d.reach < d.bins-1 {
		further = 1
	}
	rows := d.work[further]
	if rows[class] == nil {
		rows[class] = make([]float64, d.bins)
	}
	if d.sizes[class] == nil {
		d.sizes[class] = new(sizes)
	}
	rows[class][bin] += max(0, r.Work-spared)
	d.sizes[class].add(r.Work)
}

// sizes is a histogram of the works of requests, in buckets that widen by a
// sixty-fourth, so that the greatest works can be added up from above.
type sizes struct {
	counts [sizeBuckets]int64
}

const (
	sizeBits    = 46                       // of the mantissa that are dropped
	sizeLeast   = (1023 - 20) << 6         // works below 2^-20 share the first bucket
	sizeBuckets = (1023+20)<<6 - sizeLeast // up to 2^20, above maxWork
)

// maxWork is the most work of one request that the world takes.
const maxWork = 1e6

func (s *sizes) add(work float64) {
	s.counts[min(max(0, int(math.Float64bits(work)>>sizeBits)-sizeLeast), sizeBuckets-1)]++
}

// upper is a work that no work of the bucket exceeds.
func upper(bucket int) float64 { return math.Float64frombits(uint64(sizeLeast+bucket+1) << sizeBits) }

// dearest is at least what any n requests cost together, at a price of work for
// each crowd.
func (d *demand) dearest(n int64, prices []float64) float64 {
	type heap struct {
		each  float64
		count int64
	}
	var heaps []heap
	for c, s := range d.sizes {
		if s == nil || prices[c] <= 0 {
			continue
		}
		for b, count := range s.counts {
			if count > 0 {
				heaps = append(heaps, heap{prices[c] * upper(b), count})
			}
		}
	}
	slices.SortFunc(heaps, func(a, b heap) int { return cmp.Compare(b.each, a.each) })
	sum := 0.0
	for _, h := range heaps {
		if n <= 0 {
			break
		}
		sum += h.each * float64(min(n, h.count))
		n -= h.count
	}
	return sum
}

// total is the work of a crowd in the whole run.
func (d *demand) total(crowd int) float64 {
	sum := 0.0
	for _, rows := range d.work {
		for _, w := range rows[crowd] {
			sum += w
		}
	}
	return sum
}
