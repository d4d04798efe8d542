package report

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/simulator"
)

// A plot is drawn in a box of plotWidth by plotHeight units, which the page
// scales as a whole. The drawing lies between the edges; outside of them stand
// the labels.
const (
	plotWidth  = 1120
	plotHeight = 300
	plotLeft   = 50
	plotRight  = 1062
	plotTop    = 40
	plotBottom = 270
)

// frame is the same box for the template.
type frame struct{ Width, Height, Left, Right, Top, Bottom int }

// Inside is the height of the drawing.
func (f frame) Inside() int { return f.Bottom - f.Top }

// Beside is where labels stand, left and right of the drawing.
func (f frame) Beside() [2]int { return [2]int{f.Left - 7, f.Right + 7} }

// plot is one chart over the time of the run: layers from the back to the front,
// one scale at the left and one at the right. The template draws it.
type plot struct {
	Frame   frame
	Label   string // what it shows, for those who do not see it
	Left    string // what the left scale counts
	Right   string
	Rows    []row   // horizontal lines with their labels
	Times   []mark  // upright lines
	Layers  []layer // back to front
	Dots    []dot
	Columns []column

	start    time.Time
	duration time.Duration
	left     axis
	right    axis
}

// row is a horizontal line, labelled on both sides.
type row struct{ At, Left, Right string }

// layer is one path; its class says how it looks.
type layer struct{ Class, Path string }

// dot is a mark above the drawing that leads to a decision.
type dot struct{ X, Class, To, Says string }

// column is a span of time that tells its numbers when pointed at.
type column struct{ X, Width, Says string }

// newPlot makes the scales for values up to a most on each side.
func newPlot(s Summary, leftMost, rightMost float64, whole bool) *plot {
	p := &plot{
		Frame: frame{plotWidth, plotHeight, plotLeft, plotRight, plotTop, plotBottom},
		start: s.Start, duration: s.Duration, left: axisFor(leftMost, 0, whole),
	}
	p.right = axisFor(rightMost, p.left.steps(), false)
	for i := range p.left.steps() + 1 {
		p.Rows = append(p.Rows, row{coordinate(p.y(p.left, float64(i)*p.left.step)), p.left.text(i), p.right.text(i)})
	}
	for _, line := range timeLines(s.Start, s.Duration) {
		p.Times = append(p.Times, mark{coordinate(p.x(line.at)), line.text})
	}
	return p
}

func (p *plot) x(at time.Time) float64 {
	return plotLeft + (plotRight-plotLeft)*float64(at.Sub(p.start))/float64(p.duration)
}

func (p *plot) y(a axis, v float64) float64 {
	return plotBottom - (plotBottom-plotTop)*v/a.top
}

// add puts a layer in front of the others.
func (p *plot) add(class, path string) {
	if path != "" {
		p.Layers = append(p.Layers, layer{class, path})
	}
}

// stepLine draws a quantity that holds until the next sample, up to the end of
// the run.
func (p *plot) stepLine(a axis, samples []simulator.Sample, value func(simulator.Sample) float64) string {
	var b strings.Builder
	last := ""
	for i, s := range samples {
		x, y := coordinate(p.x(s.At)), coordinate(p.y(a, value(s)))
		switch {
		case i == 0:
			b.WriteString("M" + x + " " + y)
		case y != last:
			b.WriteString("H" + x + "V" + y)
		}
		last = y
	}
	if last != "" {
		b.WriteString("H" + coordinate(plotRight))
	}
	return b.String()
}

// stepArea fills from the axis up to a step line.
func (p *plot) stepArea(a axis, samples []simulator.Sample, value func(simulator.Sample) float64) string {
	line := p.stepLine(a, samples, value)
	if line == "" {
		return ""
	}
	return line + "V" + coordinate(plotBottom) + "H" + coordinate(p.x(samples[0].At)) + "Z"
}

// stepBand fills between two step lines, where they differ.
func (p *plot) stepBand(a axis, samples []simulator.Sample, low, high func(simulator.Sample) float64) string {
	var b strings.Builder
	for i := 0; i < len(samples); i++ {
		from := i
		for i < len(samples) && high(samples[i]) > low(samples[i]) {
			i++
		}
		if i == from {
			continue
		}
		run, end := samples[from:i], float64(plotRight)
		if i < len(samples) {
			end = p.x(samples[i].At)
		}
		b.WriteString("M" + coordinate(p.x(run[0].At)) + " " + coordinate(p.y(a, low(run[0]))))
		for _, s := range run {
			b.WriteString("H" + coordinate(p.x(s.At)) + "V" + coordinate(p.y(a, high(s))))
		}
		b.WriteString("H" + coordinate(end))
		for _, s := range slices.Backward(run) {
			b.WriteString("V" + coordinate(p.y(a, low(s))) + "H" + coordinate(p.x(s.At)))
		}
		b.WriteString("Z")
	}
	return b.String()
}

// slope draws straight lines from point to point.
func (p *plot) slope(a axis, points []point) string {
	var b strings.Builder
	for i, q := range points {
		if i == 0 {
			b.WriteString("M")
		} else {
			b.WriteString("L")
		}
		b.WriteString(coordinate(p.x(q.at)) + " " + coordinate(p.y(a, q.value)))
	}
	return b.String()
}

// point is a value at an instant.
type point struct {
	at    time.Time
	value float64
}

// level draws a horizontal line through the whole plot.
func (p *plot) level(a axis, v float64) string {
	return "M" + coordinate(plotLeft) + " " + coordinate(p.y(a, v)) + "H" + coordinate(plotRight)
}

// maxColumns is how many spans of time tell their numbers.
const maxColumns = 170

// divide cuts the samples into columns of a round span of time and lets each say
// something of its own.
func (p *plot) divide(samples []simulator.Sample, says func(from, to int) string) {
	step := clockStep(p.duration, maxColumns-1)
	end := p.start.Add(p.duration)
	for from := 0; from < len(samples); {
		begin := samples[from].At.UTC().Truncate(step)
		to := from
		for to < len(samples) && samples[to].At.Before(begin.Add(step)) {
			to++
		}
		left, right := begin, begin.Add(step)
		if left.Before(p.start) {
			left = p.start
		}
		if right.After(end) {
			right = end
		}
		text := clock(left) + " to " + clock(right) + ": " + says(from, to)
		p.Columns = append(p.Columns, column{coordinate(p.x(left)), coordinate(p.x(right) - p.x(left)), text})
		from = to
	}
}

// coordinate writes a number with one decimal at most.
func coordinate(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}
