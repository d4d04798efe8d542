package clairvoyant

// rebuild takes two nodes away and buys what is then worth most, one by one: so two
// become one, or three kinds of slice find together.
func (n *need) rebuild(bin int, now *park, before []machine, offer func(change)) {
	for i := range now.machines {
		for j := range i {
			rest, _, loss := n.removed(bin, now, i)
			less := newPark(n.shop, rest)
			rest, _, more := n.removed(bin, less, min(j, len(less.machines)-1))
			held := n.price * n.demands[0].bins.hours(bin)
			gain := 2*held - loss - more
			built := newPark(n.shop, rest)
			for len(built.machines) < n.most {
				best := change{gain: 1e-9}
				n.add(bin, built, before, func(c change) {
					if c.gain > best.gain {
						best = c
					}
				})
				if best.machines == nil {
					break
				}
				gain += best.gain
				built = newPark(n.shop, best.machines)
			}
			if gain > 1e-6 {
				offer(change{clones(built.machines), gain - n.move})
			}
		}
	}
}

// fresh is the fleet that a bin would have, were there nothing before it and starts
// for nothing.
func (n *need) fresh(bin int) *park {
	start := n.start
	n.start = 0
	defer func() { n.start = start }()
	return n.improve(bin, nil, nil)
}
