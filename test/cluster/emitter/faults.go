package emitter

// The jobs: labels job of the targets, and what faults are about.
const (
	JobTriton  = string(Triton)
	JobVLLM    = string(VLLM)
	JobDCGM    = "dcgm"
	JobGateway = "gateway"
	JobKafka   = "kafka"
)

var jobs = []string{JobTriton, JobVLLM, JobDCGM, JobGateway, JobKafka}

// faults is what the exporters do wrong. The traffic is as ever.
type faults struct {
	frozen     map[string][]byte // by path; nil while nothing is frozen
	down       map[string]bool   // by job
	lies       map[lie]float64
	duplicates map[string]bool // by model
}

type lie struct{ model, job string }

func newFaults() faults {
	return faults{down: map[string]bool{}, lies: map[lie]float64{}, duplicates: map[string]bool{}}
}

// Freeze lets all values stand still, or move again, while the targets go on to
// answer. The traffic flows on. A target that is first asked while all are frozen
// stays at what it says then.
func (e *Emitter) Freeze(on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.catchUp()
	e.faults.frozen = nil
	if !on {
		return
	}
	e.faults.frozen = map[string][]byte{}
	for _, target := range e.targets() {
		_, _ = e.body(target) // keeps it
	}
}

// Down lets the targets of some jobs, or of all if none is named, answer 503, or
// answer again. /sd still lists them.
func (e *Emitter) Down(on bool, some ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, job := range orAll(some) {
		e.faults.down[job] = on
	}
}

// Lie makes every number about a model read as value (zero, -1, NaN, ...) in some
// jobs, or in all if none is named; histograms then have no observation.
func (e *Emitter) Lie(model string, value float64, some ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, job := range orAll(some) {
		e.faults.lies[lie{e.model(model).Name, job}] = value
	}
}

// Truth ends the lies about a model.
func (e *Emitter) Truth(model string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, job := range jobs {
		delete(e.faults.lies, lie{e.model(model).Name, job})
	}
}

// Duplicate adds to each series about a model a second one with the same value and
// one more label, replica="b", or takes it away.
func (e *Emitter) Duplicate(model string, on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults.duplicates[e.model(model).Name] = on
}

func orAll(some []string) []string {
	if len(some) == 0 {
		return jobs
	}
	return some
}
