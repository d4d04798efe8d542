package fleet

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// SignalState tells what a measurement is worth.
type SignalState string

// The three states of a signal. A confirmed zero is a counter that exists and
// stands still; it is not the absence of a counter.
const (
	SignalUnknown SignalState = "unknown"
	SignalZero    SignalState = "zero"
	SignalValue   SignalState = "value"
)

// Signal is a measured quantity: a value, a confirmed zero, or unknown. The
// number is private and leaves only through Read, so that an unknown can not be
// taken for a zero. The zero Signal is unknown.
type Signal struct {
	state    SignalState
	number   float64
	age      time.Duration
	coverage float64
	cause    string
}

// Measured is a signal with a number of the given age, resting on the share
// coverage of the expected sources. Zero becomes a confirmed zero; NaN, an
// infinity or a negative number becomes unknown, with its cause.
func Measured(number float64, age time.Duration, coverage float64) Signal {
	switch {
	case math.IsNaN(number) || math.IsInf(number, 0):
		return Unknown(fmt.Sprintf("the measurement is %v", number))
	case number < 0:
		return Unknown(fmt.Sprintf("the measurement is negative: %v", number))
	case number == 0:
		return Signal{state: SignalZero, age: age, coverage: coverage}
	}
	return Signal{state: SignalValue, number: number, age: age, coverage: coverage}
}

// Unknown is a signal without a number, and why.
func Unknown(cause string) Signal { return Signal{state: SignalUnknown, cause: cause} }

// NotMeasured is the cause of an unknown that nothing sets out to measure. Every other
// unknown may become known again.
const NotMeasured = "not measured: no source tells it"

// Unmeasured tells whether nothing sets out to measure the signal, so that waiting for
// it would be in vain.
func (s Signal) Unmeasured() bool { return s.State() == SignalUnknown && s.cause == NotMeasured }

// Aged is the same measurement so much later; an unknown stays as it is.
func (s Signal) Aged(by time.Duration) Signal {
	if s.State() != SignalUnknown {
		s.age += by
	}
	return s
}

// State tells which of the three the signal is.
func (s Signal) State() SignalState {
	if s.state == "" {
		return SignalUnknown
	}
	return s.state
}

// Read returns the number and true, or NaN and false when it is unknown.
func (s Signal) Read() (float64, bool) {
	if s.State() == SignalUnknown {
		return math.NaN(), false
	}
	return s.number, true
}

// Age is how old the newest sample was.
func (s Signal) Age() time.Duration { return s.age }

// Cause says why an unknown is unknown.
func (s Signal) Cause() string { return s.cause }

// String prints the signal for people.
func (s Signal) String() string {
	if number, ok := s.Read(); ok {
		return fmt.Sprintf("%.4g", number)
	}
	if s.cause == "" {
		return "unknown"
	}
	return "unknown (" + s.cause + ")"
}

type signalJSON struct {
	State    SignalState   `json:"state"`
	Number   *float64      `json:"number,omitempty"`
	Age      time.Duration `json:"age,omitempty"`
	Coverage float64       `json:"coverage,omitempty"`
	Cause    string        `json:"cause,omitempty"`
}

// MarshalJSON writes the state, and the number where there is one.
func (s Signal) MarshalJSON() ([]byte, error) {
	out := signalJSON{State: s.State(), Age: s.age, Coverage: s.coverage, Cause: s.cause}
	if s.state == SignalValue {
		out.Number = &s.number
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Signal) UnmarshalJSON(data []byte) error {
	var in signalJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("read signal: %w", err)
	}
	switch {
	case in.State == SignalValue && in.Number != nil:
		*s = Measured(*in.Number, in.Age, in.Coverage)
	case in.State == SignalZero:
		*s = Measured(0, in.Age, in.Coverage)
	case in.State == SignalUnknown:
		*s = Unknown(in.Cause)
	default:
		return fmt.Errorf("read signal: state %q without what it needs", in.State)
	}
	return nil
}
