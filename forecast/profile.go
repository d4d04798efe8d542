package forecast

import "math"

const (
	// kindGain is the weight of the newest day of a kind once there are five,
	// anyGain that of the newest day over all kinds.
	kindGain = 0.2
	anyGain  = 0.3
	// smoothSeconds is how far the smoothing of a fine slot reaches to either side.
	smoothSeconds = 7 * 60
	// coarseSeconds and backSeconds are the lengths of the slots of a kind of day
	// and of the remembered days, where the step is not longer.
	coarseSeconds = 300
	backSeconds   = 1200
	// backDays is how far back the remembered days reach.
	backDays = 8
)

// profile is what past days say: by coarse slot of the day and kind of day, by
// fine slot over all kinds, and the last eight days themselves. Values are roots
// of rates, freed of the minute of the hour; NaN is a slot never seen.
type profile struct {
	fine  []float32
	kinds [dayKinds][]float32
	days  [dayKinds][]uint8 // bins behind a coarse slot, saturating
	back  past
	free  holiday

	coarse         int64   // seconds per coarse slot
	ring           bool    // coarse slots are smoothed with their neighbours
	reach          int     // fine slots to either side in the smoothing
	kind, fineGain float64 // weights of one bin
	perCoarse      float64 // fine slots in a coarse one
}

func newProfile(c *calendar) profile {
	p := profile{coarse: max(coarseSeconds, c.width), reach: int(smoothSeconds / c.width), back: newPast(c), free: newHoliday(c)}
	p.ring = p.coarse <= smoothSeconds
	p.fine = unknowns(c.slots)
	for k := range p.kinds {
		p.kinds[k] = unknowns(int((secondsPerDay + p.coarse - 1) / p.coarse))
		p.days[k] = make([]uint8, len(p.kinds[k]))
	}
	// Several bins may share a slot; together they weigh what one bin would.
	share := func(gain float64, width int64) float64 {
		return 1 - math.Pow(1-gain, float64(c.step)/float64(width))
	}
	p.kind, p.fineGain = share(kindGain, p.coarse), share(anyGain, c.width)
	p.perCoarse = float64(p.coarse) / float64(c.width)
	return p
}

func unknowns(n int) []float32 {
	row := make([]float32, n)
	for i := range row {
		row[i] = unknown
	}
	return row
}

// expected is what past days say of one place.
type expected struct {
	value   float64 // of the kind of day, smoothed
	kind    float64 // what the kind of day has over all days
	detail  float64 // what the place itself has over its surroundings
	known   bool
	standIn bool // no day of this kind was seen yet; other days stand in
}

// at returns what the profile says of a place.
func (p *profile) at(pl place) expected {
	all := p.around(pl.slot)
	if math.IsNaN(all) {
		return expected{}
	}
	e := expected{value: all, known: true, standIn: true}
	if own := p.ofKind(pl); !math.IsNaN(own) {
		e.value, e.kind, e.standIn = own, own-all, false
	}
	if v := float64(p.fine[pl.slot]); !math.IsNaN(v) && p.reach > 0 {
		e.detail = v - all
	}
	return e
}

// ofKind returns what is known of the kind of day of a place, NaN if nothing is.
func (p *profile) ofKind(pl place) float64 {
	own := p.smoothed(pl, pl.kind)
	if !pl.free {
		return own
	}
	rest := p.smoothed(pl, sunday)
	switch {
	case math.IsNaN(rest):
		return own
	case math.IsNaN(own):
		return rest
	}
	return p.free.expected(own, rest)
}

// around returns the mean of the fine slots around one, NaN if none was seen.
func (p *profile) around(slot int) float64 {
	sum, n := 0.0, 0.0
	k := slot - p.reach
	if k < 0 {
		k += len(p.fine)
	}
	for range 2*p.reach + 1 {
		if v := float64(p.fine[k]); v == v {
			sum, n = sum+v, n+1
		}
		if k++; k == len(p.fine) {
			k = 0
		}
	}
	return sum / n
}

// smoothed returns a kind of day at a place: the mean over a window three coarse
// slots wide around it, NaN if none was seen.
func (p *profile) smoothed(pl place, kind int) float64 {
	row := p.kinds[kind]
	at := int64(pl.second) / p.coarse
	if !p.ring {
		return float64(row[at])
	}
	off := float64(int64(pl.second)%p.coarse)/float64(p.coarse) - 0.5 // from the middle of the slot
	weight := [5]float64{max(0, -off), 1 - max(0, off), 1, 1 - max(0, -off), max(0, off)}
	sum, n := 0.0, 0.0
	for d, w := range weight {
		k := at + int64(d) - 2
		if k < 0 {
			k += int64(len(row))
		} else if k >= int64(len(row)) {
			k -= int64(len(row))
		}
		if v := float64(row[k]); v == v {
			sum, n = sum+w*v, n+w
		}
	}
	return sum / n // 0/0 is NaN
}

// learn takes the value of a place into its kind of day and into all days.
func (p *profile) learn(pl place, root float64) {
	if pl.free {
		own, rest := p.smoothed(pl, pl.kind), p.smoothed(pl, sunday)
		if !math.IsNaN(own + rest) {
			p.free.learn(root, own, rest)
			return // a holiday says nothing of other days
		}
		pl.kind = sunday // but is better than nothing
	}
	at := int64(pl.second) / p.coarse
	p.learnSlot(pl.kind, at, root)
	seen := 0.0
	for k := range p.days {
		seen += float64(p.days[k][at])
	}
	fine := &p.fine[pl.slot]
	if old := float64(*fine); old != old {
		*fine = float32(root)
	} else {
		*fine = float32(old + max(p.fineGain, min(1, p.perCoarse/seen))*(root-old))
	}
}

// learnSlot moves a coarse slot by its gain, or further while few bins are
// behind it.
func (p *profile) learnSlot(kind int, at int64, root float64) {
	slot, days := &p.kinds[kind][at], &p.days[kind][at]
	if *days < math.MaxUint8 {
		*days++
	}
	if old := float64(*slot); old != old {
		*slot = float32(root)
	} else {
		*slot = float32(old + max(p.kind, 1/float64(*days))*(root-old))
	}
}

// clip keeps v within [-limit, limit].
func clip(v, limit float64) float64 { return min(max(v, -limit), limit) }
