package recording

import (
	"errors"
	"io"
	"time"
)

// Summarise reads a recording to its end; about is asked for when its first row
// was read. Memory grows with the number of models and clients only.
func Summarise(r Rows, about About) (Summary, error) {
	s := summariser{models: map[string]*modelSummariser{}}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Summary{}, err
		}
		s.step = about.Step
		s.add(row)
	}
	return s.close(about), nil
}

type summariser struct {
	step        time.Duration
	rows        int64
	first, last int64
	gaps        GapSummary
	models      map[string]*modelSummariser
	order       []*modelSummariser
}

// modelSummariser sums over one model.
type modelSummariser struct {
	name        string
	rows        int64
	clients     map[string]bool
	requests    float64
	last        int64
	between     moments // times between requests
	recordedCV  moments // weighted by requests
	work        moments // of a request
	bin         int64   // the bin that is being summed
	inBin, peak float64
	squares     float64 // sum over bins with rows
}

func (s *summariser) add(row Row) {
	if s.rows == 0 {
		s.first = row.At
	} else if gap := row.At - s.last - int64(s.step); s.step > 0 && gap > 0 {
		s.gaps.Count++
		s.gaps.Seconds += time.Duration(gap).Seconds()
		if len(s.gaps.First) < maxGaps {
			s.gaps.First = append(s.gaps.First, Gap{time.Unix(0, row.At-gap).UTC(), time.Unix(0, row.At).UTC()})
		}
	}
	s.rows++
	s.last = row.At
	m := s.models[row.Name]
	if m == nil {
		m = &modelSummariser{name: row.Name, clients: map[string]bool{}}
		s.models[row.Name] = m
		s.order = append(s.order, m)
	}
	m.add(row, s.first, s.width(), s.step > 0)
}

// width is the length of a bin that is counted: the step, but at least a minute.
func (s *summariser) width() int64 { return int64(max(s.step, time.Minute)) }

func (m *modelSummariser) add(row Row, first, width int64, binned bool) {
	if !binned && m.rows > 0 {
		m.between.add(1, time.Duration(row.At-m.last).Seconds())
	}
	m.rows++
	m.last = row.At
	m.requests += row.Requests
	if row.Client != "" {
		m.clients[row.Client] = true
	}
	if row.Requests > 0 {
		m.work.add(row.Requests, row.Work/row.Requests)
		if row.CV > 0 {
			m.recordedCV.add(row.Requests, row.CV)
		}
	}
	if bin := (row.At - first) / width; bin != m.bin {
		m.closeBin()
		m.bin = bin
	}
	m.inBin += row.Requests
}

func (m *modelSummariser) closeBin() {
	m.peak = max(m.peak, m.inBin)
	m.squares += m.inBin * m.inBin
	m.inBin = 0
}

func (s *summariser) close(about About) Summary {
	end := s.last + int64(s.step)
	span := time.Duration(end - s.first).Seconds()
	out := Summary{
		Format: about.Format, Dated: about.Dated, StepSeconds: s.step.Seconds(), Rows: s.rows, Gaps: s.gaps,
		From: time.Unix(0, s.first).UTC(), To: time.Unix(0, end).UTC(),
	}
	bins := float64((end-s.first-1)/s.width() + 1)
	if s.step > 0 && s.step < time.Minute || s.step == 0 {
		bins = max(1, bins)
	} else if about.Dense {
		bins -= s.gaps.Seconds / s.step.Seconds()
	}
	for _, m := range s.order {
		m.closeBin()
		out.Requests += m.requests
		out.Models = append(out.Models, m.summary(about, span, bins, time.Duration(s.width()).Seconds()))
	}
	return out
}

func (m *modelSummariser) summary(about About, span, bins, width float64) ModelSummary {
	out := ModelSummary{Name: m.name, Rows: m.rows, Clients: len(m.clients), Requests: m.requests, Peak: m.peak / width}
	if span > 0 {
		out.Mean = m.requests / span
	}
	if out.Mean > 0 {
		out.PeakToMean = out.Peak / out.Mean
	}
	if out.CV = m.between.cv(); out.CV == nil && m.recordedCV.weight > 0 {
		mean := m.recordedCV.mean()
		out.CV = &mean
	}
	if mean := m.requests / bins; mean > 0 && bins > 1 {
		d := max(0, m.squares/bins-mean*mean) / mean
		out.Dispersion = &d
	}
	if about.Sized && m.work.weight > 0 {
		mean := m.work.mean()
		out.MeanWork, out.WorkCV = &mean, m.work.cv()
	}
	return out
}
