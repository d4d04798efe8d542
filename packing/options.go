package packing

// Effort says how much work a solution is worth.
type Effort string

// Efforts, from the control loop's to the planner's. The empty Effort is Normal.
const (
	Low    Effort = "low"    // Well below a millisecond for a tick of the loop.
	Normal Effort = "normal" // A second or two for hundreds of models.
	High   Effort = "high"   // As long as it helps.
)

// Options say how hard to look.
type Options struct {
	Effort Effort
	// Steps limits the work, in moves tried and covers visited; zero takes the
	// limit of the effort. It is never time: the same problem and options have the
	// same answer.
	Steps int64
	// Stop is asked now and then whether to end with the best answer so far, which
	// says then that it is truncated; nil never ends it. It is how a caller with a
	// clock sets a limit on time, and the only thing that can make two answers to
	// the same problem differ.
	Stop func() bool
}

// plan is what an effort amounts to.
type plan struct {
	steps  int64
	rounds int // Of prices.
	most   int // Steps for each target, in all.
	aims   int // Targets tried at least.
	more   int // Steps of annealing to spend on further targets.
	anneal int // Steps for each target, per model.
	pool   int // Covers kept for each model.
	sums   int // Purchasable sums weighed to round the bound up.
	exact  int // Choices weighed to end the search of a small problem exactly.
}

func (o Options) plan() plan {
	p := plan{steps: 60_000_000, rounds: 150, aims: 14, more: 4_000_000, anneal: 800, most: 300_000, pool: 48, sums: 4_000_000, exact: 200_000}
	switch o.Effort {
	case Low:
		p = plan{steps: 200_000, rounds: 8, aims: 1, anneal: 20, most: 20_000, pool: 6, sums: 4_000, exact: 500}
	case High:
		p = plan{steps: 1_000_000_000, rounds: 400, aims: 60, more: 100_000_000, anneal: 6000, most: 4_000_000, pool: 96, sums: 16_000_000, exact: 10_000_000}
	}
	if o.Steps > 0 {
		p.steps = o.Steps
	}
	return p
}

// work counts down the steps that a solution may take.
type work struct {
	left    int64
	stop    func() bool
	unasked int // Steps since stop was asked.
	stopped bool
}

// askEvery is how many steps pass between two questions to the caller.
const askEvery = 2_000

func (w *work) spend(n int) {
	w.left -= int64(n)
	if w.unasked += n; w.stop != nil && w.unasked >= askEvery && !w.stopped {
		w.unasked = 0
		w.stopped = w.stop()
	}
}

func (w *work) done() bool { return w.left <= 0 || w.stopped }
