package kube

import "testing"

// A number is somebody else's when it is neither what was written last nor, until that
// was seen to be there, what was there before: a write that never arrived is not a
// person's change.
func TestANumberIsSomebodyElsesOnlyWhenItCannotBeOurs(t *testing.T) {
	k := Key{"speech", "fr"}
	var l Ledger
	if l.Changed(k, 5) {
		t.Error("a Deployment that was never scaled counts as changed")
	}
	l.SetScaled(k, 2, 3)
	for replicas, changed := range map[int32]bool{2: false, 3: false, 4: true} {
		if l.Changed(k, replicas) != changed {
			t.Errorf("on its way from 2 to 3 it bears %d, and that counts as changed: %t", replicas, !changed)
		}
	}
	l.Land(k)
	for replicas, changed := range map[int32]bool{2: true, 3: false, 4: true} {
		if l.Changed(k, replicas) != changed {
			t.Errorf("arrived at 3 it bears %d, and that counts as changed: %t", replicas, !changed)
		}
	}
}
