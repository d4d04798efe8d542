package forecast

const (
	// pulseKeep fades what was learnt about one minute of the hour, per hour: half
	// of it is from the last three days.
	pulseKeep = 0.9904
	// pulseShrink pulls a minute of the hour to 0, in hours' worth of evidence.
	pulseShrink = 3.0
)

// pulse is what each minute of the hour has over its hour, as roots of rates:
// meetings begin at the full hour.
type pulse struct{ sum, weight, shift []float32 }

func newPulse(c *calendar) pulse {
	return pulse{make([]float32, c.pulses), make([]float32, c.pulses), make([]float32, c.pulses)}
}

// learn takes what the root of one bin has over the root of its hour's mean. The
// weight, at most 1, is how much it can be trusted.
func (p *pulse) learn(i int, over, weight float64) {
	p.sum[i] = p.sum[i]*pulseKeep + float32(over*weight)
	p.weight[i] = p.weight[i]*pulseKeep + float32(weight)
	p.shift[i] = p.sum[i] / (p.weight[i] + pulseShrink)
}

// at is what is added to a root that is free of the minute of the hour.
func (p *pulse) at(i int) float64 { return float64(p.shift[i]) }
