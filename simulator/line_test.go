package simulator

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestRingIsASortedList: whatever is pushed and popped, it holds what a list
// would that is sorted by age, equal ones in the order in which they came.
func TestRingIsASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r ring
		var twin []request
		for i, at := range rapid.SliceOf(rapid.Int64Range(-30, 50)).Draw(t, "pushes, and pops below zero") {
			if at >= 0 {
				q := request{at: at, work: float64(i)}
				r.push(q)
				twin = append(twin, q)
				slices.SortStableFunc(twin, func(a, b request) int { return cmp.Compare(a.at, b.at) })
			} else if len(twin) > 0 {
				if got := r.pop(); got != twin[0] {
					t.Fatalf("popped %v, want %v", got, twin[0])
				}
				twin = twin[1:]
			}
			if r.len() != len(twin) || len(twin) > 0 && *r.first() != twin[0] {
				t.Fatalf("%d wait, want %d", r.len(), len(twin))
			}
			for i := range twin {
				if *r.at(i) != twin[i] {
					t.Fatalf("the %d-th is %v, want %v", i, *r.at(i), twin[i])
				}
			}
		}
	})
}

// TestHeapSortsByTimeThenTicket: simultaneous events happen in the order in which
// they were asked for.
func TestHeapSortsByTimeThenTicket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h heap
		var twin []event
		pop := func() {
			slices.SortStableFunc(twin, func(a, b event) int { return cmp.Compare(a.at, b.at) })
			if got := h.pop(); got.at != twin[0].at || got.subject != twin[0].subject {
				t.Fatalf("popped %+v, want %+v", got, twin[0])
			}
			twin = twin[1:]
		}
		for i, at := range rapid.SliceOf(rapid.Int64Range(-10, 20)).Draw(t, "pushes, and pops below zero") {
			if at >= 0 {
				e := event{at: at, subject: int32(i)}
				h.push(e)
				twin = append(twin, e)
			} else if len(twin) > 0 {
				pop()
			}
		}
		for len(twin) > 0 {
			pop()
		}
	})
}
