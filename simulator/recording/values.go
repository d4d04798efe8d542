package recording

import (
	"io"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// valuesDecoder reads one value a line, a step apart, from Options.Begins on.
type valuesDecoder struct {
	in    *input
	clock *clock
	bin   int64
	out   [1]Row
}

func newValues(in *input, names []string, line []byte) (decoder, error) {
	if in.opt.Step == 0 {
		return nil, in.whole(FaultOptions, "give the step of the bins, such as 5m", "one value a line does not tell how long a bin is")
	}
	if len(names) != 1 {
		return nil, in.complain(FaultFormat, "say that the format is series where the file has times", "format values has one value a line, and the line has %d", len(names))
	}
	if isNumber(names[0]) {
		in.lines.back(line)
	}
	in.about.Dense = true
	in.opt.Tick = in.opt.Step
	return &valuesDecoder{in: in, clock: newClock(in, ticks)}, nil
}

func (v *valuesDecoder) rows() ([]Row, error) {
	for {
		// A line with nothing in it is a gap, so blank lines count.
		line, ok, err := v.in.lines.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, io.EOF
		}
		at := v.clock.zero + v.bin*int64(v.in.about.Step)
		if _, what := v.clock.dated(at, words.Number(float64(v.bin))); what != "" || v.bin > 1e9 {
			return nil, v.in.complain(FaultTime, "give another begin, or cut the file", "the bin lies outside the years 1970 to 2199")
		}
		v.bin++
		text := string(trimmed(line))
		n, gap, err := v.in.value("the line", text)
		if err != nil {
			return nil, err
		}
		if gap {
			continue
		}
		v.out[0] = Row{At: at, Name: AnyModel, Requests: n}
		return v.out[:], nil
	}
}
