package prometheus

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// equals is the matcher label="value".
func equals(label, value string) string { return label + "=" + strconv.Quote(value) }

// oneOf is a matcher of exactly the given values: quoted as a regular expression,
// then as a string, so that no value can end either of them.
func oneOf(label string, values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = regexp.QuoteMeta(v)
	}
	return label + "=~" + strconv.Quote(strings.Join(quoted, "|"))
}

// match gives the matchers for some of the source's keys.
func (s Source) match(keys []Key) values {
	var own []string
	for _, label := range slices.Sorted(maps.Keys(s.Matchers)) {
		own = append(own, equals(label, s.Matchers[label]))
	}
	v := values{"keys": strings.Join(s.Pack.Keys, ", ")}
	every := own
	for _, label := range s.Pack.Keys {
		seen := map[string]bool{}
		for _, k := range keys {
			seen[k[label]] = true
		}
		m := oneOf(label, slices.Sorted(maps.Keys(seen)))
		v["match_"+label] = braces(append(slices.Clip(own), m))
		every = append(slices.Clip(every), m)
	}
	v["match"] = braces(every)
	return v
}

// braces joins matchers. Templates put more behind a comma, so that there must be
// one; where there is none, one that matches whether the label is there or not.
func braces(matchers []string) string {
	if len(matchers) == 0 {
		return `job=~".*"`
	}
	return strings.Join(matchers, ",")
}
