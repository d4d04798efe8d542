package forecast

import (
	"fmt"
	"math"
	"time"
)

const (
	leapSeconds = secondsPerDay // an observation further ahead awaits a second one
	learnDelay  = 2             // bins after which a bin is learnt, so that both neighbours are known
	slowWindow  = time.Hour
	noiseDays   = 3   // half-life of what is learnt about counts and peaks
	peakFactor  = 3.0 // times the highest rate of late that one bin is believed at
	teachAt     = 30 * time.Minute
)

// Seasonal forecasts one series of rates: where the series is now and where past
// days say it goes from here.
//
// It works on roots of rates, in which the noise of counts is even. Per lead two
// discounted ridge regressions give the point, one from levels of several
// memories, one from their distances to past days (by kind of day, by minute,
// yesterday, a week ago); the better one counts more. A third says how large the
// error will be here and now, and the distribution of past errors in that unit,
// read where it keeps its promises, gives the quantiles. Up to half a day ahead plainer
// ways take over where they are simply better: the last value times a slow factor, the
// level times a fast one. Everything is learnt from forecasts that really were issued,
// when their outcome is in.
//
// The zero value is not usable; call [NewSeasonal]. Memory and time per
// observation are constant.
type Seasonal struct {
	calendar calendar
	counting counting
	profile  profile
	pulse    pulse
	recent   recent
	trail    trail
	recall   ring
	unrest   unrest
	aheads   []ahead
	prior    float64 // rate assumed before any observation
	keep     float64 // fading per bin of what is learnt about counts
	peak     float64 // the highest rate of late
	teacher  int     // the lead whose errors say where errors are large
	halfHour int64
	settled  int64     // the newest bin whose past was learnt
	leap     time.Time // an observation set aside; zero if none

	without ablation // what tests leave out to see what it is worth
}

// ablation marks parts that are left out.
type ablation struct {
	level, season, spread uint32 // inputs, as bits
	shift, tilt, pulse    bool
	rivals                uint32
	share                 int // 1: the season regression alone, -1: the level one alone
}

// Option sets how a Seasonal reads its series.
type Option func(*Seasonal)

// In sets the time zone whose clock the days follow. The default is UTC.
func In(zone *time.Location) Option {
	return func(s *Seasonal) {
		if zone != nil && zone != time.UTC {
			s.calendar.zone = zone
		}
	}
}

// Unit sets how many units one countable event carries: 1, the default, for a
// series of requests, 8 where each request carries about 8 seconds of audio. The
// band is never narrower than the noise of such counts. 0 says that the series
// counts nothing (a utilisation, bytes), which lifts that floor.
func Unit(perEvent float64) Option {
	return func(s *Seasonal) {
		if checkRate(perEvent) == nil {
			s.counting.event = perEvent / float64(s.calendar.step)
		}
	}
}

// Prior sets the rate in units per second that is guessed before the first
// observation; the default is 1. The band around it is wide.
func Prior(rate float64) Option {
	return func(s *Seasonal) {
		if checkRate(rate) == nil {
			s.prior = rate
		}
	}
}

// NewSeasonal returns a forecaster for bins of the given length, in whole
// seconds from a second to a day. A step below a second is read as a minute.
func NewSeasonal(step time.Duration, options ...Option) *Seasonal {
	s := &Seasonal{calendar: newCalendar(step), prior: 1}
	c := &s.calendar
	s.counting.event = 1 / float64(c.step)
	s.profile, s.pulse = newProfile(c), newPulse(c)
	s.halfHour = c.steps(slowWindow / 2)
	s.recent = newRecent(int(2 * max(s.halfHour+3, 8)))
	s.keep = math.Exp2(-float64(c.step) / (noiseDays * secondsPerDay))
	s.start()
	for i := range s.aheads {
		if s.aheads[i].steps <= c.steps(teachAt) {
			s.teacher = i
		}
	}
	for _, o := range options {
		o(s)
	}
	return s
}

// start forgets what the newest bins taught.
func (s *Seasonal) start() {
	s.trail, s.unrest, s.aheads, s.peak = newTrail(&s.calendar), newUnrest(&s.calendar), newAheads(&s.calendar), 0
	s.profile.back, s.recall = newPast(&s.calendar), newRecall(&s.calendar)
}

// Observe takes the next bin; see [Forecaster].
func (s *Seasonal) Observe(o Observation) error {
	bin, err := s.order(o.At)
	if err != nil {
		return err
	}
	if o.Known {
		if err = checkRate(o.Value); err != nil {
			err = fmt.Errorf("observe %s: %w", o.At.UTC().Format(time.RFC3339), err)
		}
	}
	if !o.Known || err != nil {
		s.recent.push(bin, math.NaN(), math.NaN())
	} else {
		s.take(bin, o.Value)
	}
	s.settle(bin)
	return err
}

// order returns the bin of an observation, or says why it is not taken.
func (s *Seasonal) order(at time.Time) (int64, error) {
	bin := s.calendar.bin(at)
	if !s.recent.filled {
		s.settled = bin - 1
		return bin, nil
	}
	if bin <= s.recent.newest {
		return 0, fmt.Errorf("observe %s: %w", at.UTC().Format(time.RFC3339), ErrOutOfOrder)
	}
	if (bin-s.recent.newest)*s.calendar.step > leapSeconds && bin-s.recent.newest > 1 {
		follows := !s.leap.IsZero() && at.After(s.leap) && at.Unix()-s.leap.Unix() <= leapSeconds
		if !follows {
			s.leap = at
			return 0, fmt.Errorf("observe %s: %w", at.UTC().Format(time.RFC3339), ErrLeap)
		}
	}
	s.leap = time.Time{}
	return bin, nil
}

