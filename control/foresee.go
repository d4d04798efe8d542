package control

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/forecast/holidays"
	"github.com/tessera-autoscaler/tessera/forecast/panel"
)

// Forecasters makes the forecaster of a model that the loop has not met before.
type Forecasters func(model fleet.Model) forecast.Forecaster

// OwnForecasters makes what foresees demand where nobody else does. Each model has a
// forecaster in the calendar of the country where its language is at home. Models of
// one group and class whose countries share their clocks, such as French and German
// captions, are a family: they lend each other the shape of the day.
func OwnForecasters() Forecasters {
	families := map[family]*panel.Family{}
	return func(m fleet.Model) forecast.Forecaster {
		own := seasonal(m)
		key := familyOf(m)
		if families[key] == nil {
			families[key] = panel.NewFamily(time.Minute, seasonal(m))
		}
		return families[key].Join(own)
	}
}

// family is what models have in common that are taken to live alike.
type family struct {
	group          fleet.GroupName
	class          fleet.ClassName
	winter, summer int           // seconds that the clocks are ahead of UTC
	chance         time.Duration // span over which what is forecast varies by chance
}

func familyOf(m fleet.Model) family {
	f := family{group: m.Group, class: m.Class, chance: chanceSpan(m)}
	if days := home(m.Language); days != nil {
		_, f.winter = time.Date(2026, 1, 1, 0, 0, 0, 0, days.Zone()).Zone()
		_, f.summer = time.Date(2026, 7, 1, 0, 0, 0, 0, days.Zone()).Zone()
	}
	return f
}

// home is the country of a language, nil where it is not known.
func home(language fleet.Language) *holidays.Days {
	country, known := holidays.Home(string(language))
	if !known {
		return nil
	}
	days, err := holidays.Of(country)
	if err != nil {
		return nil // no time zones on this machine: days begin at midnight UTC
	}
	return days
}

// seasonal is a forecaster in the calendar of the country of a model's language, its
// holidays included, or in UTC without any.
func seasonal(m fleet.Model) forecast.Forecaster {
	unit := forecast.Unit(bin.Seconds() / chanceSpan(m).Seconds())
	days := home(m.Language)
	if days == nil {
		return forecast.NewSeasonal(bin, unit)
	}
	return forecast.NewSeasonal(bin, unit, forecast.In(days.Zone()), forecast.Holidays(days.Holiday))
}
