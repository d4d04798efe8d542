package evaluate

import (
	"image/color"
	"math"
	"strconv"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// style gives a panel its axes, grid and letters.
func (p *Picture) style(pl *plot.Plot, rows []drawn, top float64) {
	pl.Title.TextStyle.Font, pl.Title.TextStyle.Color = sans(vg.Points(13)), inkActual
	pl.Title.Padding = vg.Points(8)
	for _, axis := range []*plot.Axis{&pl.X, &pl.Y} {
		axis.Tick.Label.Font, axis.Tick.Label.Color = sans(vg.Points(10)), inkText
		axis.Width, axis.Tick.Length = 0, 0
		axis.Tick.Color = color.Transparent
		axis.Padding = vg.Points(4)
	}
	grid := plotter.NewGrid()
	grid.Horizontal = draw.LineStyle{Color: inkGrid, Width: vg.Points(0.8)}
	grid.Vertical = grid.Horizontal
	pl.Add(grid)
	pl.X.Min, pl.X.Max = p.x(rows[0]), p.x(rows[len(rows)-1])
	if pl.X.Max <= pl.X.Min {
		pl.X.Min, pl.X.Max = pl.X.Min-1, pl.X.Max+1
	}
	pl.X.Tick.Marker = days{}
	pl.Y.Min, pl.Y.Max = 0, 1
	if !math.IsInf(top, 1) {
		pl.Y.Max = top
	}
	pl.Y.Tick.Marker = numbers{}
}

// sans is the letter of everything.
func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

// legend tells what one ink means.
func legend(name string, thumbnail plot.Thumbnailer) plot.Legend {
	l := plot.NewLegend()
	l.TextStyle.Font, l.TextStyle.Color = sans(vg.Points(11)), inkText
	l.Top, l.Left = true, true
	l.ThumbnailWidth, l.Padding = vg.Points(20), vg.Points(2)
	l.Add(name, thumbnail)
	return l
}

// days ticks at midnights, at some hours where few days are shown, and at fewer
// midnights where many are. Times are seconds of a local clock.
type days struct{}

func (days) Ticks(low, high float64) []plot.Tick {
	every := 3600.0
	for _, step := range []float64{3 * 3600, 6 * 3600, 86400, 2 * 86400, 7 * 86400, 14 * 86400, 28 * 86400, 91 * 86400} {
		if every = step; (high-low)/step <= 16 {
			break
		}
	}
	var out []plot.Tick
	for x := math.Ceil(low/every) * every; x <= high; x += every {
		at := time.Unix(int64(x), 0).UTC()
		label := at.Format("15:04")
		if math.Mod(x, 86400) == 0 {
			label = at.Format("Mon 2 Jan")
		}
		out = append(out, plot.Tick{Value: x, Label: label})
	}
	return out
}

// numbers ticks at round numbers, large ones with their thousands by letter.
type numbers struct{}

func (numbers) Ticks(low, high float64) []plot.Tick {
	every := math.Pow(10, math.Floor(math.Log10(max(high-low, math.SmallestNonzeroFloat64))))
	for _, part := range []float64{1, 0.5, 0.2} {
		if (high-low)/(every*part) >= fewTicks {
			every *= part
			break
		}
	}
	var out []plot.Tick
	for i := math.Ceil(low / every); i*every <= high; i++ {
		out = append(out, plot.Tick{Value: i * every, Label: letters(i * every)})
	}
	return out
}

// fewTicks is how many numbers an axis has at least.
const fewTicks = 4

func letters(v float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= unit.size {
			return strconv.FormatFloat(v/unit.size, 'g', 4, 64) + unit.name
		}
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
