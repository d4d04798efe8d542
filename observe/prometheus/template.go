package prometheus

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// placeholder is a word of ours in a template. $1 of label_replace is none.
var placeholder = regexp.MustCompile(`\$([a-zA-Z_][a-zA-Z0-9_]*)`)

// longWindows is how many windows $long spans, over which shares are taken: the
// number of requests in one window may be small.
const longWindows = 5

// values are what the placeholders of a template stand for:
//
//	$window   window of rates: 60000ms
//	$seconds  the same as a number: 60
//	$long     five windows, for shares
//	$keys     the key labels, for by (...)
//	$match    matchers for inside braces: the source's own and one for each key
//	$match_x  the source's own matchers and that of key x only
//	$slo      latency limit or deadline, in the unit of the attainment
//	$within   matcher of le for the bucket bounds up to $slo
type values map[string]string

func (p Pack) placeholders() []string {
	names := []string{"window", "seconds", "long", "keys", "match", "slo", "within"}
	for _, key := range p.Keys {
		names = append(names, "match_"+key)
	}
	return names
}

func trimMatch(name string) string { return strings.TrimPrefix(name, "match_") }

// uses tells whether a template has a placeholder.
func uses(template, name string) bool {
	for _, m := range placeholder.FindAllStringSubmatch(template, -1) {
		if m[1] == name {
			return true
		}
	}
	return false
}

// fill writes the values into a template in one pass, so that a value which looks
// like a placeholder stays what it is.
func (v values) fill(template string) string {
	return placeholder.ReplaceAllStringFunc(template, func(word string) string {
		if value, ok := v[word[1:]]; ok {
			return value
		}
		return word
	})
}

// any joins the alternatives of a template by or. A line break ends a comment that
// an alternative may end with.
func (v values) any(templates []string) string {
	parts := make([]string, 0, len(templates))
	for _, t := range templates {
		parts = append(parts, "("+strings.TrimSpace(v.fill(t))+"\n)")
	}
	return strings.Join(parts, " or ")
}

// window gives the values that depend on the window of rates.
func (v values) window(w time.Duration) values {
	v["window"], v["long"] = duration(w), duration(longWindows*w)
	v["seconds"] = number(w.Seconds())
	return v
}

// duration renders a duration for PromQL, which knows no fractions.
func duration(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) + "ms" }

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
