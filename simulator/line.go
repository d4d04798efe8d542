package simulator

// request is one request inside the world.
type request struct {
	at   int64   // arrival, nanoseconds since the start
	work float64 // multiple of the model's average request
}

// line is where requests wait, the oldest first. Where callers lose patience, an
// event stands in the heap for the moment in which the first of them does.
type line struct {
	ring
	alarm int64 // time of that event; 0 when there is none
}

// ring is a first-in-first-out queue of requests that grows and never shrinks.
type ring struct {
	items []request
	head  int
	n     int
}

func (r *ring) len() int { return r.n }

func (r *ring) first() *request { return &r.items[r.head] }

// at is the i-th oldest.
func (r *ring) at(i int) *request { return &r.items[(r.head+i)&(len(r.items)-1)] }

// push adds a request in order of age. Nearly all are the youngest; one that
// comes from a server that drains goes before those that came after it.
func (r *ring) push(q request) {
	if r.n == len(r.items) {
		r.grow()
	}
	i := r.n
	for ; i > 0 && r.at(i-1).at > q.at; i-- {
		*r.at(i) = *r.at(i - 1)
	}
	*r.at(i) = q
	r.n++
}

func (r *ring) pop() request {
	q := r.items[r.head]
	r.head = (r.head + 1) & (len(r.items) - 1)
	r.n--
	return q
}

// grow doubles the storage, a power of two, and straightens the queue.
func (r *ring) grow() {
	items := make([]request, max(16, 2*len(r.items)))
	for i := range r.n {
		items[i] = *r.at(i)
	}
	r.items, r.head = items, 0
}
