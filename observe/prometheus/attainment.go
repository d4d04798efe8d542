package prometheus

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
)

// boundsFor is how long bucket bounds are kept: they change when a server is
// configured anew.
const boundsFor = 10 * time.Minute

// boundsOf are the bucket bounds of a source, ascending.
type boundsOf struct {
	at   time.Time
	list []bound
}

// bound is a finite bucket bound in the unit of the attainment, and its label.
type bound struct {
	value float64
	le    string
}

// upTo is how many bounds are not above a limit. The tolerance is that of a limit
// which is the same number in another unit.
func (b boundsOf) upTo(limit float64) int {
	n, _ := slices.BinarySearchFunc(b.list, limit*(1+1e-9), func(x bound, at float64) int {
		if x.value <= at {
			return -1
		}
		return 1
	})
	return n
}

func (r *Reader) boundsKnown(source int, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.bounds[source]
	return ok && now.Sub(known.at).Abs() < boundsFor
}

// learnBounds keeps the bounds that were just read and hands all to the judgement.
// None at all are not kept: the first request may bring them.
func (r *Reader) learnBounds(j *judgement, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for a, t := range j.tables {
		if a.kind != bounds || t.cause != "" {
			continue
		}
		if list := readBounds(t); len(list) > 0 {
			r.bounds[a.source] = boundsOf{at: now, list: list}
		}
	}
	j.bounds = maps.Clone(r.bounds)
}

func readBounds(t table) []bound {
	var list []bound
	for _, rows := range t.rows[""] {
		le := string(rows[0].labels["le"])
		if value, err := strconv.ParseFloat(le, 64); err == nil && !math.IsNaN(value) && !math.IsInf(value, 0) {
			list = append(list, bound{value, le})
		}
	}
	slices.SortFunc(list, func(a, b bound) int { return cmp.Or(cmp.Compare(a.value, b.value), cmp.Compare(a.le, b.le)) })
	return list
}

// shares lists the questions for attainments: one for each SLO limit of a source,
// about the models that have it. Buckets are cumulative, so that of all bounds up
// to the limit the largest has the most: where the limit is no bound of a series,
// the share is that within the largest bound below it, never more than the truth.
func (j *judgement) shares() []question {
	var out []question
	for i, s := range j.sources {
		byLimit := map[time.Duration][]Key{}
		for name, key := range s.Models {
			limit, known := j.limits[name]
			if from, found := sourceOf(j.sources, name, attainment); known && found && from == i {
				byLimit[limit] = append(byLimit[limit], key)
			}
		}
		for _, limit := range slices.Sorted(maps.Keys(byLimit)) {
			a := about{source: i, kind: attainment, limit: limit}
			if j.unbounded(a) != "" {
				continue
			}
			v := s.match(byLimit[limit]).window(j.config.Window)
			v["slo"] = number(j.slo(a))
			if len(s.Pack.Attainment.Bounds) > 0 {
				v["within"] = j.within(a)
			}
			out = append(out, question{a, v.any(s.Pack.Attainment.Queries)})
		}
	}
	return out
}

// slo is the limit in the unit of the pack.
func (j *judgement) slo(a about) float64 {
	return float64(a.limit) / float64(j.sources[a.source].Pack.Attainment.Unit)
}

// within matches the buckets up to the limit, and notes where none is exactly it.
func (j *judgement) within(a about) string {
	known, slo := j.bounds[a.source], j.slo(a)
	list := known.list[:known.upTo(slo)]
	if last := list[len(list)-1]; last.value < slo*(1-1e-9) {
		j.doubt(a, "an SLO of %v is no bucket bound: attainment is counted within le=%q, the next one below, and may be better than it says; give the histogram a bound at %s",
			a.limit, last.le, number(slo))
	}
	labels := make([]string, len(list))
	for i, b := range list {
		labels[i] = b.le
	}
	return oneOf("le", labels)
}

// unbounded says why attainment within the limit can not be counted.
func (j *judgement) unbounded(a about) string {
	pack := j.sources[a.source].Pack
	if len(pack.Attainment.Bounds) == 0 {
		return ""
	}
	known := j.bounds[a.source]
	if t, asked := j.tables[about{source: a.source, kind: bounds}]; asked && t.cause != "" && len(known.list) == 0 {
		return "the bucket bounds are not known: " + t.cause
	}
	if len(known.list) == 0 {
		return "there is no histogram to count in"
	}
	if known.upTo(j.slo(a)) == 0 {
		return fmt.Sprintf("the smallest bucket bound is le=%q, above an SLO of %v", known.list[0].le, a.limit)
	}
	return ""
}
