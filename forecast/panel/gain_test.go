package panel

import (
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/forecast"
)

// lossOf forecasts five languages of one shape, each for itself or as a family, and
// returns what was lost on the four small ones at an hour and four hours.
func lossOf(t *testing.T, together bool) float64 {
	t.Helper()
	family := NewFamily(minute, forecast.NewSeasonal(minute))
	var languages []language
	for _, level := range []float64{10, 1.2, 1, 0.8, 0.1} {
		f := forecast.Forecaster(forecast.NewSeasonal(minute))
		if together {
			f = family.Join(f)
		}
		languages = append(languages, language{level: level, f: f})
	}
	leads := []time.Duration{time.Hour, 4 * time.Hour}
	type said struct {
		target int
		q      [5][2]float64
	}
	var pending []said
	total := 0.0
	live(t, 9, 5, languages, func(m int, now time.Time, rates []float64) {
		kept := pending[:0]
		for _, p := range pending {
			if p.target > m {
				kept = append(kept, p)
				continue
			}
			for i, y := range rates[1:] {
				total += loss(p.q[i+1], y) / languages[i+1].level
			}
		}
		pending = kept
		if m < 2*24*60 || m%11 != 0 {
			return
		}
		more := make([]said, len(leads))
		for i := range languages {
			p := languages[i].f.Forecast(now, leads)
			for k, lead := range leads {
				more[k].target = m + int(lead/minute)
				more[k].q[i] = [2]float64{p.Quantile(0.5, lead), p.Quantile(0.9, lead)}
			}
		}
		pending = append(pending, more...)
	})
	return total
}

// TestLanguagesHelpEachOther: whose shape is the family's gains by it also after days of
// history.
func TestLanguagesHelpEachOther(t *testing.T) {
	alone, together := lossOf(t, false), lossOf(t, true)
	t.Logf("loss alone %.5g, together %.5g", alone, together)
	if together > 0.98*alone {
		t.Errorf("together the languages lose %.3f of what each loses for itself", together/alone)
	}
}
