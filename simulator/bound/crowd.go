package bound

import "github.com/tessera-autoscaler/tessera/simulator/traffic"

// crowd finds for every request how many requests of its model could share a
// batch with it, itself included, if all of them are to be in time: no more than
// arrive in some span of one limit that holds it. Requests go in as they arrive
// and come out in the same order, at most a batch or a limit later.
type crowd struct {
	limit   int64 // nanoseconds
	most    int   // a larger crowd makes no difference
	waiting queue[traffic.Request]
	spans   queue[span] // the fullest that may hold the next request, fullest first
	emit    func(r traffic.Request, together int)
}

// span begins with a request and holds so many; until is its end.
type span struct {
	requests int
	until    int64
}

func (c *crowd) add(r traffic.Request) {
	for c.waiting.n > 0 && int64(r.At-c.waiting.first().At) > c.limit {
		c.next()
	}
	c.waiting.push(r)
	if c.waiting.n >= c.most {
		c.next()
	}
}

// flush lets all come out that still wait.
func (c *crowd) flush() {
	for c.waiting.n > 0 {
		c.next()
	}
}

// next lets the oldest come out: all that are in a span with it have been seen,
// or as many as matter.
func (c *crowd) next() {
	now := span{min(c.waiting.n, c.most), int64(c.waiting.first().At) + c.limit}
	for c.spans.n > 0 && c.spans.last().requests <= now.requests {
		c.spans.n--
	}
	c.spans.push(now)
	r := *c.waiting.first()
	for c.spans.first().until < int64(r.At) {
		c.spans.pop()
	}
	c.waiting.pop()
	c.emit(r, c.spans.first().requests)
}

// queue is a ring that grows and never shrinks.
type queue[T any] struct {
	items   []T
	head, n int
}

func (q *queue[T]) first() *T { return &q.items[q.head] }
func (q *queue[T]) last() *T  { return &q.items[(q.head+q.n-1)&(len(q.items)-1)] }

func (q *queue[T]) pop() {
	q.head = (q.head + 1) & (len(q.items) - 1)
	q.n--
}

func (q *queue[T]) push(x T) {
	if q.n == len(q.items) {
		items := make([]T, max(16, 2*len(q.items)))
		for i := range q.n {
			items[i] = q.items[(q.head+i)&(len(q.items)-1)]
		}
		q.items, q.head = items, 0
	}
	q.items[(q.head+q.n)&(len(q.items)-1)] = x
	q.n++
}
