package strictyaml

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// The units of durations, largest first. A day is 24 hours.
var durationUnits = []struct {
	name   string
	length time.Duration
}{
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
}

var errNoDuration = errors.New("is not a duration")

const durationHint = "write 300ms, 30s, 5m, 2h, 14d, or a sum from large to small such as 3d4h"

// ParseDuration reads a duration: numbers with the units d (24 hours), h, m, s
// and ms, from large to small, each at most once, as 3d4h. The last number may
// have a fraction. It is never negative, and at most 292 years.
func ParseDuration(text string) (time.Duration, error) {
	var total time.Duration
	rest, units := text, durationUnits
	for first := true; first || rest != ""; first = false {
		// 1. Digits, perhaps a fraction, then the name of a unit.
		numberEnd := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if numberEnd <= 0 {
			return 0, errNoDuration
		}
		number := rest[:numberEnd]
		unitEnd := strings.IndexAny(rest[numberEnd:], "0123456789.")
		if unitEnd < 0 {
			unitEnd = len(rest) - numberEnd
		}
		name := rest[numberEnd : numberEnd+unitEnd]
		rest = rest[numberEnd+unitEnd:]

		// 2. The unit must be smaller than the one before.
		i := 0
		for i < len(units) && units[i].name != name {
			i++
		}
		if i == len(units) {
			return 0, errNoDuration
		}
		part, err := durationPart(number, units[i].length, rest == "")
		if err != nil {
			return 0, err
		}
		units = units[i+1:]

		// 3. Add, watching the range.
		if total > math.MaxInt64-part {
			return 0, errors.New("is too long a duration")
		}
		total += part
	}
	return total, nil
}

// durationPart multiplies a decimal number by a unit, exactly.
func durationPart(number string, unit time.Duration, fractionAllowed bool) (time.Duration, error) {
	whole, fraction, hasFraction := strings.Cut(number, ".")
	if hasFraction && (!fractionAllowed || fraction == "" || strings.Contains(fraction, ".") || len(fraction) > 9) || whole == "" {
		return 0, errNoDuration
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > math.MaxInt64/int64(unit) {
		return 0, errors.New("is too long a duration")
	}
	total := time.Duration(n) * unit
	if !hasFraction {
		return total, nil
	}
	scaled := unit
	for _, digit := range fraction {
		if scaled%10 != 0 {
			return 0, errNoDuration
		}
		scaled /= 10
		part := time.Duration(digit-'0') * scaled
		if total > math.MaxInt64-part {
			return 0, errors.New("is too long a duration")
		}
		total += part
	}
	return total, nil
}

// FormatDuration renders a duration so that ParseDuration reads it back: 3d4h,
// 1m40s, 0s. What is less than a millisecond becomes a fraction of it; negative
// durations get a minus sign, which our files never hold.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	if d < 0 {
		b.WriteByte('-')
	}
	left := d.Abs()
	for _, unit := range durationUnits {
		n := left / unit.length
		left %= unit.length
		last := unit.length == time.Millisecond
		if n == 0 && (!last || left == 0) {
			continue
		}
		b.WriteString(strconv.FormatInt(int64(n), 10))
		if last && left > 0 {
			b.WriteString("." + strings.TrimRight(fmt.Sprintf("%06d", int64(left)), "0"))
		}
		b.WriteString(unit.name)
	}
	return b.String()
}

// DurationOrNever is a duration, or the word Never for something that is not to
// happen at all.
type DurationOrNever struct {
	Duration time.Duration // Zero where Never.
	Never    bool
}

// String renders the duration as a file would hold it.
func (d DurationOrNever) String() string {
	if d.Never {
		return "Never"
	}
	return FormatDuration(d.Duration)
}

// UnmarshalScalar reads a duration or Never.
func (d *DurationOrNever) UnmarshalScalar(text string, quoted bool) error {
	if text == "Never" {
		*d = DurationOrNever{Never: true}
		return nil
	}
	if Suggest(text, []string{"Never"}) != "" {
		return Hinted(fmt.Errorf("%q is not a duration", text), `did you mean "Never"?`)
	}
	length, err := durationOf(text, quoted)
	if err != nil {
		return err
	}
	*d = DurationOrNever{Duration: length}
	return nil
}

// durationOf parses a duration with an error that explains itself.
func durationOf(text string, quoted bool) (time.Duration, error) {
	d, err := ParseDuration(text)
	switch {
	case err == nil:
		return d, nil
	case jsonNumber.MatchString(text) && !strings.HasPrefix(text, "-"):
		return 0, Hinted(fmt.Errorf("%s has no unit, but a duration is expected", text), "did you mean \"%ss\"?", text)
	case strings.HasPrefix(text, "-"):
		return 0, fmt.Errorf("%s is negative, but a duration is expected", text)
	case !quoted && booleanish(text):
		return 0, Hinted(fmt.Errorf("%s is a boolean, but a duration is expected", text), durationHint)
	default:
		return 0, Hinted(fmt.Errorf("%s %w", (&node{text: text}).show(), err), durationHint)
	}
}

func setDuration(v reflect.Value, n *node, r *rules) error {
	d, err := durationOf(n.text, n.quoted)
	if err != nil {
		return err
	}
	if err := r.within(float64(d), n); err != nil {
		return err
	}
	v.SetInt(int64(d))
	return nil
}
