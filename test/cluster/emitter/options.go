package emitter

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"
)

// Labels of pods. ServingLabel may be an annotation as well.
const (
	ModelLabel   = "tessera.dev/model"   // its value is the name of the model
	ServingLabel = "tessera.dev/serving" // "false": the pod takes no new work
)

// Pack is the server program whose metrics a model's pods speak.
type Pack string

// The packs.
const (
	Triton Pack = "triton"
	VLLM   Pack = "vllm"
)

// AnyKind is the key of Model.Speeds for every kind of slice that has no own entry.
const AnyKind = "*"

// Rate is the expected number of requests a second of a model at a time. It must be
// finite and not negative, and must not call the emitter.
type Rate func(model string, at time.Time) float64

// Speed is what one server does on one kind of slice.
type Speed struct {
	PerSecond float64       // requests a second that it begins at most
	Latency   time.Duration // from beginning a request to its answer
	Streams   int           // of a model of streams: sessions at a time; the others then do not count
}

// Model is one model of the fleet.
type Model struct {
	Name   string
	Pack   Pack             // default Triton
	Speeds map[string]Speed // by kind of slice, as Options.Kind names it
	SLO    time.Duration    // from arrival to answer; of a stream, from arrival to its beginning
	Stream time.Duration    // length of a session; zero: a model of requests

	// An asynchronous model takes its work from a Kafka topic instead of the gateway.
	Topic      string // empty: not asynchronous
	Group      string // consumer group, default the model's name
	Partitions int    // default 1
}

func (m Model) asynchronous() bool { return m.Topic != "" }

// speed is what a server of the model does on a kind of slice.
func (m Model) speed(kind string) (Speed, bool) {
	if s, ok := m.Speeds[kind]; ok {
		return s, true
	}
	s, ok := m.Speeds[AnyKind]
	return s, ok
}

// Options of an emitter.
type Options struct {
	Models []Model
	Rate   Rate // nil: no traffic until SetRate or Arrive
	Seed   uint64

	// Where the pods are. Without a client Start does not watch, and pods come by Apply
	// and Remove.
	Client    kubernetes.Interface
	Namespace string // empty: all

	Kind   func(*corev1.Pod) string // kind of slice of a pod; nil: KindByResource
	Device func(*corev1.Pod) Device // where a pod's slice is; nil: one GPU per node, slices numbered

	Address string           // to listen on; default 127.0.0.1:0
	Clock   clock.WithTicker // nil: the wall clock
	Start   time.Time        // of the emitter's time if Manual; zero: the Unix epoch
	Manual  bool             // time moves by Step only
	Tick    time.Duration    // the real time between two steps, default 100ms
	Log     *slog.Logger     // nil: silent
}

// withDefaults fills in what was left out and tells what is wrong, naming the field.
func (o Options) withDefaults() (Options, error) {
	if o.Kind == nil {
		o.Kind = KindByResource
	}
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Start.IsZero() {
		o.Start = time.Unix(0, 0)
	}
	if o.Tick == 0 {
		o.Tick = 100 * time.Millisecond
	}
	if o.Tick < 0 {
		return o, fmt.Errorf("options: tick = %v: give a positive time", o.Tick)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	models, err := complete(o.Models)
	o.Models = models
	return o, err
}

// complete fills in the defaults of models and tells what is wrong with them.
func complete(models []Model) ([]Model, error) {
	out := make([]Model, len(models))
	seen := map[string]bool{}
	var wrong []error
	for i, m := range models {
		if m.Pack == "" {
			m.Pack = Triton
		}
		if m.Group == "" {
			m.Group = m.Name
		}
		m.Partitions = max(m.Partitions, 1)
		if err := m.check(); err != nil {
			wrong = append(wrong, fmt.Errorf("models[%d] (%s): %w", i, m.Name, err))
		}
		if seen[m.Name] {
			wrong = append(wrong, fmt.Errorf("models[%d]: %q is there twice: give each model once", i, m.Name))
		}
		seen[m.Name] = true
		out[i] = m
	}
	return out, errors.Join(wrong...)
}

func (m Model) check() error {
	switch {
	case m.Name == "":
		return errors.New("it has no name: give the value of the label " + ModelLabel)
	case m.Pack != Triton && m.Pack != VLLM:
		return fmt.Errorf("pack %q: give triton or vllm", m.Pack)
	case m.SLO <= 0:
		return fmt.Errorf("slo = %v: give a positive time", m.SLO)
	case m.Stream < 0:
		return fmt.Errorf("stream = %v: give the length of a session, or zero for requests", m.Stream)
	case m.Stream > 0 && m.asynchronous():
		return errors.New("a model of streams is not asynchronous: leave out topic or stream")
	case len(m.Speeds) == 0:
		return errors.New("no speeds: give what a server does on each kind of slice, or on AnyKind")
	}
	for kind, s := range m.Speeds {
		if err := s.check(m.Stream > 0); err != nil {
			return fmt.Errorf("speeds[%s]: %w", kind, err)
		}
	}
	return nil
}

// check tells what is wrong with a speed at sessions or at requests.
func (s Speed) check(sessions bool) error {
	switch {
	case sessions && s.Streams < 1:
		return fmt.Errorf("streams = %d: give the sessions that a server holds at a time", s.Streams)
	case sessions:
		return nil
	case !(s.PerSecond > 0) || math.IsInf(s.PerSecond, 0):
		return fmt.Errorf("%v requests a second: give a positive number", s.PerSecond)
	case s.Latency <= 0:
		return fmt.Errorf("latency = %v: give a positive time", s.Latency)
	}
	return nil
}
