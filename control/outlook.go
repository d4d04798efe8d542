package control

import (
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/policy"
)

// Outlook is the demand that is expected until money is given anew, in hours of the
// clock. Forecasts for sizing end with the keep horizon; a day's money does not.
type Outlook struct {
	At     time.Time  `json:"at"`     // the hour in which it was made begins
	Models []Expected `json:"models"` // sorted by model; those of which nothing is foreseen are not there
}

// Expected is the demand of a model, in mean requests or sessions a second.
type Expected struct {
	Model fleet.ModelName `json:"model"`
	Day   []float64       `json:"day"`  // in the 24 hours from the outlook's on
	Mean  float64         `json:"mean"` // of all hours that a cap speaks of, a day at least and a week at most
	Peak  float64         `json:"peak"` // of the busiest of them
}

const (
	day = 24 * time.Hour
	// week is how far is looked: what comes then is taken to be like it.
	week = 7 * day
)

// outlook asks the forecasters once an hour what the caps by the day and the month have to
// last for; nil where no cap asks for it, or it was asked in this hour already.
func (l *Loop) outlook(now time.Time, pace Pace) *Outlook {
	hour := now.UTC().Truncate(time.Hour)
	budgets := l.settings.Policy.Budgets
	if pace != Planning || hour.Equal(l.outlooked) || !slices.ContainsFunc(budgets, policy.Budget.Paced) {
		return nil
	}
	end := hour.Add(day)
	for _, b := range budgets {
		if b.Paced() && b.End(now).After(end) {
			end = b.End(now)
		}
	}
	if last := hour.Add(week); end.After(last) {
		end = last
	}
	var leads []time.Duration
	for at := hour; at.Before(end); at = at.Add(time.Hour) {
		leads = append(leads, max(0, at.Add(30*time.Minute).Sub(now)))
	}
	out := &Outlook{At: hour}
	for _, m := range l.settings.Policy.Models {
		path := l.forecaster[m.Name].Forecast(now, leads)
		if path.Basis == forecast.BasisNone || len(path.Points) != len(leads) {
			continue
		}
		out.Models = append(out.Models, expected(m.Name, path))
	}
	return out
}

// expected condenses a path of hours, a day at least.
func expected(m fleet.ModelName, path forecast.Path) Expected {
	e := Expected{Model: m}
	for i, point := range path.Points {
		e.Peak = max(e.Peak, rounded(point.Mean))
		if i < int(day/time.Hour) {
			e.Day = append(e.Day, rounded(point.Mean))
		}
		e.Mean += point.Mean / float64(len(path.Points))
	}
	e.Mean = rounded(e.Mean)
	return e
}

// constant is what is expected where nothing is foreseen: all goes on as it is.
func constant(m fleet.ModelName, rate float64) Expected {
	return Expected{Model: m, Day: slices.Repeat([]float64{rate}, int(day/time.Hour)), Mean: rate, Peak: rate}
}

// of finds what is expected of a model, and how many hours of it are over.
func (o *Outlook) of(m fleet.ModelName, now time.Time) (e Expected, gone int, ok bool) {
	if o == nil {
		return Expected{}, 0, false
	}
	gone = int(now.Sub(o.At) / time.Hour)
	i := slices.IndexFunc(o.Models, func(e Expected) bool { return e.Model == m })
	if i < 0 || gone < 0 || gone >= len(o.Models[i].Day) {
		return Expected{}, 0, false
	}
	return o.Models[i], gone, true
}
