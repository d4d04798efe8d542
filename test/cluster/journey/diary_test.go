package journey

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/test/cluster/emitter"
)

// diary tells people what happens, each line with its time since the beginning.
type diary struct {
	mu    sync.Mutex
	out   io.Writer
	begin time.Time
}

// newDiary writes to standard output, which go test -v shows line by line.
func newDiary() *diary { return &diary{out: os.Stdout, begin: time.Now()} }

// restart lets the time count from now on.
func (d *diary) restart() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.begin = time.Now()
	return d.begin
}

// say writes a line.
func (d *diary) say(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.out, "%s  %s\n", since(time.Since(d.begin)), fmt.Sprintf(format, args...))
}

// chapter writes a heading.
func (d *diary) chapter(title string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.out, "\n%s  == %s\n", since(time.Since(d.begin)), title)
}

// at is a time as the diary writes it.
func (d *diary) at(when time.Time) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return since(when.Sub(d.begin))
}

// Write takes the lines of others, such as the rig's.
func (d *diary) Write(text []byte) (int, error) {
	for line := range strings.Lines(string(text)) {
		d.say("%s", strings.TrimSpace(line))
	}
	return len(text), nil
}

// since prints a time since the beginning: t+01:05, or t-00:10.
func since(d time.Duration) string {
	sign := '+'
	if d < 0 {
		sign, d = '-', -d
	}
	return fmt.Sprintf("t%c%02d:%02d", sign, int(d.Minutes()), int(d.Seconds())%60)
}

// tellTraffic writes down now and then how the traffic fares, until the test ends.
func (d *diary) tellTraffic(t *testing.T, e *emitter.Emitter, every time.Duration) {
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	t.Cleanup(func() { stop(); done.Wait() })
	done.Go(func() {
		before := tally(e)
		for {
			wait(ctx, every)
			if ctx.Err() != nil {
				return
			}
			now := tally(e)
			d.say("   traffic: %s", now.since(before, every))
			before = now
		}
	})
}

// tallied is what became of the traffic of each language so far.
type tallied map[string]emitter.Totals

func tally(e *emitter.Emitter) tallied {
	out := tallied{}
	for _, l := range languages {
		out[l] = e.Totals(modelName(l))
	}
	return out
}

// sum adds up all languages.
func (n tallied) sum() emitter.Totals {
	var s emitter.Totals
	for _, x := range n {
		s.Arrived += x.Arrived
		s.Served += x.Served
		s.Late += x.Late
		s.Waiting += x.Waiting
		s.Running += x.Running
		s.Cut += x.Cut
	}
	return s
}

// since says what happened between two tallies.
func (n tallied) since(before tallied, span time.Duration) string {
	a, b := before.sum(), n.sum()
	english := float64(n["en"].Arrived-before["en"].Arrived) / span.Seconds()
	others := float64(b.Arrived-a.Arrived)/span.Seconds() - english
	return fmt.Sprintf("English %.1f/s, the others %.1f/s; of %d answers %d came in time; %d wait, %d were cut so far",
		english, others, b.Served-a.Served, b.Served-a.Served-(b.Late-a.Late), b.Waiting, b.Cut)
}

// attained is the share of the answers between two tallies that came in time.
func (n tallied) attained(before tallied) (share float64, answers int) {
	a, b := before.sum(), n.sum()
	answers = b.Served - a.Served + b.Cut - a.Cut
	if answers == 0 {
		return 0, 0
	}
	return 1 - float64(b.Late-a.Late+b.Cut-a.Cut)/float64(answers), answers
}
