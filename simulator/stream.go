package simulator

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"strconv"
)

// stream is the random stream for a purpose, the same in every run of a seed.
// Streams of different purposes are independent, because their generators start
// at hashes of seed and purpose.
func stream(seed uint64, purpose string) *rand.Rand {
	sum := sha256.Sum256([]byte("world\x00" + strconv.FormatUint(seed, 10) + "\x00" + purpose))
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])))
}

// stream is a stream of the world's own seed.
func (w *World) stream(purpose string) *rand.Rand { return stream(w.seed, purpose) }
