package control

import "time"

// Horizons tells how far ahead a decision under these settings looks that left this memory,
// with what it learnt of delays: until a replica on a warm slice serves, until one on a new
// node does, and until a node bought now has earned its keep. Need.Now, Need.Lead and
// Need.Keep are the needs up to these times.
func Horizons(s Settings, after Memory) (load, lead, keep time.Duration) {
	h := horizonsOf(s, after.Learnt)
	return h.load, h.lead, h.keep
}
