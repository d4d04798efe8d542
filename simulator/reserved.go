package simulator

import (
	"fmt"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Reservation is nodes of an offering that are paid from the start to the end of a
// run, used or not. To buy one of them costs nothing more, which is why their
// offering has no price, and there are no others of it.
type Reservation struct {
	Offering fleet.OfferingName
	Nodes    int
	Price    fleet.Rate // of one node
}

func (r Reservation) validate(c fleet.Catalog) error {
	o, known := c.Offering(r.Offering)
	switch {
	case !known:
		return fmt.Errorf("reservation of %s: the catalog has no such offering", r.Offering)
	case o.Purchase != fleet.Reserved:
		return fmt.Errorf("reservation of %s: it is bought %s: give it purchase %s", r.Offering, o.Purchase, fleet.Reserved)
	case !o.Price.Hourly().IsZero():
		return fmt.Errorf("reservation of %s: the catalog asks %s for a node that is paid already: give its price with the reservation, and 0 in the catalog", r.Offering, o.Price)
	case r.Nodes < 1 || r.Price.Hourly().Micros() < 0:
		return fmt.Errorf("reservation of %d nodes of %s at %s: there must be one at least, and prices are not negative", r.Nodes, r.Offering, r.Price)
	}
	return nil
}

// reserved is one node of a reservation. Its bill goes on whether it is in use or
// not; what it costs meanwhile falls to those who use it, or to nobody.
type reserved struct {
	offering fleet.Offering
	bill     *bill
	node     *node // that is in its place; nil: none
	since    int64 // when it was last given back
	unused   int64 // nanoseconds, up to since
}

// reserve begins the bills of what is reserved.
func (w *World) reserve(list []Reservation) {
	for _, r := range list {
		o, _ := w.catalog.Offering(r.Offering)
		for range r.Nodes {
			w.reserved = append(w.reserved, &reserved{offering: o, bill: newBill(r.Price, w.now)})
		}
	}
}

// vacant finds a reserved node that nobody uses, nil where there is none, and
// whether the offering is reserved at all.
func (w *World) vacant(o fleet.OfferingName) (free *reserved, any bool) {
	for _, r := range w.reserved {
		if r.offering.Name != o {
			continue
		}
		any = true
		if r.node == nil {
			return r, true
		}
	}
	return nil, any
}

// take puts a node in the place of a reserved one.
func (w *World) take(r *reserved, n *node) {
	w.settle(r.bill)
	r.unused += w.now - r.since
	r.node, n.reserved, n.bill = n, r, r.bill
}

// vacate leaves the place, which is paid on.
func (w *World) vacate(r *reserved) {
	r.node, r.since, r.bill.stakes = nil, w.now, nil
}

// enter adds the time of its GPUs in which nobody used it.
func (r *reserved) enter(a *gpuAccount, now int64) {
	if r.offering.GPU == fleet.CPU {
		return
	}
	unused := r.unused
	if r.node == nil {
		unused += now - r.since
	}
	for range r.offering.GPUs {
		a.paid.add(unused)
		a.idled.add(unused)
	}
}
