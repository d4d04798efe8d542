package recording

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// maxCount and maxWork bound one row, so that sums over all rows stay exact and
// finite.
const (
	maxCount = 1_000_000_000
	maxWork  = 1e15
)

var errOpenQuote = errors.New("a quoted field has no end")

// splitFields splits a line of comma-separated values into dst, trimmed of
// spaces. Fields may be quoted as in RFC 4180, but do not run over lines. The
// line is overwritten where quotes are doubled.
func splitFields(line []byte, dst [][]byte) ([][]byte, error) {
	dst = dst[:0]
	if bytes.IndexByte(line, '"') < 0 {
		for {
			field, rest, more := bytes.Cut(line, []byte{','})
			dst = append(dst, bytes.TrimSpace(field))
			if !more {
				return dst, nil
			}
			line = rest
		}
	}
	for {
		field, rest, more, err := cutQuoted(line)
		if err != nil {
			return nil, err
		}
		dst = append(dst, field)
		if !more {
			return dst, nil
		}
		line = rest
	}
}

// cutQuoted cuts one field off a line that holds quotes.
func cutQuoted(line []byte) (field, rest []byte, more bool, err error) {
	trimmed := bytes.TrimLeft(line, " \t")
	if len(trimmed) == 0 || trimmed[0] != '"' {
		field, rest, more = bytes.Cut(line, []byte{','})
		return bytes.TrimSpace(field), rest, more, nil
	}
	trimmed = trimmed[1:]
	to := 0
	for from := 0; from < len(trimmed); from++ {
		if trimmed[from] != '"' {
			trimmed[to] = trimmed[from]
			to++
			continue
		}
		if from+1 < len(trimmed) && trimmed[from+1] == '"' {
			trimmed[to] = '"'
			to++
			from++
			continue
		}
		tail := bytes.TrimLeft(trimmed[from+1:], " \t")
		switch {
		case len(tail) == 0:
			return bytes.TrimSpace(trimmed[:to]), nil, false, nil
		case tail[0] == ',':
			return bytes.TrimSpace(trimmed[:to]), tail[1:], true, nil
		}
		return nil, nil, false, errors.New("text follows the end of a quoted field")
	}
	return nil, nil, false, errOpenQuote
}

// parseAmount reads a number that is finite and not negative, or says what is
// wrong.
func parseAmount(text string, limit float64) (float64, string) {
	x, err := strconv.ParseFloat(text, 64)
	switch {
	case text == "":
		return 0, "is empty"
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, words.Quote(text) + " is not a number"
	case math.IsNaN(x):
		return 0, words.Quote(text) + " is not a number"
	case x < 0:
		return 0, words.Quote(text) + " is negative"
	case math.IsInf(x, 0):
		return 0, words.Quote(text) + " is infinite"
	case x > limit:
		return 0, words.Quote(text) + " is larger than " + words.Number(limit)
	}
	return x + 0, "" // minus zero becomes zero
}

// parseCount reads a whole number; 3.0 and 3e2 are whole.
func parseCount(text string) (int64, string) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 && n <= maxCount {
		return n, ""
	}
	x, what := parseAmount(text, maxCount)
	if what == "" && x != math.Trunc(x) {
		what = words.Quote(strings.TrimSpace(text)) + " is not a whole number"
	}
	return int64(x), what
}
