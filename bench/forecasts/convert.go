package main

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bins are the values of one series by the second at which their bins begin.
type bins map[int64]float64

// converted is a file of series with the same step.
type converted map[string]bins

// convert reads every recording that the tables are made of.
func convert(data, work string) error {
	files := map[string]converted{}
	for _, read := range []func(string, map[string]converted) error{
		crane, internet, servegen, office, tweets, taxi, calls, models, gateway, m4Hourly,
	} {
		if err := read(data, files); err != nil {
			return err
		}
	}
	for name, series := range files {
		if err := series.write(filepath.Join(work, name+".csv.gz")); err != nil {
			return err
		}
	}
	return nil
}

// into returns a series of a file, made if absent.
func into(files map[string]converted, file, series string) bins {
	if files[file] == nil {
		files[file] = converted{}
	}
	if files[file][series] == nil {
		files[file][series] = bins{}
	}
	return files[file][series]
}

func (c converted) write(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	zipped := gzip.NewWriter(file)
	w := csv.NewWriter(zipped)
	rows := [][]string{{"series", "time", "value"}}
	for _, name := range slices.Sorted(maps.Keys(c)) {
		for _, at := range slices.Sorted(maps.Keys(c[name])) {
			rows = append(rows, []string{name, strconv.FormatInt(at, 10), strconv.FormatFloat(c[name][at], 'g', -1, 64)})
		}
	}
	return errors.Join(w.WriteAll(rows), zipped.Close(), file.Close())
}

// records reads a recording of comma-separated fields and calls take with each line
// of it, whose fields take may refuse: those of a first line, or of an unknown value.
func records(path string, take func(fields []string) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read from
	var plain io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		zipped, err := gzip.NewReader(file)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		plain = zipped
	}
	r := csv.NewReader(plain)
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	taken := 0
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			if taken == 0 {
				return fmt.Errorf("%s: nothing in it could be read", path)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if take(fields) == nil {
			taken++
		}
	}
}

// errOther is the refusal of a line that belongs to something else.
var errOther = errors.New("another series")

// numbers reads fields as numbers.
func numbers(fields ...string) ([]float64, error) {
	out := make([]float64, len(fields))
	var errs []error
	for i, f := range fields {
		v, err := strconv.ParseFloat(strings.TrimSpace(f), 64)
		out[i], errs = v, append(errs, err)
	}
	return out, errors.Join(errs...)
}

// monday is the first instant of recordings that have no date.
var monday = time.Date(2024, 11, 18, 0, 0, 0, 0, time.UTC).Unix()
