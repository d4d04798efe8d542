package gpu

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// What the operator has written counts until the cache shows that or something later, so
// that it says nothing twice; a node that came again under its name begins anew.
func TestTheOperatorKnowsItsOwnWrites(t *testing.T) {
	node := func(uid types.UID, version string) *corev1.Node {
		return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", UID: uid, ResourceVersion: version}}
	}
	o := &Operator{written: map[types.UID]*corev1.Node{"a": node("a", "100")}}
	for _, c := range []struct {
		uid          types.UID
		cached, want string
	}{
		{"a", "99", "100"},
		{"a", "100", "100"},
		{"a", "101", "101"},
		{"b", "98", "98"},
		{"a", "99", "100"}, // It is not forgotten by being asked for.
	} {
		once := o.newest(node(c.uid, c.cached))
		if again := o.newest(once); once.ResourceVersion != c.want || again.ResourceVersion != c.want {
			t.Errorf("%s cached at %s counts as of %s and then of %s, want %s", c.uid, c.cached, once.ResourceVersion, again.ResourceVersion, c.want)
		}
	}
}
