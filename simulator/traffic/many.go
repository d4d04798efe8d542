package traffic

import "container/heap"

// mergeMany merges many sources, such as the clients of a fleet: like Merge, but
// with a heap of their next requests.
func mergeMany(sources []Source) Source {
	m := &many{}
	for i, s := range sources {
		if r, ok := s.Next(); ok {
			m.heads = append(m.heads, waiting{r, i, s})
		}
	}
	heap.Init(m)
	return m
}

// waiting is the next request of a source.
type waiting struct {
	request Request
	order   int // of the source
	source  Source
}

type many struct{ heads []waiting }

// Next implements Source.
func (m *many) Next() (Request, bool) {
	if len(m.heads) == 0 {
		return Request{}, false
	}
	first := &m.heads[0]
	out := first.request
	if r, ok := first.source.Next(); ok {
		first.request = r
		heap.Fix(m, 0)
	} else {
		heap.Pop(m)
	}
	return out, true
}

func (m *many) Len() int { return len(m.heads) }

func (m *many) Less(i, j int) bool {
	a, b := &m.heads[i], &m.heads[j]
	return a.request.At < b.request.At || a.request.At == b.request.At && a.order < b.order
}

func (m *many) Swap(i, j int) { m.heads[i], m.heads[j] = m.heads[j], m.heads[i] }

func (m *many) Push(x any) { m.heads = append(m.heads, x.(waiting)) }

func (m *many) Pop() any {
	last := m.heads[len(m.heads)-1]
	m.heads = m.heads[:len(m.heads)-1]
	return last
}
