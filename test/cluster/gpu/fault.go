package gpu

// Fault is how a mig-manager misbehaves.
type Fault int

// The faults that have been seen on real nodes.
const (
	// None is a mig-manager in good health.
	None Fault = iota
	// Stuck leaves every change pending, until the label gets another value.
	Stuck
	// Fails ends every change with the state failed, the GPUs cut as before.
	Fails
	// SuccessWithoutDevices ends every change with the state success, and the device
	// plugin reports nothing.
	SuccessWithoutDevices
)

// everyNode is the name under which a fault for nodes without one of their own is kept.
const everyNode = ""

// Fault makes the mig-manager of a node misbehave in all changes that have not ended,
// until it is set to None. An empty name means every node that has no fault of its own,
// those to come too.
func (o *Operator) Fault(node string, f Fault) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.faults[node] = f
}

// FaultOnce makes it misbehave in the next change that ends, and be healthy afterwards.
func (o *Operator) FaultOnce(node string, f Fault) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.once[node] = f
}

// takeFault answers the fault of a change that ends now.
func (o *Operator) takeFault(node string) Fault {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, name := range []string{node, everyNode} {
		if f, ok := o.once[name]; ok {
			delete(o.once, name)
			return f
		}
	}
	for _, name := range []string{node, everyNode} {
		if f, ok := o.faults[name]; ok {
			return f
		}
	}
	return None
}
