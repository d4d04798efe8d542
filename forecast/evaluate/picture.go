package evaluate

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/forecast/series"
)

// Picture is what one series and the forecasts of one lead look like.
type Picture struct {
	Series *series.Series
	Lead   time.Duration
	Level  float64 // that is bought
	Zone   *time.Location
	rows   []drawn
}

// drawn is what a picture needs of a row.
type drawn struct {
	target                    int
	actual, low, median, high float64
	bought                    float64
	missed                    bool
}

// NewPicture begins the picture of a series at a lead.
func NewPicture(s *series.Series, lead time.Duration, level float64, zone *time.Location) *Picture {
	return &Picture{Series: s, Lead: lead, Level: level, Zone: zone}
}

// Add adds a forecast; they come in order of their targets. One without a band is
// left out.
func (p *Picture) Add(r Row) {
	if q := r.Answer.Quantiles; q != nil {
		p.rows = append(p.rows, drawn{r.Target, r.Actual, q[lower], q[median], q[upper], r.Answer.Bought, r.Actual > r.Answer.Bought})
	}
}

// Draw writes the picture as PNG: above, all that was scored; below, its busiest
// three days, with every step. The actual values are a line, the forecast a median and
// a band that holds nineteen of twenty values, what would be bought a line over it,
// and misses are dots: values above what would be bought.
func (p *Picture) Draw(out io.Writer) error {
	if len(p.rows) == 0 {
		return fmt.Errorf("series %q: nothing was scored at a lead of %s, so there is nothing to draw", p.Series.Name, Length(p.Lead))
	}
	covered := len(p.rows) - len(missed(p.rows))
	title := fmt.Sprintf("%s, %s ahead: %.1f%% of values at or below q%g", p.Series.Name, Length(p.Lead), 100*float64(covered)/float64(len(p.rows)), p.Level)
	return p.paint(out, title, p.busiest())
}

// detail is how long the lower panel is.
const detail = 3 * 24 * time.Hour

// busiest returns the rows of the days with the most demand: those from which on the
// sum over detail is largest.
func (p *Picture) busiest() []drawn {
	most := int(detail / p.Series.Step)
	best, from, to := math.Inf(-1), 0, len(p.rows)
	sum, first := 0.0, 0
	for i, r := range p.rows {
		sum += r.actual
		for r.target-p.rows[first].target >= most {
			sum -= p.rows[first].actual
			first++
		}
		if sum > best {
			best, from, to = sum, first, i+1
		}
	}
	return p.rows[from:to]
}

// thin halves rows until a panel can show them. Of two it keeps the miss, or else the
// higher value, so that no peak is lost, and nor is a miss but beside another one.
func thin(rows []drawn, most int) []drawn {
	for len(rows) > most {
		half := make([]drawn, 0, len(rows)/2+1)
		for i := 0; i+1 < len(rows); i += 2 {
			half = append(half, rows[i].join(rows[i+1]))
		}
		if len(rows)%2 == 1 {
			half = append(half, rows[len(rows)-1])
		}
		rows = half
	}
	return rows
}

// join makes one of two rows that follow each other.
func (r drawn) join(o drawn) drawn {
	kept, other := r, o
	if o.missed && !r.missed || o.missed == r.missed && o.actual > r.actual {
		kept, other = o, r
	}
	kept.low, kept.high = min(kept.low, other.low), max(kept.high, other.high)
	kept.median = (kept.median + other.median) / 2
	if !kept.missed {
		kept.bought = max(kept.bought, other.bought)
	}
	return kept
}
