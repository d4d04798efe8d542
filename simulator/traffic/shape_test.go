package traffic

import (
	"math"
	"testing"
	"time"
)

func mustShape(t *testing.T, name string) *Shape {
	t.Helper()
	s, ok := NewShape(name)
	if !ok {
		t.Fatalf("no shape %s", name)
	}
	return s
}

func TestEveryShapePeaksAtOne(t *testing.T) {
	for _, name := range Shapes() {
		s := mustShape(t, name)
		top, low := 0.0, 1.0
		for day := range time.Weekday(7) {
			for m := range minutesPerDay {
				top, low = max(top, s.At(day, m)), min(low, s.At(day, m))
			}
		}
		if top != 1 || low <= 0 {
			t.Errorf("%s lies between %v and %v", name, low, top)
		}
	}
}

func TestOfficeHoursLookLikeAnOffice(t *testing.T) {
	s := mustShape(t, ShapeOfficeHours)
	at := func(day time.Weekday, hour, minute int) float64 { return s.At(day, hour*60+minute) }
	between := func(what string, x, low, high float64) {
		t.Helper()
		if x < low || x > high {
			t.Errorf("%s: %.3f is not between %v and %v", what, x, low, high)
		}
	}
	between("mid-morning", at(time.Tuesday, 10, 30), 0.95, 1)
	between("lunch", at(time.Tuesday, 12, 35), 0.65, 0.8)
	between("afternoon", at(time.Tuesday, 15, 0), 0.95, 1)
	between("first people", at(time.Tuesday, 8, 0), 0.3, 0.7)
	between("evening", at(time.Tuesday, 20, 0), 0.03, 0.15)
	between("night", at(time.Tuesday, 3, 0), 0.01, 0.05)
	mean := func(day time.Weekday) float64 {
		sum := 0.0
		for m := range minutesPerDay {
			sum += s.At(day, m)
		}
		return sum / minutesPerDay
	}
	between("Saturday against Wednesday", mean(time.Saturday)/mean(time.Wednesday), 0.1, 0.15)
	between("Sunday against Wednesday", mean(time.Sunday)/mean(time.Wednesday), 0.1, 0.15)
	for day := range time.Weekday(7) {
		for m := range minutesPerDay - 1 {
			if jump := math.Abs(s.At(day, m+1) - s.At(day, m)); jump > 0.02 {
				t.Fatalf("the shoulders are not smooth: %v at %v %d:%02d", jump, day, m/60, m%60)
			}
		}
	}
}

func TestMeetingsStartAndEndOnTheClock(t *testing.T) {
	// The minute's value against the mean of the half hours around it.
	ratio := func(s *Shape, m int) float64 {
		sum := 0.0
		for i := m - 30; i < m+30; i++ {
			sum += s.At(time.Tuesday, i)
		}
		return s.At(time.Tuesday, m) / (sum / 60)
	}
	top, end := mustShape(t, ShapeTopOfHour), mustShape(t, ShapeMeetingEnd)
	const ten = 10 * 60
	for _, tc := range []struct {
		what      string
		shape     *Shape
		minute    int
		low, high float64
	}{
		{"calls start at the full hour", top, ten, 1.4, 1.75},
		{"and go on starting", top, ten + 4, 1.1, 1.5},
		{"a smaller burst at half past", top, ten + 30, 1.05, 1.35},
		{"nothing in between", top, ten + 20, 0.8, 0.95},
		{"summaries come just before the hour", end, ten - 1, 2, 4},
		{"and before half past", end, ten + 29, 1.5, 2.5},
		{"few otherwise", end, ten + 15, 0.4, 0.8},
	} {
		if r := ratio(tc.shape, tc.minute); r < tc.low || r > tc.high {
			t.Errorf("%s: %.2f times the hour around, expected %v to %v", tc.what, r, tc.low, tc.high)
		}
	}
}

