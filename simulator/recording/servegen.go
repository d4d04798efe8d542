package recording

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// serveGenWindow is the length of ServeGen's windows.
const serveGenWindow = 10 * time.Minute

// serveGen reads ServeGen: the rate of requests and the CV of the times between
// them, by window and client. Three layouts are known: all clients of several
// models in one file, sums over the clients, and the chunk of one client of the
// repository, which has no header. Clients follow each other in the file, so it is
// read as a whole and sorted by time.
type serveGen struct {
	table
	clock                           *clock
	window, rate, cv, model, client int // columns; -1 where there is none
	sorted                          []Row
	done                            bool
}

func newServeGen(in *input, names []string, line []byte) (decoder, error) {
	d := &serveGen{table: table{in: in, names: names}, model: -1, client: -1, cv: -1}
	if in.opt.Unit != "" && in.opt.Unit != Rates {
		return nil, in.whole(FaultOptions, "leave unit out", "ServeGen records rates")
	}
	if isChunk(names) {
		d.window, d.rate, d.cv = 0, 1, 2
		d.names = []string{"second", "rate", "cv", "pattern", "a", "b"}
		in.lines.back(line)
	} else if err := d.locate(); err != nil {
		return nil, err
	}
	if in.opt.Work != nil && in.opt.Tokens == nil {
		return nil, in.whole(FaultOptions, "give its file under tokens, such as client_token_means.csv.gz", "work is to be made of tokens, which ServeGen keeps in another file")
	}
	if in.about.Step == 0 {
		in.about.Step = serveGenWindow
	}
	in.opt.Unit, in.opt.Tick = Rates, time.Second
	in.about.Dense, in.about.Bursty, in.about.Sized = true, d.cv >= 0, in.opt.Work != nil
	d.clock = newClock(in, ticks)
	return d, nil
}

// locate finds the columns of a file with a header.
func (d *serveGen) locate() error {
	index := func(name string) int {
		return slices.IndexFunc(d.names, func(n string) bool { return lower(n) == name })
	}
	if index("mean_input_tokens") >= 0 && index("rate_rps") < 0 {
		return d.in.complain(FaultFormat, "read the file of rates, and give this one under tokens", "these are tokens of ServeGen's clients, without any requests")
	}
	at, err := wanted(d.in, d.names, "window_start_s", "rate_rps")
	if err != nil {
		return err
	}
	d.window, d.rate = at[0], at[1]
	d.model, d.client, d.cv = index("model"), index("client"), index("cv")
	return nil
}

func (d *serveGen) rows() ([]Row, error) {
	if d.done {
		return nil, io.EOF
	}
	d.done = true
	if err := d.load(); err != nil {
		return nil, err
	}
	if len(d.sorted) == 0 {
		return nil, io.EOF
	}
	return d.sorted, nil
}

// load reads and sorts the whole file.
func (d *serveGen) load() error {
	var tokens *tokenMeans
	if d.in.opt.Work != nil {
		var err error
		if tokens, err = readTokens(d.in.opt.TokensName, d.in.opt.Tokens, d.in.limits); err != nil {
			return err
		}
	}
	intern := map[string]string{}
	last := map[key]int64{}
	for {
		row, err := d.row(intern)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		k := key{row.Name, row.Client}
		before, ok := last[k]
		if ok && row.At < before {
			return d.in.complain(FaultOrder, "sort the windows of each client", "the window is before that of the row above of the same client")
		}
		if ok && row.At == before {
			return d.in.complain(FaultDuplicate, "sum the two rows to one", "this is the second row of client %s of model %s at second %d", words.Quote(k.client), words.Quote(k.name), (row.At-d.clock.zero)/int64(time.Second))
		}
		last[k] = row.At
		if tokens != nil {
			if err := d.weigh(&row, tokens); err != nil {
				return err
			}
		}
		if len(d.sorted) >= d.in.limits.Rows {
			return d.in.complain(FaultSize, "take fewer clients, or sums of them", "the file has more than %d rows", d.in.limits.Rows)
		}
		d.sorted = append(d.sorted, row)
	}
	slices.SortStableFunc(d.sorted, func(a, b Row) int { return cmp.Compare(a.At, b.At) })
	return nil
}

// row reads one row of the file.
func (d *serveGen) row(intern map[string]string) (Row, error) {
	fields, err := d.next()
	if err != nil {
		return Row{}, err
	}
	at, err := d.clock.read(string(fields[d.window]))
	if err != nil {
		return Row{}, err
	}
	if (at-d.clock.zero)%int64(d.in.about.Step) != 0 {
		return Row{}, d.in.complain(FaultGrid, "give the step that the windows have", "window %s is not a whole number of steps of %v", words.Quote(string(fields[d.window])), d.in.about.Step)
	}
	row := Row{At: at, Name: AnyModel}
	var gap bool
	if row.Requests, gap, err = d.in.value(d.names[d.rate], string(fields[d.rate])); err == nil && gap {
		err = d.in.complain(FaultNumber, "leave out windows of which nothing was recorded", "%s is empty", d.names[d.rate])
	}
	if err != nil {
		return Row{}, err
	}
	if d.cv >= 0 && len(fields[d.cv]) > 0 {
		x, what := parseAmount(string(fields[d.cv]), maxCount)
		if what != "" {
			return Row{}, d.in.complain(FaultNumber, "give the standard deviation over the mean of the times between requests", "%s %s", d.names[d.cv], what)
		}
		row.CV = x
	}
	copied := func(column int, otherwise string) string {
		if column < 0 {
			return otherwise
		}
		if s, ok := intern[string(fields[column])]; ok {
			return s
		}
		s := string(fields[column])
		intern[s] = s
		return s
	}
	row.Name, row.Client = copied(d.model, AnyModel), copied(d.client, "")
	return row, nil
}

// weigh gives a row the work of its client's tokens.
func (d *serveGen) weigh(row *Row, tokens *tokenMeans) error {
	input, output, ok := tokens.of(row.Name, row.Client, (row.At-d.clock.zero)/int64(time.Second))
	if wanted := d.in.opt.Wanted; !ok && wanted != nil && !wanted(row.Name) {
		return nil
	}
	if !ok {
		return d.in.complain(FaultModel, "give the file of tokens that belongs to these rates", "%s has no tokens of model %s", d.in.opt.TokensName, words.Quote(row.Name))
	}
	row.Work = d.in.opt.Work.of(input, output) * row.Requests
	return nil
}

// parseSecond reads a whole number of seconds of a recording without dates.
func parseSecond(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0 && n < undatedBelow
}
