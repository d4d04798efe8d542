package console

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Charts are drawn in a box of chartWidth by chartHeight and stretched by the
// page. They show the last day.
const (
	chartWidth  = 288 // one for each bin of a day
	chartHeight = 48
	chartSpan   = 24 * time.Hour
	chartMargin = 3 // above the highest and below the lowest point, for the width of the line
)

// charts are the lines of a page.
type charts struct {
	Hourly     chart
	Attainment chart
	Models     map[fleet.ModelName]chart
}

// chart is one drawing: a line, and an area behind it where there is one, each in
// pieces between gaps, as points of SVG polylines and polygons.
type chart struct {
	Lines  []string
	Areas  []string
	Low    float64 // of the line
	High   float64
	Top    float64 // of the box, in the unit of the line
	Usable bool    // there are two points at least
}

// chartsOf draws the last day of the fleet and of each model.
func chartsOf(past *history, models []fleet.Model) charts {
	out := charts{Models: make(map[fleet.ModelName]chart, len(models))}
	hourly := past.last(&past.hourly, chartSpan)
	out.Hourly = draw(hourly, hourly, 0)
	out.Attainment = draw(past.last(&past.attainment, chartSpan), nil, 0.98)
	for _, m := range models {
		if s := past.models[m.Name]; s != nil {
			out.Models[m.Name] = draw(coarser(past.last(&s.demand, chartSpan)), coarser(past.last(&s.ready, chartSpan)), 0)
		}
	}
	return out
}

// coarser averages three bins into one: a small chart has no room for more.
func coarser(values []float64) []float64 {
	const by = 3
	var out []float64
	for len(values) > 0 {
		n := min(by, len(values))
		sum, known := 0.0, 0
		for _, v := range values[:n] {
			if !math.IsNaN(v) {
				sum, known = sum+v, known+1
			}
		}
		if known == 0 {
			out = append(out, math.NaN())
		} else {
			out = append(out, sum/float64(known))
		}
		values = values[n:]
	}
	return out
}

// draw makes a chart of a line over an area, both ending now and with NaN as
// gaps. The box begins at floor, or at the lowest point where that is lower.
func draw(line, area []float64, floor float64) chart {
	low, high, known := extent(line)
	bottom, top := min(floor, low), high
	if _, areaHigh, n := extent(area); n > 0 {
		top = max(top, areaHigh)
		known = max(known, n)
	}
	if known < 2 {
		return chart{}
	}
	if top <= bottom {
		top = bottom + 1
	}
	c := chart{Low: low, High: high, Top: top, Usable: true}
	for _, piece := range pieces(line, bottom, top) {
		c.Lines = append(c.Lines, strings.Join(piece.points, " "))
	}
	for _, piece := range pieces(area, bottom, top) {
		c.Areas = append(c.Areas, piece.left+",48 "+strings.Join(piece.points, " ")+" "+piece.right+",48")
	}
	return c
}

// extent finds the lowest and highest known value, and how many there are.
func extent(values []float64) (low, high float64, known int) {
	for _, v := range values {
		if math.IsNaN(v) {
			continue
		}
		if known == 0 {
			low, high = v, v
		}
		low, high = min(low, v), max(high, v)
		known++
	}
	return low, high, known
}

// piece is a run of points without a gap.
type piece struct {
	points      []string
	left, right string // its ends on the axis
}

// pieces places values on the box and parts them at gaps. A value that stands
// alone becomes a line as long as its bin.
func pieces(values []float64, bottom, top float64) []piece {
	var out []piece
	var run piece
	width := float64(chartWidth) / float64(max(1, len(values)))
	end := func() {
		if len(run.points) > 0 {
			out = append(out, run)
		}
		run = piece{}
	}
	for i, v := range values {
		if math.IsNaN(v) {
			end()
			continue
		}
		share := (v - bottom) / (top - bottom)
		y := coordinate(chartHeight - chartMargin - share*(chartHeight-2*chartMargin))
		left, right := coordinate(float64(i)*width), coordinate(float64(i+1)*width)
		if len(run.points) == 0 {
			run.left = left
			run.points = append(run.points, left+","+y)
		}
		run.points, run.right = append(run.points, right+","+y), right
	}
	end()
	return out
}

// coordinate writes a number with one decimal at most.
func coordinate(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}
