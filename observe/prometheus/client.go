package prometheus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/tessera-autoscaler/tessera/observe/internal/door"
)

const (
	// workers is how many queries are under way at once.
	workers = 4
	// maxSeries is the number of series up to which an answer is used.
	maxSeries = 50_000
)

// client asks one server. Its methods may be called concurrently.
type client struct {
	api     v1.API
	url     string
	timeout time.Duration
}

func newClient(c Config) (*client, error) {
	httpClient, err := door.Open(door.Options{
		Name: "Prometheus", CAFile: c.CAFile, BearerTokenFile: c.BearerTokenFile, Timeout: c.Timeout, Connections: workers, Transport: c.Transport,
	})
	if err != nil {
		return nil, err
	}
	connection, err := api.NewClient(api.Config{Address: c.URL, Client: httpClient})
	if err != nil {
		return nil, fmt.Errorf("prometheus URL %q: %w", c.URL, err)
	}
	return &client{api: v1.NewAPI(connection), url: c.URL, timeout: c.Timeout}, nil
}

// clock asks for the server's time, at which it is to evaluate all else. Our own is
// never sent: the zero time sends none.
func (c *client) clock(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	value, _, _, err := c.api.Query(ctx, "time()", time.Time{}, v1.WithTimeout(c.timeout))
	if err != nil {
		return time.Time{}, c.explain(err)
	}
	scalar, ok := value.(*model.Scalar)
	if !ok {
		return time.Time{}, fmt.Errorf("%s answers, but not as a Prometheus API: time() is %s", c.url, shape(value))
	}
	seconds := float64(scalar.Value)
	if !(seconds > 0 && seconds < 1<<40) {
		return time.Time{}, fmt.Errorf("%s answers, but not as a Prometheus API: time() is %v", c.url, seconds)
	}
	return time.UnixMilli(int64(seconds * 1000)), nil
}

// answer is what a query came to: rows, or an error that makes every signal of the
// query unknown.
type answer struct {
	rows     []row
	warnings []string
	err      error
}

// row is a series of an answer.
type row struct {
	labels model.Metric
	number float64
	native bool // a histogram stands where a number should
}

// ask evaluates a query at a time of the server's own.
func (c *client) ask(ctx context.Context, query string, at time.Time) answer {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	value, warnings, _, err := c.api.Query(ctx, query, at, v1.WithTimeout(c.timeout))
	if err != nil {
		return answer{err: err}
	}
	vector, ok := value.(model.Vector)
	if !ok {
		return answer{err: fmt.Errorf("the answer is %s where a vector was asked for", shape(value))}
	}
	if len(vector) > maxSeries {
		return answer{err: fmt.Errorf("the answer has %d series, at most %d are read", len(vector), maxSeries)}
	}
	a := answer{warnings: serious(warnings)}
	for _, s := range vector {
		if s != nil {
			a.rows = append(a.rows, row{labels: s.Metric, number: float64(s.Value), native: s.Histogram != nil})
		}
	}
	return a
}

// history evaluates a query at each minute from start to end.
func (c *client) history(ctx context.Context, query string, start, end time.Time) (model.Matrix, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, historyPatience*c.timeout)
	defer cancel()
	value, warnings, _, err := c.api.QueryRange(ctx, query, v1.Range{Start: start, End: end, Step: time.Minute}, v1.WithTimeout(historyPatience*c.timeout))
	if err != nil {
		return nil, nil, c.explain(err)
	}
	matrix, ok := value.(model.Matrix)
	if !ok {
		return nil, nil, fmt.Errorf("the answer is %s where a matrix was asked for", shape(value))
	}
	if len(matrix) > maxSeries {
		return nil, nil, fmt.Errorf("the answer has %d series, at most %d are read", len(matrix), maxSeries)
	}
	return matrix, serious(warnings), nil
}

// serious drops infos, which older servers and Thanos deliver among the warnings.
// What is left makes what was asked for unknown: a warning of PromQL means that
// the number may be wrong, any other that the data is partial.
func serious(warnings []string) []string {
	var left []string
	for _, w := range warnings {
		if !strings.Contains(w, "PromQL info") {
			left = append(left, brief(w))
		}
	}
	return left
}

// explain says what an error of the server itself means.
func (c *client) explain(err error) error {
	var refused *v1.Error
	switch {
	case late(err):
		return fmt.Errorf("%s did not answer within %v", c.url, c.timeout)
	case !errors.As(err, &refused):
		return fmt.Errorf("%s can not be asked: %w", c.url, err)
	case refused.Type == v1.ErrBadResponse || refused.Type == v1.ErrClient:
		return fmt.Errorf("%s answers, but not as a Prometheus API: %s", c.url, said(err))
	}
	return fmt.Errorf("%s refuses: %s", c.url, said(err))
}

// said is an error of a query in the server's own words, shortened.
func said(err error) string {
	var refused *v1.Error
	if !errors.As(err, &refused) {
		return brief(err.Error())
	}
	text := fmt.Sprintf("%s: %s", refused.Type, refused.Msg)
	if refused.Detail != "" {
		text += ": " + refused.Detail
	}
	return brief(text)
}

// unreachable tells whether a query failed on the way rather than at the server.
func unreachable(err error) bool {
	var refused *v1.Error
	return err != nil && (!errors.As(err, &refused) || refused.Type == v1.ErrBadResponse)
}

// brief makes text of others fit for a line of ours.
func brief(text string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	const most = 200
	if runes := []rune(strings.Join(strings.Fields(clean), " ")); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return strings.Join(strings.Fields(clean), " ")
}

func shape(value model.Value) string {
	if value == nil {
		return "empty"
	}
	return "a " + value.Type().String()
}

// late tells whether an error is that of a deadline.
func late(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}
