package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// tokenMeans are mean tokens of requests by model, client and window, as ServeGen
// keeps them beside the rates: in one table of means, or for a chunk of its
// repository in a JSON file of histograms.
type tokenMeans struct {
	clients map[key][]tokenMean // by time
	models  map[string]*tokenSum
}

type tokenMean struct {
	second        int64 // where the window begins
	input, output float64
}

type tokenSum struct{ input, output, windows float64 }

// of is what is known of a window: its own means, else those of the client's
// latest window before it, else of its first, else the plain mean over all windows
// of the model. It reports false where the model is unknown.
func (t *tokenMeans) of(model, client string, second int64) (input, output float64, ok bool) {
	if windows := t.clients[key{model, client}]; len(windows) > 0 {
		i, found := slices.BinarySearchFunc(windows, second, func(w tokenMean, at int64) int { return int(min(max(w.second-at, -1), 1)) })
		if !found {
			i = max(i-1, 0)
		}
		return windows[i].input, windows[i].output, true
	}
	if s := t.models[model]; s != nil {
		return s.input / s.windows, s.output / s.windows, true
	}
	return 0, 0, false
}

func (t *tokenMeans) add(k key, m tokenMean) bool {
	windows := t.clients[k]
	if n := len(windows); n > 0 && windows[n-1].second >= m.second {
		return false
	}
	t.clients[k] = append(windows, m)
	if t.models[k.name] == nil {
		t.models[k.name] = &tokenSum{}
	}
	s := t.models[k.name]
	s.input, s.output, s.windows = s.input+m.input, s.output+m.output, s.windows+1
	return true
}

// readTokens reads either layout.
func readTokens(file string, r io.Reader, lim Limits) (*tokenMeans, error) {
	in := &input{file: file, limits: lim, about: About{Format: ServeGen}}
	var err error
	if in.lines, err = openLines(file, r, lim); err != nil {
		return nil, err
	}
	t := &tokenMeans{clients: map[key][]tokenMean{}, models: map[string]*tokenSum{}}
	line, ok, err := in.lines.filled()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, in.whole(FaultEmpty, "give ServeGen's file of tokens", "the file is empty")
	}
	if bytes.HasPrefix(bytes.TrimSpace(line), []byte("{")) {
		in.lines.back(line)
		return t, t.histograms(in)
	}
	names, err := headerOf(in, line)
	if err != nil {
		return nil, err
	}
	return t, t.means(&table{in: in, names: names})
}

// means reads the table.
func (t *tokenMeans) means(rows *table) error {
	at, err := wanted(rows.in, rows.names, "model", "client", "window_s", "mean_input_tokens", "mean_output_tokens")
	if err != nil {
		return err
	}
	for count := 0; ; count++ {
		fields, err := rows.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if count >= rows.in.limits.Rows {
			return rows.in.complain(FaultSize, "take fewer clients", "the file has more than %d rows", rows.in.limits.Rows)
		}
		second, ok := parseSecond(string(fields[at[2]]))
		if !ok {
			return rows.in.complain(FaultTime, "count whole seconds from the beginning of the recording", "window %s is no second", words.Quote(string(fields[at[2]])))
		}
		m := tokenMean{second: second}
		for i, to := range []*float64{&m.input, &m.output} {
			x, what := parseAmount(string(fields[at[3+i]]), maxCount)
			if what != "" {
				return rows.in.complain(FaultNumber, "give the mean tokens of a request", "%s %s", rows.names[at[3+i]], what)
			}
			*to = x
		}
		if !t.add(key{string(fields[at[0]]), string(fields[at[1]])}, m) {
			return rows.in.complain(FaultOrder, "sort the windows of each client", "the window is not after that of the row above of the same client")
		}
	}
}

// histograms reads the JSON file of a chunk: by second, the shares of requests by
// number of tokens. Windows without requests are empty.
func (t *tokenMeans) histograms(in *input) error {
	var text bytes.Buffer
	for {
		line, ok, err := in.lines.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if text.Len()+len(line) > 64*in.limits.Line {
			return in.complain(FaultSize, "give the file of one client", "the file of tokens is longer than %d bytes", 64*in.limits.Line)
		}
		text.Write(line)
		text.WriteByte('\n')
	}
	const fix = "give the dataset.json that lies beside the chunk"
	windows := map[string]map[string]string{}
	if err := json.Unmarshal(text.Bytes(), &windows); err != nil {
		return in.whole(FaultFormat, fix, "the file is no object of windows: %v", err)
	}
	var means []tokenMean
	for name, window := range windows {
		second, ok := parseSecond(name)
		if !ok {
			return in.whole(FaultTime, fix, "window %s is no second", words.Quote(name))
		}
		input, filled, what := histogramMean(window["input_tokens"])
		output, both, wrong := histogramMean(window["output_tokens"])
		if what+wrong != "" {
			return in.whole(FaultNumber, fix, "window %s: %s", words.Quote(name), what+wrong)
		}
		if filled && both {
			means = append(means, tokenMean{second, input, output})
		}
	}
	slices.SortFunc(means, func(a, b tokenMean) int { return int(min(max(a.second-b.second, -1), 1)) })
	for _, m := range means {
		t.add(key{AnyModel, ""}, m)
	}
	return nil
}

// histogramMean is the mean of a text such as {165: 0.2, 211: 0.8}; false where it
// is empty.
func histogramMean(text string) (mean float64, filled bool, what string) {
	inner := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "{"), "}")
	if strings.TrimSpace(inner) == "" {
		return 0, false, ""
	}
	sum, weight := 0.0, 0.0
	for pair := range strings.SplitSeq(inner, ",") {
		number, share, _ := strings.Cut(pair, ":")
		n, wrong := parseAmount(strings.TrimSpace(number), maxCount)
		p, worse := parseAmount(strings.TrimSpace(share), maxCount)
		if wrong+worse != "" {
			return 0, false, "a share of tokens " + wrong + worse
		}
		sum += n * p
		weight += p
	}
	if !(weight > 0) {
		return 0, false, "the shares of tokens add up to nothing"
	}
	return sum / weight, true, ""
}
