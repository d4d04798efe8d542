package recording

import (
	"errors"
	"regexp"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// grafana reads what a panel of Grafana hands out under Inspect, Data: times in
// the first column and a series in each other. Where "formatted data" was on,
// values carry units and thousands, which nobody can undo for certain.
type grafana struct{ *seriesDecoder }

const grafanaFix = "open Inspect > Data of the panel again, turn \"Formatted data\" off, and download the CSV"

// united is a number with anything behind it: 1.2 K, 12 req/s, 1,234 or 40%.
var united = regexp.MustCompile(`^-?[0-9][0-9.,\x{a0}\x{202f} ]*[^0-9]*`)

func newGrafana(in *input, names []string) (decoder, error) {
	if in.opt.Unit == "" {
		return nil, in.whole(FaultUnit, "say that the unit is rate, for requests a second, or requests, for a count of each step", "a panel of Grafana does not tell whether it shows rates or counts")
	}
	d, err := newSeries(in, names)
	g := &grafana{d}
	return g, g.explain(err)
}

func (g *grafana) rows() ([]Row, error) {
	rows, err := g.seriesDecoder.rows()
	return rows, g.explain(err)
}

// explain says of values that cannot be read how to get better ones.
func (g *grafana) explain(err error) error {
	wrong, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	switch wrong.Fault {
	case FaultNumber:
		for _, i := range g.order {
			if text := string(g.fields[i]); !isNumber(text) && united.MatchString(text) {
				wrong.Fault, wrong.Fix = FaultUnit, grafanaFix
				wrong.What = "value " + words.Quote(text) + " carries a unit or is written for people, and what it counts is not certain"
				break
			}
		}
	case FaultTime:
		wrong.Fix = grafanaFix + "; times are then milliseconds since 1970 or 2006-01-02 15:04:05, taken as UTC"
	}
	return wrong
}
