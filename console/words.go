package console

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// number prints a quantity with three digits, or all digits before the point.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case a == 0:
		return "0"
	case a < 0.01:
		return strconv.FormatFloat(v, 'g', 2, 64)
	case a < 10:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a < 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return grouped(strconv.FormatFloat(v, 'f', 0, 64))
}

// grouped parts thousands by a narrow space.
func grouped(digits string) string {
	sign := ""
	if digits != "" && digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	out := ""
	for len(digits) > 3 {
		out = "\u202f" + digits[len(digits)-3:] + out
		digits = digits[:len(digits)-3]
	}
	return sign + digits + out
}

// percent prints a share with two decimals, rounded down, so that a share below
// one never reads as 100.
func percent(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	scaled := math.Floor(v*1e4+1e-6) / 100
	return strconv.FormatFloat(scaled, 'f', 2, 64) + " %"
}

// wholePercent prints a share without decimals.
func wholePercent(v float64) string { return strconv.FormatFloat(100*v, 'f', 0, 64) + " %" }

// money prints an amount as its own words do, with the thousands parted.
func money(m fleet.Money) string {
	text := m.Describe()
	begin := strings.IndexAny(text, "0123456789")
	point := strings.IndexByte(text, '.')
	if begin < 0 || point < begin {
		return text
	}
	return text[:begin] + grouped(text[begin:point]) + text[point:]
}

// counted prints a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// span prints a duration in its two largest units.
func span(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return pair(int(d.Minutes()), "min", int(d.Seconds())%60, "s")
	case d < 48*time.Hour:
		return pair(int(d.Hours()), "h", int(d.Minutes())%60, "min")
	}
	return pair(int(d.Hours())/24, "d", int(d.Hours())%24, "h")
}

func pair(a int, unit string, b int, smaller string) string {
	if b == 0 {
		return fmt.Sprintf("%d %s", a, unit)
	}
	return fmt.Sprintf("%d %s %d %s", a, unit, b, smaller)
}

// briefly prints an instant of the log: with its date unless it is of the same
// day as now.
func briefly(at, now time.Time) string {
	at, now = at.UTC(), now.UTC()
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format("15:04:05")
	}
	return at.Format("2 Jan 15:04")
}

// short is what a narrow slice can hold: the language, or the begin of the
// model's name.
func short(s sliceView) string {
	if s.Language != "" {
		return string(s.Language)
	}
	runes := []rune(string(s.Model))
	return string(runes[:min(3, len(runes))])
}

// hint says all that is known of a slice.
func hint(s sliceView) string {
	place := fmt.Sprintf("memory slices %d to %d", s.Start, s.Start+s.Size-1)
	if s.Size == 1 {
		place = fmt.Sprintf("memory slice %d", s.Start)
	}
	switch s.State {
	case sliceUncut:
		return place + ": not cut into a slice"
	case sliceFree:
		return fmt.Sprintf("%s, %s: free", s.Profile, place)
	}
	text := fmt.Sprintf("%s, %s: %s %s, %s %s", s.Profile, place, s.Model, s.Variant, s.Replica, s.State)
	if !s.Since.IsZero() {
		text += " since " + s.Since.UTC().Format("2 Jan 15:04:05")
	}
	if s.InFlight != nil {
		text += ", in flight: " + s.InFlight.String()
	}
	return text
}

// reading is a signal as a cell of a table shows it.
type reading struct {
	Text  string
	Known bool
	Cause string // why it is unknown, or how old it is
}

func read(s fleet.Signal, show func(float64) string) reading {
	v, ok := s.Read()
	if !ok {
		return reading{Text: "unknown", Cause: cause(s)}
	}
	r := reading{Text: show(v), Known: true}
	if s.Age() > 0 {
		r.Cause = "measured " + span(s.Age()) + " ago"
	}
	return r
}
