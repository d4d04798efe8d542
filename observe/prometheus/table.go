package prometheus

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
)

// table is an answer by part and key.
type table struct {
	cause string // why nothing of it is known; empty where it is
	rows  map[string]map[string][]row
}

// tabulate sorts the rows of an answer under the given labels.
func tabulate(a answer, labels []string) table {
	labels = slices.Sorted(slices.Values(labels))
	t := table{rows: map[string]map[string][]row{}}
	for _, r := range a.rows {
		name := string(r.labels[part])
		if t.rows[name] == nil {
			t.rows[name] = map[string][]row{}
		}
		key := keyOf(labels, r.labels)
		t.rows[name][key] = append(t.rows[name][key], r)
	}
	return t
}

// keyOf is the text that Key.text gives for the same labels.
func keyOf(labels []string, m model.Metric) string {
	parts := make([]string, len(labels))
	for i, label := range labels {
		parts[i] = fmt.Sprintf("%s=%q", label, string(m[model.LabelName(label)]))
	}
	return strings.Join(parts, ",")
}

// one is the row of a key, or why there is not exactly one.
func (t table) one(name, key string) (row, error) {
	rows := t.rows[name][key]
	switch {
	case len(rows) == 0:
		return row{}, errNoSeries
	case len(rows) > 1:
		return row{}, twiceError{first: rows[0].labels.String(), second: rows[1].labels.String()}
	case rows[0].native:
		return row{}, errNative
	}
	return rows[0], nil
}

// twiceError is two series where one was asked for.
type twiceError struct{ first, second string }

func (e twiceError) Error() string {
	return fmt.Sprintf("two series answer for one, %s and %s: aggregate by the labels that tell them apart", brief(e.first), brief(e.second))
}
