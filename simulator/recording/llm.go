package recording

import "github.com/tessera-autoscaler/tessera/simulator/internal/words"

// llmDecoder reads traces of requests to language models: Azure's and BurstGPT's.
// Each row is a request with its tokens.
type llmDecoder struct {
	table
	clock               *clock
	time, input, output int
	model               int // -1 where there is one model
	out                 [1]Row
}

func newLLM(in *input, names []string) (decoder, error) {
	d := &llmDecoder{table: table{in: in, names: names}, model: -1}
	var at []int
	var err error
	if in.about.Format == Azure {
		at, err = wanted(in, names, "TIMESTAMP", "ContextTokens", "GeneratedTokens")
	} else if at, err = wanted(in, names, "Timestamp", "Request tokens", "Response tokens", "Model"); err == nil {
		d.model = at[3]
	}
	if err != nil {
		return nil, err
	}
	if err := in.single(); err != nil {
		return nil, err
	}
	d.time, d.input, d.output = at[0], at[1], at[2]
	d.clock = newClock(in, "")
	in.about.Dated = in.about.Format == Azure
	if !in.about.Dated {
		d.clock.form = ticks
	}
	return d, nil
}

// single settles what holds where each row is a request with tokens.
func (in *input) single() error {
	if in.opt.Step > 0 || in.opt.Unit == Rates {
		return in.whole(FaultOptions, "leave step and unit out", "each row of format %s is one request", in.about.Format)
	}
	in.about.Sized = in.opt.Work != nil
	return nil
}

func (d *llmDecoder) rows() ([]Row, error) {
	fields, err := d.next()
	if err != nil {
		return nil, err
	}
	at, err := d.clock.next(string(fields[d.time]))
	if err != nil {
		return nil, err
	}
	input, err := d.tokens(d.input)
	if err != nil {
		return nil, err
	}
	output, err := d.tokens(d.output)
	if err != nil {
		return nil, err
	}
	d.out[0] = Row{At: at, Name: AnyModel, Requests: 1}
	if d.model >= 0 {
		d.out[0].Name = string(fields[d.model])
	}
	if d.in.opt.Work != nil {
		d.out[0].Work = d.in.opt.Work.of(input, output)
	}
	return d.out[:], nil
}

func (d *llmDecoder) tokens(column int) (float64, error) {
	n, what := parseAmount(string(d.fields[column]), maxCount)
	if what != "" {
		return 0, d.in.complain(FaultNumber, "give the tokens of the request", "%s %s", words.Quote(d.names[column]), what)
	}
	return n, nil
}
