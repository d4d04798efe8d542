package kube

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// LedgerKey is the key of the ConfigMap under which the ledger lies.
const LedgerKey = "ledger.json"

// LedgerMost is how large, in bytes, the ledger may grow by what is newly begun. A
// ConfigMap holds 1 MiB; the rest is for what is to be noted of those that leave.
const LedgerMost = 768 << 10

// Ledger is what Tessera set out to have and cannot read from the cluster: which
// nodes it asked for and why, how they are to be cut, which replica goes on which
// slice, and what was spent. It is written before the cluster is changed, and only
// over the version that was read, so that of two writers one is refused.
type Ledger struct {
	Generation int64        `json:"generation"` // rises with every write
	Plan       fleet.PlanID `json:"plan"`       // for which it was written last
	Leader     string       `json:"leader"`     // that wrote it last
	Sequence   int          `json:"sequence"`   // highest number ever given in a name
	Spend      fleet.Spend  `json:"spend"`
	SpentAt    time.Time    `json:"spent_at,omitzero"`  // up to when the spend is counted
	Nodes      []Wish       `json:"nodes,omitempty"`    // sorted by id
	Replicas   []Seat       `json:"replicas,omitempty"` // sorted by id
	Scaled     []Scaled     `json:"scaled,omitempty"`   // sorted by Deployment
	Backoffs   []Backoff    `json:"backoffs,omitempty"` // sorted by offering
	Noticed    []Noticed    `json:"noticed,omitempty"`  // sorted by Deployment
}

// Wish is a node that Tessera asked for, or one of somebody else's that it cuts or
// cordons.
type Wish struct {
	ID          fleet.NodeID       `json:"id"`
	Offering    fleet.OfferingName `json:"offering"`
	GPUs        []fleet.GPU        `json:"gpus"` // as they are to be cut
	Plan        fleet.PlanID       `json:"plan"`
	RequestedAt time.Time          `json:"requested_at"`
	ReadyAt     time.Time          `json:"ready_at,omitzero"` // when its slices were first all there
	Fixed       bool               `json:"fixed,omitempty"`   // somebody else's
	Draining    bool               `json:"draining,omitempty"`
	Returning   bool               `json:"returning,omitempty"`
	Cut         *Cut               `json:"cut,omitempty"` // the geometry that is being made
}

// Cut is a change of geometry under way.
type Cut struct {
	Plan  fleet.PlanID `json:"plan"`
	Since time.Time    `json:"since"`
	Tries int          `json:"tries"` // times the label was written
	// Failed is why it was given up; the node then serves nothing until a person
	// mends it or it goes.
	Failed string `json:"failed,omitempty"`
}

// Seat is a replica that Tessera set out to have on a slice.
type Seat struct {
	ID      fleet.ReplicaID `json:"id"`
	Server  Key             `json:"server"`
	Slice   fleet.SliceID   `json:"slice"`
	Plan    fleet.PlanID    `json:"plan"`
	Since   time.Time       `json:"since"`
	By      string          `json:"by,omitempty"` // who, when it was not Tessera
	Leaving *Leaving        `json:"leaving,omitempty"`
}

// Leaving is a replica that ends what it has.
type Leaving struct {
	Plan  fleet.PlanID `json:"plan"`
	Pod   string       `json:"pod,omitempty"` // empty: it never had one
	UID   types.UID    `json:"uid,omitempty"`
	Since time.Time    `json:"since"`
	// Lowered is true once the replicas of the Deployment no longer count it.
	Lowered bool `json:"lowered,omitempty"`
}

// Scaled is the number of replicas that Tessera wrote last to a Deployment, or set
// out to write: the ledger is written first, and what comes after may fail.
type Scaled struct {
	Server   Key   `json:"server"`
	From     int32 `json:"from"` // what was there before
	Replicas int32 `json:"replicas"`
	Landed   bool  `json:"landed,omitempty"` // it was seen to be there
}

// Noticed is a number of replicas that somebody else wrote through the scale
// subresource, as kubectl scale does. The API server records who wrote it and not
// when, so that the ledger keeps when it was first seen.
type Noticed struct {
	Server   Key       `json:"server"`
	By       string    `json:"by"`
	Replicas int32     `json:"replicas"`
	Since    time.Time `json:"since"`
}

// DecodeLedger reads a ledger; of no text, an empty one. What cannot be read is an
// error and never an empty ledger, because that would forget what was bought.
func DecodeLedger(text string) (Ledger, error) {
	var l Ledger
	if text == "" {
		return l, nil
	}
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return Ledger{}, fmt.Errorf("the ledger cannot be read, so nothing is done: %w; mend its key %s, or restore the ConfigMap from a backup", err, LedgerKey)
	}
	var errs []error
	for i := 1; i < len(l.Nodes); i++ {
		if l.Nodes[i].ID <= l.Nodes[i-1].ID {
			errs = append(errs, fmt.Errorf("node %s is out of order", l.Nodes[i].ID))
		}
	}
	for i := 1; i < len(l.Replicas); i++ {
		if l.Replicas[i].ID <= l.Replicas[i-1].ID {
			errs = append(errs, fmt.Errorf("replica %s is out of order", l.Replicas[i].ID))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Ledger{}, fmt.Errorf("the ledger is damaged, so nothing is done: %w", err)
	}
	return l, nil
}

// Encode writes the ledger.
func (l Ledger) Encode() (string, error) {
	text, err := json.Marshal(l)
	if err != nil {
		return "", fmt.Errorf("write the ledger: %w", err)
	}
	return string(text), nil
}

