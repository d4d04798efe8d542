package report

import (
	"testing"

	"pgregory.net/rapid"
)

// A name that found a place covers no point and no other name, and lies in the drawing.
func TestNamesCoverNothingWhileThereIsRoom(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := frame{Width: 700, Height: 300, Left: 60, Right: 600, Top: 30, Bottom: 260}
		l := newLabels(f)
		n := rapid.IntRange(1, 4).Draw(rt, "points") // so few find room wherever they are
		var xs, ys []float64
		for range n {
			xs = append(xs, rapid.Float64Range(60, 600).Draw(rt, "x"))
			ys = append(ys, rapid.Float64Range(60, 230).Draw(rt, "y"))
			l.mark(xs[len(xs)-1], ys[len(ys)-1])
		}
		for i := range n {
			before := len(l.taken)
			l.place("static-peak", xs[i], ys[i])
			if len(l.taken) != before+1 {
				rt.Fatalf("point %d of %d found no place for its name", i, n)
			}
		}
		for i, name := range l.taken[n:] {
			for j, other := range l.taken {
				if j != n+i && name.meets(other) {
					rt.Fatalf("name %d covers what %d holds: %v, %v", i, j, name, other)
				}
			}
		}
	})
}