// take learns from a known rate and issues the forecasts to be scored.
func (s *Seasonal) take(bin int64, rate float64) {
	t := &s.trail
	if t.n == 1 && t.level[0] > 0 && t.level[0]*t.level[0] > spikeFactor*rate+spikeEvents*s.counting.event {
		s.counting.scale, s.counting.known = 0, 0
		s.start() // the very first value stood alone: it was a spike, or does no harm forgotten
		t = &s.trail
	}
	// 1. What was expected here before the rate was known.
	pl := s.calendar.place(bin)
	pulse := s.pulse.at(pl.pulse)
	e := s.profile.at(pl)
	wasRoot, wasRate := math.NaN(), math.NaN()
	if e.known {
		wasRoot, wasRate = e.value, square(max(0, e.value+pulse))
	}
	// 2. The newest bin joins the recent ones; it counts as far as it is believed.
	previous := s.recent.value(bin - 1)
	s.recent.push(bin, rate, wasRate)
	believed := min(rate, s.believable(bin, wasRate))
	root := math.Sqrt(believed) - pulse
	// 3. Forecasts that fall due are scored before anything learns the rate.
	for i := range s.aheads {
		a := &s.aheads[i]
		if f := a.queue.due(bin); f != nil {
			mean := a.errorMean
			r := a.mature(f, root, s.unrest.level, &s.without)
			if i == s.teacher && mean > 0 {
				s.unrest.learn(pl, math.Abs(r)/mean)
			}
		}
		if !a.alone {
			s.track(a, bin, root)
		}
	}
	// 4. The present moves on.
	s.peak = max(s.peak*s.keep, believed)
	s.counting.learn(believed, previous, s.keep)
	before := math.NaN()
	if !math.IsNaN(previous) {
		before = t.level[0]
	}
	s.unrest.move(root, before)
	t.move(bin, root, wasRoot)
	s.recall.set(bin, t.level[trackerLevel])
	s.profile.back.add(bin*s.calendar.step, root)
	// 5. New forecasts are kept, each with what it was made from.
	for i := range s.aheads {
		a := &s.aheads[i]
		if bin%a.stride == 0 {
			a.solve(t.m > 0)
			s.issue(bin+a.steps, a)
		}
	}
}

// believable returns the highest rate that the newest bin may be taken at. A bin
// that follows a gap has no neighbours, so the level stands in for them.
func (s *Seasonal) believable(bin int64, expected float64) float64 {
	limit := s.recent.believable(bin, expected, s.counting.event)
	if t := &s.trail; t.n > 0 && t.bin+4 < bin {
		limit = min(limit, spikeFactor*max(square(t.level[1]), expectedOrZero(expected))+spikeEvents*s.counting.event)
	}
	return max(limit, peakFactor*s.peak)
}

func expectedOrZero(rate float64) float64 {
	if math.IsNaN(rate) {
		return 0
	}
	return rate
}

func square(v float64) float64 { return v * v }

// settle learns the bins whose surroundings are now known, gaps included. Bins
// that left the ring before that are lost; a gap of more than the ring has none.
func (s *Seasonal) settle(bin int64) {
	first := max(s.settled+1, bin-int64(len(s.recent.values))+1+s.halfHour)
	for learnt := first - learnDelay; learnt <= bin-learnDelay; learnt++ {
		if v := s.recent.value(learnt); !math.IsNaN(v) {
			was := float64(s.recent.expected[s.recent.index(learnt)])
			if most := s.recent.believable(learnt+learnDelay, was, s.counting.event); v > most {
				v = most
				s.recent.values[s.recent.index(learnt)] = float32(v)
			}
			pl := s.calendar.place(learnt)
			s.profile.learn(pl, math.Sqrt(v)-s.pulse.at(pl.pulse))
		}
	}
	if s.calendar.pulses > 1 && !s.without.pulse {
		wait := s.halfHour + learnDelay
		for middle := first - wait; middle <= bin-wait; middle++ {
			s.settlePulse(middle)
		}
	}
	s.settled = bin
}

// settlePulse learns the minute of the hour from the bin in the middle of the
// last hour.
func (s *Seasonal) settlePulse(bin int64) {
	middle := s.recent.value(bin)
	if math.IsNaN(middle) {
		return
	}
	sum, n := 0.0, 0.0
	for b := bin - s.halfHour + 1; b <= bin+s.halfHour; b++ {
		if v := s.recent.value(b); !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	mean := sum / max(n, 1)
	if n < float64(s.halfHour) || mean <= 0 {
		return
	}
	weight := float64(s.calendar.step) / float64(s.calendar.width)
	if event := s.counting.event; event > 0 {
		weight *= min(1, mean/event/100)
	}
	s.pulse.learn(s.calendar.place(bin).pulse, clip(math.Sqrt(middle)-math.Sqrt(mean), 2*math.Sqrt(mean)), weight)
}
