package report

import (
	"slices"
	"unicode/utf8"
)

// labels finds places for the names of points, such that they cover neither each other
// nor a point while there is room.
type labels struct {
	frame frame
	taken []box
}

// box is a part of a drawing.
type box struct{ left, top, right, bottom float64 }

func (b box) meets(o box) bool {
	return b.left < o.right && o.left < b.right && b.top < o.bottom && o.top < b.bottom
}

// label is where a name stands: its baseline, and the class that says which end of it
// is there.
type label struct {
	x, y   float64
	anchor string
}

const (
	pointRadius = 6.0
	labelHeight = 13.0
	labelLetter = 6.6 // width of a letter, on average and generously
)

func newLabels(f frame) *labels { return &labels{frame: f} }

// mark keeps the place of a point free.
func (l *labels) mark(x, y float64) {
	l.taken = append(l.taken, box{x - pointRadius, y - pointRadius, x + pointRadius, y + pointRadius})
}

// place puts a name beside its point, else above or below it, further away the more
// there is in the way; where nothing is free it stands beside it all the same.
func (l *labels) place(name string, x, y float64) label {
	width := labelLetter * float64(utf8.RuneCountInString(name))
	for away := range 4 {
		for _, side := range []float64{0, -1, 1} {
			dy := 4 + side*labelHeight*(1+float64(away))
			if side == 0 && away > 0 {
				continue
			}
			right, left := label{x + 10, y + dy, ""}, label{x - 10, y + dy, "end"}
			if l.take(box{right.x, right.y - 10, right.x + width, right.y + 3}) {
				return right
			}
			if l.take(box{left.x - width, left.y - 10, left.x, left.y + 3}) {
				return left
			}
		}
	}
	return label{x + 10, y + 4, ""}
}

// take takes a place that is inside of the drawing and free.
func (l *labels) take(b box) bool {
	if b.left < 0 || b.right > float64(l.frame.Width) || b.top < float64(l.frame.Top)-labelHeight || b.bottom > float64(l.frame.Bottom) {
		return false
	}
	if slices.ContainsFunc(l.taken, b.meets) {
		return false
	}
	l.taken = append(l.taken, b)
	return true
}
