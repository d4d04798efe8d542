package simulator

// eventKind tells what happens.
type eventKind uint8

const (
	evArrival      eventKind = iota // subject: model
	evBatchDone                     // subject: replica
	evSessionEnds                   // subject: replica, detail: stream
	evPatience                      // subject: model, detail: replica whose queue it is, or -1
	evNodeReady                     // subject: node
	evReplicaReady                  // subject: replica
	evReshaped                      // subject: node, detail: GPU
	evMidnight                      // the day of the account ends
	evFault                         // subject: fault, which begins
	evFaultOver                     // subject: fault
	evNotice                        // subject: node, whose seller takes it back
	evTaken                         // subject: node
	evScrape                        // the signals are read
)

// event is something that happens at an instant. The ticket makes the order of
// simultaneous events total.
type event struct {
	at      int64 // nanoseconds since the start
	ticket  uint64
	subject int32
	detail  int32
	kind    eventKind
}

func (e event) before(o event) bool {
	return e.at < o.at || e.at == o.at && e.ticket < o.ticket
}

// heap is a four-ary min-heap of events: shallower than a binary one, and the
// four children share a cache line or two.
type heap struct {
	events []event
	ticket uint64
}

// push puts an event into the heap and returns its ticket.
func (h *heap) push(e event) uint64 {
	h.ticket++
	e.ticket = h.ticket
	h.events = append(h.events, e)
	i := len(h.events) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(h.events[parent]) {
			break
		}
		h.events[i] = h.events[parent]
		i = parent
	}
	h.events[i] = e
	return e.ticket
}

func (h *heap) pop() event {
	top := h.events[0]
	last := len(h.events) - 1
	e := h.events[last]
	h.events = h.events[:last]
	if last == 0 {
		return top
	}
	i := 0
	for {
		child := 4*i + 1
		if child >= last {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, last); c++ {
			if h.events[c].before(h.events[least]) {
				least = c
			}
		}
		if !h.events[least].before(e) {
			break
		}
		h.events[i] = h.events[least]
		i = least
	}
	h.events[i] = e
	return top
}
