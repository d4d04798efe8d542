package recording

import (
	"encoding/json"
	"io"
	"strconv"
	"time"
)

// mooncake reads one JSON object a line: a request with its time in milliseconds
// and its tokens. Other keys, such as hashes of the prompt, are not looked at.
type mooncake struct {
	in    *input
	clock *clock
	out   [1]Row
}

// mooncakeLine is what counts of a line.
type mooncakeLine struct {
	Timestamp *json.Number `json:"timestamp"`
	Input     *float64     `json:"input_length"`
	Output    *float64     `json:"output_length"`
	Model     string       `json:"model"`
}

const mooncakeFix = `write each request in one line, such as {"timestamp": 27482, "input_length": 6955, "output_length": 52}`

func newMooncake(in *input) decoder {
	in.about.Format = Mooncake
	if in.opt.Tick == 0 {
		in.opt.Tick = time.Millisecond
	}
	return &mooncake{in: in, clock: newClock(in, ticks)}
}

func (m *mooncake) rows() ([]Row, error) {
	if err := m.in.single(); err != nil {
		return nil, err
	}
	line, ok, err := m.in.lines.filled()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, io.EOF
	}
	var got mooncakeLine
	if err := json.Unmarshal(line, &got); err != nil {
		return nil, m.in.complain(FaultFormat, mooncakeFix, "the line is no such object: %v", err)
	}
	if got.Timestamp == nil || got.Input == nil || got.Output == nil {
		return nil, m.in.complain(FaultColumn, mooncakeFix, "the request lacks one of timestamp, input_length and output_length")
	}
	at, err := m.clock.next(got.Timestamp.String())
	if err != nil {
		return nil, err
	}
	for _, n := range []float64{*got.Input, *got.Output} {
		if _, what := parseAmount(strconv.FormatFloat(n, 'g', -1, 64), maxCount); what != "" {
			return nil, m.in.complain(FaultNumber, "give the tokens of the request", "a length %s", what)
		}
	}
	m.out[0] = Row{At: at, Name: AnyModel, Requests: 1}
	if got.Model != "" {
		m.out[0].Name = got.Model
	}
	if m.in.opt.Work != nil {
		m.out[0].Work = m.in.opt.Work.of(*got.Input, *got.Output)
	}
	return m.out[:], nil
}
