package emitter

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// SpeedOf is the emitter's word for a measured performance: its best throughput, and
// the time of a request that is alone.
func SpeedOf(p fleet.Performance) Speed {
	return Speed{PerSecond: p.Throughput(), Latency: time.Duration(p.BatchSeconds(1) * float64(time.Second)), Streams: p.Streams}
}

// FiveLanguages are the options of live transcription in five languages. English has
// ten times the traffic of each other: 10 requests a second and 1. Speeds are those of
// asr-large, build fp16, on an A100 (configs/profiles.yaml).
func FiveLanguages() Options {
	speeds := map[string]Speed{
		"1g.10gb": {PerSecond: 1.30, Latency: 1000 * time.Millisecond},
		"2g.20gb": {PerSecond: 2.81, Latency: 658 * time.Millisecond},
		"3g.40gb": {PerSecond: 4.40, Latency: 515 * time.Millisecond},
		"4g.40gb": {PerSecond: 6.04, Latency: 432 * time.Millisecond},
		"7g.80gb": {PerSecond: 11.27, Latency: 308 * time.Millisecond},
		"whole":   {PerSecond: 12.5, Latency: 291 * time.Millisecond},
	}
	o := Options{
		Seed: 1,
		Rate: func(model string, _ time.Time) float64 {
			if model == "transcribe-en" {
				return 10
			}
			return 1
		},
	}
	for _, language := range []string{"en", "de", "fr", "es", "it"} {
		o.Models = append(o.Models, Model{Name: "transcribe-" + language, Speeds: speeds, SLO: 3 * time.Second})
	}
	return o
}
