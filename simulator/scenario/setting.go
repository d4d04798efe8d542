package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/simulator"
)

// signals reads how what is measured reaches a controller.
func (r *reader) signals(s *signals) {
	if s == nil {
		return
	}
	every, window := cmp.Or(s.Scrape, 15*time.Second), cmp.Or(s.Window, time.Minute)
	if window%every != 0 {
		r.doc.Complain("spec.signals.window", "%v is no whole number of scrapes, which are %v apart", window, every).
			Hint("use %v", max(window.Truncate(every), every))
	}
	r.scenario.Signals = simulator.Scraping{Every: every, Delay: s.Delay, Window: window}
	r.note("signals are scraped every %s over windows of %s, and read %s later",
		strictyaml.FormatDuration(every), strictyaml.FormatDuration(window), strictyaml.FormatDuration(s.Delay))
}

// reserved reads which nodes are paid for the whole run. The catalog then offers as
// many as there are.
func (r *reader) reserved(list []reservation) {
	catalog := &r.scenario.Settings.Catalog
	catalog.Offerings = slices.Clone(catalog.Offerings)
	for i, res := range list {
		at := strictyaml.Index("spec.reserved", i)
		price, err := fleet.ParseMoney(string(res.PricePerHour), catalog.Currency)
		if err != nil {
			r.doc.Complain(at+".pricePerHour", "%v", err)
		} else if price.Micros() < 0 {
			r.doc.Complain(at+".pricePerHour", "a price is not negative")
		}
		if slices.ContainsFunc(list[:i], func(o reservation) bool { return o.Offering == res.Offering }) {
			r.doc.Complain(at+".offering", "%s is reserved already", res.Offering).Hint("give all of its nodes at once")
		}
		n := slices.IndexFunc(catalog.Offerings, func(o fleet.Offering) bool { return o.Name == res.Offering })
		if n < 0 {
			r.doc.Complain(at+".offering", "the catalog has no offering %q", res.Offering).Suggest(string(res.Offering), offerings(*catalog))
			continue
		}
		o := &catalog.Offerings[n]
		switch {
		case o.Purchase != fleet.Reserved:
			r.doc.Complain(at+".offering", "%s is bought %s", o.Name, o.Purchase).Hint("give it purchase: reserved in the catalog")
		case !o.Price.Hourly().IsZero():
			r.doc.Complain(at+".offering", "the catalog asks %s for a node of %s, which is paid already", o.Price.Describe(), o.Name).
				Hint(`give it pricePerHour: "0" in the catalog, and what the reservation costs here`)
		}
		o.Limit = min(o.Limit, res.Nodes)
		r.scenario.Reserved = append(r.scenario.Reserved, simulator.Reservation{Offering: res.Offering, Nodes: res.Nodes, Price: fleet.PerHour(price)})
		r.note("reserved: %d of %s at %s each, paid whether used or not", res.Nodes, res.Offering, fleet.PerHour(price).Describe())
	}
}

// note keeps a sentence for readers of the results.
func (r *reader) note(format string, args ...any) {
	r.scenario.Notes = append(r.scenario.Notes, fmt.Sprintf(format, args...))
}
