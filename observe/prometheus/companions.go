package prometheus

import (
	"fmt"
	"strings"
	"time"
)

const (
	// part tells the answers of a query apart that asks for two things.
	part = "tessera_part"
	// windowPoints is how often a window is looked at to see whether it is covered.
	windowPoints = 10
	// learnWindows is the time, in windows, from which the scrape interval is learnt.
	learnWindows = 10
	// slack is how many scrape intervals may lie between two samples. A window of
	// four intervals may hold five samples, which makes the interval seem shorter.
	slack = 1.75
	// memory is how long a target is expected to show a model that it once showed.
	memory = time.Hour
)

// freshnessQuery asks, by key, for the age of the newest sample in seconds
// (part="age") and for the covered share of the window (part="window").
//
// A point of the window is covered where a sample is not older than slack scrape
// intervals. The interval is learnt from the fullest of the windows before, so that
// neither an outage nor youth makes it seem longer. The share is the mean over the
// targets that were there before the window began (one that came back after the last
// point has none, which counts as nothing covered); a server that has just started
// says nothing about the others. Where none was, it is that of the oldest server.
func freshnessQuery(p Pack, v values, window time.Duration) string {
	var newest, covered, settled []string
	for _, selector := range p.Samples {
		s := strings.TrimSpace(v.fill(selector))
		points := fmt.Sprintf(
			"(sum_over_time((time() - timestamp(%[1]s) < bool %[2]s / max_over_time(count_over_time(%[1]s[%[4]s])[%[3]s:%[6]s]))[%[4]s:%[5]s])"+
				" / scalar(count_over_time(vector(1)[%[4]s:%[5]s])) or 0 * timestamp(%[1]s))",
			s, number(slack*window.Seconds()), duration(learnWindows*window), duration(window), duration(window/windowPoints), duration(window/2))
		newest = append(newest, fmt.Sprintf("timestamp(%s)", s))
		covered = append(covered, points)
		settled = append(settled, fmt.Sprintf("(%s and last_over_time(%s[%s] offset %s) and %s)",
			points, s, duration(learnWindows*window), duration(window), s))
	}
	by := v["keys"]
	age := fmt.Sprintf("time() - max by (%s) (%s)", by, strings.Join(newest, " or "))
	share := fmt.Sprintf("(avg by (%[1]s) (%[2]s) or max by (%[1]s) (%[3]s))",
		by, strings.Join(settled, " or "), strings.Join(covered, " or "))
	return named(age, "age") + " or " + named(share, "window")
}

// targetsQuery asks, by key, how many targets that show the model now are up, and how
// many are down that showed it within memory and are still discovered: a count for
// tessera_part="1" and one for tessera_part="0". A target that is up and shows the
// model no longer has unloaded it, and counts for nothing.
func targetsQuery(p Pack, v values) string {
	var now, before []string
	for _, selector := range p.Samples {
		s := strings.TrimSpace(v.fill(selector))
		now = append(now, s)
		before = append(before, fmt.Sprintf("last_over_time(%s[%s])", s, duration(memory)))
	}
	target := strings.Join(p.Target, ", ")
	up := func(series []string) string {
		return fmt.Sprintf("group by (%[1]s, %[2]s) (%[3]s) * on (%[2]s) group_left () min by (%[2]s) (up)",
			v["keys"], target, strings.Join(series, " or "))
	}
	return fmt.Sprintf("count_values by (%s) (%q, (%s) or (%s) == 0)", v["keys"], part, up(now), up(before))
}

// podsQuery asks for a signal by pod (part="value") and for the age of its newest
// sample in seconds (part="age").
func podsQuery(p Pack, s Signal, v values) string {
	age := fmt.Sprintf("time() - (%s)", v.any(p.Pods.Newest))
	return named(v.any(s.Queries), "value") + " or " + named(age, "age")
}

func named(expression, name string) string {
	return fmt.Sprintf("label_replace(%s, %q, %q, \"\", \"\")", expression, part, name)
}