// Node finds a wish; it may be changed in place.
func (l *Ledger) Node(id fleet.NodeID) *Wish {
	if i, ok := slices.BinarySearchFunc(l.Nodes, id, func(w Wish, id fleet.NodeID) int { return cmp.Compare(w.ID, id) }); ok {
		return &l.Nodes[i]
	}
	return nil
}

// Replica finds a seat; it may be changed in place.
func (l *Ledger) Replica(id fleet.ReplicaID) *Seat {
	if i, ok := slices.BinarySearchFunc(l.Replicas, id, func(s Seat, id fleet.ReplicaID) int { return cmp.Compare(s.ID, id) }); ok {
		return &l.Replicas[i]
	}
	return nil
}

// PutNode adds a wish, or takes the place of the one with its id.
func (l *Ledger) PutNode(w Wish) {
	i, found := slices.BinarySearchFunc(l.Nodes, w.ID, func(x Wish, id fleet.NodeID) int { return cmp.Compare(x.ID, id) })
	if found {
		l.Nodes[i] = w
		return
	}
	l.Nodes = slices.Insert(l.Nodes, i, w)
}

// PutReplica adds a seat, or takes the place of the one with its id.
func (l *Ledger) PutReplica(s Seat) {
	i, found := slices.BinarySearchFunc(l.Replicas, s.ID, func(x Seat, id fleet.ReplicaID) int { return cmp.Compare(x.ID, id) })
	if found {
		l.Replicas[i] = s
		return
	}
	l.Replicas = slices.Insert(l.Replicas, i, s)
}

// DropNode forgets a wish and the seats on it.
func (l *Ledger) DropNode(id fleet.NodeID) {
	l.Nodes = slices.DeleteFunc(l.Nodes, func(w Wish) bool { return w.ID == id })
	l.Replicas = slices.DeleteFunc(l.Replicas, func(s Seat) bool { return s.Slice.GPU.Node == id })
}

// DropReplica forgets a seat.
func (l *Ledger) DropReplica(id fleet.ReplicaID) {
	l.Replicas = slices.DeleteFunc(l.Replicas, func(s Seat) bool { return s.ID == id })
}

// scaled finds what was written last to a Deployment; it may be changed in place.
func (l *Ledger) scaled(k Key) (at int, found bool) {
	return slices.BinarySearchFunc(l.Scaled, k, func(s Scaled, k Key) int { return s.Server.Compare(k) })
}

// LastScaled is what Tessera wrote last to a Deployment, false when it never did.
func (l *Ledger) LastScaled(k Key) (int32, bool) {
	if i, found := l.scaled(k); found {
		return l.Scaled[i].Replicas, true
	}
	return 0, false
}

// SetScaled notes what is to be written to a Deployment over the number that is there.
func (l *Ledger) SetScaled(k Key, from, to int32) {
	i, found := l.scaled(k)
	if !found {
		l.Scaled = slices.Insert(l.Scaled, i, Scaled{})
	}
	l.Scaled[i] = Scaled{Server: k, From: from, Replicas: to}
	l.Forget(k)
}

// Land notes that the number which was to be written is there.
func (l *Ledger) Land(k Key) {
	if i, found := l.scaled(k); found {
		l.Scaled[i].Landed = true
	}
	l.Forget(k)
}

// Changed tells whether a Deployment bears a number that is not Tessera's: neither the
// one it wrote nor the one before it, as long as that was not seen to be gone. A
// Deployment that Tessera never scaled is nobody's change of anything.
func (l *Ledger) Changed(k Key, replicas int32) bool {
	i, found := l.scaled(k)
	if !found || replicas == l.Scaled[i].Replicas {
		return false
	}
	return l.Scaled[i].Landed || replicas != l.Scaled[i].From
}

// NoticedAt is when a number of replicas of somebody else was first seen, false when
// it was not.
func (l *Ledger) NoticedAt(k Key, by string, replicas int32) (time.Time, bool) {
	i, found := slices.BinarySearchFunc(l.Noticed, k, func(n Noticed, k Key) int { return n.Server.Compare(k) })
	if !found || l.Noticed[i].By != by || l.Noticed[i].Replicas != replicas {
		return time.Time{}, false
	}
	return l.Noticed[i].Since, true
}

// Notice notes a number of somebody else, in place of an earlier one.
func (l *Ledger) Notice(n Noticed) {
	i, found := slices.BinarySearchFunc(l.Noticed, n.Server, func(x Noticed, k Key) int { return x.Server.Compare(k) })
	if found {
		l.Noticed[i] = n
		return
	}
	l.Noticed = slices.Insert(l.Noticed, i, n)
}

// Forget drops what was noticed of a Deployment.
func (l *Ledger) Forget(k Key) {
	l.Noticed = slices.DeleteFunc(l.Noticed, func(n Noticed) bool { return n.Server == k })
}

// Clone copies the ledger so that a change can be tried.
func (l Ledger) Clone() Ledger {
	l.Nodes, l.Replicas = slices.Clone(l.Nodes), slices.Clone(l.Replicas)
	l.Scaled, l.Noticed, l.Backoffs = slices.Clone(l.Scaled), slices.Clone(l.Noticed), slices.Clone(l.Backoffs)
	for i := range l.Nodes {
		l.Nodes[i].GPUs = slices.Clone(l.Nodes[i].GPUs)
		if c := l.Nodes[i].Cut; c != nil {
			copied := *c
			l.Nodes[i].Cut = &copied
		}
	}
	for i := range l.Replicas {
		if d := l.Replicas[i].Leaving; d != nil {
			copied := *d
			l.Replicas[i].Leaving = &copied
		}
	}
	return l
}
