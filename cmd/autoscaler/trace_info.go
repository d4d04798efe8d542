package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/simulator/recording"
)

func newTraceInfo() *cobra.Command {
	var f traceFlags
	var output string
	c := &cobra.Command{
		Use:   "info FILE",
		Short: "Tell what a recording holds: span, models, rates, burstiness, gaps",
		Long: `Info reads a recording to its end and tells what it is, when it begins and ends, and
for each model how many requests it holds, their mean rate and that of the busiest
minute, how bursty they come and how much work they carry. Gaps are bins without a row
of any model: not recorded, or in a sparse recording without requests.`,
		Example: `  # A table
  autoscaler trace info AzureLLMInferenceTrace_conv.csv.gz --work input=0.1,output=1

  # For scripts
  autoscaler trace info requests.csv --step 1m -o json | jq .requests`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			if output != "table" && output != "json" {
				return usage("-o %q: use table or json", output)
			}
			return traceInfo(given[0], &f, output, c.OutOrStdout())
		},
	}
	f.register(c)
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

func traceInfo(name string, f *traceFlags, output string, out io.Writer) error {
	s, err := f.open(name)
	if err != nil {
		return err
	}
	summary, err := recording.Summarise(s, s.About())
	if err := errors.Join(err, s.close()); err != nil {
		return wrongTrace(err)
	}
	if output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(summary)
	}
	_, err = io.WriteString(out, describeTrace(name, summary))
	return err
}

// describeTrace tells a summary to a person.
func describeTrace(name string, s recording.Summary) string {
	var b strings.Builder
	span := s.To.Sub(s.From)
	fmt.Fprintf(&b, "%s: format %s, ", name, s.Format)
	if s.StepSeconds > 0 {
		fmt.Fprintf(&b, "bins of %s\n", strictyaml.FormatDuration(time.Duration(s.StepSeconds*float64(time.Second))))
	} else {
		b.WriteString("each row is a request\n")
	}
	const form = "Mon 2006-01-02 15:04:05 MST"
	if s.Dated {
		fmt.Fprintf(&b, "%s from %s to %s\n", strictyaml.FormatDuration(span.Round(time.Second)), s.From.Format(form), s.To.Format(form))
	} else {
		fmt.Fprintf(&b, "%s without dates; second 0 is taken as it was said, or as 1970-01-01: from %s\n", strictyaml.FormatDuration(span.Round(time.Second)), s.From.Format(form))
	}
	fmt.Fprintf(&b, "%s requests in %s rows\n\n", amount(s.Requests), grouped(s.Rows))
	t := newTable("MODEL", "CLIENTS", "REQUESTS", "MEAN /S", "PEAK /S", "PEAK/MEAN", "INTERARRIVAL CV", "DISPERSION", "MEAN WORK", "WORK CV")
	for _, m := range s.Models {
		clients := "-"
		if m.Clients > 0 {
			clients = fmt.Sprint(m.Clients)
		}
		t.AppendRow(table.Row{
			m.Name, clients, amount(m.Requests), fourDigits(&m.Mean), fourDigits(&m.Peak), fourDigits(&m.PeakToMean),
			fourDigits(m.CV), fourDigits(m.Dispersion), fourDigits(m.MeanWork), fourDigits(m.WorkCV),
		})
	}
	b.WriteString(t.Render() + "\n")
	if s.Gaps.Count > 0 {
		fmt.Fprintf(&b, "\n%s gaps, together %s: no row of any model there\n", grouped(s.Gaps.Count), strictyaml.FormatDuration(time.Duration(s.Gaps.Seconds*float64(time.Second))))
		for _, g := range s.Gaps.First {
			fmt.Fprintf(&b, "  %s to %s\n", g.From.Format(form), g.To.Format(form))
		}
		if more := s.Gaps.Count - int64(len(s.Gaps.First)); more > 0 {
			fmt.Fprintf(&b, "  and %s more\n", grouped(more))
		}
	}
	return b.String()
}

// amount prints requests, which are whole unless they come from a rate.
func amount(x float64) string {
	if x < 1e15 {
		return grouped(int64(x + 0.5))
	}
	return fmt.Sprintf("%.4g", x)
}

// fourDigits prints a number in four digits.
func fourDigits(x *float64) string {
	if x == nil {
		return "none"
	}
	return fmt.Sprintf("%.4g", *x)
}
