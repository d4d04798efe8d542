package outlook

import (
	"log/slog"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
)

// step is that of the loop's observations.
const step = time.Minute

// longestPause bounds how many rounds a server that fails is left alone.
const longestPause = 16

// Forecasters makes forecasters for one loop: each observes and forecasts as own does,
// and lets the server's answer, where there is a good one, take the place of its own.
// All forecasters of the loop are asked about together, when the first of them is
// asked at a new time.
func (c *Client) Forecasters(own control.Forecasters) control.Forecasters {
	p := &panel{client: c, log: c.config.Log}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	return func(model fleet.Model) forecast.Forecaster {
		m := &member{panel: p, model: model.Name, own: own(model), round: p.round}
		p.members = append(p.members, m)
		return m
	}
}

// panel is what the forecasters of one loop share. Like them it is used by one
// goroutine at a time.
type panel struct {
	client  *Client
	log     *slog.Logger
	members []*member
	round   int       // counts the times at which forecasts were made
	at      time.Time // of the round
	answers map[fleet.ModelName]forecast.Path

	failures int  // rounds in which the server failed, one after the other
	pause    int  // rounds for which it is left alone
	failing  bool // as it was told
}

// member is the forecaster of one model.
type member struct {
	panel *panel
	model fleet.ModelName
	own   forecast.Forecaster
	round int // in which it was asked last
	past  []forecast.Observation
}

// Observe teaches the loop's own forecaster, and keeps what the server will be told.
func (m *member) Observe(o forecast.Observation) error {
	err := m.own.Observe(o)
	if err != nil {
		return err
	}
	o.At = o.At.Truncate(step)
	if n := len(m.past); n == 0 || o.At.After(m.past[n-1].At) {
		m.past = append(m.past, o)
	}
	// Twice the history is kept before the older half is dropped.
	if keep := int(m.panel.client.config.History / step); len(m.past) > 2*keep {
		m.past = slices.Clone(m.past[len(m.past)-keep:])
	}
	return nil
}

// Forecast answers with the server's forecast, else with the own one.
func (m *member) Forecast(now time.Time, leads []time.Duration) forecast.Path {
	p := m.panel
	own := m.own.Forecast(now, leads)
	if p.round == 0 || !p.at.Equal(now) {
		p.begin(now, own)
	}
	m.round = p.round
	answer, ok := p.answers[m.model]
	if !ok || !slices.EqualFunc(answer.Points, own.Points, func(a, b forecast.Point) bool { return a.Lead == b.Lead }) {
		return own
	}
	delete(p.answers, m.model) // its slices are the caller's from now on
	return answer
}

// begin asks the server about every model that was still asked about in the round
// before, or is new, with the leads of a path.
func (p *panel) begin(now time.Time, like forecast.Path) {
	p.members = slices.DeleteFunc(p.members, func(m *member) bool { return m.round < p.round })
	p.round++
	p.at, p.answers = now, nil
	if p.pause > 0 {
		p.pause--
		return
	}
	leads := make([]time.Duration, len(like.Points))
	for i, pt := range like.Points {
		leads[i] = pt.Lead
	}
	reply, err := p.client.ask(p.request(now, leads))
	if err != nil {
		p.failures++
		p.pause = min(1<<min(p.failures-1, 10), longestPause) - 1
		if !p.failing {
			p.log.Warn("the external forecaster fails; own forecasts stand", "cause", err)
		}
		p.failing = true
		return
	}
	p.answers = make(map[fleet.ModelName]forecast.Path, len(reply.Forecasts))
	var wrong error
	for _, f := range reply.Forecasts {
		path, err := f.path(now, leads)
		if err != nil {
			p.log.Debug("an external forecast is set aside", "model", string(f.Model), "cause", err)
			wrong = err
			continue
		}
		p.answers[f.Model] = path
	}
	switch failing := wrong != nil; {
	case failing && !p.failing:
		p.log.Warn("the external forecaster answers with what is no forecast; own forecasts stand", "cause", wrong)
	case !failing && p.failing:
		p.log.Info("the external forecaster answers again")
	}
	p.failures, p.failing = 0, wrong != nil
}

// request tells what was seen of the models up to now.
func (p *panel) request(now time.Time, leads []time.Duration) Request {
	r := Request{Version: Version, Now: now.UTC(), StepSeconds: int(step / time.Second), Levels: forecast.Levels()}
	for _, lead := range leads {
		r.Leads = append(r.Leads, int64(lead/time.Second))
	}
	from := now.Add(-p.client.config.History).Truncate(step)
	for _, m := range p.members {
		r.Series = append(r.Series, m.series(from, now))
	}
	return r
}

// series lays the bins from a time until another out evenly; what was never observed
// is null.
func (m *member) series(from, until time.Time) Series {
	past := slices.DeleteFunc(slices.Clone(m.past), func(o forecast.Observation) bool { return o.At.Before(from) || o.At.After(until) })
	if len(past) == 0 {
		return Series{Model: m.model, From: from.UTC(), Values: []*float64{}}
	}
	s := Series{Model: m.model, From: past[0].At.UTC()}
	s.Values = make([]*float64, past[len(past)-1].At.Sub(past[0].At)/step+1)
	for i := range past {
		if past[i].Known {
			s.Values[past[i].At.Sub(past[0].At)/step] = &past[i].Value
		}
	}
	return s
}
