package traffic

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"strconv"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// streamKey names one random stream of a run. Streams of different keys are
// independent, because their generators start at hashes of the keys.
type streamKey struct {
	seed    uint64
	model   fleet.ModelName
	purpose string // what is drawn from the stream, such as "arrivals"
	part    int    // tells apart several sources of one model
}

// words hashes the key to two words, the size of a PCG state.
func (k streamKey) words() (uint64, uint64) {
	text := strconv.FormatUint(k.seed, 10) + "\x00" + k.purpose + "\x00" + strconv.Itoa(k.part) + "\x00" + string(k.model)
	sum := sha256.Sum256([]byte(text))
	return binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])
}

// random opens the stream.
func (k streamKey) random() *rand.Rand { return rand.New(rand.NewPCG(k.words())) }
