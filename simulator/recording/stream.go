package recording

import (
	"errors"
	"io"
	"time"
)

// Rows is what a Reader is, and what is made of it.
type Rows interface {
	// Next returns the next row in time order; io.EOF follows the last.
	Next() (Row, error)
}

// Slice yields the rows from one instant on and before another; bins belong where
// they begin.
func Slice(rows Rows, from, to time.Time) Rows {
	return filtered(func() (Row, error) {
		for {
			r, err := rows.Next()
			if err != nil {
				return r, err
			}
			if at := time.Unix(0, r.At); at.Before(from) {
				continue
			} else if at.Before(to) {
				return r, nil
			}
			return Row{}, io.EOF
		}
	})
}

// Shift yields the rows so much later, or earlier where it is negative.
func Shift(rows Rows, by time.Duration) Rows {
	return filtered(func() (Row, error) {
		r, err := rows.Next()
		r.At += int64(by)
		return r, err
	})
}

// Rename yields the rows under other names: of a mapping, or where that is nil all
// under one name. Rows that become one model of one time are one.
func Rename(rows Rows, mapping map[string]string) Rows {
	return filtered(func() (Row, error) {
		r, err := rows.Next()
		if to, ok := mapping[r.Name]; ok {
			r.Name = to
		} else if to, ok := mapping[AnyModel]; ok {
			r.Name = to
		}
		return r, err
	})
}

// filtered makes Rows of a function.
type filtered func() (Row, error)

// Next implements Rows.
func (f filtered) Next() (Row, error) { return f() }

// Mix yields the rows of several recordings in time order; where times are equal
// the earlier recording goes first. In bins, what one model has in one bin becomes
// one row, without clients and burstiness.
func Mix(binned bool, recordings ...Rows) Rows {
	m := &mixed{heads: make([]head, len(recordings))}
	for i, r := range recordings {
		m.heads[i] = head{rows: r}
	}
	if !binned {
		return filtered(m.merge)
	}
	return &Bins{rows: filtered(m.merge)}
}

// head is the next row of one recording.
type head struct {
	rows  Rows
	row   Row
	err   error
	taken bool // the row has been looked up
}

type mixed struct{ heads []head }

func (m *mixed) merge() (Row, error) {
	first := -1
	for i := range m.heads {
		h := &m.heads[i]
		if !h.taken {
			h.row, h.err = h.rows.Next()
			h.taken = true
		}
		if h.err != nil && !errors.Is(h.err, io.EOF) {
			return Row{}, h.err
		}
		if h.err == nil && (first < 0 || h.row.At < m.heads[first].row.At) {
			first = i
		}
	}
	if first < 0 {
		return Row{}, io.EOF
	}
	m.heads[first].taken = false
	return m.heads[first].row, nil
}

// Bins sums what one model has in one bin to one row. Within a bin, models come in
// the order of their first rows.
type Bins struct {
	rows    Rows
	ready   []Row
	next    Row
	pending bool
	err     error
}

// NewBins sums rows that are bins.
func NewBins(rows Rows) *Bins { return &Bins{rows: rows} }

// Next implements Rows.
func (b *Bins) Next() (Row, error) {
	for len(b.ready) == 0 {
		if b.err != nil {
			return Row{}, b.err
		}
		b.fill()
	}
	row := b.ready[0]
	b.ready = b.ready[1:]
	return row, nil
}

// fill gathers the rows of the next time.
func (b *Bins) fill() {
	b.ready = nil
	index := map[string]int{}
	for {
		if !b.pending {
			if b.next, b.err = b.rows.Next(); b.err != nil {
				return
			}
			b.pending = true
		}
		if len(b.ready) > 0 && b.ready[0].At != b.next.At {
			return
		}
		b.pending = false
		if i, ok := index[b.next.Name]; ok {
			b.ready[i].Requests += b.next.Requests
			b.ready[i].Work += b.next.Work
			continue
		}
		index[b.next.Name] = len(b.ready)
		b.ready = append(b.ready, Row{At: b.next.At, Name: b.next.Name, Requests: b.next.Requests, Work: b.next.Work})
	}
}
