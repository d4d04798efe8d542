package traffic

import (
	"math"
	"time"
)

const minutesPerDay = 24 * 60

// The shapes. Times are local; h is the hour of the day as a number, m the
// minute of the hour. Each shape is divided by its own maximum, so that its
// largest value is 1. The constants are chosen, not fitted; the bursts have the
// size seen in recorded service metrics with meetings (1.1 to 1.75 times the
// surrounding half hour).
const (
	// ShapeConstant is a constant rate with Poisson arrivals: 1.
	ShapeConstant = "constant"
	// ShapePoisson is another name of ShapeConstant.
	ShapePoisson = "poisson"
	// ShapeEven is a constant rate without randomness: one request every 1/peak
	// seconds, from a seeded first instant.
	ShapeEven = "even"
	// ShapeOfficeHours is working days between about eight and six with a dip at
	// lunch, a few per cent at night, and weekends of 12 to 14 % of a working day:
	//
	//	working day  0.03 + 0.97 S((h-8)/0.35) S((17.6-h)/0.45) (1 - 0.28 G(h-12.6, 0.6)) + 0.06 G(h-20, 1.8)
	//	Saturday     0.02 + 0.09 G(h-15, 4)
	//	Sunday       0.02 + 0.07 G(h-15, 4)
	//
	// with S(x) = 1/(1+exp(-x)) and G(x, s) = exp(-x*x/(2*s*s)), x taken around the
	// clock.
	ShapeOfficeHours = "office-hours"
	// ShapeTopOfHour is office hours of calls and meetings that start on the clock:
	//
	//	office-hours * (1 + 0.75 K(m) + 0.3 K(m-30)),  K(x) = 1 - x/9 for 0 <= x <= 8, else 0
	ShapeTopOfHour = "top-of-hour"
	// ShapeMeetingEnd is office hours of work that arrives when meetings end, such
	// as summaries:
	//
	//	office-hours * (0.4 + 1.6 L(m-55) + 0.9 L(m-25))
	//
	// with L(x) = (x+1)/5 for 0 <= x <= 4, L(5) = 1/2, else 0, m around the clock.
	ShapeMeetingEnd = "meeting-end"
	// ShapeEvening is use at home:
	//
	//	working day  0.05 + 0.95 G(h-20.5, 2.2) + 0.2 G(h-13, 3)
	//	weekend      0.05 + 0.95 G(h-20.5, 2.5) + 0.5 G(h-14, 3.5)
	ShapeEvening = "evening"
)

// Shapes lists the names of all shapes.
func Shapes() []string {
	return []string{
		ShapeConstant, ShapePoisson, ShapeEven, ShapeOfficeHours, ShapeTopOfHour, ShapeMeetingEnd, ShapeEvening,
	}
}

// Shape is a mean rate by local day of the week and minute of the day, as a
// share of its maximum.
type Shape struct {
	name  string
	table [7][minutesPerDay]float64
}

// NewShape tabulates the named shape; false means that there is none of that name.
func NewShape(name string) (*Shape, bool) {
	formula, ok := map[string]func(day time.Weekday, minute int) float64{
		ShapeConstant:    flat,
		ShapePoisson:     flat,
		ShapeEven:        flat,
		ShapeOfficeHours: officeHours,
		ShapeTopOfHour:   topOfHour,
		ShapeMeetingEnd:  meetingEnd,
		ShapeEvening:     evening,
	}[name]
	if !ok {
		return nil, false
	}
	s := &Shape{name: name}
	top := 0.0
	for day := range s.table {
		for minute := range s.table[day] {
			s.table[day][minute] = formula(time.Weekday(day), minute)
			top = max(top, s.table[day][minute])
		}
	}
	for day := range s.table {
		for minute := range s.table[day] {
			s.table[day][minute] /= top
		}
	}
	return s, true
}

// At is the share of the maximum at a local minute of the day, 0 to 1439.
func (s *Shape) At(day time.Weekday, minute int) float64 { return s.table[day][minute] }

// calendar tells whether the rate follows the calendar at all.
func (s *Shape) calendar() bool {
	return s.name != ShapeConstant && s.name != ShapePoisson && s.name != ShapeEven
}

func flat(time.Weekday, int) float64 { return 1 }

func officeHours(day time.Weekday, minute int) float64 {
	h := hour(minute)
	switch day {
	case time.Saturday:
		return 0.02 + 0.09*bell(h-15, 4)
	case time.Sunday:
		return 0.02 + 0.07*bell(h-15, 4)
	}
	presence := logistic((h-8)/0.35) * logistic((17.6-h)/0.45)
	return 0.03 + 0.97*presence*(1-0.28*bell(h-12.6, 0.6)) + 0.06*bell(h-20, 1.8)
}

func topOfHour(day time.Weekday, minute int) float64 {
	burst := func(x int) float64 {
		if x < 0 || x > 8 {
			return 0
		}
		return 1 - float64(x)/9
	}
	m := minute % 60
	return officeHours(day, minute) * (1 + 0.75*burst(m) + 0.3*burst(m-30))
}

func meetingEnd(day time.Weekday, minute int) float64 {
	burst := func(x int) float64 {
		switch {
		case x >= 0 && x <= 4:
			return float64(x+1) / 5
		case x == 5:
			return 0.5
		}
		return 0
	}
	m := minute % 60
	return officeHours(day, minute) * (0.4 + 1.6*burst((m+5)%60) + 0.9*burst(m-25))
}

func evening(day time.Weekday, minute int) float64 {
	h := hour(minute)
	if day == time.Saturday || day == time.Sunday {
		return 0.05 + 0.95*bell(h-20.5, 2.5) + 0.5*bell(h-14, 3.5)
	}
	return 0.05 + 0.95*bell(h-20.5, 2.2) + 0.2*bell(h-13, 3)
}

// hour is the middle of a minute of the day, in hours.
func hour(minute int) float64 { return (float64(minute) + 0.5) / 60 }

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// bell is a Gaussian bump of height 1 around the clock: x hours from its middle.
func bell(x, width float64) float64 {
	x = math.Abs(x)
	x = min(x, 24-x)
	return math.Exp(-x * x / (2 * width * width))
}
