package explain

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// Search goes through a journal and keeps what answers a question. It holds one record
// at most, the names that it met, and the newest decisions in short.
type Search struct {
	question Question
	quoted   []byte // the id as a snapshot writes it
	settings *control.Settings

	lines       int // as far as read
	begun, end  time.Time
	answer      Answer
	held        map[string]bool          // what was said last of what is held
	on          map[fleet.ReplicaID]bool // servers that were started on the node asked for
	plans       []time.Time              // of every plan met, in order
	names       map[string]bool
	found       found
	seen, gone  time.Time // first and last in a snapshot
	overstepped bool      // a record after the time asked for was met
}

// found is the record that is told in full.
type found struct {
	line     int
	text     []byte
	settings *control.Settings
	focus    focus
}

// NewSearch begins a search.
func NewSearch(q Question) *Search {
	return &Search{
		question: q, quoted: []byte(`"id":"` + q.ID + `"`), answer: Answer{Kind: q.kind, ID: q.ID},
		on: map[fleet.ReplicaID]bool{}, names: map[string]bool{},
	}
}

// Line takes the next line; enough tells that no later one is needed. The text may be
// used anew by the caller afterwards.
func (s *Search) Line(text []byte) (enough bool, err error) {
	s.lines++
	l, err := readLine(text)
	if err != nil {
		return false, err
	}
	if l.settings != nil {
		s.settings = l.settings
		for _, m := range l.settings.Policy.Models {
			s.names[string(m.Name)] = true
		}
		return false, nil
	}
	if s.settings == nil {
		return false, errors.New("there is a record before any settings: the beginning of the file is missing")
	}
	e := l.entry
	if s.begun.IsZero() {
		s.begun = e.Plan.At
	}
	switch s.question.kind {
	case Plans:
		if len(e.Plan.Steps) > 0 {
			s.note(Event{Text: e.Plan.Headline()}, e)
		}
	case APlan:
		s.plans = append(s.plans, e.Plan.At)
		if string(e.Plan.ID) == s.question.ID {
			s.keep(text, focus{})
			enough = true
		}
	case ATime:
		if s.overstepped = e.Plan.At.After(s.question.at); s.overstepped {
			return true, nil
		}
		s.keep(text, focus{})
	default:
		s.follow(text, e)
	}
	s.end = e.Plan.At
	return enough, nil
}

// keep makes a record the one that is told in full.
func (s *Search) keep(text []byte, f focus) {
	s.found.text = append(s.found.text[:0], text...)
	s.found.line, s.found.settings, s.found.focus = s.lines, s.settings, f
}

// note adds a decision in short.
func (s *Search) note(v Event, e Entry) {
	v.Line, v.Plan, v.At, v.All = s.lines, e.Plan.ID, e.Plan.At, len(e.Plan.Steps)
	s.answer.Total++
	if len(s.answer.Events) == s.question.Last {
		s.answer.Events = slices.Delete(s.answer.Events, 0, 1)
	}
	s.answer.Events = append(s.answer.Events, v)
}

// follow looks for a name.
func (s *Search) follow(text []byte, e Entry) {
	id := s.question.ID
	var v Event
	for _, step := range e.Plan.Steps {
		s.names[step.Subject()] = true
		if node := nodeOf(step); node != "" {
			s.names[string(node)] = true
		}
		if f, ok := s.about(step); ok {
			v.Done = append(v.Done, stepOf(e, step))
			if s.answer.Kind == AServer || s.answer.Kind == ANode && (step.Kind() == fleet.KindBuyNode || s.found.focus.kind != fleet.KindBuyNode) {
				s.keep(text, f)
			}
		}
	}
	if _, known := s.settings.Policy.Model(fleet.ModelName(id)); known {
		s.answer.Kind = AModel
		if need, ok := needOf(e.Needs, fleet.ModelName(id)); ok {
			v.Need, v.Have = &need.Lead, &need.Have
		}
	}
	v.Held = s.heldOf(e.Plan)
	if len(v.Done) > 0 || len(v.Held) > 0 {
		s.note(v, e)
	}
	if bytes.Contains(text, s.quoted) {
		if s.seen.IsZero() {
			s.seen = e.Plan.At
		}
		s.gone = e.Plan.At
	}
}

// about tells whether a step is about the name, and learns of what kind the name is.
func (s *Search) about(step fleet.Step) (focus, bool) {
	id, f := s.question.ID, focus{kind: step.Kind()}
	switch step := step.(type) {
	case fleet.StartReplica:
		s.on[step.Replica] = string(step.Slice.GPU.Node) == id
		f.model = step.Model
	case fleet.StopReplica:
		f.model = modelOf(step)
		if s.on[step.Replica] {
			s.answer.Kind = ANode
			return f, true
		}
	}
	switch id {
	case string(modelOf(step)):
		s.answer.Kind = AModel
		return f, true
	case string(nodeOf(step)):
		s.answer.Kind = ANode
		return f, true
	case step.Subject():
		s.answer.Kind = AServer
		return f, true
	}
	return focus{}, false
}

// heldOf lists what was held of the name, unless the plan before held the same.
func (s *Search) heldOf(p fleet.Plan) []fleet.Reason {
	var out []fleet.Reason
	now := map[string]bool{}
	for _, r := range p.Held {
		if !names(r, s.question.ID) {
			continue
		}
		now[string(r.Code)] = true // the digits differ from minute to minute
		if !s.held[string(r.Code)] {
			out = append(out, r)
		}
	}
	s.held = now
	return out
}
