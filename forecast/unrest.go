package forecast

import "math"

const (
	unrestSlots = 48   // of the day, in the profile of errors
	unrestGain  = 0.15 // of a day's errors in a slot
	swingHalf   = 2400 // seconds after which a change from bin to bin counts half
	calmDays    = 3    // the same at large
	changeMost  = 50.0 // usual changes that one change counts as at most
	errorMost   = 6.0  // usual errors that one error counts as at most
)

// unrest says where and when errors are larger than usual: by half hour of the
// day, in shares of the usual error; and how much the series moves now against
// its custom.
type unrest struct {
	slot                      [unrestSlots]float32
	level                     float64 // slow mean of the roots
	swing, calm               float64 // size of the changes from bin to bin, of late and at large
	n                         float64
	gain, swingGain, calmGain float64
}

func newUnrest(c *calendar) unrest {
	var u unrest
	for i := range u.slot {
		u.slot[i] = 1
	}
	perSlot := max(1, secondsPerDay/unrestSlots/float64(c.step))
	u.gain = 1 - math.Pow(1-unrestGain, 1/perSlot)
	u.swingGain = 1 - math.Exp2(-float64(c.step)/swingHalf)
	u.calmGain = 1 - math.Exp2(-float64(c.step)/(calmDays*secondsPerDay))
	return u
}

// place returns the entry of a place in the day.
func (u *unrest) place(pl place) *float32 { return &u.slot[pl.second*unrestSlots/secondsPerDay] }

// learn takes an error at a place, in usual errors.
func (u *unrest) learn(pl place, size float64) {
	size = min(size, errorMost)
	s := u.place(pl)
	*s += float32(u.gain) * (float32(size) - *s)
}

// move takes a bin and the one before it, NaN if that is unknown.
func (u *unrest) move(root, before float64) {
	u.n++
	u.level += max(u.calmGain, 1/u.n) * (root - u.level)
	if math.IsNaN(before) {
		return
	}
	d := math.Abs(root - before)
	if u.calm > 0 {
		d = min(d, changeMost*u.calm)
	}
	u.calm += max(u.calmGain, 1/u.n) * (d - u.calm)
	u.swing += max(u.swingGain, 1/u.n) * (d - u.swing)
}
