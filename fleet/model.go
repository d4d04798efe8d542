package fleet

import (
	"fmt"
	"strings"
	"time"
)

// ClassKind divides service classes into those that must answer at once and
// those that may wait.
type ClassKind string

// The kinds of class.
const (
	Streaming ClassKind = "streaming"
	Async     ClassKind = "async"
)

// SLO is what a class promises: a share Target of the work is done within
// Limit of its arrival, the latency of a streaming class or the deadline of an
// asynchronous one.
type SLO struct {
	Limit  time.Duration `json:"limit"`
	Target float64       `json:"target"`
}

// String prints the promise, such as "99.5% within 300ms".
func (s SLO) String() string {
	return fmt.Sprintf("%.4g%% within %s", s.Target*100, short(s.Limit))
}

// short prints a duration without the zeros that Go puts behind it: 15m, not
// 15m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Model is what a customer calls, for one task and one language, with all that
// the loop must know of it.
type Model struct {
	Name          ModelName          `json:"name"`
	Language      Language           `json:"language,omitempty"`
	Group         GroupName          `json:"group,omitempty"`
	Class         ClassName          `json:"class"`
	Kind          ClassKind          `json:"kind"`
	SLO           SLO                `json:"slo"`
	Value         Money              `json:"value"` // of one unit of work served within the SLO; zero when not given
	MinReplicas   int                `json:"min_replicas"`
	MaxReplicas   int                `json:"max_replicas"`
	AccuracyFloor float64            `json:"accuracy_floor"`
	Profile       PerformanceProfile `json:"profile"`
}

// Candidates lists the model's variants that meet its accuracy floor.
func (m Model) Candidates() []Variant {
	var fit []Variant
	for _, v := range m.Profile.Variants {
		if v.Accuracy >= m.AccuracyFloor {
			fit = append(fit, v)
		}
	}
	return fit
}
