package forecast

import (
	"fmt"
	"math"
	"time"
)

const (
	leapSeconds = secondsPerDay // an observation further ahead awaits a second one
	learnDelay  = 2             // bins after which a bin is learnt, so that both neighbours are known
	quietEvents = 4.0           // events by which ratios are drawn to 1
	fastWindow  = 10 * time.Minute
	slowWindow  = time.Hour
)

// Seasonal forecasts from the mean of past days at the same minute and kind of
// day, carried to the present level, with a band made of its own past errors.
//
// Three weights per lead say how far the ratio of the last ten minutes, the
// ratio of the last hour and the plain level carry; they are learnt by a
// discounted ridge regression, so a series without a day becomes a level. The
// profile keeps the minute of the hour. The band is the decayed distribution of
// the errors of forecasts that really were issued at that lead, never narrower
// than the counting noise of one bin.
//
// The zero value is not usable; call [NewSeasonal]. It holds about 90 KB at a
// step of a minute, whatever the length of the history.
type Seasonal struct {
	calendar calendar
	counting counting
	profile  profile
	recent   recent
	present  present
	aheads   []ahead
	weights  [features]float64 // of the profile, as last solved
	keep     float64           // fading per bin of what is learnt without a lead
	prior    float64           // rate assumed before any observation

	fastBins, slowBins, halfHour int64
	settled                      int64     // the newest bin whose past was learnt
	leap                         time.Time // an observation set aside; zero if none
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
	s.profile = newProfile(c)
	s.aheads = newAheads(c)
	s.weights = s.profile.weights()
	s.fastBins, s.slowBins, s.halfHour = c.steps(fastWindow), c.steps(slowWindow), c.steps(slowWindow/2)
	s.recent = newRecent(int(2 * max(2*s.halfHour+1, s.slowBins, 8)))
	s.keep = math.Exp2(-float64(c.step) / (shortHalfLife * secondsPerDay))
	for _, o := range options {
		o(s)
	}
	return s
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
	pl := s.calendar.place(bin)
	// 1. What was expected here before the rate was known.
	e := s.profile.at(pl, &s.weights, true)
	was := math.NaN()
	if e.known {
		was = e.value
	}
	// 2. Forecasts that fall due are scored before anything learns the rate.
	for i := range s.aheads {
		a := &s.aheads[i]
		if f, ok := a.due(bin); ok {
			a.mature(&f, rate, pl.part, &s.counting)
		}
	}
	if e.known && !e.standIn {
		unit := math.Sqrt(s.counting.variance(e.smoothed))
		s.profile.weigh(&e, rate, unit, s.keep)
	}
	// 3. The newest bin joins the recent ones.
	before := s.recent.value(bin - 1)
	s.recent.push(bin, rate, was)
	believed := min(rate, s.recent.believable(bin, was, s.counting.event))
	s.counting.learn(believed, before, s.keep)
	quiet := quietEvents * s.counting.event
	if quiet == 0 {
		quiet = 1e-3 * s.counting.scale
	}
	s.present = s.recent.presentAt(&s.calendar, &s.profile, s.fastBins, s.slowBins, s.counting.event, quiet)
	s.present.standIn = e.standIn
	// 4. New forecasts are kept, each with what it was made from.
	s.weights = s.profile.weights()
	for i := range s.aheads {
		a := &s.aheads[i]
		if bin%a.stride == 0 {
			w := a.carry.solve(a.prior, a.ridge, maxWeight)
			a.issue(s.point(bin+a.steps, &w))
		}
	}
}

// settle learns the bins whose surroundings are now known, gaps included. Bins
// that left the ring before that are lost; a gap of more than the ring has none.
func (s *Seasonal) settle(bin int64) {
	first := max(s.settled+1, bin-int64(len(s.recent.values))+1+s.halfHour)
	for learnt := first - learnDelay; learnt <= bin-learnDelay; learnt++ {
		if v := s.recent.value(learnt); !math.IsNaN(v) {
			was := s.recent.expected[s.recent.index(learnt)]
			v = min(v, s.recent.believable(learnt+learnDelay, was, s.counting.event))
			s.profile.learn(s.calendar.place(learnt), v)
		}
	}
	if s.calendar.pulses > 1 {
		for middle := first - s.halfHour; middle <= bin-s.halfHour; middle++ {
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
	s.profile.learnPulse(s.calendar.place(bin), middle/mean, weight)
}

// point forecasts the mean rate of one bin from the present under weights.
func (s *Seasonal) point(target int64, weights *[features]float64) issued {
	pl := s.calendar.place(target)
	now := &s.present
	factor := s.profile.pulse.factor[pl.pulse]
	ahead := max(1, target-now.bin) // a bin that came already is answered like the next
	e := s.profile.at(pl, &s.weights, false)
	if !e.known {
		fade := math.Exp(-float64(ahead*s.calendar.step) / (2 * secondsPerHour))
		return issued{target: target, point: float32(factor * (now.slow + fade*(now.fast-now.slow)))}
	}
	f := issued{target: target, base: float32(e.value), basis: fromProfile}
	p, fast, slow := e.value, now.fastR, now.slowR
	switch {
	case e.standIn || now.disproved:
		f.basis = fromStandIn
		standIn := s.standInWeights(ahead)
		weights = &standIn
	case now.standIn:
		// A ratio to days of another kind says nothing about this one.
		fast, slow = 1, 1
	}
	x := [features]float64{p * (fast - slow), p * (slow - 1), factor*now.fast - p*fast, factor * (now.last - now.fast)}
	y := p
	for i, v := range x {
		y += weights[i] * v
		f.features[i] = float32(v)
	}
	most := max(p, factor*now.fast, factor*now.last)
	f.point = float32(min(max(y, 0), maxRatio*most))
	f.unit = float32(math.Sqrt(s.counting.variance(max(p, factor*now.fast))))
	return f
}

// standInWeights carry the present where no day of the kind was seen, or where
// the last minutes look like no such day (a holiday, a jump of the level): the
// level itself for the next while, the ratio to the other days for longer.
func (s *Seasonal) standInWeights(steps int64) [features]float64 {
	lead := time.Duration(steps*s.calendar.step) * time.Second
	w := priorWeights(lead)
	w[2] = math.Exp(-float64(lead) / float64(standInFade))
	return w
}
