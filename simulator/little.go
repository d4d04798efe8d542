package simulator

import "fmt"

// presence counts the requests or sessions of a model that came and did not leave,
// waiting or in service, and measures their time in two ways that share nothing: as
// the integral of their number, and by each one's own arrival as it leaves. By
// Little's law both are the same, at every instant and for any discipline, so that
// what was lost, was served twice or forgot when it came is found. Both sums are of
// nanoseconds modulo 2^64, which years of a full queue exceed: still they are equal
// only by right or by a chance in 2^64.
type presence struct {
	number level
	spent  int64 // by those who left
}

// enter counts one who came now.
func (p *presence) enter(now int64) { p.number.change(1, now) }

// leave counts one who came at an instant and is gone now, served or not.
func (p *presence) leave(came, now int64) {
	p.number.change(-1, now)
	p.spent += now - came
}

// little compares the integral with the time of those who left and of those who are
// still there.
func (m *model) little(there unfinished, now int64) error {
	integral, spent := m.present.number.integral(now), m.present.spent+there.spent
	if integral == spent {
		return nil
	}
	return fmt.Errorf("model %s: the integral of the number there is not the time that all spent there: it differs by %d ns, with %d counted and %d there",
		m.Name, integral-spent, m.present.number.n, there.all)
}
