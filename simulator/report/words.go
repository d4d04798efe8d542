package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// none stands where a number was not computed.
const none = "none"

// count prints a whole number with separators, such as 1,234,567.
func count(n int64) string { return grouped(strconv.FormatInt(n, 10)) }

// grouped parts the thousands of the first run of digits in a text.
func grouped(text string) string {
	from := strings.IndexAny(text, "0123456789")
	if from < 0 {
		return text
	}
	to := from
	for to < len(text) && text[to] >= '0' && text[to] <= '9' {
		to++
	}
	for at := to - 3; at > from; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// counted prints a number of things, such as "1 node" or "2 nodes".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return count(int64(n)) + " " + thing + "s"
}

// percent prints a share with two decimals, rounded down, so that a share below
// one never reads as 100.
func percent(share float64) string {
	return strconv.FormatFloat(math.Floor(share*1e4+1e-6)/100, 'f', 2, 64) + "%"
}

// target prints a target share with the decimals it has.
func target(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e6)/1e4, 'f', -1, 64) + "%"
}

// money prints an amount for people, such as "$1,234.50".
func money(m fleet.Money) string { return grouped(m.Describe()) }

// perHour prints a rate for people, such as "$12.40/h".
func perHour(r fleet.Rate) string { return grouped(r.Describe()) }

// whole prints a count that was read as a number.
func whole(v float64) string { return count(int64(v)) }

// number prints a measured quantity with three digits, or all before the point.
func number(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 0.01:
		return strconv.FormatFloat(v, 'g', 2, 64)
	case v < 10:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return grouped(strconv.FormatFloat(v, 'f', 0, 64))
}

// between prints a range, or one value where both ends read the same.
func between(low, high string) string {
	if low == high {
		return low
	}
	return low + " to " + high
}

// latency prints seconds.
func latency(seconds *float64) string {
	switch {
	case seconds == nil:
		return none
	case *seconds < 1:
		return fmt.Sprintf("%.0f ms", *seconds*1000)
	case *seconds < 10:
		return fmt.Sprintf("%.2f s", *seconds)
	case *seconds < 100:
		return fmt.Sprintf("%.1f s", *seconds)
	case *seconds > 1e9:
		return grouped(fmt.Sprintf("%.0f s", *seconds))
	}
	return span(time.Duration(*seconds) * time.Second)
}

// span prints a duration exactly, in the units it needs: "300ms", "15m", "14d".
func span(d time.Duration) string {
	text := ""
	if days := d / (24 * time.Hour); days > 0 {
		text, d = fmt.Sprintf("%dd", days), d%(24*time.Hour)
	}
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"h", time.Hour}, {"m", time.Minute}} {
		if n := d / unit.size; n > 0 {
			text, d = text+fmt.Sprintf("%d%s", n, unit.name), d%unit.size
		}
	}
	if d > 0 || text == "" {
		text += d.String()
	}
	return text
}

// clock prints an instant in the report's one time zone.
func clock(t time.Time) string { return t.UTC().Format("Mon 2 Jan 15:04") }
