package repack

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// step carries one step out, or says why that is not possible.
func (r *replay) step(s Step) error {
	n, there := r.nodes[s.Node]
	if s.Do == Buy {
		if there {
			return errors.New("the node is there already")
		}
		return r.buy(s)
	}
	if !there || n.kind.Name != s.Type {
		return errors.New("no such node")
	}
	switch s.Do {
	case Wait:
		return r.wait(n, s)
	case Start:
		return r.start(n, s)
	case Drain:
		return r.drain(n, s)
	case Reshape:
		return r.reshape(n, s)
	}
	return r.turn(n, s)
}

// turn changes what a node as a whole is about.
func (r *replay) turn(n *replayNode, s Step) error {
	switch s.Do {
	case Keep, DrainNode:
		if n.draining == (s.Do == DrainNode) {
			return errors.New("the node does that already")
		}
		n.draining = s.Do == DrainNode
	case GiveBack:
		if !n.draining || n.reserved || r.busy(s.Node, -1) {
			return errors.New("the node does not drain, is not empty, or is reserved")
		}
		delete(r.nodes, s.Node)
	default:
		return errors.New("no such step")
	}
	return nil
}

func (r *replay) buy(s Step) error {
	k, ok := r.b.types[s.Type]
	if !ok || len(s.Cuts) != k.PerNode {
		return errors.New("no such type, or not as many GPUs as it has")
	}
	standing := 0
	for _, n := range r.nodes {
		standing += boolean(n.kind == k)
	}
	if k.MaxNodes != nil && standing >= *k.MaxNodes {
		return fmt.Errorf("the limit of %d nodes is reached", *k.MaxNodes)
	}
	n := &replayNode{kind: k, gpus: make([][]Slice, k.PerNode)}
	r.nodes[s.Node] = n
	return r.cut(n, s.Cuts)
}

func (r *replay) cut(n *replayNode, cuts []Cut) error {
	for _, c := range cuts {
		if err := c.Geometry().Validate(n.kind.spec); err != nil {
			return err
		}
		n.gpus[c.GPU] = nil
		for _, s := range c.Slices {
			n.gpus[c.GPU] = append(n.gpus[c.GPU], Slice{Slice: s})
		}
	}
	return nil
}

func (r *replay) wait(n *replayNode, s Step) error {
	if s.At < 0 {
		delete(r.waiting, seat{s.Node, s.GPU, -1})
		return nil
	}
	slot := &n.gpus[s.GPU][s.At]
	if slot.State == Draining {
		slot.Slice = vacant(slot.Slice)
	}
	slot.State = ""
	return nil
}

func (r *replay) start(n *replayNode, s Step) error {
	slot := &n.gpus[s.GPU][s.At]
	switch {
	case n.draining:
		return errors.New("the node drains")
	case r.waiting[seat{s.Node, -1, -1}] || r.waiting[seat{s.Node, s.GPU, -1}]:
		return errors.New("the node or its GPU is not ready")
	case !slot.Empty() || slot.Profile != s.Slice.Profile || slot.Start != s.Slice.Start:
		return errors.New("the slice is not there, or not free")
	}
	slot.Slice = s.Slice
	return nil
}

func (r *replay) drain(n *replayNode, s Step) error {
	slot := &n.gpus[s.GPU][s.At]
	if slot.Empty() || !same(slot.Slice, s.Slice) {
		return errors.New("the replica is not there")
	}
	slot.Slice = vacant(slot.Slice)
	for _, name := range occupants(s.Slice) {
		m, ok := r.b.models[name]
		if !ok {
			continue
		}
		all, on := r.serves(m.Model, false)
		if all.Cmp(r.floor[name]) < 0 || on < r.apart[name] {
			return fmt.Errorf("%s is served %s on %d nodes then and needs %s on %d", name, all.FloatString(3), on, r.floor[name].FloatString(3), r.apart[name])
		}
	}
	return nil
}

func (r *replay) reshape(n *replayNode, s Step) error {
	if n.kind.terms.Reshape != fleet.ReshapeGPU {
		if r.busy(s.Node, -1) {
			return errors.New("the node is not empty")
		}
	} else if r.busy(s.Node, s.GPU) || len(s.Cuts) != 1 || s.Cuts[0].GPU != s.GPU {
		return errors.New("the GPU is not empty")
	}
	return r.cut(n, s.Cuts)
}

// busy says whether anyone is on a GPU, or on any of the node, or it is being cut.
func (r *replay) busy(node, gpu int) bool {
	for g, slots := range r.nodes[node].gpus {
		if gpu >= 0 && g != gpu {
			continue
		}
		if r.waiting[seat{node, g, -1}] || slices.ContainsFunc(slots, func(s Slice) bool { return !s.Empty() }) {
			return true
		}
	}
	return false
}
