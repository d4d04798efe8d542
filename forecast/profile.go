package forecast

import "math"

const (
	// profileGain is the weight of the newest day of a kind once there are four.
	profileGain = 0.3
	// anyGain is the weight of the newest day in the profile over all kinds.
	anyGain = 0.5
	// smoothSeconds is how far the smoothing of a slot reaches to either side.
	smoothSeconds = 7 * 60
	// pulseKeep fades what was learnt about one minute of the hour, per hour:
	// half of it is from the last three days.
	pulseKeep = 0.9904
	// pulseShrink pulls a minute of the hour to 1, in hours' worth of evidence.
	pulseShrink = 3.0
	// profileRidge is how many bins of typical size the prior weights are worth.
	profileRidge = 60.0
)

// profilePrior weighs, before anything was learnt, the slot's own mean against
// its smoothed surroundings, and the mean of all days against that of its kind.
var profilePrior = [features]float64{0.3}

// profile is the expected rate by slot of the day and kind of day, and over all
// kinds. Slots hold exponentially weighted means; NaN is a slot never seen.
type profile struct {
	kinds [dayKinds + 1][]float32 // the last one is over all kinds
	days  [dayKinds][]uint8       // observations behind a slot, saturating
	pulse struct {                // by slot of the hour: rate over the mean of its hour
		sum, weight, factor []float64
		inverse             []float64 // 1/factor, with reach slots of the hour repeated at either end
	}
	reach int        // slots to either side in the smoothing
	gain  [2]float64 // for a kind and for all, per bin
	own   regression // of what came on what the smoothed profile leaves out
}

func newProfile(c *calendar) profile {
	var p profile
	for k := range p.kinds {
		p.kinds[k] = make([]float32, c.slots)
		for s := range p.kinds[k] {
			p.kinds[k][s] = float32(math.NaN())
		}
	}
	for k := range p.days {
		p.days[k] = make([]uint8, c.slots)
	}
	p.pulse.sum, p.pulse.weight = make([]float64, c.pulses), make([]float64, c.pulses)
	p.reach = int(smoothSeconds / c.width)
	p.pulse.factor, p.pulse.inverse = make([]float64, c.pulses), make([]float64, c.pulses+2*p.reach)
	for i := range p.pulse.factor {
		p.pulse.factor[i] = 1
	}
	for i := range p.pulse.inverse {
		p.pulse.inverse[i] = 1
	}
	// Several bins may share a slot; together they weigh what one bin would.
	share := float64(c.step) / float64(c.width)
	p.gain = [2]float64{1 - math.Pow(1-profileGain, share), 1 - math.Pow(1-anyGain, share)}
	return p
}

// expected is what the profile says of one place, with the parts it came from.
type expected struct {
	value    float64
	smoothed float64
	parts    [features]float64 // what may be added to smoothed, before weighing
	known    bool
	standIn  bool // no day of this kind was seen yet; other days stand in
}

// at returns what the profile says of a place under the given weights. Whole
// asks for every part, also those that weigh nothing now.
func (p *profile) at(pl place, weights *[features]float64, whole bool) expected {
	smooth, own, ok := p.smoothed(pl, pl.kind)
	if !ok {
		// No such day yet: the other days stand in, yesterday foremost.
		smooth, own, ok = p.smoothed(pl, dayKinds)
		if !ok {
			return expected{}
		}
		return expected{value: max(0, smooth+weights[0]*(own-smooth)), smoothed: smooth, known: true, standIn: true}
	}
	e := expected{smoothed: smooth, known: true}
	e.parts[0] = own - smooth
	if whole || weights[1] > 0 {
		if other, _, found := p.smoothed(pl, dayKinds); found {
			e.parts[1] = other - smooth
		}
	}
	e.value = max(0, smooth+weights[0]*e.parts[0]+weights[1]*e.parts[1])
	return e
}

// smoothed returns the mean of the slots around a place, each freed of its
// minute of the hour, with the place's own minute put back: the burst at the
// full hour is not smeared. It also returns the slot's own mean.
func (p *profile) smoothed(pl place, kind int) (smooth, own float64, ok bool) {
	row := p.kinds[kind]
	// around[k] belongs to slot pl.slot-reach+k: the hour is stored with both ends
	// repeated, and a day is cut where it wraps.
	around := p.pulse.inverse[pl.pulse : pl.pulse+2*p.reach+1]
	from, to := pl.slot-p.reach, pl.slot+p.reach+1
	sum, n := 0.0, 0
	if from < 0 {
		s, k := sumKnown(row[len(row)+from:], around)
		sum, n = sum+s, n+k
		around, from = around[-from:], 0
	}
	inDay := min(to, len(row))
	s, k := sumKnown(row[from:inDay], around)
	sum, n = sum+s, n+k
	if to > len(row) {
		s, k = sumKnown(row[:to-len(row)], around[inDay-from:])
		sum, n = sum+s, n+k
	}
	if n == 0 {
		return 0, 0, false
	}
	smooth = sum / float64(n) * p.pulse.factor[pl.pulse]
	own = smooth
	if v := float64(row[pl.slot]); !math.IsNaN(v) {
		own = v
	}
	return smooth, own, true
}

// sumKnown adds the known slots, each times its factor, and counts them.
func sumKnown(slots []float32, factors []float64) (sum float64, n int) {
	factors = factors[:len(slots)]
	for i, slot := range slots {
		if v := float64(slot); !math.IsNaN(v) {
			sum += v * factors[i]
			n++
		}
	}
	return sum, n
}

// weights returns how far to trust a slot's own mean and the mean of all days.
func (p *profile) weights() [features]float64 {
	return p.own.solve(profilePrior, profileRidge, 1)
}

// weigh learns these weights from a rate that came where e was expected; unit
// is a standard error there.
func (p *profile) weigh(e *expected, rate, unit, keep float64) {
	x := e.parts
	for i := range x {
		x[i] = clip(x[i]/unit, 8)
	}
	p.own.learn(x, clip((rate-e.smoothed)/unit, 8), keep)
}

// learn takes the rate of a place into its kind of day and into all days.
func (p *profile) learn(pl place, rate float64) {
	for i, kind := range [2]int{pl.kind, dayKinds} {
		slot := &p.kinds[kind][pl.slot]
		old := float64(*slot)
		if math.IsNaN(old) {
			*slot = float32(rate)
			continue
		}
		gain := p.gain[i]
		if i == 0 {
			gain = max(gain, 1/float64(p.days[pl.kind][pl.slot]+1))
		}
		*slot = float32(old + gain*(rate-old))
	}
	if d := &p.days[pl.kind][pl.slot]; *d < 200 {
		*d++
	}
}

// learnPulse takes the ratio of a bin to the mean of the hour around it. The
// weight, at most 1, is how much the ratio can be trusted.
func (p *profile) learnPulse(pl place, ratio, weight float64) {
	i := pl.pulse
	p.pulse.sum[i] = p.pulse.sum[i]*pulseKeep + min(ratio, 10)*weight
	p.pulse.weight[i] = p.pulse.weight[i]*pulseKeep + weight
	f := (p.pulse.sum[i] + pulseShrink) / (p.pulse.weight[i] + pulseShrink)
	f = min(max(f, 0.2), 5)
	p.pulse.factor[i] = f
	for k := (i + p.reach) % len(p.pulse.factor); k < len(p.pulse.inverse); k += len(p.pulse.factor) {
		p.pulse.inverse[k] = 1 / f
	}
}

// clip keeps v within [-limit, limit].
func clip(v, limit float64) float64 { return min(max(v, -limit), limit) }