// The day on which clocks change has 23 or 25 hours, and the office opens by the
// clock on the wall on both sides of it.
func TestClocksChange(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	g := office("transcribe-fr", 10)
	g.Steady = true
	at := func(day int, hour int) float64 {
		bins := g.Expected(time.Date(2024, time.March, day, hour, 0, 0, 0, paris), time.Minute, time.Minute, 1)
		return bins[0].Requests
	}
	for hour := range 24 {
		if hour == 2 { // does not exist on the 31st
			continue
		}
		if before, on := at(24, hour), at(31, hour); before != on {
			t.Errorf("Sunday %d:00 local: %v a week before the change, %v on the day", hour, before, on)
		}
		if before, after := at(25, hour), at(32, hour); before != after {
			t.Errorf("Monday %d:00 local: %v a week before the change, %v after", hour, before, after)
		}
	}
	day := func(d, month int) float64 {
		from := time.Date(2024, time.Month(month), d, 0, 0, 0, 0, paris)
		to := time.Date(2024, time.Month(month), d+1, 0, 0, 0, 0, paris)
		return total(g.Expected(from, to.Sub(from), time.Hour, 1))
	}
	night := func(h int) float64 { return 60 * at(24, h) }
	usual := day(24, 3)
	if short := day(31, 3); math.Abs(short-(usual-night(2)))/usual > 1e-3 {
		t.Errorf("the short day has %v requests, a usual one %v", short, usual)
	}
	if long := day(27, 10); math.Abs(long-(usual+night(2)))/usual > 1e-3 {
		t.Errorf("the long day has %v requests, a usual one %v", long, usual)
	}
}

func TestZonesAddUpToThePeak(t *testing.T) {
	g := Generated{Model: "transcribe-en", Shape: ShapeOfficeHours, Peak: 30, Steady: true, Zones: []ZoneWeight{
		{"Europe/London", 3}, {"America/New_York", 4}, {"America/Los_Angeles", 2},
	}}
	top := 0.0
	bins := g.Expected(monday, 7*24*time.Hour, time.Minute, 1)
	for _, b := range bins {
		top = max(top, b.Requests/60)
	}
	if math.Abs(top-30) > 0.01 {
		t.Errorf("the mean rate reaches %v, asked for 30", top)
	}
	// The afternoon of London meets the morning of New York: a longer, later day
	// than that of one zone.
	if morning, both := bins[8*60].Requests, bins[15*60].Requests; morning > both*0.6 {
		t.Errorf("%v at 8:00 UTC against %v at 15:00", morning, both)
	}
	// A weight of one alone is the zone alone.
	one := Generated{Model: "m", Shape: ShapeOfficeHours, Peak: 2, Zones: []ZoneWeight{{"Asia/Kolkata", 7}}}
	same := Generated{Model: "m", Shape: ShapeOfficeHours, Peak: 2, Zone: "Asia/Kolkata"}
	if a, b := total(one.Expected(monday, 24*time.Hour, time.Hour, 1)), total(same.Expected(monday, 24*time.Hour, time.Hour, 1)); a != b {
		t.Errorf("%v with a weight, %v without", a, b)
	}
}

// The level wanders by a few per cent, slowly, around 1, and neighbouring days
// are alike.
func TestLevelWandersSlowly(t *testing.T) {
	l := newLevel(streamKey{seed: 1, model: "m"})
	const days = 4000
	var noon []float64
	mean, squares := 0.0, 0.0
	for d := range int64(days) {
		x := l.at(d * 86400)
		noon = append(noon, x)
		mean += x / days
		squares += x * x / days
	}
	if math.Abs(mean-1) > 0.004 {
		t.Errorf("mean level %v", mean)
	}
	if sd := math.Sqrt(squares - mean*mean); sd < 0.03 || sd > 0.042 { // sqrt(0.03^2+0.02^2) = 0.036
		t.Errorf("standard deviation %v", sd)
	}
	// Lag 1: 0.6 of the variance of days, nothing of that of hours.
	if c := correlation(noon[1:], noon[:days-1]); math.Abs(c-0.6*9/13) > 0.06 {
		t.Errorf("neighbouring days correlate by %.3f", c)
	}
	for s := int64(0); s < 30*86400; s += 60 {
		if jump := math.Abs(l.at(s+60) - l.at(s)); jump > 0.003 {
			t.Fatalf("the level jumps by %v at %d", jump, s)
		}
	}
}
