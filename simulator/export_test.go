package simulator

// BareLoop is the reference of the benchmarks, for those that need a scenario: what an
// M/M/c queue costs that knows nothing else.
type BareLoop struct{ queue *bareQueue }

// NewBareLoop is a bare loop of so many servers at a load of 0.8.
func NewBareLoop(servers int) *BareLoop {
	return &BareLoop{newBareQueue(servers, newEndless(0.8*float64(servers)/benchMean, 1))}
}

// Run lets so many requests arrive and tells how many were served in all.
func (b *BareLoop) Run(requests int64) int {
	for range requests {
		b.queue.step()
	}
	return b.queue.served
}
