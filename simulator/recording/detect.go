package recording

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// newDecoder finds out the format, unless it is given, and reads what precedes the
// rows.
func newDecoder(in *input) (decoder, error) {
	if in.lines == nil {
		return newParquet(in)
	}
	line, ok, err := in.lines.filled()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, in.whole(FaultEmpty, headerFix, "the file is empty")
	}
	if line, err = in.pastSeparator(line); err != nil {
		return nil, err
	}
	if in.opt.Format == Mooncake || in.opt.Format == "" && bytes.HasPrefix(bytes.TrimSpace(line), []byte("{")) {
		in.lines.back(line)
		return newMooncake(in), nil
	}
	names, err := headerOf(in, line)
	if err != nil {
		return nil, err
	}
	if in.about.Format = in.opt.Format; in.about.Format == "" {
		in.about.Format = recognise(in.opt, names)
	}
	return in.byHeader(names, line)
}

// byHeader opens a format that begins with a header, or with its first row.
func (in *input) byHeader(names []string, line []byte) (decoder, error) {
	switch in.about.Format {
	case Azure, BurstGPT:
		return newLLM(in, names)
	case ServeGen:
		return newServeGen(in, names, line)
	case Grafana:
		return newGrafana(in, names)
	case Series:
		return newSeries(in, names)
	case Values:
		return newValues(in, names, line)
	case Slots:
		return newSlots(in, names)
	}
	return newCSV(in, names)
}

// pastSeparator skips a first line that tells spreadsheets of the separator.
func (in *input) pastSeparator(line []byte) ([]byte, error) {
	separator, ok := strings.CutPrefix(strings.TrimSpace(string(line)), "sep=")
	if !ok || len(separator) != 1 {
		return line, nil
	}
	if separator != "," {
		return nil, in.complain(FaultFormat, "export it again with commas", "the values are separated by %q", separator)
	}
	if in.opt.Format == "" {
		in.opt.Format = Grafana
	}
	line, ok, err := in.lines.filled()
	if err == nil && !ok {
		err = in.whole(FaultEmpty, headerFix, "the file has no header")
	}
	return line, err
}

// recognise tells the format of a text by its first line. What nothing else fits
// is ours.
func recognise(opt Options, names []string) string {
	c := opt.Columns
	if c.Model != "" || c.Requests != "" && c.Time != "" || c.Work != "" || c.Input != "" || c.Output != "" {
		return CSV
	}
	if published := publishedBy(names); published != "" {
		return published
	}
	ours := slices.ContainsFunc(names, func(n string) bool { return n == "model" || n == "time" || n == "requests" })
	if ours || c.Time != "" && !slices.Contains(names, c.Time) {
		return CSV
	}
	return columnar(names, c.Time != "")
}

// columnar is the format of columns of values; timed tells that somebody named the
// column of times.
func columnar(names []string, timed bool) string {
	if len(names) == 1 {
		if isNumber(names[0]) || lower(names[0]) == "value" {
			return Values
		}
		return CSV
	}
	switch {
	case names[0] == "Time":
		return Grafana
	case timed || slices.ContainsFunc(names, isTime):
		return Series
	}
	return CSV
}

// publishedBy is the format of a header that one published data set has, or
// nothing.
func publishedBy(names []string) string {
	has := func(wanted ...string) bool {
		return !slices.ContainsFunc(wanted, func(w string) bool {
			return !slices.ContainsFunc(names, func(n string) bool { return lower(n) == w })
		})
	}
	switch {
	case has("timestamp", "contexttokens", "generatedtokens"):
		return Azure
	case has("timestamp", "request tokens", "response tokens"):
		return BurstGPT
	case has("window_start_s", "rate_rps"), has("window_s", "mean_input_tokens"), isChunk(names):
		return ServeGen
	case has("day") && slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(lower(n), "slot") }):
		return Slots
	}
	return ""
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

// isChunk tells whether a first line is that of a client of ServeGen's repository:
// second, rate, CV, pattern and its two parameters, without a header.
func isChunk(fields []string) bool {
	if len(fields) != 6 {
		return false
	}
	for i, f := range fields {
		if i != 3 && !isNumber(f) {
			return false
		}
	}
	return !isNumber(fields[3])
}

// wanted finds the columns of a format that has fixed ones, without case.
func wanted(in *input, names []string, customary ...string) ([]int, error) {
	at := make([]int, len(customary))
	for i, name := range customary {
		at[i] = slices.IndexFunc(names, func(n string) bool { return lower(n) == lower(name) })
		if at[i] < 0 {
			return nil, in.complain(FaultFormat, "say that the format is csv and name the columns, or check that this is the file you meant", "format %s has a column %s, and the columns are %s", in.about.Format, words.Quote(name), words.Listing(names))
		}
	}
	return at, nil
}
