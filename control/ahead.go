package control

import "time"

// Horizons tells how far ahead a decision under these settings looks: until a replica
// on a warm slice serves, until one on a new node does, and until a node bought now has
// earned its keep. Need.Now, Need.Lead and Need.Keep are the needs up to these times.
func Horizons(s Settings) (load, lead, keep time.Duration) {
	h := horizonsOf(s)
	return h.load, h.lead, h.keep
}
