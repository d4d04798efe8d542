package evaluate

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// The ink of pictures: dark for what came, blue for what was forecast, and red, used
// for nothing else, for misses.
var (
	inkActual = color.NRGBA{38, 42, 51, 255}
	inkBand   = color.NRGBA{120, 170, 220, 90}
	inkMedian = color.NRGBA{31, 104, 178, 255}
	inkBought = color.NRGBA{227, 137, 36, 255}
	inkMiss   = color.NRGBA{205, 32, 44, 255}
	inkGrid   = color.NRGBA{228, 230, 234, 255}
	inkText   = color.NRGBA{70, 76, 88, 255}
)

const (
	wide, high = 16 * vg.Inch, 8.5 * vg.Inch
	dotsInch   = 110
	mostShown  = 1500 // rows of a panel
)

// paint draws a line of title, one of names, and both panels.
func (p *Picture) paint(out io.Writer, title string, busiest []drawn) error {
	all, names, err := p.panel(thin(p.rows, mostShown), vg.Points(0.7))
	if err != nil {
		return err
	}
	near, _, err := p.panel(thin(busiest, 2*mostShown), vg.Points(1.1))
	if err != nil {
		return err
	}
	near.Title.Text = "the busiest days of it"
	img := vgimg.NewWith(vgimg.UseWH(wide, high), vgimg.UseDPI(dotsInch), vgimg.UseBackgroundColor(color.White))
	canvas := draw.New(img)
	heading := all.Title.TextStyle
	heading.XAlign, heading.YAlign = text.XCenter, text.YTop
	canvas.FillText(heading, vg.Point{X: canvas.Center().X, Y: canvas.Max.Y - vg.Points(12)}, title)
	for i, name := range names {
		middle := canvas.Center().X + vg.Length(2*i-len(names))*nameWidth/2
		name.Draw(draw.Crop(canvas, middle, 0, 0, -vg.Points(34)))
	}
	tiles := draw.Tiles{
		Rows: 2, Cols: 1, PadTop: vg.Points(58), PadBottom: vg.Points(10), PadLeft: vg.Points(12), PadRight: vg.Points(26), PadY: vg.Points(16),
	}
	for i, canvases := range plot.Align([][]*plot.Plot{{all}, {near}}, tiles, canvas) {
		[]*plot.Plot{all, near}[i].Draw(canvases[0])
	}
	_, err = vgimg.PngCanvas{Canvas: img}.WriteTo(out)
	return err
}

// nameWidth is the room of a name in the line of names.
const nameWidth = 96 * vg.Length(1)

// panel draws rows over time, and tells what its inks mean. A gap interrupts band and
// lines; what is far above everything that came is cut off.
func (p *Picture) panel(rows []drawn, width vg.Length) (*plot.Plot, []plot.Legend, error) {
	pl, top := plot.New(), p.top(rows)
	p.style(pl, rows, top)
	var names []plot.Legend
	runs := p.runs(rows)
	for i, run := range runs {
		band, err := plotter.NewPolygon(p.band(run, top))
		if err != nil {
			return nil, nil, err
		}
		band.Color, band.Width = inkBand, 0
		pl.Add(band)
		if i == 0 {
			names = append(names, legend("95 % band", band))
		}
	}
	for _, l := range []struct {
		name string
		of   func(drawn) float64
		ink  color.Color
	}{
		{fmt.Sprintf("bought, q%g", p.Level), func(r drawn) float64 { return min(r.bought, top) }, inkBought},
		{"median", func(r drawn) float64 { return min(r.median, top) }, inkMedian},
		{"actual", func(r drawn) float64 { return r.actual }, inkActual},
	} {
		for i, run := range runs {
			line, err := plotter.NewLine(p.points(run, l.of))
			if err != nil {
				return nil, nil, err
			}
			line.Color, line.Width = l.ink, width
			pl.Add(line)
			if i == 0 {
				thick := *line
				thick.Width = vg.Points(2)
				names = append(names, legend(l.name, &thick))
			}
		}
	}
	dots, err := plotter.NewScatter(p.points(missed(rows), func(r drawn) float64 { return r.actual }))
	if err != nil {
		return nil, nil, err
	}
	dots.GlyphStyle = draw.GlyphStyle{Color: inkMiss, Radius: vg.Points(1.7), Shape: draw.CircleGlyph{}}
	pl.Add(dots)
	return pl, append(names, legend("miss", dots)), nil
}

// missed are the values above what was bought.
func missed(rows []drawn) []drawn {
	var out []drawn
	for _, r := range rows {
		if r.missed {
			out = append(out, r)
		}
	}
	return out
}

func (p *Picture) points(rows []drawn, of func(drawn) float64) plotter.XYs {
	out := make(plotter.XYs, len(rows))
	for i, r := range rows {
		out[i] = plotter.XY{X: p.x(r), Y: of(r)}
	}
	return out
}

// band is the outline of the band: along its top, and back along its bottom.
func (p *Picture) band(rows []drawn, top float64) plotter.XYs {
	out := p.points(rows, func(r drawn) float64 { return min(r.high, top) })
	for _, r := range slices.Backward(rows) {
		out = append(out, plotter.XY{X: p.x(r), Y: min(r.low, top)})
	}
	return out
}

// x is the place of a row: seconds of the clock of the zone, so that ticks fall on its
// midnights.
func (p *Picture) x(r drawn) float64 {
	at := p.Series.At(r.target).In(p.zone())
	_, offset := at.Zone()
	return float64(at.Unix() + int64(offset))
}

func (p *Picture) zone() *time.Location {
	if p.Zone == nil {
		return time.UTC
	}
	return p.Zone
}

// runs cuts rows where a gap is: a distance over twice the usual one.
func (p *Picture) runs(rows []drawn) [][]drawn {
	usual := max(1, (rows[len(rows)-1].target-rows[0].target)/max(1, len(rows)-1))
	var out [][]drawn
	from := 0
	for i := 1; i <= len(rows); i++ {
		if i == len(rows) || rows[i].target-rows[i-1].target > 3*usual {
			out = append(out, rows[from:i])
			from = i
		}
	}
	return out
}

// top bounds what is shown: a band may be far wider than anything that came.
func (p *Picture) top(rows []drawn) float64 {
	top, band := 0.0, 0.0
	for _, r := range rows {
		top, band = max(top, r.actual), max(band, r.actual, r.bought, r.high)
	}
	if top <= 0 {
		return math.Inf(1)
	}
	return min(1.6*top, 1.05*band)
}
